"""Until when a message waits on purpose, and since when it has been tried for each reader.

Without the first, a warning kept for quiet hours looks like one that nobody takes; without the second, one that waited
for days is given up at the first server that is busy.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("held_until_us", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("message_recipient", sa.Column("tried_since_us", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("message_recipient", "tried_since_us")
    op.drop_column("message", "held_until_us")
