"""`loketwacht maintenance` and `ledger`: what people put on record."""

from __future__ import annotations

import re
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table

from monitor import config
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, people, say
from monitor.clock import LIVE
from monitor.store import ledger as store_ledger
from monitor.store.database import Database
from sla.ledger import Entry, Sealed
from sla.period import instant_text, parse_instant

maintenance = App(name="maintenance", help="Announce maintenance, or list what was announced.")
ledger = App(name="ledger", help="The append-only record of the contract: list it, add to it.")

From = Annotated[str, Parameter(name="--from", help="Start, with offset: 2026-12-02T20:00:00+01:00.")]
Until = Annotated[str, Parameter(name="--until", help="End, with offset; not included.")]
By = Annotated[str, Parameter(help="Who records this.")]
Reason = Annotated[str, Parameter(help="Why, in a sentence.")]
Scope = Annotated[
    tuple[str, ...], Parameter(help="Journeys it is about; none means all.", consume_multiple=True, negative="")
]


@maintenance.command
def announce(
    *,
    from_: From,
    until: Until,
    by: By,
    reason: Reason,
    scope: Scope = (),
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Put announced maintenance on record, from now on known.

    How much of it is excluded, the contract decides: notice, allowed hours, budget. Mails are held back meanwhile;
    measuring goes on.
    """
    return _append(config_path, "maintenance", from_, until, by, reason, scope, {}, json_=json_)


@maintenance.command
def cancel(seq: int, *, by: By, reason: Reason, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Take back an announcement, by its number in the ledger.

    Parameters
    ----------
    seq
        The number that `maintenance list` shows.
    """
    loaded = config.load(config_path)
    database = Database.open(loaded.database_url)
    try:
        with database.begin() as tx:
            known = {e.seq: e for e in store_ledger.read(tx, kinds=("maintenance",))}
            if seq not in known:
                raise CommandError(
                    f"Entry {seq} is no announced maintenance; `loketwacht maintenance list` shows them."
                )
            if any(e.entry.supersedes == seq for e in store_ledger.read(tx, kinds=("maintenance-cancelled",))):
                raise CommandError(f"Entry {seq} was cancelled already.")
            announced = known[seq].entry
            sealed = store_ledger.append(
                tx,
                Entry(
                    kind="maintenance-cancelled",
                    recorded_us=LIVE.now_us(),
                    by=by,
                    reason=reason,
                    from_us=announced.from_us,
                    until_us=announced.until_us,
                    scope=announced.scope,
                    supersedes=seq,
                ),
            )
    finally:
        database.close()
    return _told(sealed, json_=json_)


@maintenance.command(name="list")
def list_maintenance(*, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Every announcement, cancelled ones too."""
    return _list(config_path, ("maintenance", "maintenance-cancelled"), json_=json_)


@ledger.command(name="list")
def list_ledger(*, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Every entry, oldest first."""
    return _list(config_path, (), json_=json_)


_NO_SECONDS = re.compile(r"^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d)([Zz]|[+-]\d\d:\d\d)$")

add = App(name="add", help="Add an entry; nothing is ever changed or removed.")
ledger.command(add)


@add.command
def exclusion(
    *,
    from_: From,
    until: Until,
    by: By,
    reason: Reason,
    ground: Annotated[str, Parameter(help="force-majeure, third-party or authority.")],
    evidence: Annotated[str, Parameter(help="What proves it: a reference, an address, a document.")],
    dependency: Annotated[str | None, Parameter(help="With third-party: the check that measured it.")] = None,
    scope: Scope = (),
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Record the decision that a time does not count.

    A third party's failure excludes only the seconds in which its own check (`--dependency`) was down too.
    """
    grounds = ("force-majeure", "third-party", "authority")
    if ground not in grounds:
        raise CommandError(f'--ground "{ground}" is not one of {", ".join(grounds)}.', Exit.USAGE)
    data = {"ground": ground, "evidence": evidence}
    if dependency is not None:
        data["dependency"] = dependency
    return _append(config_path, "exclusion", from_, until, by, reason, scope, data, json_=json_)


def _append(
    config_path: Any,
    kind: str,
    from_: str,
    until: str,
    by: str,
    reason: str,
    scope: tuple[str, ...],
    data: dict[str, str],
    *,
    json_: bool,
) -> int:
    loaded = config.load(config_path)
    known = {check.id for check in loaded.config.checks}
    for name in (*scope, *([data["dependency"]] if "dependency" in data else [])):
        if name not in known:
            raise CommandError(f'There is no check "{name}". Known: {", ".join(sorted(known))}.', Exit.USAGE)
    from_us, until_us = instant("--from", from_), instant("--until", until)
    try:
        entry = Entry(
            kind=kind,
            recorded_us=LIVE.now_us(),
            by=by,
            reason=reason,
            from_us=from_us,
            until_us=until_us,
            scope=scope,
            data=data,
        )
    except ValueError as error:
        raise CommandError(f"{str(error).capitalize()}.", Exit.USAGE) from error
    database = Database.open(loaded.database_url)
    try:
        with database.begin() as tx:
            sealed = store_ledger.append(tx, entry)
    finally:
        database.close()
    return _told(sealed, json_=json_)


def instant(option: str, text: str) -> int:
    try:
        # People leave the seconds out; the strict form of RFC 3339 has them.
        return parse_instant(_NO_SECONDS.sub(r"\1:00\2", text))
    except ValueError as error:
        raise CommandError(f'{option} "{text}" {error}', Exit.USAGE) from error


def _told(sealed: Sealed, *, json_: bool) -> int:
    if json_:
        answer(_as_json(sealed))
    else:
        say(f"Entry {sealed.seq} is in the ledger: {sealed.entry.kind}, hash {sealed.hash[:16]}…")
    return Exit.FINE


def _list(config_path: Any, kinds: tuple[str, ...], *, json_: bool) -> int:
    loaded = config.load(config_path)
    database = Database.open(loaded.database_url)
    try:
        with database.read() as tx:
            entries = tuple(store_ledger.read(tx, kinds=kinds))
    finally:
        database.close()
    if json_:
        answer([_as_json(entry) for entry in entries])
        return Exit.FINE
    zone = loaded.config.monitor.timezone
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("nr", "kind", "from", "until", "scope", "by", "reason", "recorded"):
        table.add_column(name)
    for sealed in entries:
        entry = sealed.entry
        table.add_row(
            str(sealed.seq),
            entry.kind,
            instant_text(entry.from_us, zone) if entry.from_us is not None else "",
            instant_text(entry.until_us, zone) if entry.until_us is not None else "",
            ", ".join(entry.scope) or "all",
            entry.by,
            entry.reason,
            instant_text(entry.recorded_us, zone),
        )
    people().print(table)
    return Exit.FINE


def _as_json(sealed: Sealed) -> dict[str, Any]:
    entry = sealed.entry
    return {
        "seq": sealed.seq,
        "kind": entry.kind,
        "from": instant_text(entry.from_us) if entry.from_us is not None else None,
        "to": instant_text(entry.until_us) if entry.until_us is not None else None,
        "recorded_at": instant_text(entry.recorded_us),
        "scope": list(entry.scope),
        "by": entry.by,
        "reason": entry.reason,
        **dict(entry.data),
        "supersedes": sealed.entry.supersedes,
        "hash": sealed.hash,
    }
