from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import parsel
import pytest

from dashboards.formatting import clock_time, length, moment, month_name, percent, size, span
from dashboards.status_page import STATIC, ErrorPage, State, StatusPage, day_runs, overall, render_error, render_status
from dashboards.wording import WORDING
from tests.status_pages import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    a_busy_page,
    a_frame,
    a_journey,
    a_quiet_page,
    all_pages,
    an_incident_page,
    ninety_days,
)

TEMPLATES = Path(__file__).parents[3] / "dashboards" / "templates"
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def sentence(*states: State) -> str:
    journeys = tuple(a_journey(index, now=state) for index, state in enumerate(states))
    return overall(StatusPage(frame=a_frame(), journeys=journeys)).sentence


def test_all_is_well_is_said_in_title_and_heading() -> None:
    page = parsel.Selector(render_status(a_quiet_page()))
    assert page.css("h1::text").get() == "Alles werkt"
    assert page.css("title::text").get() == "Alles werkt · Oefenloket"


def test_a_single_outage_names_the_part() -> None:
    assert sentence(State.UP, State.DOWN, State.DEGRADED) == "Storing: Aanmelden"


def test_several_outages_are_counted() -> None:
    assert sentence(State.DOWN, State.DOWN, State.UP) == "Storing bij 2 van de 3 onderdelen"


def test_an_outage_everywhere_says_that_nothing_works() -> None:
    assert sentence(State.DOWN, State.DOWN) == "Storing: niets werkt"


def test_what_cannot_be_measured_is_never_called_well() -> None:
    assert sentence(State.UP, State.UNKNOWN) == "Aanmelden: op dit ogenblik niet te meten"


def test_without_journeys_nothing_is_claimed() -> None:
    assert sentence() == "Er wordt nog niets gemeten"


def test_ninety_quiet_days_are_one_row_of_the_table() -> None:
    assert len(day_runs(ninety_days())) == 1


def test_a_bad_day_stands_between_its_quiet_neighbours() -> None:
    runs = day_runs(ninety_days(d3=State.DOWN))
    assert [(run.first.isoformat(), run.last.isoformat(), run.cell.state.value) for run in runs] == [
        ("2027-03-07", "2027-03-09", "up"),
        ("2027-03-06", "2027-03-06", "down"),
        ("2026-12-10", "2027-03-05", "up"),
    ]


def test_the_bars_have_a_sentence_for_those_who_do_not_see_them() -> None:
    page = parsel.Selector(render_status(a_busy_page()))
    label = page.css("#journey-indienen .bars::attr(aria-label)").get()
    assert label == (
        "Ondertekenen en indienen, laatste 90 dagen: 85 zonder storing, 1 traag, 3 met storing, "
        "1 met onderhoud, 0 niet gemeten."
    )


def test_the_days_of_a_part_come_without_a_hole() -> None:
    with pytest.raises(ValueError, match="oldest first"):
        a_journey(0, days=tuple(reversed(ninety_days())))


def test_evidence_is_shown_as_text_only() -> None:
    html = all_pages("nl")["incident"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script" not in html


def test_an_open_incident_has_no_end() -> None:
    html = all_pages("nl")["incident"]
    assert "duurt nog voort" in html
    assert "12\u00a0min tot nu toe" in html


def test_the_incident_page_tells_which_mails_went_out() -> None:
    assert an_incident_page().mails[0].delivery == "delivered"
    assert "aanvaard door de mailserver" in all_pages("nl")["incident"]


@pytest.mark.parametrize("status", [404, 500, 503, 405])
def test_an_error_page_leads_back_to_the_status(status: int) -> None:
    page = parsel.Selector(render_error(ErrorPage(frame=a_frame(), status=status)))
    assert str(status) in "".join(page.css("main ::text").getall())
    assert page.css("main a::attr(href)").getall() == ["/"]


@pytest.mark.parametrize("language", ["nl", "en"])
def test_pages_work_under_a_strict_content_security_policy(language: str) -> None:
    for name, html in all_pages(language).items():  # type: ignore[arg-type]
        page = parsel.Selector(html)
        assert not page.xpath("//@style|//style|//*[@onclick]|//script[not(@src)]|//meta[@http-equiv]"), name
        loaded = page.css("script::attr(src), link[rel=stylesheet]::attr(href), link[rel=icon]::attr(href)").getall()
        assert all(address.startswith("/static/") for address in loaded), name
        assert {address.removeprefix("/static/").partition("?")[0] for address in loaded} <= set(STATIC), name


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_page_names_its_language_and_offers_the_other(language: str) -> None:
    other = "en" if language == "nl" else "nl"
    for html in all_pages(language).values():  # type: ignore[arg-type]
        page = parsel.Selector(html)
        assert page.css("html::attr(lang)").get() == language
        assert page.css(f"nav a[hreflang={other}]::attr(href)").get() == f"/?lang={other}"


def test_both_languages_fill_in_the_same_values() -> None:
    for key, (dutch, english) in WORDING.items():
        assert dutch, key
        assert english, key
        assert set(PLACEHOLDER.findall(dutch)) == set(PLACEHOLDER.findall(english)), key


def test_every_sentence_is_used() -> None:
    source = "".join(path.read_text() for path in TEMPLATES.glob("*.j2"))
    built = (
        "one_",
        "some_",
        "all_",
        "overall_",
        "state_",
        "day_",
        "legend_",
        "verdict_",
        "mail_",
        "delivery_",
        "stage_",
        "error_",
        "phase_",
        "replay_",
        "missing_",
        "page_",
        "place_",
    )
    other = {"no_journeys", "bar_sentence", "incident_title_open", "incident_title_closed"}
    unused = {key for key in WORDING if not key.startswith(built) and f"'{key}'" not in source} - other
    assert unused == set()


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        (Fraction(1), "100\u00a0%"),
        (Fraction(99_999, 100_000), "99,99\u00a0%"),
        (Fraction(997_999, 1_000_000), "99,79\u00a0%"),
        (Fraction(0), "0,00\u00a0%"),
        (Fraction(1, 1_000_000), "<\u00a00,01\u00a0%"),
    ],
)
def test_a_percentage_is_cut_and_never_rounded_up(ratio: Fraction, shown: str) -> None:
    assert percent(ratio, "nl") == shown


@pytest.mark.parametrize(
    ("microseconds", "dutch", "english"),
    [
        (0, "0 s", "0 s"),
        (41 * MINUTE + 20 * SECOND, "41 min 20 s", "41 min 20 s"),
        (2 * HOUR + 41 * MINUTE + 59 * SECOND, "2 uur 41 min", "2 h 41 min"),
        (25 * HOUR, "1 dag 1 uur", "1 day 1 h"),
        (-MINUTE, "−1 min", "−1 min"),
    ],
)
def test_a_length_of_time_is_cut_to_what_people_read(microseconds: int, dutch: str, english: str) -> None:
    assert (length(microseconds, "nl"), length(microseconds, "en")) == (dutch, english)


def test_the_hour_that_comes_twice_says_which_one_is_meant() -> None:
    first = 1_792_888_200 * SECOND  # 25 October 2026, 00:30 UTC
    assert clock_time(first, "Europe/Brussels") == "02:30 CEST"
    assert clock_time(first + HOUR, "Europe/Brussels") == "02:30 CET"
    assert clock_time(first + 2 * HOUR, "Europe/Brussels") == "03:30"


def test_moments_read_naturally_in_both_languages() -> None:
    assert moment(NOON, "Europe/Brussels", "nl") == "9 maart 2027 om 12:00"
    assert moment(NOON, "Europe/Brussels", "en") == "9 March 2027 at 12:00"
    assert span(NOON, NOON + HOUR, "Europe/Brussels", "nl") == "9 maart 2027 om 12:00 tot 13:00"


def test_a_month_is_named_in_both_languages() -> None:
    assert month_name(NOON, "Europe/Brussels", "nl") == "maart 2027"
    assert month_name(NOON, "Europe/Brussels", "en") == "March 2027"


def test_a_size_is_cut_to_a_unit_people_know() -> None:
    assert [size(count, "nl") for count in (812, 61_440, 1_490_000)] == ["812 bytes", "61 kB", "1,4 MB"]


def test_static_files_carry_their_content_type() -> None:
    kinds = {name.rpartition(".")[2]: kind for name, (kind, _) in STATIC.items()}
    assert json.dumps(kinds, sort_keys=True) == json.dumps(
        {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
    )
