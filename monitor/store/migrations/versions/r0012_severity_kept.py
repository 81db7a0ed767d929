"""How bad an incident is and where it probably comes from, kept as they were judged when it opened or got worse."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of earlier incidents nobody knows what the configuration of their day said.
    op.add_column("incident", sa.Column("severity", sa.String(16)))
    op.add_column("incident", sa.Column("worse_us", sa.BigInteger))
    op.add_column("incident", sa.Column("worse_failure", sa.Text))
    op.add_column("incident", sa.Column("cause", sa.String(32)))


def downgrade() -> None:
    raise NotImplementedError("Forward only: restore a backup made before the upgrade.")
