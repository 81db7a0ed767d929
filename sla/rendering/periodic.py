"""The documents over a period as pages and data: quarterly and yearly overview, two-weekly update."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from babel.dates import format_date

from sla.assessment import ClauseResult, Verdict
from sla.overview import Overview, decided, overview_json, weight_us
from sla.period import local_date, zone
from sla.rendering.month_bars import bars
from sla.rendering.numbers import LOCALES, Language, Numbers
from sla.rendering.page import Cover, page
from sla.rendering.phrases import Phrases
from sla.rendering.words import Words
from sla.update import Update, update_json

MOST_OUTAGES = 50
SECTIONS = ("clauses", "ranked", "decided", "excluded", "restated")


def overview_page(overview: Overview, language: Language) -> str:
    """The same overview gives the same bytes."""
    report = overview.report
    words, numbers = Words(language), Numbers(language=language, zone=zone(report.timezone))
    counts = {verdict: len(report.with_verdict(verdict)) for verdict in Verdict}
    first = local_date(report.period.start_us, report.timezone)
    sentence = words(
        "overview.sentence",
        total=sum(counts.values()),
        met=counts[Verdict.MET],
        missed=counts[Verdict.MISSED],
        undecided=counts[Verdict.UNDECIDED],
    )
    quarter = (first.month - 1) // 3 + 1
    name = (
        str(first.year) if overview.kind == "year" else words("overview.quarter_name", number=quarter, year=first.year)
    )
    coverage = report.assessment.coverage

    def short_names(results: Sequence[ClauseResult]) -> list[str]:
        return [_month(local_date(result.period.start_us, report.timezone), language) for result in results]

    values = {
        "cover": Cover.of(report, kind=words(f"overview.{overview.kind}"), subject=name, description=sentence),
        "sections": (
            *((anchor, words(f"overview.{anchor}")) for anchor in SECTIONS),
            *((anchor, words(f"{anchor}.title")) for anchor in ("integrity", "sign", "contact")),
        ),
        "overview": overview,
        "report": report,
        "say": Phrases(assessment=report.assessment, titles=report.titles, words=words, numbers=numbers),
        "verdicts": Verdict,
        "coverage": None if coverage is None else numbers.percent(coverage, report.minimum_coverage),
        "bars": bars,
        "short_names": short_names,
        "decided": decided,
        "weight": weight_us,
        "most": MOST_OUTAGES,
    }
    return page("overview.html.j2", language, timezone=report.timezone, values=values)


def update_page(update: Update, language: Language) -> str:
    """The same update gives the same bytes."""
    report = update.report
    words, numbers = Words(language), Numbers(language=language, zone=zone(report.timezone))
    missed = sum(one.is_missed for one in update.standings)
    span = update.fortnight
    name = words(
        "update.subject",
        first=numbers.plain_day(local_date(span.start_us, report.timezone)),
        last=numbers.plain_day(local_date(span.end_us - 1, report.timezone)),
    )
    values = {
        "cover": Cover.of(
            report,
            kind=words("update.kind"),
            subject=name,
            description=words(
                "update.sentence",
                outages=len(update.outages),
                missed=missed,
                overspent=sum(one.is_overspent for one in update.standings),
            ),
        ),
        "sections": (),
        "update": update,
        "report": report,
        "say": Phrases(assessment=report.assessment, titles=report.titles, words=words, numbers=numbers),
    }
    return page("update.html.j2", language, timezone=report.timezone, values=values)


def overview_text(overview: Overview, language: Language = "nl") -> str:
    """The JSON that decides, in Dutch; the same in English is a help."""
    return _text(overview_json(overview, language))


def update_text(update: Update, language: Language = "nl") -> str:
    return _text(update_json(update, language))


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _month(day: date, language: Language) -> str:
    return format_date(day, "MMM yy", locale=LOCALES[language]).replace(".", "")
