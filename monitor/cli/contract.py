"""`loketwacht sla` and `loketwacht report`: what the contract says about what was measured."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

from monitor import config, issuing, reporting
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, people, say
from monitor.clock import LIVE
from monitor.composition import report_job
from monitor.config import Loaded, LoadedContract
from monitor.store.database import Database
from sla.assess import assess as assess_contract
from sla.assessment import Assessment, Verdict
from sla.compare import PeerFigure, comparison_json
from sla.compare import compare as compare_with_peers
from sla.interchange import Ledger, Measurements, Problem, assessment_json, read_ledger, read_measurements
from sla.measured_lines import MeasuredRuns, OutOfOrderError, read_runs
from sla.period import parse_instant, parse_period
from sla.plan import durations_asked

sla = App(name="sla", help="Assess measurements against a contract.")

_WORDS = {Verdict.MET: "met", Verdict.MISSED: "missed", Verdict.UNDECIDED: "undecided"}


@sla.command
def assess(
    *,
    contract: Path,
    measurements: Path,
    period: str,
    ledger: Path | None = None,
    as_of: str | None = None,
    compare: Annotated[bool, Parameter(negative=())] = False,
    json_: Json = False,
) -> int:
    """Assess measurements of any monitor against a contract; needs no database.

    Parameters
    ----------
    contract
        The contract, a TOML file.
    measurements
        Spans or samples, JSON Lines or CSV.
    period
        `2026-11`, `2026-Q4`, `2026`, or `FROM/TO` with offsets.
    ledger
        Announcements and exclusions, JSON Lines.
    as_of
        Ledger entries recorded later are not known; an instant with offset.
    compare
        Add what Zabbix, Icinga, Nagios, Uptime Kuma and Upptime would have said of the same measurements, and why.
    """
    agreed, _ = config.read_contract(contract)
    try:
        span = parse_period(period, agreed.timezone)
    except ValueError as error:
        raise CommandError(f'--period "{period}" {error}', Exit.USAGE) from error
    as_of_us = None
    if as_of is not None:
        try:
            as_of_us = parse_instant(as_of)
        except ValueError as error:
            raise CommandError(f'--as-of "{as_of}" {error}', Exit.USAGE) from error
    # The others count every sample for itself.
    measured = (
        read_measurements(lines_of(measurements), str(measurements))
        if compare
        else measured_in(measurements, timed=durations_asked(agreed))
    )
    recorded = read_ledger(lines_of(ledger), name=str(ledger)) if ledger is not None else Ledger()
    refuse((*measured.problems, *recorded.problems))
    try:
        found = assess_contract(
            agreed,
            period=span,
            samples=measured.samples,
            spans=measured.spans,
            ledger=recorded.entries,
            as_of_us=as_of_us,
        )
    except ValueError as error:
        raise CommandError(f"{contract}: {error}", Exit.CONFIG) from error
    figures = (
        compare_with_peers(found, samples=measured.samples, spans=measured.spans)
        if isinstance(measured, Measurements)
        else ()
    )
    if json_:
        answer(assessment_json(found) | ({"compare": comparison_json(figures)} if compare else {}))
    else:
        _table(found)
        if compare:
            _peers(figures)
    return Exit.BAD_NEWS if any(c.verdict is Verdict.MISSED for c in found.clauses) else Exit.FINE


def report(
    period: str,
    *,
    config_path: ConfigPath = DEFAULT_CONFIG,
    contract: str | None = None,
    by: Annotated[str, Parameter(help="Who draws it up; recorded in the ledger.")] = "loketwacht report",
    json_: Json = False,
) -> int:
    """Draw up a period's SLA report from the store: HTML in both languages, PDF, JSON, checksums.

    Parameters
    ----------
    period
        `2026-10`; also `2026-Q4` or `2026`.
    contract
        Which contract; needed only where the configuration names several.
    """
    loaded = config.load(config_path)
    agreed = chosen(loaded, contract)
    # FROM/TO is a period for an assessment, but no name for a report and its folder.
    if not period.replace("-", "").replace("Q", "").isalnum():
        raise CommandError(f'"{period}" is no period for a report; write 2026-10, 2026-Q4 or 2026.', Exit.USAGE)
    try:
        parse_period(period, agreed.contract.timezone)
    except ValueError as error:
        raise CommandError(f'the period "{period}" {error}', Exit.USAGE) from error
    job = report_job(loaded, agreed, period, now_us=LIVE.now_us())
    database = Database.open(loaded.database_url)
    try:
        written = reporting.write(job)
        with database.begin() as tx:
            if not issuing.record(tx, written.issued, by=by):
                raise CommandError("Another report of this period was issued at the same moment; run it again.")
    finally:
        database.close()
    if written.without_pdf:
        say(written.without_pdf)
    if json_:
        answer({"number": written.issued.number, "sha256": written.issued.sha256, "files": dict(written.issued.files)})
    else:
        _table(written.assessment)
        for path in written.issued.files.values():
            say(path)
    missed = any(c.verdict is Verdict.MISSED for c in written.assessment.clauses)
    return Exit.BAD_NEWS if missed else Exit.FINE


def chosen(loaded: Loaded, name: str | None) -> LoadedContract:
    """The configured contract of that name; None where there is only one."""
    known = {one.contract.contract: one for one in loaded.contracts}
    if not known:
        raise CommandError("The configuration names no contract; add a [[contract]] with its file.", Exit.CONFIG)
    if name is None and len(known) > 1:
        raise CommandError(f"Say which contract: --contract {' | '.join(known)}.", Exit.USAGE)
    if name is not None and name not in known:
        raise CommandError(f'There is no contract "{name}". Known: {", ".join(known)}.', Exit.USAGE)
    return known[name or next(iter(known))]


def measured_in(path: Path, *, timed: Collection[tuple[str, str | None]] | None = None) -> MeasuredRuns:
    """The measurements of a file, equal ones together, so that millions of lines take no more memory than a few.

    Args:
        timed: as of `sla.measured_lines.read_runs`.
    """
    if path.is_file():  # what comes through a pipe can be read only once
        try:
            return read_runs(lines_of(path), str(path), timed=timed)
        except OutOfOrderError:
            pass
    whole = read_measurements(lines_of(path), str(path))
    return MeasuredRuns(samples=whole.samples, spans=whole.spans, problems=whole.problems)


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a text file, one by one."""
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield from line.splitlines()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", Exit.CONFIG) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 text; save it as UTF-8.", Exit.CONFIG) from error


def refuse(problems: tuple[Problem, ...]) -> None:
    """Every problem of the files that were read, if there are any; nothing is half read."""
    if problems:
        shown = "\n".join(str(problem) for problem in problems[:50])
        more = f"\nand {len(problems) - 50} more" if len(problems) > 50 else ""
        raise CommandError(f"{len(problems)} problems:\n{shown}{more}" if len(problems) > 1 else shown, Exit.CONFIG)


def _table(found: Assessment) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("clause", "kind", "verdict", "lowest", "point", "highest", "target", "proposal"):
        table.add_column(name, justify="left" if name in ("clause", "kind", "verdict") else "right")
    for result in found.clauses:
        bounds = result.availability
        figures = [_cut(x) for x in (bounds.lowest, bounds.point, bounds.highest)] if bounds else ["", "", ""]
        target = getattr(result.clause, "target", None)
        table.add_row(
            result.clause.id,
            result.clause.kind,
            _WORDS[result.verdict],
            *figures,
            _cut(target) if target is not None else "",
            f"EUR {result.sanction.amount_eur}" if result.sanction.amount_eur else "",
        )
    console = people()
    console.print(table)
    sanctionable = [outage for outage in found.outages if outage.sanctionable]
    say(
        f"{len(found.outages)} outages, {len(sanctionable)} sanctionable; "
        f"computed proposal EUR {found.total.amount_eur}"
    )


def _peers(figures: tuple[PeerFigure, ...]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    located = any(f.location for f in figures)
    for name in ("journey", *(["location"] if located else []), "peer"):
        table.add_column(name)
    for name in ("theirs", "ours, 24x7"):
        table.add_column(name, justify="right", no_wrap=True)
    for f in figures:
        table.add_row(f.journey, *([f.location] if located else []), f.peer, _cut(f.ratio), _cut(f.ours))
    console = people()
    console.print("\nWhat others would have said of the same measurements, round the clock and without the contract:")
    console.print(table)
    for why in dict.fromkeys(f.why.en for f in figures):
        say(why)


def _cut(ratio: object) -> str:
    """Four decimals of a percentage, cut: never rounded across a target."""
    if not isinstance(ratio, Fraction):
        return "-"
    scaled = ratio.numerator * 1_000_000 // ratio.denominator
    return f"{scaled // 10_000}.{scaled % 10_000:04d} %"
