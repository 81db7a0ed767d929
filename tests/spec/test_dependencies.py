"""A failing login explains the journeys behind it: one mail says so, while measuring goes on for all of them.

It explains only while it is measured; what it does not explain, or no more, is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.formatting import Language
from dashboards.status_page import Frame, StatusPage
from monitor.attached import Dependants, dependants
from monitor.check_run import Finding, save
from monitor.incident_life import life_of
from monitor.incidents import IncidentRule
from monitor.muting import muted
from monitor.pages import Days, Watched, status
from monitor.store import incidents
from monitor.telling import attached_to
from probes.checks import Title
from tests.asked import asked
from tests.heart import INDIENEN, INZAGE, MINUTE, Office, a_sample, at, runs
from tests.new_store import new_store

#: A login, a file behind it, and a payment behind that; the payment is measured every five minutes.
LOGIN = INDIENEN.model_copy(update={"id": "aanmelden", "title": Title(nl="Aanmelden", en="Log in")})
FILE = INZAGE.model_copy(update={"depends_on": ("aanmelden",)})
PAY = INDIENEN.model_copy(update={"depends_on": ("inzage",), "interval": 5 * MINUTE})
ALL = (LOGIN, FILE, PAY)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "store.db")
    yield Office(database=database, checks=ALL)
    database.close()


def about(office: Office) -> list[str]:
    """First word and title of each mail that was sent."""
    return [
        f"{word} {mail.subject.partition(': ')[2].partition(' - ')[0]}"
        for word, mail in zip(office.words(), office.sent, strict=True)
    ]


def looks(office: Office, clock_time: str) -> None:
    """What is due by the clock is told and delivered."""
    office.now_us = at(clock_time)
    office.wait(1, *ALL)
    office.now_us = at(clock_time)


def test_only_the_cause_is_mailed_while_both_fail(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    for clock_time in ("10:00:30", "10:01:30"):
        runs(office, FILE, "X", clock_time)
    assert len(office.open_incidents()) == 2
    assert about(office) == ["STORING Aanmelden"]


def test_a_first_failure_of_the_cause_is_explanation_enough(office: Office) -> None:
    runs(office, LOGIN, "x", "10:00")
    runs(office, FILE, "X", "10:00:30")
    assert office.subjects == []


def test_what_outlasts_its_explanation_is_told(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:30")
    for clock_time in ("10:01", "10:02"):
        runs(office, LOGIN, ".", clock_time)
    runs(office, FILE, "X", "10:02:30")
    assert about(office) == ["STORING Aanmelden", "HERSTELD Aanmelden", "STORING Dossier inzien"]


def test_who_was_not_told_of_it_is_not_told_of_its_end(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    for mark, clock_time in zip("X..", ("10:00:30", "10:01:30", "10:02:30"), strict=True):
        runs(office, FILE, mark, clock_time)
    assert (office.words(), len(office.open_incidents())) == (["STORING"], 1)


def test_the_page_tells_the_cause_and_with_it_what_fails_along_with_it(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:30")
    [cause] = the_page(office).incidents
    assert cause.title == LOGIN.title.nl
    assert [one.title for one in cause.attached] == [FILE.title.nl]


def test_the_page_tells_by_itself_what_outlasts_its_cause(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:30")
    for clock_time in ("10:01", "10:02"):
        runs(office, LOGIN, ".", clock_time)
    [left] = the_page(office).incidents
    assert (left.title, left.attached) == (FILE.title.nl, ())


def test_an_english_page_leads_to_english_incidents(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    [one] = the_page(office, "en").incidents
    assert one.href.endswith("?lang=en")


def the_page(office: Office, language: Language = "nl") -> StatusPage:
    watched = Watched(portal="Loket", checks=ALL, location="lokaal", timezone="Europe/Brussels")
    frame = Frame(portal="Loket", generated_us=office.now_us, version="1", language=language)
    return status(office.database, watched, Days(), frame=frame, now_us=office.now_us)


# -- an explanation is what was seen ---------------------------------------------------------------------------------


def test_a_cause_that_failed_once_and_is_measured_no_more_explains_nothing_for_long(office: Office) -> None:
    """Paused, in shadow or unmeasurable since: its state stays as it was, and the outage behind it is told."""
    runs(office, LOGIN, "x", "10:00")
    for clock_time in ("10:00:30", "10:01:30", "10:02:10"):
        runs(office, FILE, "X", clock_time)
    assert about(office) == []
    runs(office, FILE, "X", "10:03:30")
    assert about(office) == ["STORING Dossier inzien"]


def test_a_cause_that_could_not_be_measured_since_explains_nothing_for_long(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    for minute in range(1, 5):
        runs(office, LOGIN, "?", f"10:0{minute}")
        runs(office, FILE, "X", f"10:0{minute}:30")
    assert about(office) == ["STORING Aanmelden", "STORING Dossier inzien"]


def test_one_run_of_the_cause_that_could_not_be_measured_changes_nothing(office: Office) -> None:
    for mark, minute in zip("X?X", range(3), strict=True):
        runs(office, LOGIN, mark, f"10:0{minute}")
        runs(office, FILE, "X", f"10:0{minute}:30")
        looks(office, f"10:0{minute}:50")
    assert about(office) == ["STORING Aanmelden"]


def test_a_cause_in_shadow_alarms_nobody_and_explains_nothing(office: Office) -> None:
    runs(office, LOGIN, "x", "10:00")
    office.checks = (LOGIN.model_copy(update={"shadow": True}), FILE, PAY)
    runs(office, FILE, "X", "10:00:30")
    assert about(office) == ["STORING Dossier inzien"]


def test_what_was_saved_late_is_explained_as_if_it_had_come_in_time(office: Office) -> None:
    """The store was away for an hour; all of it comes at once."""
    found = [(LOGIN, "10:00"), (FILE, "10:00:30"), (LOGIN, "10:01"), (FILE, "10:01:30")]
    batch = [
        Finding(check=check, sample=a_sample("X", at(when), check.id), alerting=office.alerting)
        for check, when in found
    ]
    office.now_us = at("11:00")
    save(office.database, *batch, now_us=office.now_us)
    office.deliver()
    assert about(office) == ["STORING Aanmelden"]


# -- through others ---------------------------------------------------------------------------------------------------


def test_what_fails_behind_a_check_that_works_is_explained_by_what_lies_behind_that(office: Office) -> None:
    runs(office, FILE, ".", "10:00")
    runs(office, LOGIN, "X", "10:00:20")
    runs(office, PAY, "X", "10:00:40")
    assert about(office) == ["STORING Aanmelden"]


def test_checks_that_depend_on_each_other_explain_nothing_or_nobody_would_hear_of_either() -> None:
    one = LOGIN.model_copy(update={"depends_on": ("inzage",)})
    assert dependants((one, FILE)).causes("inzage") == dependants((one, FILE)).causes("aanmelden") == ()


def test_who_depends_on_whom_is_told_in_the_order_of_the_configuration_through_others_too() -> None:
    found = dependants((PAY, FILE, LOGIN))
    assert dict(found) == {"inzage": ("indienen",), "aanmelden": ("indienen", "inzage")}
    assert [cause.id for cause in found.causes("indienen")] == ["inzage", "aanmelden"]
    assert (found.causes("aanmelden"), found.causes("niemand"), len(Dependants())) == ((), (), 0)


def test_without_the_configuration_a_check_is_explained_by_what_it_names_itself(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    with office.database.read() as tx:
        assert muted(tx, FILE, at("10:01"))
        assert not muted(tx, PAY, at("10:01"))


# -- a cause that was not looked at yet -------------------------------------------------------------------------------


def test_a_check_that_fails_before_its_slower_cause_is_measured_waits_for_it(office: Office) -> None:
    """One outage of the login: one mail, though the login is measured last."""
    runs(office, LOGIN, ".", "10:00")
    runs(office, FILE, "X", "10:00:30")
    looks(office, "10:00:50")
    assert about(office) == []
    runs(office, LOGIN, "X", "10:01")
    looks(office, "10:01:20")
    assert about(office) == ["STORING Aanmelden"]
    assert "Daardoor ook: Dossier inzien" in office.sent[0].text


def test_where_the_cause_turns_out_to_work_it_is_told_at_once(office: Office) -> None:
    runs(office, LOGIN, ".", "10:00")
    runs(office, FILE, "X", "10:00:30")
    runs(office, LOGIN, ".", "10:01")
    looks(office, "10:01:10")
    assert about(office) == ["STORING Dossier inzien"]


def test_nothing_is_held_for_longer_than_a_run_of_the_cause_is_due(office: Office) -> None:
    runs(office, LOGIN, ".", "10:00")
    runs(office, FILE, "X", "10:00:30")
    looks(office, "10:01:49")
    assert about(office) == []
    looks(office, "10:01:50")
    assert about(office) == ["STORING Dossier inzien"]


def test_for_a_cause_that_is_measured_every_hour_nothing_is_held_for_more_than_five_minutes(office: Office) -> None:
    hourly = LOGIN.model_copy(update={"interval": 60 * MINUTE})
    office.checks = (hourly, FILE, PAY)
    runs(office, hourly, ".", "10:00")
    runs(office, FILE, "X", "10:10")
    looks(office, "10:14:59")
    assert about(office) == []
    looks(office, "10:15")
    assert about(office) == ["STORING Dossier inzien"]


def test_for_a_cause_that_nobody_measures_nothing_is_held(office: Office) -> None:
    runs(office, FILE, "X", "10:00:30")
    assert about(office) == ["STORING Dossier inzien"]


# -- when muting ends -------------------------------------------------------------------------------------------------


def test_when_the_cause_works_again_old_samples_of_what_it_explained_alarm_nobody(office: Office) -> None:
    """The payment is measured every five minutes: it may work again, and nobody has looked."""
    runs(office, LOGIN, "X", "10:00")
    runs(office, PAY, "X", "10:00:30")
    for clock_time in ("10:01", "10:02"):
        runs(office, LOGIN, ".", clock_time)
    looks(office, "10:02:10")
    looks(office, "10:05")
    runs(office, PAY, ".", "10:05:30")
    looks(office, "10:07")
    assert about(office) == ["STORING Aanmelden", "HERSTELD Aanmelden"]


def test_what_fails_once_more_after_the_cause_works_again_is_told(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    runs(office, PAY, "X", "10:00:30")
    for clock_time in ("10:01", "10:02"):
        runs(office, LOGIN, ".", clock_time)
    runs(office, PAY, "X", "10:05:30")
    assert about(office)[2:] == ["STORING Aanvraag indienen"]


def test_where_its_own_next_run_says_nothing_in_time_it_is_told_all_the_same(office: Office) -> None:
    """The login was seen well at 10:01; the payment's next run is due within five minutes and twenty seconds."""
    runs(office, LOGIN, "X", "10:00")
    runs(office, PAY, "X", "10:00:30")
    for clock_time in ("10:01", "10:02"):
        runs(office, LOGIN, ".", clock_time)
    runs(office, PAY, "?", "10:05:30")
    looks(office, "10:06:19")
    assert about(office)[2:] == []
    looks(office, "10:06:20")
    assert about(office)[2:] == ["STORING Aanvraag indienen"]


def test_a_single_failure_of_the_cause_that_came_to_nothing_leaves_no_flood_behind(office: Office) -> None:
    office.rule = IncidentRule(open_after=2, close_after=2, rerun=False)
    runs(office, LOGIN, "x", "10:00")
    runs(office, PAY, "X", "10:00:30")
    runs(office, LOGIN, ".", "10:01")
    looks(office, "10:01:10")
    assert about(office) == []
    runs(office, PAY, "X", "10:05:30")
    assert about(office) == ["STORING Aanvraag indienen"]


def test_a_cause_that_fails_every_second_time_without_ever_becoming_an_incident_hides_nothing_for_long(
    office: Office,
) -> None:
    """In a row it never opens one, so nobody would be told of either."""
    office.rule = IncidentRule(open_after=2, close_after=2, rerun=False)
    for minute in range(8):
        runs(office, LOGIN, "x."[minute % 2], f"10:0{minute}")
        runs(office, FILE, "x", f"10:0{minute}:20")
        looks(office, f"10:0{minute}:40")
    assert about(office) == ["STORING Dossier inzien"]
    assert office.sent[0].date_us < at("10:04")


# -- what it takes along ----------------------------------------------------------------------------------------------


def test_an_incident_takes_along_those_behind_it_that_failed_at_the_same_time_and_no_others(office: Office) -> None:
    runs(office, PAY, "X", "09:00")
    for clock_time in ("09:05", "09:10"):
        runs(office, PAY, ".", clock_time)
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:30")
    runs(office, PAY, "X", "10:01")
    for clock_time in ("10:02", "10:03"):
        runs(office, LOGIN, ".", clock_time)
    with office.database.read() as tx:
        [login] = incidents.read(tx, check_id="aanmelden")
        [file] = incidents.read(tx, check_id="inzage")
        behind = dependants(ALL)
        assert [one.id for one in attached_to(tx, login, behind["aanmelden"])] == [
            "inzage-20261123T100030Z",
            "indienen-20261123T100100Z",
        ]
        assert [one.check_id for one in attached_to(tx, file, behind["inzage"])] == ["indienen"]
        assert attached_to(tx, file, ()) == ()


def test_what_it_takes_along_costs_the_same_however_many_checks_lie_behind_it(office: Office) -> None:
    """A mail, a page and the end of an outage of a login with hundreds of journeys behind it ask this."""
    behind = [FILE.model_copy(update={"id": f"dossier-{number}"}) for number in range(40)]
    office.checks = (LOGIN, *behind)
    runs(office, LOGIN, ".", "10:00")
    for check in behind[:30]:
        runs(office, check, "X", "10:00:30")
    runs(office, behind[30], "x", "10:00:30")
    with asked(office.database) as questions:
        runs(office, LOGIN, "X", "10:01")
    assert office.sent[0].text.count("Dossier inzien") == 31
    assert len(questions) < 40
    with office.database.read() as tx, asked(office.database) as questions:
        [login] = incidents.read(tx, check_id="aanmelden")
        found = attached_to(tx, login, dependants(office.checks)["aanmelden"])
    assert (len(found), len(questions)) == (30, 2)


def test_both_pages_lead_to_each_other(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:30")
    with office.database.read() as tx:
        lives = {
            one.check_id: life_of(tx, one, ALL, office.rule, lambda name: name, "nl") for one in incidents.read(tx)
        }
    assert [one.href for one in lives["aanmelden"].attached] == ["/incident/inzage-20261123T100030Z"]
    assert [one.href for one in lives["inzage"].explained_by] == ["/incident/aanmelden-20261123T100000Z"]
