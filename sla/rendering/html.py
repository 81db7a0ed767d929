"""A report as one self-contained HTML page: no request to anywhere, no script; the same page becomes the PDF."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from sla.assessment import OutageResult, Verdict, WindowDecision
from sla.contract import Version
from sla.period import instant_text, zone
from sla.rendering import figures
from sla.rendering.numbers import Language, Numbers
from sla.rendering.phrases import Phrases
from sla.rendering.words import Words
from sla.report import Report

WEIGHTS = (400, 600, 700)
#: Letters that only the second subset draws: it is embedded where a text needs them.
BEYOND_LATIN = re.compile("[\u0100-\u02ba\u1e00-\u1eff]")
MOST_BLIPS = 40


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
    values = {
        "report": report,
        "assessment": report.assessment,
        "t": words,
        "n": numbers,
        "say": Phrases(report=report, words=words, numbers=numbers),
        "language": language,
        "verdicts": Verdict,
        "outages": outages,
        "readings": _readings,
        "blips": report.assessment.blips[:MOST_BLIPS],
        "more_blips": max(0, len(report.assessment.blips) - MOST_BLIPS),
        "answers": tuple(_answer(decision) for decision in report.assessment.windows),
        "verdict_sentence": _verdict_sentence(report, words),
        "shown_coverage": _coverage(report, numbers),
        "rule_versions": _rule_versions(report),
        "calendars": figures.calendars(report),
        "timelines": figures.timelines(report, [(listed.number, listed.outage) for listed in outages]),
        "curves": figures.curves(report),
        "bounds": figures.bounds,
        "days": figures.days_in(report),
        "issued_text": instant_text(report.issued_us),
    }
    environment = _environment()
    body = environment.get_template("report.html.j2").render(values)
    # The fonts depend on what the text needs, so they are put in when the text is known.
    return body.replace("/* fonts */", _font_faces(body), 1)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("sla", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _font_faces(text: str) -> str:
    subsets = {"latin": "Source Sans 3"}
    if BEYOND_LATIN.search(text):
        subsets["latin-ext"] = "Source Sans 3 Ext"
    return "\n".join(_font_face(subset, family, weight) for subset, family in subsets.items() for weight in WEIGHTS)


@cache
def _font_face(subset: str, family: str, weight: int) -> str:
    font = files("sla").joinpath("fonts", f"source-sans-3-{subset}-{weight}-normal.woff2").read_bytes()
    data = base64.b64encode(font).decode()
    return (
        f'@font-face{{font-family:"{family}";font-style:normal;font-weight:{weight};font-display:block;'
        f'src:url("data:font/woff2;base64,{data}") format("woff2")}}'
    )


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
