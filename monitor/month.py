"""The running month of a contract, assessed again and again: indicative, for metrics and pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from dashboards.formatting import Language, length, month_name, percent
from dashboards.status_page import ClauseSoFar, Download, Frame, IssuedReport, SlaPage
from monitor.assessing import stored_runs
from monitor.store import ledger
from monitor.store.database import Database, Transaction
from monitor.store.reports import Issued
from sla.assess import Worked, assess, worked_out
from sla.assessment import Assessment, ClauseResult, Span, Verdict, WindowDecision
from sla.budget import DowntimeBudget, Outlook, budgets, outlooks
from sla.contract import (
    AvailabilityClause,
    Contract,
    CoverageClause,
    OutageCountClause,
    OutageDurationClause,
    ResponseTimeClause,
)
from sla.effect import Standing, Unit, standings
from sla.interchange import assessment_json
from sla.intervals import IntervalSet
from sla.ledger import Sealed
from sla.period import calendar_span, local_date, parse_period
from sla.plan import data_span
from sla.promise_clauses import CaseClause, DeliveryClause, MaintenanceClause, ReleaseClause
from sla.time_classes import Piece, boundary_of

_MONTH = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Where the allowed downtime of one clause is going, over its own period.

    Attributes:
        whole: that period, versions apart.
        coverage: measured share of the clause's service time up to now, excluded time left out; None where there was
            none.
    """

    outlook: Outlook
    whole: Span
    coverage: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthToDate:
    """What the engine says of the running month so far.

    Attributes:
        period: the whole month; the assessment covers it only up to `assessed_us`.
        json: the assessment in the interchange format.
        forecasts: of every clause that allows downtime by its own month, quarter or year: where that period is going.
        standings: from where an outage's effect on the contract is reckoned on.
        decisions: what becomes of announced maintenance and exclusions in the whole month.
    """

    period: Span
    assessed_us: int
    assessment: Assessment
    budgets: tuple[DowntimeBudget, ...]
    json: dict[str, Any]
    forecasts: tuple[Forecast, ...] = ()
    standings: tuple[Standing, ...] = ()
    decisions: tuple[WindowDecision, ...] = ()


def month_to_date(database_url: str, contract: Contract, now_us: int) -> MonthToDate | None:
    """Assess the running month from the store; None where the contract is not in force now.

    Opens the store by itself, so that it can run in a process of its own: reading and computing must not disturb what
    is being measured.
    """
    today = local_date(now_us, contract.timezone)
    if not any(version.valid_from <= today <= version.valid_until for version in contract.version):
        return None
    period = calendar_span("month", today, contract.timezone)
    so_far = Span(start_us=period.start_us, end_us=now_us)
    database = Database.open(database_url, migrate=False)
    try:
        with database.read() as tx:
            entries = tuple(ledger.read(tx))
            measured = tuple(stored_runs(tx, contract, period, entries, until_us=now_us, ready_made=True))
            alike = data_span(contract, so_far).start_us == data_span(contract, period).start_us
            # Only a rolling period reaches further back from now than from the month's end.
            until_now = measured
            if not alike:
                until_now = tuple(stored_runs(tx, contract, so_far, entries, until_us=now_us, ready_made=True))
            longer = [(unit, _whole_unit(tx, contract, unit, now_us, entries)) for unit in _longer_units(contract)]
    finally:
        database.close()
    assessment = assess(contract, period=so_far, samples=until_now, ledger=entries)
    # What is allowed is allowed over the whole month, the days to come included.
    whole = worked_out(contract, period=period, samples=measured, ledger=entries)
    units: list[tuple[Unit, Worked]] = [("month", whole), *longer]
    ahead = [(unit, worked, outlooks(worked, now_us=now_us)) for unit, worked in units]
    return MonthToDate(
        period=period,
        assessed_us=now_us,
        assessment=assessment,
        budgets=budgets(whole.assessment),
        json=assessment_json(assessment),
        forecasts=tuple(one for unit, worked, found in ahead for one in _forecasts(worked, found, unit, now_us)),
        standings=tuple(
            one
            for unit, worked, found in ahead
            for one in standings(worked, found, now_us=now_us, unit=unit, coverage=assessment.coverage)
        ),
        decisions=whole.assessment.windows,
    )


def _longer_units(contract: Contract) -> tuple[Unit, ...]:
    """Units beside the month over which the contract allows downtime, or limits outages."""
    used = {
        clause.period.unit
        for version in contract.version
        for clause in version.clause
        if isinstance(clause, AvailabilityClause | OutageDurationClause)
    }
    units: tuple[Unit, ...] = ("quarter", "year")
    return tuple(unit for unit in units if unit in used)


def _whole_unit(tx: Transaction, contract: Contract, unit: Unit, now_us: int, entries: Sequence[Sealed]) -> Worked:
    """The running quarter or year, the days to come included: a month alone says little of what is allowed in it."""
    period = calendar_span(unit, local_date(now_us, contract.timezone), contract.timezone)
    measured = stored_runs(tx, contract, period, entries, until_us=now_us, ready_made=True)
    return worked_out(contract, period=period, samples=measured, ledger=entries)


def _forecasts(worked: Worked, ahead: Sequence[Outlook], unit: Unit, now_us: int) -> Iterator[Forecast]:
    """Of the clauses whose own period is this unit, and of the part of it that is running."""
    known = {(o.budget.result.clause.id, o.budget.result.period): o for o in ahead}
    for piece in worked.pieces:
        outlook = known.get((piece.clause.id, piece.span))
        if outlook is None or piece.clause.period.unit != unit or not piece.span.start_us <= now_us < piece.span.end_us:
            continue
        yield Forecast(outlook=outlook, whole=piece.whole, coverage=_coverage(piece, now_us))


def _coverage(piece: Piece, now_us: int) -> Fraction | None:
    """The measured share of a clause's service time up to now, excluded time left out; None where there was none."""
    found = piece.classes(boundary_of(piece.clause))
    due = (found.service - found.excluded) & IntervalSet.of((Span(start_us=piece.span.start_us, end_us=now_us),))
    return Fraction((due - found.unmeasured).length_us, due.length_us) if due else None


def sla_page(month: MonthToDate, issued: Sequence[Issued], *, frame: Frame) -> SlaPage:
    """The page of a contract's running month, with the reports that were issued."""
    language = frame.language
    contract = month.assessment.contract
    spent = {(budget.result.clause.id, budget.result.version.number): budget for budget in month.budgets}
    return SlaPage(
        frame=frame,
        contract=contract.contract,
        month=month_name(month.period.start_us, contract.timezone, language),
        assessed_us=month.assessed_us,
        clauses=tuple(
            _so_far(result, spent.get((result.clause.id, result.version.number)), language)
            for result in month.assessment.clauses
        ),
        coverage=month.assessment.coverage,
        reports=tuple(
            IssuedReport(
                title=_report_title(one, contract, language), issued_us=one.issued_us, files=tuple(_downloads(one))
            )
            for one in reversed(issued)
        ),
    )


def _so_far(result: ClauseResult, budget: DowntimeBudget | None, language: Language) -> ClauseSoFar:
    clause = result.clause
    target_text = measured_text = ""
    if isinstance(clause, ResponseTimeClause) and result.response is not None:
        found = result.response.percentile_us
        # As in the reports: the percentile by its name, and the figure itself.
        name = "{}e percentiel" if language == "nl" else "{}th percentile"
        target_text = f"≤ {_seconds(clause.limit, language)} ({name.format(clause.percentile)})"
        measured_text = _seconds(found, language) if found is not None else ""
    elif isinstance(clause, OutageDurationClause | CaseClause):
        # In hours: a day of service time is not a day of the week.
        target_text = f"≤ {length(clause.limit, language, days=False)}"
        measured_text = length(int(result.measured), language, days=False) if result.measured is not None else ""
    elif isinstance(clause, OutageCountClause):
        target_text = f"≤ {clause.limit}"
        measured_text = str(result.measured) if result.measured is not None else ""
    elif isinstance(clause, MaintenanceClause | ReleaseClause | DeliveryClause):
        kept = sum(case.verdict is Verdict.MET for case in result.cases)
        target_text = "volgens afspraak" if language == "nl" else "as agreed"
        measured_text = _kept(kept, len(result.cases), language)
    elif isinstance(clause, CoverageClause):
        target_text = f"≥ {percent(clause.target, language)}"
        measured_text = percent(Fraction(result.measured), language) if result.measured is not None else ""
    return ClauseSoFar(
        id=clause.id,
        title=clause.text or clause.id,
        verdict=result.verdict,
        target=clause.target if isinstance(clause, AvailabilityClause) else None,
        target_text=target_text,
        measured_text=measured_text,
        lowest=result.availability.lowest if result.availability else None,
        point=result.availability.point if result.availability else None,
        highest=result.availability.highest if result.availability else None,
        allowed_us=budget.allowed_us if budget else None,
        spent_us=budget.spent_us if budget else None,
    )


def _kept(kept: int, cases: int, language: Language) -> str:
    """How many of the cases so far were as agreed; empty where there was none."""
    if not cases:
        return "nog geen geval" if language == "nl" else "no case yet"
    return f"{kept} van {cases}" if language == "nl" else f"{kept} of {cases}"


def _seconds(us: int, language: Language) -> str:
    text = f"{us // 1_000_000}.{us % 1_000_000 // 1000:03d}".rstrip("0").rstrip(".")
    return f"{text.replace('.', ',') if language == 'nl' else text} s"


def _report_title(issued: Issued, contract: Contract, language: Language) -> str:
    version = "versie" if language == "nl" else "version"
    period = issued.period
    if _MONTH.fullmatch(period):
        name = month_name(parse_period(period, contract.timezone).start_us, contract.timezone, language)
        period = name[0].upper() + name[1:]
    return f"{period}, {version} {issued.number}"


def _form(form: str) -> str:
    """`html-nl` as `HTML (nl)`: the form of a file as people read it."""
    name, _, language = form.partition("-")
    return f"{name.upper()} ({language})" if language else name.upper()


def _downloads(issued: Issued) -> list[Download]:
    found = []
    for form, name in issued.files.items():
        path = Path(name)
        if path.is_file():
            href = f"/reports/{issued.contract}/{issued.period}/{path.name}"
            found.append(
                Download(
                    label=_form(form),
                    href=href,
                    bytes=path.stat().st_size,
                    sha256=issued.sha256 if form == "json" else "",
                )
            )
    return found
