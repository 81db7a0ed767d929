"""How name servers, ports and mail servers were reached, and what a name server answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sample_detail", sa.Column("reached", sa.Text))


def downgrade() -> None:
    op.drop_column("sample_detail", "reached")
