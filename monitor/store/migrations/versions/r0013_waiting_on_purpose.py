"""Until when a message waits on purpose; and indexes on what cannot be read and on what was lost.

Without the first, a warning kept for quiet hours looks like one that nobody takes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_message_aside", "message", "channel", "aside"),
    ("ix_message_recipient_lost", "message_recipient", "settled_us", "failed"),
)


def upgrade() -> None:
    op.add_column("message", sa.Column("held_until_us", sa.BigInteger, nullable=False, server_default="0"))
    for name, table, column, state in _INDEXES:
        where = sa.text(f"state = '{state}'")
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, *_ in reversed(_INDEXES):
        op.drop_index(name, table)
    op.drop_column("message", "held_until_us")
