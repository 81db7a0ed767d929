"""Of a message to each reader, when it was first tried and who took it; when evidence was kept; room for every kind.

PostgreSQL refuses a kind of message that is longer than its column, and with it the whole transaction; SQLite takes any
length.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message_recipient", sa.Column("server", sa.Text, nullable=False, server_default=""))
    op.add_column("message_recipient", sa.Column("tried_us", sa.BigInteger))
    # Of files kept before nobody knows when: they count for no day.
    op.add_column("evidence_file", sa.Column("kept_us", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("ix_evidence_file_kept", "evidence_file", ["kept_us"])
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("message", "kind", type_=sa.Text, existing_nullable=False)


def downgrade() -> None:
    raise NotImplementedError("Forward only: restore a backup made before the upgrade.")
