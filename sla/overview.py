"""What several months say together: every clause period by period, outages ranked, proposals beside decisions.

One assessment of the whole quarter or year judges each clause over its own periods; nothing is assessed twice. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sla.assessment import ClauseResult, OutageResult, Verdict, WindowDecision
from sla.contract import Clause
from sla.deadlines import Procedure, calendar_of, deadlines
from sla.ledger import Sealed, in_force
from sla.period import instant_text, parse_period
from sla.rendering.json import document as report_json
from sla.report import Report

OverviewKind = Literal["quarter", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseRow:
    """One clause over the periods it was judged in, oldest first."""

    id: str
    results: tuple[ClauseResult, ...]

    @property
    def clause(self) -> Clause:
        """As the last version has it."""
        return self.results[-1].clause

    def count(self, verdict: Verdict) -> int:
        return sum(result.verdict is verdict for result in self.results)

    @property
    def proposed_eur(self) -> Decimal:
        """Of the clause's own sanctions, before caps over all clauses."""
        return sum((result.sanction.amount_eur for result in self.results if result.sanctionable), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Restated:
    """A month whose report was issued again."""

    period: str
    number: int
    issued_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A quarter or year.

    Attributes:
        report: what every document says of itself, with the assessment of the whole period.
        procedures: findings about a part of the period, with what became of them.
        restated: monthly reports of the period that replaced an earlier one.
    """

    kind: OverviewKind
    report: Report
    rows: tuple[ClauseRow, ...]
    outages: tuple[OutageResult, ...]
    procedures: tuple[Procedure, ...]
    restated: tuple[Restated, ...]

    @property
    def decided_eur(self) -> Decimal:
        """The amounts that people decided on, as far as they were recorded."""
        return sum((amount for one in self.procedures if (amount := decided(one)) is not None), Decimal(0))

    @property
    def windows(self) -> tuple[WindowDecision, ...]:
        return self.report.assessment.windows


def decided(procedure: Procedure) -> Decimal | None:
    """The amount of its decision; None where nobody decided, or the decision names none."""
    if procedure.decision is None or "amount_eur" not in procedure.decision.entry.data:
        return None
    return Decimal(procedure.decision.entry.data["amount_eur"])


def draw_up(kind: OverviewKind, report: Report, ledger: Sequence[Sealed]) -> Overview:
    """The overview of an assessed period.

    Args:
        report: holds the assessment of the whole quarter or year.
        ledger: as far as the assessment knew it.
    """
    assessment = report.assessment
    ids = dict.fromkeys(result.clause.id for result in assessment.clauses)
    rows = (
        ClauseRow(
            id=name,
            results=tuple(
                sorted((r for r in assessment.clauses if r.clause.id == name), key=lambda r: r.period.start_us)
            ),
        )
        for name in ids
    )
    found = deadlines(ledger, report.data_until_us, calendar_of(assessment.contract))
    return Overview(
        kind=kind,
        report=report,
        rows=tuple(rows),
        outages=tuple(sorted(assessment.outages, key=lambda o: (-weight_us(o), o.first_bad_us, o.id))),
        procedures=tuple(one for one in found if one.contract == assessment.contract.contract and _is_in(one, report)),
        restated=tuple(_restated(report, ledger)),
    )


def weight_us(outage: OutageResult) -> int:
    """By what outages are ranked: the time that counted most in any clause."""
    return max(outage.counted.values(), default=0)


def _is_in(procedure: Procedure, report: Report) -> bool:
    try:
        span = parse_period(procedure.period, report.timezone)
    except ValueError:
        return False
    return span.start_us < report.period.end_us and span.end_us > report.period.start_us


def _restated(report: Report, ledger: Sequence[Sealed]) -> Iterable[Restated]:
    for sealed in in_force(ledger):
        data = sealed.entry.data
        if sealed.entry.kind != "report" or "document" in data or int(data["number"]) < 2:
            continue
        if data["contract"] != report.assessment.contract.contract:
            continue
        try:
            span = parse_period(data["period"], report.timezone)
        except ValueError:
            continue
        if report.period.start_us <= span.start_us and span.end_us <= report.period.end_us:
            yield Restated(period=data["period"], number=int(data["number"]), issued_us=sealed.entry.recorded_us)


def overview_json(overview: Overview, language: Literal["nl", "en"] = "nl") -> dict[str, Any]:
    """The assessment of the period in its published shape, with `report`, and under `overview` what this adds."""
    timezone = overview.report.timezone
    return {
        **report_json(overview.report, language),
        "overview": {
            "kind": overview.kind,
            "clauses": [
                {
                    "id": row.id,
                    **{verdict.value: row.count(verdict) for verdict in Verdict},
                    "proposed_eur": str(row.proposed_eur),
                }
                for row in overview.rows
            ],
            "ranked_outages": [outage.id for outage in overview.outages],
            "proposed_eur": str(overview.report.assessment.total.amount_eur),
            "decided_eur": str(overview.decided_eur),
            "procedures": [
                {
                    "number": one.number,
                    "period": one.period,
                    "clauses": list(one.clauses),
                    "stage": one.stage.value,
                    "standing": one.told.in_(language),
                    "decided_eur": None if decided(one) is None else str(decided(one)),
                }
                for one in overview.procedures
            ],
            "restated": [
                {
                    "period": one.period,
                    "number": one.number,
                    "issued_at": instant_text(one.issued_us, timezone),
                }
                for one in overview.restated
            ],
        },
    }
