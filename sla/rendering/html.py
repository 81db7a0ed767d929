"""The monthly report as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sla.assessment import OutageResult, Verdict, WindowDecision
from sla.contract import Version
from sla.period import zone
from sla.rendering import burn_down, figures, history_bars
from sla.rendering.changed import told
from sla.rendering.numbers import Language, Numbers
from sla.rendering.page import Cover, page
from sla.rendering.phrases import Phrases
from sla.rendering.words import Words
from sla.report import Report

MOST_BLIPS = 40
SECTIONS = (
    "decisions",
    "working",
    "sanction",
    "history",
    "burndown",
    "calendar",
    "timeline",
    "response",
    "definitions",
    "method",
    "integrity",
    "sign",
    "contact",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An outage with the number it bears in this report and its length; None where it was not seen to end."""

    number: int
    outage: OutageResult
    observed_us: int | None


def render(report: Report, language: Language = "nl") -> str:
    """The page in Dutch or English. The same report gives the same bytes."""
    words = Words(language)
    numbers = Numbers(language=language, zone=zone(report.timezone))
    outages = tuple(_listed(report))
    verdict_sentence = _verdict_sentence(report, words)
    values = {
        "cover": _cover(report, words, numbers, verdict_sentence),
        "sections": tuple(_sections(report, words)),
        "report": report,
        "assessment": report.assessment,
        "say": Phrases(assessment=report.assessment, titles=report.titles, words=words, numbers=numbers),
        "verdicts": Verdict,
        "outages": outages,
        "readings": _readings,
        "blips": report.assessment.blips[:MOST_BLIPS],
        "more_blips": max(0, len(report.assessment.blips) - MOST_BLIPS),
        "answers": tuple(_answer(decision) for decision in report.assessment.windows),
        "verdict_sentence": verdict_sentence,
        "shown_coverage": _coverage(report, numbers),
        "rule_versions": _rule_versions(report),
        "histories": tuple(history_bars.drawn(report, language)),
        "burn_downs": tuple(burn_down.burn_downs(report)),
        "calendars": figures.calendars(report),
        "timelines": figures.timelines(report, [(listed.number, listed.outage) for listed in outages]),
        "curves": figures.curves(report),
        "bounds": figures.bounds,
        "days": figures.days_in(report),
        "changes": None if report.changes is None else told(report.changes, words, numbers, report.titles),
    }
    return page("report.html.j2", language, timezone=report.timezone, values=values)


def _cover(report: Report, words: Words, numbers: Numbers, description: str) -> Cover:
    return Cover.of(
        report,
        kind=words("report.kind"),
        subject=numbers.period(report.period.start_us, report.period.end_us),
        description=description,
    )


def _sections(report: Report, words: Words) -> Iterator[tuple[str, str]]:
    """Anchors and titles in the order of the page: our own shortcoming comes first where there is one."""
    first = ("coverage", "outages") if report.has_short_coverage else ("outages", "coverage")
    restated = () if report.changes is None else ("changes",)
    for name in (*restated, *first, *SECTIONS):
        yield name, words("sanction.heading" if name == "sanction" else f"{name}.title")


def _listed(report: Report) -> list[Listed]:
    ordered = sorted(report.assessment.outages, key=lambda outage: (outage.first_bad_us, outage.journey, outage.id))
    return [
        Listed(
            number=number,
            outage=outage,
            observed_us=None if outage.first_good_us is None else outage.first_good_us - outage.first_bad_us,
        )
        for number, outage in enumerate(ordered, start=1)
    ]


def _readings(outage: OutageResult) -> tuple[tuple[str, int | None, int | None], ...]:
    """From when to when it lasted by each boundary; None where that edge is not known."""
    return (
        ("observed", outage.first_bad_us, outage.first_good_us),
        ("certain", outage.first_bad_us, outage.last_bad_us),
        ("widest", outage.last_good_us, outage.first_good_us),
    )


def _answer(decision: WindowDecision) -> str:
    if decision.granted:
        return "partly" if decision.refused else "granted"
    return "refused" if decision.refused else "idle"


def _verdict_sentence(report: Report, words: Words) -> str:
    counts = {verdict: len(report.with_verdict(verdict)) for verdict in Verdict}
    total = sum(counts.values())
    if not total:
        return words("lead.nothing")
    if counts[Verdict.MET] == total:
        return words("lead.one_met") if total == 1 else words("lead.all_met", total=total)
    parts = [
        words.count(f"lead.{verdict.value}", counts[verdict])
        for verdict in (Verdict.MISSED, Verdict.UNDECIDED, Verdict.MET)
        if counts[verdict]
    ]
    return ", ".join(parts) + "."


def _coverage(report: Report, numbers: Numbers) -> str | None:
    coverage = report.assessment.coverage
    return None if coverage is None else numbers.percent(coverage, report.minimum_coverage)


def _rule_versions(report: Report) -> tuple[Version, ...]:
    """The versions whose maintenance rules differ; one where they all say the same."""
    shown: list[Version] = []
    for version in report.versions:
        if not shown or shown[-1].maintenance != version.maintenance:
            shown.append(version)
    return tuple(shown)
