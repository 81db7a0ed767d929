"""Documents of several kinds: what is there are monthly reports, and numbers count per contract, kind and subject."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("uq_report_automatic", "report")
    with op.batch_alter_table("report") as table:
        table.add_column(sa.Column("kind", sa.Text, nullable=False, server_default="monthly"))
        table.drop_constraint("pk_report", type_="primary")
        table.create_primary_key("pk_report", ["contract", "kind", "period", "number"])
    op.create_index(
        "uq_report_automatic",
        "report",
        ["contract", "kind", "period"],
        unique=True,
        sqlite_where=sa.text("automatic = 1"),
        postgresql_where=sa.text("automatic"),
    )


def downgrade() -> None:
    raise NotImplementedError("Forward only: restore a backup made before the upgrade.")
