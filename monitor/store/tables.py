"""Every table once. Instants and lengths of time are BIGINT microseconds; what is not asked by SQL is JSON text.

The tables made here and those that the migrations leave behind are the same: a test compares them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Tables whose rows are never changed or removed; triggers refuse it on both engines.
APPEND_ONLY = ("sample", "sample_detail", "evidence", "evidence_bundle", "evidence_file", "ledger")

# Narrow on purpose: a month of SLA arithmetic reads this table alone. The rest of a sample lies in sample_detail.
sample = Table(
    "sample",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("slot_us", BigInteger, primary_key=True),
    Column("started_us", BigInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("failure_kind", String(16)),
    Column("attempts", Integer, nullable=False),
    Column("lag_us", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

sample_detail = Table(
    "sample_detail",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("slot_us", BigInteger, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("failure", Text),
    Column("blip", Text),
    Column("steps", Text, nullable=False),
    Column("certificate", Text),
    Column("reached", Text),
    sqlite_with_rowid=False,
)

# Made from `sample` alone and taken away by a trigger when another sample of the day arrives; see `store.days`.
sample_day = Table(
    "sample_day",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("day_us", BigInteger, primary_key=True),
    Column("runs", Text, nullable=False),
    Column("durations", LargeBinary, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("slot_us", BigInteger, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("step", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("response_head", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("body_truncated", Boolean, nullable=False),
    Column("body_sha256", String(64)),
    Column("addresses", Text, nullable=False),
)

# Canonical bytes of `probes.bundle`, compressed; named by the SHA-256 of what they are before.
evidence_bundle = Table(
    "evidence_bundle",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("check_id", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("slot_us", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
Index(
    "ix_evidence_bundle_sample",
    evidence_bundle.c.check_id,
    evidence_bundle.c.location,
    evidence_bundle.c.slot_us,
    evidence_bundle.c.position,
    unique=True,
)

# Pictures and traces that bundles name. Runs that looked alike to the byte share one.
evidence_file = Table(
    "evidence_file",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("form", String(8), nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("kept_us", BigInteger, nullable=False, server_default="0"),
)
Index("ix_evidence_file_kept", evidence_file.c.kept_us)

incident = Table(
    "incident",
    metadata,
    Column("id", Text, primary_key=True),
    Column("check_id", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False, index=True),
    Column("confirmed_us", BigInteger, nullable=False),
    Column("last_bad_us", BigInteger, nullable=False),
    Column("until_us", BigInteger),
    Column("failure", Text, nullable=False),
    Column("reminders", Integer, nullable=False),
    Column("severity", String(16)),
    Column("worse_us", BigInteger),
    Column("worse_failure", Text),
    Column("cause", String(32)),
)
Index("ix_incident_check", incident.c.check_id, incident.c.since_us)
# However many processes write: at most one open incident for a check.
Index(
    "uq_incident_open",
    incident.c.check_id,
    unique=True,
    sqlite_where=text("until_us IS NULL"),
    postgresql_where=text("until_us IS NULL"),
)

incident_state = Table(
    "incident_state",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
)

# The id is derived from what the message is about, so the same news cannot be queued twice.
message = Table(
    "message",
    metadata,
    Column("id", Text, primary_key=True),
    Column("thread", Text, nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("kind", Text().with_variant(String(16), "sqlite"), nullable=False),  # SQLite takes any length for 16 too
    Column("channel", String(8), nullable=False, server_default="mail"),
    Column("language", String(2), nullable=False),
    Column("timezone", Text),
    Column("incident_id", Text, index=True),
    Column("created_us", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("lease_until_us", BigInteger, nullable=False),
    Column("lease_owner", Text, nullable=False),
    Column("held_until_us", BigInteger, nullable=False, server_default="0"),
)
Index(
    "ix_message_pending",
    message.c.due_us,
    sqlite_where=text("state = 'pending'"),
    postgresql_where=text("state = 'pending'"),
)

# Asked after every attempt, and hardly ever any.
Index(
    "ix_message_aside",
    message.c.channel,
    sqlite_where=text("state = 'aside'"),
    postgresql_where=text("state = 'aside'"),
)

message_recipient = Table(
    "message_recipient",
    metadata,
    Column("message_id", Text, ForeignKey("message.id"), primary_key=True),
    Column("address", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("settled_us", BigInteger),
    Column("answer", Text, nullable=False),
    Column("server", Text, nullable=False, server_default=""),
    Column("tried_us", BigInteger),
)
# What an address got in the last hour is asked before every mail to it.
Index("ix_message_recipient_lately", message_recipient.c.address, message_recipient.c.settled_us)
# The status page asks for what was lost.
Index(
    "ix_message_recipient_lost",
    message_recipient.c.settled_us,
    sqlite_where=text("state = 'failed'"),
    postgresql_where=text("state = 'failed'"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("from_us", BigInteger),
    Column("until_us", BigInteger),
    Column("scope", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("supersedes", BigInteger),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("check_id", Text),
    Column("data", Text, nullable=False),
)

report = Table(
    "report",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("kind", Text, primary_key=True, server_default="monthly"),
    Column("period", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("automatic", Boolean, nullable=False),
    Column("issued_us", BigInteger, nullable=False),
    Column("ledger_head", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("files", Text, nullable=False),
)
# Exactly once: only one document of a kind and period can be the one the service drew up by itself.
Index(
    "uq_report_automatic",
    report.c.contract,
    report.c.kind,
    report.c.period,
    unique=True,
    sqlite_where=text("automatic = 1"),
    postgresql_where=text("automatic"),
)

# Written before anything is made at the portal, so that a monitor that is killed forgets nothing. Never removed.
created_object = Table(
    "created_object",
    metadata,
    Column("id", Text, primary_key=True),
    Column("check_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("name", Text),
    Column("needed", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("run_time", Text, nullable=False),
    Column("stage", String(16), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("trouble", Text, nullable=False),
    Column("settled_us", BigInteger),
    Column("settled_by", Text, nullable=False),
    Column("why", Text, nullable=False),
)
Index("ix_created_object_recent", created_object.c.check_id, created_object.c.created_us)
Index("ix_created_object_stage", created_object.c.stage)

login_brake = Table(
    "login_brake",
    metadata,
    Column("account", Text, primary_key=True),
    Column("refused", Integer, nullable=False),
    Column("paused_until_us", BigInteger),
)

outpost = Table(
    "outpost",
    metadata,
    Column("location", Text, primary_key=True),
    Column("seen_us", BigInteger, nullable=False),
    Column("version", Text, nullable=False),
    Column("config_sha256", String(64), nullable=False),
)

handed_in = Table(
    "handed_in",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("check_id", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("slot_us", BigInteger, nullable=False),
)
