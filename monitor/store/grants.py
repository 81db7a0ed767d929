"""What an outpost may do in a PostgreSQL store, and no more: as statements for whoever administers the database."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Table

from monitor.incidents import MONITOR
from monitor.news import Kind
from monitor.store import tables
from monitor.store.outbox import Settled

#: Only added to: what was measured, what proves it, what happened, and that checks of its own stand still, with the
#: mail about that.
_ADDED = (
    tables.sample,
    tables.sample_detail,
    tables.evidence,
    tables.evidence_bundle,
    tables.evidence_file,
    tables.handed_in,
    tables.event,
    tables.incident,
    tables.message,
    tables.message_recipient,
)
#: Changed too: what its journeys made at the portal, that it is there, and what is known of the monitor's own trouble.
_CHANGED = (tables.created_object, tables.login_brake, tables.outpost, tables.incident_state)
_NUMBERED = (tables.event, tables.handed_in)


def for_outpost(role: str, location: str) -> Iterator[str]:
    """Statements that let a role do what the outpost of a location does, and speak for no other location.

    It reads everything. It cannot write the ledger or a report, nor change or remove what was measured, by whomever. Of
    incidents it opens the monitor's own and says how long that lasts; it ends none. Of messages it adds those that say
    so, for the monitor to send; one that is queued it can neither change nor call back.
    The owner of the tables, as whom the monitor connects, is bound by none of it. Each may be executed again.
    """
    who, here = _name(role), _text(location)
    yield f"GRANT USAGE ON SCHEMA public TO {who};"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {who};"
    yield f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {who};"
    yield f"GRANT INSERT ON {_names(_ADDED)} TO {who};"
    yield f"GRANT INSERT, UPDATE ON {_names(_CHANGED)} TO {who};"
    yield f"GRANT UPDATE ({tables.incident.c.last_bad_us.name}) ON {tables.incident.name} TO {who};"
    # A sample of a day that was folded makes it be folded anew; the trigger runs as whoever brought the sample.
    yield f"GRANT DELETE ON {tables.sample_day.name} TO {who};"
    yield f"GRANT USAGE ON SEQUENCE {', '.join(_sequences())} TO {who};"
    for table in tables.metadata.sorted_tables:
        if "location" not in table.c:
            continue
        yield from _only(table, role, f"location = {here}")
    # Others, such as that measuring pauses, hold at every location.
    yield from _only(tables.event, role, "kind IN ('missed-slots', 'clock-jump')")
    for table in (tables.incident, tables.incident_state):
        yield from _only(table, role, f"check_id = {_text(MONITOR)}")
    fresh = f"state = {_text(Settled.PENDING.value)}"
    yield from _only(tables.message, role, f"kind = {_text(Kind.MONITOR.value)} AND {fresh}")
    about_that = f"message_id IN (SELECT id FROM message WHERE kind = {_text(Kind.MONITOR.value)})"  # noqa: S608
    yield from _only(tables.message_recipient, role, f"{fresh} AND {about_that}")


def _only(table: Table, role: str, rows: str) -> Iterator[str]:
    """It reads all rows, and writes these."""
    reads, writes = _name(f"{role} reads"), _name(f"{role} writes")
    yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY;"
    for policy in (reads, writes):
        yield f"DROP POLICY IF EXISTS {policy} ON {table.name};"
    yield f"CREATE POLICY {reads} ON {table.name} FOR SELECT TO {_name(role)} USING (true);"
    yield f"CREATE POLICY {writes} ON {table.name} TO {_name(role)} USING ({rows}) WITH CHECK ({rows});"


def _sequences() -> Iterator[str]:
    for table in _NUMBERED:
        [key] = table.primary_key.columns
        yield f"{table.name}_{key.name}_seq"


def _names(some: tuple[Table, ...]) -> str:
    return ", ".join(table.name for table in some)


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
