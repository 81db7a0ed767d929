"""The first tables: samples with their evidence, incidents, outgoing mail, ledger, events, reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = ("sample", "sample_detail", "evidence", "ledger")


def upgrade() -> None:
    key = ("check_id", "location", "slot_us")

    def sample_key() -> list[sa.Column[object]]:
        return [
            sa.Column("check_id", sa.Text, nullable=False),
            sa.Column("location", sa.Text, nullable=False),
            sa.Column("slot_us", sa.BigInteger, nullable=False),
        ]

    op.create_table(
        "sample",
        *sample_key(),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("duration_us", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("failure_kind", sa.String(16)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lag_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_sample"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sample_detail",
        *sample_key(),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("blip", sa.Text),
        sa.Column("steps", sa.Text, nullable=False),
        sa.Column("certificate", sa.Text),
        sa.PrimaryKeyConstraint(*key, name="pk_sample_detail"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "evidence",
        *sample_key(),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("response_head", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("body_truncated", sa.Boolean, nullable=False),
        sa.Column("body_sha256", sa.String(64)),
        sa.Column("addresses", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(*key, "position", name="pk_evidence"),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("confirmed_us", sa.BigInteger, nullable=False),
        sa.Column("last_bad_us", sa.BigInteger, nullable=False),
        sa.Column("until_us", sa.BigInteger),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("reminders", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_index("ix_incident_since_us", "incident", ["since_us"])
    op.create_index(
        "uq_incident_open",
        "incident",
        ["check_id"],
        unique=True,
        sqlite_where=sa.text("until_us IS NULL"),
        postgresql_where=sa.text("until_us IS NULL"),
    )
    op.create_table(
        "incident_state",
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("check_id", name="pk_incident_state"),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("thread", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("incident_id", sa.Text),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_us", sa.BigInteger, nullable=False),
        sa.Column("lease_until_us", sa.BigInteger, nullable=False),
        sa.Column("lease_owner", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
    )
    op.create_index("ix_message_thread", "message", ["thread"])
    op.create_index("ix_message_incident_id", "message", ["incident_id"])
    op.create_index(
        "ix_message_pending",
        "message",
        ["due_us"],
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "message_recipient",
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("settled_us", sa.BigInteger),
        sa.Column("answer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("message_id", "address", name="pk_message_recipient"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_message_recipient_message_id"),
    )
    op.create_table(
        "ledger",
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("from_us", sa.BigInteger),
        sa.Column("until_us", sa.BigInteger),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("supersedes", sa.BigInteger),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_ledger"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=True),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("check_id", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_at_us", "event", ["at_us"])
    op.create_table(
        "report",
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("automatic", sa.Boolean, nullable=False),
        sa.Column("issued_us", sa.BigInteger, nullable=False),
        sa.Column("ledger_head", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("contract", "period", "number", name="pk_report"),
    )
    op.create_index(
        "uq_report_automatic",
        "report",
        ["contract", "period"],
        unique=True,
        sqlite_where=sa.text("automatic = 1"),
        postgresql_where=sa.text("automatic"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for table in _APPEND_ONLY:
            for action in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
    else:
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '23000'; END $$"
        )
        for table in _APPEND_ONLY:
            op.execute(
                f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )


def downgrade() -> None:
    raise NotImplementedError("Forward only: restore a backup made before the upgrade.")
