"""In which time zone a message tells its times; and an index on what an address got lately."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("timezone", sa.Text))
    op.create_index("ix_message_recipient_lately", "message_recipient", ["address", "settled_us"])


def downgrade() -> None:
    op.drop_index("ix_message_recipient_lately", "message_recipient")
    op.drop_column("message", "timezone")
