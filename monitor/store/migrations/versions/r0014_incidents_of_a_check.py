"""An index on the incidents of one check.

Without it whoever asks for them reads those of all: some milliseconds for each journey behind a login, in a store of
thousands.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_incident_check", "incident", ["check_id", "since_us"])


def downgrade() -> None:
    op.drop_index("ix_incident_check", "incident")
