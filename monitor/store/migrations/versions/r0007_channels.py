"""By which way a message leaves: mail, or webhook."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("channel", sa.String(8), nullable=False, server_default="mail"))


def downgrade() -> None:
    op.drop_column("message", "channel")
