"""A report as JSON: the assessment in its published shape, and beside it, under `report`, what only a report knows.

`report.history` has, for each monthly availability clause, thirteen months (more rows where the contract changed within
one): `state` as in `sla.history.State`, the ratios as everywhere in the assessment and null where the state has no
figure, and `report` with `sha256`, the issued report that the figures were taken from; `sha256` is null for the report
itself. Empty for what is no calendar month; absent from reports of before there was a history.
"""

from __future__ import annotations

import json
from typing import Any

from sla.differences import changes_json, contract_sha256
from sla.history import ClauseHistory, HistoryMonth
from sla.interchange import assessment_json, ratio_text, seconds
from sla.period import instant_text
from sla.rendering.numbers import Language
from sla.report import Gap, Report, ResponseDay, ResponseSeries


def render(report: Report, language: Language = "nl") -> str:
    """UTF-8 text that ends in a line break; times with offset. Same report, same bytes. The Dutch one decides."""
    return json.dumps(document(report, language), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def document(report: Report, language: Language = "nl") -> dict[str, Any]:
    """Without its key `report` it is an assessment as `sla/schemas/assessment.schema.json` has it."""
    zone = report.timezone
    return {
        **assessment_json(report.assessment, language),
        "report": {
            "number": report.number,
            "replaces": report.replaces,
            "language": language,
            "issued_at": instant_text(report.issued_us, zone),
            "data_until": instant_text(report.data_until_us, zone),
            "provisional": report.is_provisional,
            "portal": report.portal_name,
            "authority": report.assessment.contract.authority,
            "supplier": report.assessment.contract.supplier,
            "contact": report.contact,
            "legal_basis": list(report.legal_basis),
            "titles": {journey: {"nl": nl, "en": en} for journey, (nl, en) in sorted(report.titles.items())},
            "minimum_coverage": ratio_text(report.minimum_coverage),
            "coverage_short": report.has_short_coverage,
            "gaps": [_gap(gap, zone) for gap in report.gaps],
            **({"drills": {"held": report.drills.held, "passed": report.drills.passed}} if report.drills else {}),
            "response_times": [_series(series) for series in report.responses],
            "software": report.software,
            "config_sha256": report.config_sha256,
            "contract_sha256": contract_sha256(report.assessment.contract),
            "history": [_history(one, zone) for one in report.history],
            "changes": None if report.changes is None else changes_json(report.changes),
        },
    }


def _gap(gap: Gap, zone: str) -> dict[str, Any]:
    return {
        "from": instant_text(gap.start_us, zone),
        "to": instant_text(gap.end_us, zone),
        "cause": gap.cause,
        "journeys": list(gap.journeys),
    }


def _series(series: ResponseSeries) -> dict[str, Any]:
    return {
        "journey": series.journey,
        "step": series.step,
        "count": series.count,
        "p50_s": seconds(series.p50_us),
        "p95_s": seconds(series.p95_us),
        "slowest_s": seconds(series.slowest_us),
        "limit_s": None if series.limit_us is None else seconds(series.limit_us),
        "days": [_day(day) for day in series.days],
    }


def _history(history: ClauseHistory, zone: str) -> dict[str, Any]:
    return {"id": history.clause.id, "months": [_month(month, zone) for month in history.months]}


def _month(month: HistoryMonth, zone: str) -> dict[str, Any]:
    return {
        "from": instant_text(month.span.start_us, zone),
        "to": instant_text(month.span.end_us, zone),
        "state": month.state.value,
        "target": ratio_text(month.target),
        "lowest": ratio_text(month.lowest),
        "point": ratio_text(month.point),
        "highest": ratio_text(month.highest),
        "verdict": None if month.verdict is None else month.verdict.value,
        "provisional": month.is_provisional,
        "report": month.number,
        "sha256": month.sha256,
    }


def _day(day: ResponseDay) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "count": day.count,
        "p50_s": seconds(day.p50_us),
        "p95_s": seconds(day.p95_us),
    }
