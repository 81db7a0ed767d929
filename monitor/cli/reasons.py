"""`loketwacht sla explain`, `what-if` and `budget`: why it counts so, what a claim would change, what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol, cast, get_args

from cyclopts import Parameter
from rich.table import Table

from monitor import config
from monitor.assessing import stored_runs
from monitor.cli.contract import chosen, lines_of, measured_in, refuse
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, people, say
from monitor.clock import LIVE
from monitor.store import ledger as store_ledger
from monitor.store.database import Database
from sla.assess import worked_out
from sla.assessment import Span, Text
from sla.budget import Outlook, outlook_json, outlooks, told
from sla.contract import AvailabilityClause, Contract
from sla.corrections import Correction
from sla.explain import Explanation, NotInContractError, explanation_json, period_around
from sla.explain import explain as explanation
from sla.interchange import Ledger, read_ledger
from sla.ledger import Sealed
from sla.measurements import State
from sla.period import calendar_span, day_span, local_date, parse_instant, parse_period
from sla.what_if import (
    AcceptedClaim,
    Claim,
    ClaimRefusedError,
    Comparison,
    CorrectedOutage,
    ExtraExclusion,
    Measured,
    OtherContract,
    amount,
    comparison_json,
    figure,
    verdict,
)
from sla.what_if import what_if as compared
from sla.wording import euros

Agreed = Annotated[
    str | None,
    Parameter(
        name="--contract",
        help="With --measurements, the contract's file; without, which configured contract, where there are several.",
    ),
]
MeasuredIn = Annotated[
    Path | None, Parameter(name="--measurements", help="Spans or samples, JSON Lines or CSV; without, the store.")
]
LedgerIn = Annotated[
    Path | None, Parameter(name="--ledger", help="With --measurements: announcements and exclusions, JSON Lines.")
]
AsOf = Annotated[
    str | None, Parameter(help="Ledger entries and measurements of later are not known; an instant with offset.")
]
Lang = Annotated[Literal["nl", "en"], Parameter(help="Language of the sentences.")]


# --- where contract and measurements come from ---------------------------------------------------------------------


class _Reads(Protocol):
    def __call__(self, contract: Contract, period: Span, ledger: Sequence[Sealed]) -> Measured: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A contract with its ledger and a way to its measurements: the store's, or those of files.

    Attributes:
        now_us: the clock's for the store; None for files, whose measurements end where they end.
    """

    contract: Contract
    ledger: tuple[Sealed, ...]
    as_of_us: int | None
    now_us: int | None
    reads: _Reads


@contextmanager
def _source(
    config_path: Path, contract: str | None, measurements: Path | None, ledger: Path | None, as_of: str | None
) -> Iterator[_Source]:
    as_of_us = None if as_of is None else _instant("--as-of", as_of)
    if measurements is not None:
        yield _from_files(contract, measurements, ledger, as_of_us)
        return
    if ledger is not None:
        raise CommandError("--ledger belongs to --measurements; the store has its own ledger.", Exit.USAGE)
    loaded = config.load(config_path)
    agreed = chosen(loaded, contract).contract
    database = Database.open(loaded.database_url)
    try:
        with database.read() as tx:

            def reads(contract: Contract, period: Span, ledger: Sequence[Sealed]) -> Measured:
                # What explains or weighs a document rests on what the document rests on: the samples, not folded days.
                found = stored_runs(tx, contract, period, ledger, until_us=as_of_us, ready_made=False)
                return Measured(samples=found)

            yield _Source(
                contract=agreed,
                ledger=tuple(store_ledger.read(tx)),
                as_of_us=as_of_us,
                now_us=LIVE.now_us() if as_of_us is None else as_of_us,
                reads=reads,
            )
    finally:
        database.close()


def _from_files(contract: str | None, measurements: Path, ledger: Path | None, as_of_us: int | None) -> _Source:
    if contract is None:
        raise CommandError("--measurements needs the contract's file too: --contract FILE.", Exit.USAGE)
    agreed, _ = config.read_contract(Path(contract))
    measured = measured_in(measurements)
    recorded = read_ledger(lines_of(ledger), name=str(ledger)) if ledger is not None else Ledger()
    refuse((*measured.problems, *recorded.problems))

    def reads(contract: Contract, period: Span, ledger: Sequence[Sealed]) -> Measured:
        return Measured(samples=measured.samples, spans=measured.spans)

    return _Source(contract=agreed, ledger=recorded.entries, as_of_us=as_of_us, now_us=as_of_us, reads=reads)


def _instant(option: str, text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}", Exit.USAGE) from error


def _period(text: str, timezone: str) -> Span:
    try:
        return parse_period(text, timezone)
    except ValueError as error:
        raise CommandError(f"--period: {error}", Exit.USAGE) from error


# --- explain -------------------------------------------------------------------------------------------------------


def explain(
    *,
    at: str,
    clause: str,
    contract: Agreed = None,
    measurements: MeasuredIn = None,
    ledger: LedgerIn = None,
    as_of: AsOf = None,
    lang: Lang = "nl",
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Why an instant counts as it does in a clause: samples, rule, window, version, exclusions accepted and refused.

    From the store, or from files with --contract and --measurements.

    Parameters
    ----------
    at
        The instant, with offset: `2026-11-12T10:32:17+01:00`.
    clause
        The id of the clause.
    """
    at_us = _instant("--at", at)
    with _source(config_path, contract, measurements, ledger, as_of) as source:
        try:
            period = period_around(source.contract, clause, at_us)
            measured = source.reads(source.contract, period, source.ledger)
            found = explanation(
                source.contract,
                clause=clause,
                at_us=at_us,
                samples=measured.samples,
                spans=measured.spans,
                ledger=source.ledger,
                as_of_us=source.as_of_us,
                period=period,
            )
        except NotInContractError as error:
            raise CommandError(_sentence(error), Exit.USAGE) from error
    if json_:
        answer(explanation_json(found, lang))
    else:
        _explained(found, lang)
    return Exit.FINE


def _explained(found: Explanation, lang: str) -> None:
    clause = found.clause
    about = " · ".join(part for part in (clause.id, clause.article, clause.text) if part)
    say(about)
    for reason in found.reasons:
        say(f"- {reason.in_(lang)}")


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


# --- what if -------------------------------------------------------------------------------------------------------

Several = Parameter(negative="")


def what_if(
    *,
    period: str,
    exclude: Annotated[tuple[str, ...], Several] = (),
    scope: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    ground: Literal["force-majeure", "third-party", "authority"] | None = None,
    dependency: str | None = None,
    accept: Annotated[tuple[int, ...], Several] = (),
    outage: Annotated[tuple[str, ...], Several] = (),
    suppose: Annotated[tuple[str, ...], Several] = (),
    other_contract: Path | None = None,
    contract: Agreed = None,
    measurements: MeasuredIn = None,
    ledger: LedgerIn = None,
    as_of: AsOf = None,
    lang: Lang = "nl",
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """What claims would change: percentage, verdict and amount before and after. Nothing is stored.

    From the store, or from files with --contract and --measurements. Give at least one claim; they are taken together.

    Parameters
    ----------
    period
        `2026-11`, `2026-Q4`, `2026`, or `FROM/TO` with offsets.
    exclude
        `FROM/TO` as if it were excluded; may be given more than once.
    scope
        Journeys that --exclude is about; none means all.
    ground
        Of --exclude. A third party excludes only what --dependency was down for itself.
    dependency
        With third-party: the check that measured it.
    accept
        Number of an exclusion in the ledger, as if it were accepted.
    outage
        `ID=FROM/TO` as if the outage had lasted so, or `ID=STATE` (up, degraded, unmeasured) as if it had been that.
    suppose
        `JOURNEY=STATE@FROM/TO` as if the journey had been so: up, degraded, down, unmeasured.
    other_contract
        A contract file in the place of the contract.
    """
    claims: list[Claim] = [
        ExtraExclusion(span=_span("--exclude", text), scope=scope, ground=ground or "", dependency=dependency or "")
        for text in exclude
    ]
    if not exclude and (scope or ground or dependency):
        raise CommandError("--scope, --ground and --dependency tell of --exclude; give that too.", Exit.USAGE)
    claims += [AcceptedClaim(entry=number) for number in accept]
    claims += [_outage(text) for text in outage]
    claims += [_supposed(text) for text in suppose]
    if other_contract is not None:
        claims.append(OtherContract(contract=config.read_contract(other_contract)[0]))
    if not claims:
        raise CommandError(
            "What if what? Give --exclude, --accept, --outage, --suppose or --other-contract.", Exit.USAGE
        )
    with _source(config_path, contract, measurements, ledger, as_of) as source:
        span = _period(period, source.contract.timezone)
        try:
            found = compared(
                source.contract,
                period=span,
                claims=claims,
                read=lambda agreed, entries: source.reads(agreed, span, entries),
                ledger=source.ledger,
                as_of_us=source.as_of_us,
            )
        except ClaimRefusedError as error:
            raise CommandError(_sentence(error), Exit.USAGE) from error
        except ValueError as error:
            raise CommandError(_sentence(error), Exit.CONFIG) from error
    if json_:
        answer(comparison_json(found, lang))
    else:
        _compared(found, lang)
    return Exit.FINE


def _span(option: str, text: str) -> Span:
    start, slash, end = text.partition("/")
    if not slash:
        raise CommandError(f'{option} "{text}" is no stretch of time; write FROM/TO with offsets.', Exit.USAGE)
    span = Span(start_us=_instant(option, start), end_us=_instant(option, end))
    if span.end_us <= span.start_us:
        raise CommandError(f'{option} "{text}" ends before it begins; write FROM/TO.', Exit.USAGE)
    return span


def _state(option: str, text: str, states: Sequence[str]) -> State:
    if text not in states:
        raise CommandError(f'{option}: "{text}" is none of {", ".join(states)}.', Exit.USAGE)
    return cast(State, text)


def _outage(text: str) -> CorrectedOutage:
    name, equals, what = text.partition("=")
    if not equals:
        raise CommandError(f'--outage "{text}" says nothing of it; write ID=FROM/TO or ID=STATE.', Exit.USAGE)
    if "/" in what:
        return CorrectedOutage(outage=name, span=_span("--outage", what))
    return CorrectedOutage(outage=name, state=_state("--outage", what, ("up", "degraded", "unmeasured")))


def _supposed(text: str) -> Correction:
    journey, equals, rest = text.partition("=")
    state, sign, span = rest.partition("@")
    if not equals or not sign:
        raise CommandError(f'--suppose "{text}" cannot be read; write JOURNEY=STATE@FROM/TO.', Exit.USAGE)
    return Correction(journey=journey, state=_state("--suppose", state, get_args(State)), span=_span("--suppose", span))


_SAME = Text(nl="Er verandert niets.", en="Nothing changes.")
_HEADS = (
    Text(nl="bepaling", en="clause"),
    Text(nl="versie", en="version"),
    Text(nl="cijfer vóór", en="figure before"),
    Text(nl="na", en="after"),
    Text(nl="oordeel vóór", en="verdict before"),
    Text(nl="na", en="after"),
    Text(nl="voorstel vóór", en="proposal before"),
    Text(nl="na", en="after"),
)


def _compared(found: Comparison, lang: str) -> None:
    for told_of in (*found.claims, *found.remarks):
        say(f"- {told_of.in_(lang)}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in _HEADS:
        table.add_column(head.in_(lang))
    for change in found.changes:
        sides = (change.before, change.after)
        version = next(side.version.number for side in sides if side is not None)
        cells = [show(side).in_(lang) for show in (figure, verdict, amount) for side in sides]
        table.add_row(change.clause, str(version), *cells)
    people().print(table)
    if not found.differs:
        say(_SAME.in_(lang))
    before, after = euros(found.before.total.amount_eur), euros(found.after.total.amount_eur)
    total = Text(
        nl=f"Alle bepalingen samen: {before.nl} vóór, {after.nl} na. Een berekend voorstel; niets is bewaard.",
        en=f"All clauses together: {before.en} before, {after.en} after. A computed proposal; nothing was stored.",
    )
    say(total.in_(lang))


# --- budget --------------------------------------------------------------------------------------------------------


def budget(
    *,
    period: str | None = None,
    contract: Agreed = None,
    measurements: MeasuredIn = None,
    ledger: LedgerIn = None,
    as_of: AsOf = None,
    lang: Lang = "nl",
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """What is left of the downtime that availability clauses allow, in service-window minutes.

    Also how much further downtime reaches the next sanction step, and when at the present pace nothing is left.
    From the store, or from files with --contract and --measurements. Exit code 1 where more was spent than allowed.

    Parameters
    ----------
    period
        `2026-11`, `2026-Q4`, `2026`, or `FROM/TO` with offsets; without it each clause's own running period.
    """
    with _source(config_path, contract, measurements, ledger, as_of) as source:
        if period is None and source.now_us is None:
            raise CommandError("Files have no today: say which --period, or --as-of an instant.", Exit.USAGE)
        found = []
        for span, unit in _spans(source, period):
            measured = source.reads(source.contract, span, source.ledger)
            try:
                worked = worked_out(
                    source.contract,
                    period=span,
                    samples=measured.samples,
                    spans=measured.spans,
                    ledger=source.ledger,
                    as_of_us=source.as_of_us,
                )
            except ValueError as error:
                raise CommandError(_sentence(error), Exit.CONFIG) from error
            found += [
                o
                for o in outlooks(worked, now_us=source.now_us)
                if unit is None or o.budget.result.clause.period.unit == unit
            ]
    if json_:
        answer([outlook_json(o, source.contract.timezone, lang) for o in found])
    elif not found:
        say(_NONE.in_(lang))
    for outlook in () if json_ else found:
        _told(outlook, source.contract.timezone, lang)
    return Exit.BAD_NEWS if any(o.budget.left_us < 0 for o in found) else Exit.FINE


_NONE = Text(nl="Het contract heeft geen bepaling over beschikbaarheid.", en="The contract has no availability clause.")


def _told(found: Outlook, timezone: str, lang: str) -> None:
    say(f"- {told(found, timezone).in_(lang)}")


def _spans(source: _Source, period: str | None) -> list[tuple[Span, str | None]]:
    """What to assess, and the clauses to take from each by the unit of their own period; None takes all."""
    timezone = source.contract.timezone
    if period is not None:
        return [(_period(period, timezone), None)]
    assert source.now_us is not None
    today = local_date(source.now_us, timezone)
    running = [v for v in source.contract.version if v.valid_from <= today <= v.valid_until]
    if not running:
        raise CommandError(f"No version of contract {source.contract.contract} governs {today}.", Exit.CONFIG)
    units = {c.period.unit for v in running for c in v.clause if isinstance(c, AvailabilityClause)}
    return [
        (day_span(today, timezone) if unit == "rolling" else calendar_span(unit, today, timezone), unit)
        for unit in ("month", "quarter", "year", "rolling")
        if unit in units
    ]
