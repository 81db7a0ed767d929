"""Drawing up a report: what it refuses, what it derives, and that the page says it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fontTools.ttLib import TTFont
from parsel import Selector

from sla.period import parse_instant
from sla.rendering import html
from sla.rendering import json as json_form
from sla.rendering.numbers import Language
from sla.report import Gap, Report, ReportRefused, draw_up, response_series
from tests.report_story import CONFIG_SHA256, SECOND, report, report_with_history

GOLDEN = Path(__file__).parents[2] / "golden" / "report"


def drawn(**changes: Any) -> Report:
    story = report()
    values: dict[str, Any] = {
        "number": "R-2026-10-v1",
        "issued_us": story.issued_us,
        "portal_name": "Loket",
        "titles": {},
        "gaps": (),
        "software": "Loketwacht 0.1.0",
        "config_sha256": CONFIG_SHA256,
    }
    return draw_up(story.assessment, **values | changes)


def text_of(page: str, css: str = "body") -> str:
    found = " ".join(Selector(page).css(f"{css} *::text, {css}::text").getall())
    return re.sub(r"\s+", " ", found.replace("\u00a0", " "))


def section(page: str, anchor: str) -> str:
    return text_of(page, f'section[aria-labelledby="{anchor}"]')


@pytest.fixture(scope="module")
def dutch() -> str:
    return html.render(report(), "nl")


@pytest.fixture(scope="module")
def english() -> str:
    return html.render(report(), "en")


# --- drawing up ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["", "2026-10", "R-2026-10", "R-2026-10-v0", "R-2026-10-v1 ", "R-<b>-v1"])
def test_a_number_that_is_no_report_number_is_refused(number: str) -> None:
    with pytest.raises(ReportRefused, match="write R-<period>-v<version>"):
        drawn(number=number)


def test_a_configuration_hash_that_is_none_is_refused() -> None:
    with pytest.raises(ReportRefused, match="64 lower-case hex digits"):
        drawn(config_sha256="abc")


def test_a_gap_outside_the_period_is_refused() -> None:
    before = report().period.start_us
    with pytest.raises(ReportRefused, match="outside the period"):
        drawn(gaps=[Gap(start_us=before - 1, end_us=before + 1, cause="clock")])


def test_a_gap_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ReportRefused, match="turn them round"):
        Gap(start_us=2, end_us=2, cause="clock")


def test_a_journey_without_a_title_goes_by_its_id() -> None:
    assert drawn().title("indienen").nl == "indienen"


def test_a_report_drawn_up_before_the_period_is_over_is_provisional() -> None:
    assert drawn(issued_us=parse_instant("2026-10-20T00:00:00+02:00")).is_provisional


def test_a_report_drawn_up_after_the_period_is_not_provisional() -> None:
    assert not report().is_provisional


def test_a_series_without_successful_samples_is_no_series() -> None:
    assert response_series("indienen", [], timezone="Europe/Brussels") is None


def test_a_series_has_exact_ranks_per_civil_day() -> None:
    midnight = parse_instant("2026-10-02T00:00:00+02:00")
    durations = [(midnight - 1, 900), *((midnight + i, 100 * (i + 1)) for i in range(20))]
    series = response_series("indienen", durations, timezone="Europe/Brussels")
    assert series is not None
    assert [(d.day, d.count, d.p50_us, d.p95_us) for d in series.days] == [
        (date(2026, 10, 1), 1, 900, 900),
        (date(2026, 10, 2), 20, 1000, 1900),
    ]


# --- what the page says --------------------------------------------------------------------------------------------


def test_the_page_leads_with_the_verdict(dutch: str) -> None:
    assert text_of(dutch, ".sentence") == "1 norm is niet gehaald, 1 norm is niet te beoordelen, 4 normen zijn gehaald."


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (0, "B1 Beschikbaarheid, Ondertekenen en indienen resultaatsverbintenis minstens 99,3 % 99,03 %"),
        (3, "99,86 % tussen 99,50 % en 99,86 % Niet te beoordelen"),
        (5, "middelenverbintenis hoogstens 10 s (p95) 9,908 s Norm gehaald geen sanctie"),
    ],
)
def test_each_clause_has_its_promise_its_figure_and_its_verdict_in_words(dutch: str, row: int, shown: str) -> None:
    cells = Selector(dutch).css("table.stack tbody tr")[row].css("*::text").getall()
    assert shown in re.sub(r"\s+", " ", " ".join(cells).replace("\u00a0", " "))


def test_outages_are_told_one_by_one_with_their_answer_and_reasons(dutch: str) -> None:
    told = Selector(dutch).css("article.entry.bad")[0]
    text = re.sub(r"\s+", " ", " ".join(told.css("*::text").getall()).replace("\u00a0", " "))
    assert "Storing 2: Ondertekenen en indienen" in text
    assert "Sanctioneerbaar: B1 is een resultaatsverbintenis en is niet gehaald" in text
    assert "2 u 15 min (8.100 s)" in text


def test_an_outage_in_the_repeated_hour_names_both_zones(dutch: str) -> None:
    assert "zo 25 okt 2026, 02:40:00 CEST – 02:20:00 CET" in section(dutch, "outages")


def test_maintenance_that_was_announced_too_late_is_refused_with_the_reason(dutch: str) -> None:
    text = section(dutch, "decisions")
    assert "zoekindex herbouwen" in text
    assert "Geweigerd: aangekondigd op 20-10-2026 16:05:00 CEST" in text


def test_the_formula_stands_there_with_its_numbers(dutch: str) -> None:
    terms = Selector(dutch).css("section.clause")[0].css(".formula dd")[0]
    text = re.sub(r"\s+", " ", " ".join(terms.css("*::text").getall()).replace("\u00a0", " "))
    assert text.strip() == "867.900 s + 20.700 s 867.900 s + 20.700 s + 8.700 s = 0,990304… = 99,03 %"


def test_the_seconds_of_the_classes_add_up_to_the_service_time(dutch: str) -> None:
    table = Selector(dutch).css("section.clause table")[0]
    seconds = [
        int(cell.replace("\u00a0s", "").replace(".", "")) for cell in table.css("tr td:nth-child(2)::text").getall()
    ]
    assert sum(seconds[:-1]) == seconds[-1] == 910_800


def test_the_gap_of_our_own_measuring_is_told_with_its_cause(dutch: str) -> None:
    assert "do 8 okt 2026, 14:00:00 – 15:00:00 1 u de monitor stond uit" in section(dutch, "coverage")


def test_an_amount_is_a_proposal_and_the_decision_is_left_to_a_person(dutch: str) -> None:
    lead = section(dutch, "lead")
    assert "Berekend voorstel EUR 2.000,00" in lead
    assert "beslist de leidend ambtenaar" in lead


def test_legal_grounds_are_assumptions_to_be_confirmed(dutch: str) -> None:
    assert "KB van 14 januari 2013, artikelen 44 tot 46 (te bevestigen)" in section(dutch, "sanction")


def test_the_calendar_prints_the_value_of_each_day(dutch: str) -> None:
    cell = Selector(dutch).css("table.month")[0].css("td.down")[0]
    assert [t.replace("\u00a0", " ") for t in cell.css("span::text").getall()] == ["12", "80,43 %", "135 min storing"]


def test_the_page_tells_what_it_was_computed_from(dutch: str) -> None:
    text = section(dutch, "integrity")
    assert report().assessment.ledger_head in text
    assert CONFIG_SHA256 in text
    assert "ma 2 nov 2026, 06:00:00" in text


def test_english_says_the_same_verdict(english: str) -> None:
    lead = section(english, "lead")
    assert "1 service level was not met, 1 service level cannot be judged, 4 service levels were met." in lead
    assert "99.03 %" in lead


def test_short_coverage_leads_the_report_and_withholds_every_verdict() -> None:
    page = html.render(report(minimum_coverage="0.999"), "nl")
    sections = Selector(page).css("main > section::attr(aria-labelledby)").getall()
    assert sections[:3] == ["lead", "coverage", "outages"]
    assert "Wij hebben te weinig gemeten" in section(page, "lead")
    assert "6 normen zijn niet te beoordelen." in section(page, "lead")


def test_a_figure_whose_verdict_is_withheld_is_not_said_to_be_uncertain() -> None:
    page = html.render(report(minimum_coverage="0.999"), "nl")
    assert "het cijfer is berekend, maar het oordeel blijft uit" in section(page, "c1")
    assert "Het oordeel hangt af van" not in section(page, "c1")


def test_a_provisional_report_says_so_first() -> None:
    page = html.render(report(as_of="2026-10-20T00:00:00+02:00"), "nl")
    assert "Voorlopig rapport" in section(page, "lead")
    assert "te weinig gemeten" not in section(page, "lead")


def test_a_month_without_measurements_says_not_measured_and_never_a_percentage() -> None:
    story = report(as_of="2026-09-30T00:00:00+02:00")
    page = html.render(story, "nl")
    assert "niet gemeten" in section(page, "lead")
    assert "100,00 %" not in section(page, "lead")


# --- the page as a file --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_page_asks_nothing_of_anybody(language: Language) -> None:
    page = html.render(report(), language)
    links = Selector(page).css("[src], [href], link, script, iframe, object")
    assert [a for a in (e.attrib.get("href") for e in links) if a is None or not a.startswith("#")] == []
    assert re.findall(r"url\((?!\"?data:|#)", page) == []
    assert not re.search(r"https?://|//[a-z]+\.[a-z]", re.sub(r"base64,[A-Za-z0-9+/=]+", "", page))


def test_the_page_has_no_inline_style_or_script(dutch: str) -> None:
    assert Selector(dutch).xpath("//*[@style] | //script | //@*[starts-with(name(), 'on')]").getall() == []


def test_no_id_is_used_twice_and_every_link_leads_somewhere(dutch: str) -> None:
    ids = Selector(dutch).css("[id]::attr(id)").getall()
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in Selector(dutch).css("a::attr(href)").getall()} <= set(ids)


def test_every_header_cell_says_what_it_heads(dutch: str) -> None:
    assert Selector(dutch).css("th:not([scope])").getall() == []


def test_the_same_report_gives_the_same_page(dutch: str) -> None:
    assert html.render(report(), "nl") == dutch


def test_what_people_typed_cannot_become_markup() -> None:
    page = html.render(replace(report(), portal_name="<script>alert(1)</script>", contact='"><b>x'), "nl")
    assert "<script" not in page
    assert "<b>x" not in page


def test_letters_beyond_latin_bring_their_own_font() -> None:
    assert "Source Sans 3 Ext" in html.render(replace(report(), portal_name="Łódź"), "nl").split("</style>")[0]


def test_a_dutch_page_carries_the_latin_font_only(dutch: str) -> None:
    assert dutch.count("@font-face") == 3


def test_every_sign_of_the_page_is_in_the_fonts_it_carries(dutch: str) -> None:
    with files("sla").joinpath("fonts", "source-sans-3-latin-400-normal.woff2").open("rb") as font:
        drawn_signs = set(TTFont(font).getBestCmap())
    signs = {ord(sign) for sign in text_of(dutch)}
    assert {chr(sign) for sign in signs - drawn_signs} == set()


# --- as data -------------------------------------------------------------------------------------------------------


def test_the_json_without_its_report_part_is_a_published_assessment() -> None:
    found = json_form.document(report())
    del found["report"]
    schema = json.loads(files("sla").joinpath("schemas", "assessment.schema.json").read_text())
    jsonschema.validate(found, schema)


def test_the_json_knows_what_only_a_report_knows() -> None:
    own = json.loads(json_form.render(report()))["report"]
    assert own["number"] == "R-2026-10-v1"
    assert own["gaps"] == [
        {
            "from": "2026-10-08T14:00:00+02:00",
            "to": "2026-10-08T15:00:00+02:00",
            "cause": "monitor-off",
            "journeys": [],
        }
    ]
    assert own["response_times"][0]["limit_s"] == 10


def test_the_figures_of_the_page_are_those_of_the_json(dutch: str) -> None:
    clause = json.loads(json_form.render(report()))["clauses"][0]
    assert clause["seconds"]["down"] == 8_700
    assert "8.700 s" in section(dutch, "c1")


def test_coverage_of_the_story_is_exact() -> None:
    coverage = report().assessment.coverage
    assert coverage is not None
    assert Fraction(99, 100) < coverage < 1


def test_a_response_limit_is_kept_in_microseconds() -> None:
    assert report().responses[0].limit_us == 10 * SECOND


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_whole_report_reads_word_for_word_as_expected(language: Language, request: pytest.FixtureRequest) -> None:
    blocks = Selector(html.render(report_with_history(), language)).css(
        "body p, body li:not(:has(p)), body th, body td, body dt, body dd, body h1, body h2, body h3, body h4, "
        "body caption, body figcaption, body svg title"
    )
    lines = [re.sub(r"\s+", " ", " ".join(block.css("*::text").getall())).strip() for block in blocks]
    text = "\n".join(line for line in lines if line) + "\n"
    golden = GOLDEN / f"october.{language}.txt"
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
