"""Which mail server took a message, for each of its readers; and room for every kind of message there is.

PostgreSQL refuses a kind that is longer than its column, and with it the whole transaction; SQLite takes any length.
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
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("message", "kind", type_=sa.Text, existing_nullable=False)


def downgrade() -> None:
    raise NotImplementedError("Forward only: restore a backup made before the upgrade.")
