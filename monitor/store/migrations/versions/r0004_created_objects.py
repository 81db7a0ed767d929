"""What journeys made at the portal, until it is confirmed gone; and how accounts fare at logging in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "created_object",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("needed", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("run_time", sa.Text, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("due_us", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.Column("settled_us", sa.BigInteger),
        sa.Column("settled_by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_created_object"),
    )
    op.create_index("ix_created_object_recent", "created_object", ["check_id", "created_us"])
    op.create_index("ix_created_object_stage", "created_object", ["stage"])
    op.create_table(
        "login_brake",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("paused_until_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("account", name="pk_login_brake"),
    )


def downgrade() -> None:
    raise NotImplementedError("Forward only: restore a backup made before the upgrade.")
