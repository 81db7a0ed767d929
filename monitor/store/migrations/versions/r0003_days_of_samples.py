"""Folded days of samples, and the trigger that takes one away when another sample of that day arrives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FORGET = (
    "DELETE FROM sample_day WHERE check_id = NEW.check_id AND location = NEW.location "
    "AND day_us = NEW.slot_us - NEW.slot_us % 86400000000"  # a day of UTC
)


def upgrade() -> None:
    op.create_table(
        "sample_day",
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("day_us", sa.BigInteger, nullable=False),
        sa.Column("runs", sa.Text, nullable=False),
        sa.Column("durations", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("check_id", "location", "day_us", name="pk_sample_day"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER sample_forgets_its_day AFTER INSERT ON sample BEGIN {_FORGET}; END")
    else:
        op.execute(
            f"CREATE FUNCTION forget_day() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_FORGET}; RETURN NULL; END $$"
        )
        op.execute(
            "CREATE TRIGGER sample_forgets_its_day AFTER INSERT ON sample FOR EACH ROW EXECUTE FUNCTION forget_day()"
        )


def downgrade() -> None:
    raise NotImplementedError("Forward only: restore a backup made before the upgrade.")
