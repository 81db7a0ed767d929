"""`loketwacht cleanup`: what journeys made at the portal and is not confirmed gone; and accounts that rest."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table

from monitor import composition, config
from monitor.clean_up import CleanUp, Standing
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, people, say
from monitor.clock import LIVE
from monitor.config import Loaded
from monitor.created import Brake, Thing, settled
from monitor.store import created, events
from monitor.store.database import Database, directly
from monitor.store.events import Event
from sla.period import instant_text

cleanup = App(name="cleanup", help="What journeys made at the portal: list it, take it away, settle it.")

Why = Annotated[str, Parameter(help="Why, in a sentence; it is kept.")]
By = Annotated[str, Parameter(help="Who says so.")]


@cleanup.command(name="list")
def list_(
    *,
    all_: Annotated[bool, Parameter(name="--all", negative="", help="Also what is gone or settled.")] = False,
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """What is not confirmed gone, and which accounts rest. Exit code 1 where people must look."""
    loaded = config.load(config_path)
    database = Database.open(loaded.database_url)
    try:
        standing = _worker(loaded, database).standing()
        with database.read() as tx:
            things = created.read(tx, only_open=not all_)
    finally:
        database.close()
    zone = loaded.config.monitor.timezone
    if json_:
        answer(
            {
                "objects": [_as_json(thing, standing) for thing in things],
                "paused": [
                    {
                        "account": brake.account,
                        "refused": brake.refused,
                        "until": instant_text(brake.paused_until_us or 0),
                    }
                    for brake in standing.paused
                ],
            }
        )
    else:
        _table(things, standing, zone)
        for brake in standing.paused:
            until = instant_text(brake.paused_until_us or 0, zone)
            say(f"Nobody logs in as {brake.account} before {until}: refused {brake.refused} times in a row.")
    return Exit.BAD_NEWS if standing.orphans or standing.paused else Exit.FINE


@cleanup.command
def retry(*ids: str, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Take objects away now, by the clean-up steps of their journeys. Exit code 1 where one stays.

    Parameters
    ----------
    ids
        As `cleanup list` names them; none takes all that is not confirmed gone.
    """
    loaded = config.load(config_path)
    config.require_files(loaded, config_path)
    database = Database.open(loaded.database_url)
    try:
        worker = _worker(loaded, database)
        chosen = _chosen(database, ids) if ids else worker.standing().open
        after = [asyncio.run(worker.take_away(thing)) for thing in chosen]
    finally:
        database.close()
    results = [
        {"id": thing.id, "gone": now is not None and not now.open, "trouble": _trouble(now)}
        for thing, now in zip(chosen, after, strict=True)
    ]
    if json_:
        answer(results)
    for result in results:
        say(f"{result['id']}: {'gone' if result['gone'] else result['trouble']}")
    return Exit.FINE if all(result["gone"] for result in results) else Exit.BAD_NEWS


@cleanup.command
def confirm(*ids: str, why: Why, by: By, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Settle objects that a person has seen to: gone, or never there. The monitor stops trying.

    Parameters
    ----------
    ids
        As `cleanup list` names them.
    """
    if not ids:
        raise CommandError("Name at least one object; `cleanup list` shows them.", Exit.USAGE)
    loaded = config.load(config_path)
    now_us = LIVE.now_us()
    database = Database.open(loaded.database_url)
    try:
        chosen = _chosen(database, ids)
        with database.begin() as tx:
            for thing in chosen:
                created.save(tx, settled(created.get(tx, thing.id) or thing, by=by, why=why, now_us=now_us))
    finally:
        database.close()
    if json_:
        answer([thing.id for thing in chosen])
    say(f"Settled: {', '.join(thing.id for thing in chosen)}.")
    return Exit.FINE


@cleanup.command
def resume(account: str, *, why: Why, by: By, config_path: ConfigPath = DEFAULT_CONFIG) -> int:
    """Let journeys log in again with an account that rests after refusals.

    Parameters
    ----------
    account
        As `cleanup list` names it.
    """
    loaded = config.load(config_path)
    database = Database.open(loaded.database_url)
    try:
        with database.begin() as tx:
            before = created.brake(tx, account)
            if not before.refused:
                known = ", ".join(brake.account for brake in created.brakes(tx) if brake.refused) or "none"
                raise CommandError(f"No login as {account} was refused last. Accounts that were: {known}.")
            created.save_brake(tx, Brake(account=account))
            data = {"account": account, "by": by, "why": why}
            events.add(tx, Event(at_us=LIVE.now_us(), kind="login-resumed", data=data))
    finally:
        database.close()
    say(f"Journeys log in as {account} again from their next slot on.")
    return Exit.FINE


def _worker(loaded: Loaded, database: Database) -> CleanUp:
    worker = CleanUp(database=database, in_store=directly, clock=LIVE)
    worker.configured(loaded.config.checks, composition.probe_setup(loaded, LIVE), loaded.config.recipient)
    return worker


def _chosen(database: Database, ids: tuple[str, ...]) -> tuple[Thing, ...]:
    """The objects of these names, all of them open.

    Raises:
        CommandError: naming those that are not.
    """
    with database.read() as tx:
        found = {name: created.get(tx, name) for name in ids}
    wrong = [name for name, thing in found.items() if thing is None or not thing.open]
    if wrong:
        raise CommandError(f"Not on the list of what is open: {', '.join(wrong)}. `cleanup list` shows it.")
    return tuple(thing for thing in found.values() if thing is not None)


def _trouble(now: Thing | None) -> str:
    return now.trouble if now is not None else "not tried: somebody else is at it, or its account rests"


def _state(thing: Thing, standing: Standing) -> str:
    return standing.state(thing) if thing.open else thing.stage.value


def _as_json(thing: Thing, standing: Standing) -> dict[str, Any]:
    return {
        "id": thing.id,
        "check": thing.check_id,
        "what": thing.what,
        "name": thing.name,
        "state": _state(thing, standing),
        "created": instant_text(thing.created_us),
        "tries": thing.tries,
        "trouble": thing.trouble,
        "by": thing.by,
        "why": thing.why,
    }


def _table(things: tuple[Thing, ...], standing: Standing, zone: str) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("id", "journey", "what", "state", "since", "tries", "last trouble"):
        table.add_column(name)
    for thing in things:
        what = f"{thing.what} {thing.name or ''}".strip()
        since = instant_text(thing.created_us, zone)
        said = thing.why or thing.trouble
        table.add_row(thing.id, thing.check_id, what, _state(thing, standing), since, str(thing.tries), said)
    people().print(table)
