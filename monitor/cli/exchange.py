"""`loketwacht ledger add KIND`, `import`, `export`: facts of other hands taken in, and what is stored given out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from monitor import config
from monitor.assessing import steps_asked
from monitor.cli.contract import lines_of
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, say
from monitor.cli.written import By, Reason, Scope, add, instant
from monitor.cli.written import ledger as ledger_app
from monitor.clock import LIVE
from monitor.config import Loaded
from monitor.exchange import ExchangeRefusedError, add_entry, import_ledger, import_samples, ledger_lines, samples_lines
from monitor.store import ledger
from monitor.store.database import Database
from sla.assessment import Span
from sla.interchange import Problem, ledger_json, read_ledger, read_measurements
from sla.ledger import Entry
from sla.ledger_kinds import KINDS
from sla.period import parse_period

import_ = App(name="import", help="Take in ledger entries or samples from a file: all of it, or nothing.")
export = App(name="export", help="Give out what is stored, as JSON Lines or as one archive.")

Period = Annotated[str, Parameter(help="2026-11, 2026-Q4, 2026, or FROM/TO with offsets.")]
Output = Annotated[Path | None, Parameter(help="File to write; standard output without it.")]
SHOWN = 50


@add.default
def add_kind(
    kind: str,
    *,
    by: By,
    reason: Reason,
    from_: Annotated[str | None, Parameter(name="--from", help="With offset: 2026-12-02T20:00:00+01:00.")] = None,
    until: Annotated[str | None, Parameter(name="--until", help="End, with offset; not included.")] = None,
    scope: Scope = (),
    data: Annotated[tuple[str, ...], Parameter(help="Further facts as key=value; may be given again.")] = (),
    supersedes: Annotated[int | None, Parameter(help="Number of the entry this one corrects or answers.")] = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Add an entry of any kind; `ledger kinds` tells what each needs.

    An answer to a claim (exclusion-accepted, exclusion-refused, maintenance-cancelled) takes the times, scope and data
    that it leaves out from the entry it supersedes.
    """
    facts: dict[str, str] = {}
    for text in data:
        key, separator, value = text.partition("=")
        if not separator or not key.strip() or key in facts:
            raise CommandError(f'--data "{text}" is no key=value of its own; write --data outage=O-1.', Exit.USAGE)
        facts[key.strip()] = value
    loaded = config.load(config_path)
    try:
        entry = Entry(
            kind=kind,
            recorded_us=LIVE.now_us(),
            by=by,
            reason=reason,
            from_us=None if from_ is None else instant("--from", from_),
            until_us=None if until is None else instant("--until", until),
            scope=scope,
            data=facts,
            supersedes=supersedes,
        )
    except ValueError as error:
        raise CommandError(f"{str(error).capitalize()}.", Exit.USAGE) from error
    with opened(loaded) as database, database.begin() as tx:
        try:
            sealed = add_entry(tx, entry, journeys=journeys(loaded))
        except ExchangeRefusedError as error:
            wrong = "\n".join(problem.text for problem in error.problems)
            raise CommandError(wrong, Exit.USAGE) from error
    if json_:
        answer(ledger_json(sealed))
    else:
        say(f"Entry {sealed.seq} is in the ledger: {sealed.entry.kind}, hash {sealed.hash[:16]}…")
    return Exit.FINE


@ledger_app.command
def kinds(*, json_: Json = False) -> int:
    """Every kind of entry, and what it must and may say."""
    if json_:
        answer(
            {
                name: {
                    "what": kind.what,
                    "times": kind.times,
                    "needs": sorted(kind.needs),
                    "one_of": sorted(kind.one_of),
                    "allows": sorted(kind.keys - kind.needs - kind.one_of),
                    "corrects": sorted(kind.corrects),
                    "by_hand": kind.by_hand,
                }
                for name, kind in KINDS.items()
            }
        )
        return Exit.FINE
    for name, kind in KINDS.items():
        say(f"{name}: {kind.what}")
        must = [f"{key}=" for key in sorted(kind.needs)]
        must += [f"one of {'= '.join(sorted(kind.one_of))}="] if kind.one_of else []
        must += {"span": ["--from", "--until"], "instant": ["--from"], "optional": []}[kind.times]
        must += ["--supersedes"] if kind.must_correct else []
        say(f"    must: {', '.join(must) or 'nothing more'}; may: {', '.join(sorted(kind.keys - kind.needs))}")
    return Exit.FINE


@import_.command(name="ledger")
def import_ledger_file(file: Path, *, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Append the entries of a JSON Lines or CSV file.

    They are known from now on, whatever the file says: its own `recorded_at` is kept as `claimed_recorded_at`.
    `supersedes` counts the entries of the file from 1; `supersedes_recorded` names one that is in the ledger already.

    Parameters
    ----------
    file
        One entry a line, as `export ledger` writes them.
    """
    loaded = config.load(config_path)
    read = read_ledger(lines_of(file), name=str(file))
    with opened(loaded) as database, database.begin() as tx, refused():
        taken = import_ledger(tx, read, file.name, now_us=LIVE.now_us(), journeys=journeys(loaded))
    if json_:
        answer({"entries": [sealed.seq for sealed in taken]})
    else:
        say(f"{len(taken)} entries are in the ledger now.")
    return Exit.FINE


@import_.command(name="samples")
def import_samples_file(file: Path, *, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Store the samples of a JSON Lines or CSV file; days that are sealed already take none.

    Parameters
    ----------
    file
        One sample a line, as `export samples` writes them.
    """
    loaded = config.load(config_path)
    read = read_measurements(lines_of(file), name=str(file))
    location = loaded.config.monitor.location
    with opened(loaded) as database, database.begin() as tx, refused():
        found = import_samples(tx, read, str(file), location=location, journeys=journeys(loaded), now_us=LIVE.now_us())
    if json_:
        answer({"written": found.written, "there": found.there})
    else:
        say(f"{found.written} samples stored; {found.there} were there already.")
    return Exit.FINE


@export.command(name="ledger")
def export_ledger(
    *, period: Period | None = None, output: Output = None, config_path: ConfigPath = DEFAULT_CONFIG
) -> int:
    """The ledger as JSON Lines: whole with its chain, or what is about a period without hashes."""
    loaded = config.load(config_path)
    with opened(loaded) as database, database.read() as tx:
        span = None if period is None else _span(period, loaded.config.monitor.timezone)
        _write(ledger_lines(ledger.read(tx), span), output)
    return Exit.FINE


@export.command(name="samples")
def export_samples(
    *,
    period: Period | None = None,
    output: Output = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
) -> int:
    """The samples of every check as JSON Lines, of a period or of all time."""
    loaded = config.load(config_path)
    everything = Span(start_us=0, end_us=LIVE.now_us())
    span = everything if period is None else _span(period, loaded.config.monitor.timezone)
    steps = frozenset(pair for one in loaded.contracts for pair in steps_asked(one.contract))
    names = sorted(check.id for check in loaded.config.checks)
    with opened(loaded) as database, database.read() as tx:
        _write(samples_lines(tx, names, steps, span), output)
    return Exit.FINE


# -- what the commands share -------------------------------------------------------------------------------------------


@contextmanager
def opened(loaded: Loaded) -> Iterator[Database]:
    database = Database.open(loaded.database_url)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def refused() -> Iterator[None]:
    """What an import refuses, with every line, as an error of the input."""
    try:
        yield
    except ExchangeRefusedError as error:
        raise CommandError(told(error.problems), Exit.CONFIG) from error


def told(problems: tuple[Problem, ...]) -> str:
    shown = "\n".join(str(problem) for problem in problems[:SHOWN])
    more = f"\nand {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    head = f"{len(problems)} problems; nothing was taken in:\n" if len(problems) > 1 else ""
    return f"{head}{shown}{more}"


def journeys(loaded: Loaded) -> frozenset[str]:
    """The checks of the configuration, and the journeys of its contracts, which may have been checks once."""
    named = {name for one in loaded.contracts for name in one.contract.journeys()}
    return frozenset(named | {check.id for check in loaded.config.checks})


def _write(records: Iterable[dict[str, Any]], output: Path | None) -> None:
    texts = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    if output is None:
        sys.stdout.writelines(texts)
        return
    beside = output.with_name(f".{output.name}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(texts)
        beside.replace(output)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
    say(str(output))


def _span(period: str, timezone: str) -> Span:
    try:
        return parse_period(period, timezone)
    except ValueError as error:
        raise CommandError(f'--period "{period}" {error}', Exit.USAGE) from error
