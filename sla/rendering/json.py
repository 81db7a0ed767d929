"""A report as JSON: the assessment in its published shape, and beside it, under `report`, what only a report knows."""

from __future__ import annotations

import json
from typing import Any

from sla.differences import changes_json, contract_sha256
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
            "response_times": [_series(series) for series in report.responses],
            "software": report.software,
            "config_sha256": report.config_sha256,
            "contract_sha256": contract_sha256(report.assessment.contract),
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


def _day(day: ResponseDay) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "count": day.count,
        "p50_s": seconds(day.p50_us),
        "p95_s": seconds(day.p95_us),
    }
