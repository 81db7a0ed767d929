"""The two-weekly update: where every clause stands this month, and what happened in fourteen days. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sla.assessment import ClauseResult, OutageResult, Span, Verdict
from sla.budget import DowntimeBudget, budgets
from sla.contract import CoverageClause
from sla.deadlines import Procedure, Stage, calendar_of, deadlines
from sla.ledger import Entry, Sealed, in_force
from sla.period import days_span, instant_text
from sla.rendering.json import document as report_json
from sla.report import Report

DAYS = 14
CLAIMS = ("exclusion-claimed", "exclusion")
#: What the monitor writes by itself is no news to anybody.
NO_NEWS = ("samples-digest", "timestamp")


def fortnight(last: date, timezone: str) -> Span:
    """The fourteen days that end with this one."""
    return days_span(last - timedelta(days=DAYS - 1), last, timezone)


def subject_of(last: date) -> str:
    """How an update is numbered: the ISO week of its last day, `2026-W47`."""
    year, week, _ = last.isocalendar()
    return f"{year}-W{week:02d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A clause in the period that holds the update's last day.

    Attributes:
        budget: None where it has none.
        is_running: its period goes on and can still decide it. The figure of our own coverage then says nothing: what
            is yet to come could not be measured.
    """

    result: ClauseResult
    budget: DowntimeBudget | None
    is_running: bool

    @property
    def is_missed(self) -> bool:
        return self.result.verdict is Verdict.MISSED

    @property
    def is_overspent(self) -> bool:
        """Its period goes on, but more downtime was measured than all of it allows: only exclusions can help now."""
        return self.is_running and self.budget is not None and self.budget.left_us < 0

    @property
    def has_figure(self) -> bool:
        return not (self.is_running and isinstance(self.result.clause, CoverageClause))


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Fourteen days.

    Attributes:
        report: what every document says of itself, with the assessment of the months the fortnight touches.
        outages: of which any time lies in the fortnight.
        maintenance, ahead: announced work that began in the fortnight; and later, also where announced since.
        releases: in the fortnight and later.
        claims: exclusions that somebody claimed and nobody decided on.
        procedures: findings on which no decision was recorded.
        news: what entered the ledger in the fortnight.
    """

    report: Report
    fortnight: Span
    standings: tuple[Standing, ...]
    outages: tuple[OutageResult, ...]
    maintenance: tuple[Sealed, ...]
    ahead: tuple[Sealed, ...]
    releases: tuple[Sealed, ...]
    claims: tuple[Sealed, ...]
    procedures: tuple[Procedure, ...]
    news: tuple[Sealed, ...]


def draw_up(report: Report, span: Span, ledger: Sequence[Sealed]) -> Update:
    """The update on the fortnight `span`.

    Args:
        ledger: as far as the assessment knew it.
    """
    assessment = report.assessment
    by_result = {id(budget.result): budget for budget in budgets(assessment)}
    standing = in_force(ledger)
    last_us = span.end_us - 1
    works = [one for one in standing if one.entry.kind == "maintenance" and one.entry.from_us is not None]
    found = deadlines(ledger, report.data_until_us, calendar_of(assessment.contract))
    return Update(
        report=report,
        fortnight=span,
        standings=tuple(
            Standing(
                result=result,
                budget=by_result.get(id(result)),
                is_running=report.data_until_us < result.period.end_us and result.verdict is Verdict.UNDECIDED,
            )
            for result in assessment.clauses
            if result.period.start_us <= last_us < result.period.end_us
        ),
        outages=tuple(
            sorted(
                (o for o in assessment.outages if _touches(o, span)),
                key=lambda o: (o.first_bad_us, o.journey),
            )
        ),
        maintenance=tuple(one for one in works if span.start_us <= _from(one.entry) < span.end_us),
        ahead=tuple(one for one in works if _from(one.entry) >= span.end_us),
        releases=tuple(one for one in standing if one.entry.kind == "release" and _from(one.entry) >= span.start_us),
        claims=tuple(one for one in standing if _is_open(one.entry)),
        procedures=tuple(
            one
            for one in found
            if one.contract == assessment.contract.contract and one.decision is None and one.stage is not Stage.DECIDED
        ),
        news=tuple(
            one
            for one in ledger
            if span.start_us <= one.entry.recorded_us < span.end_us and one.entry.kind not in NO_NEWS
        ),
    )


def _touches(outage: OutageResult, span: Span) -> bool:
    end_us = outage.first_good_us
    return outage.first_bad_us < span.end_us and (end_us is None or end_us > span.start_us)


def _from(entry: Entry) -> int:
    return entry.from_us or 0


def _is_open(entry: Entry) -> bool:
    if entry.kind == "exclusion-claimed":
        return True
    return entry.kind == "exclusion" and entry.data.get("status") == "claimed"


def update_json(update: Update, language: Literal["nl", "en"] = "nl") -> dict[str, Any]:
    """The assessment in its published shape, with `report`, and under `update` what this adds."""
    timezone = update.report.timezone
    span = update.fortnight
    return {
        **report_json(update.report, language),
        "update": {
            "from": instant_text(span.start_us, timezone),
            "to": instant_text(span.end_us, timezone),
            "standings": [
                {
                    "clause": one.result.clause.id,
                    "verdict": "running" if one.is_running else one.result.verdict.value,
                    "budget_allowed_us": None if one.budget is None else one.budget.allowed_us,
                    "budget_left_us": None if one.budget is None else one.budget.left_us,
                }
                for one in update.standings
            ],
            "outages": [outage.id for outage in update.outages],
            "maintenance": [one.seq for one in update.maintenance],
            "maintenance_ahead": [one.seq for one in update.ahead],
            "releases": [one.seq for one in update.releases],
            "claims": [one.seq for one in update.claims],
            "procedures": [
                {"number": one.number, "stage": one.stage.value, "standing": one.told.in_(language)}
                for one in update.procedures
            ],
            "news": [one.seq for one in update.news],
        },
    }
