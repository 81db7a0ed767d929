"""When each outpost was last heard of, and what outposts handed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outpost",
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("seen_us", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("config_sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("location", name="pk_outpost"),
    )
    op.create_table(
        "handed_in",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("slot_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_handed_in"),
    )


def downgrade() -> None:
    raise NotImplementedError("Forward only: restore a backup made before the upgrade.")
