"""Who hears of an outage later than others: those whom it is escalated to, and those whose duty begins."""

from __future__ import annotations

import pytest

from monitor import acknowledging
from monitor.hours import HoursSettings, named_hours
from monitor.store.database import Database
from tests.heart import BOSS, HOUR, INDIENEN, MINUTE, OPS, Office
from tests.new_store import new_store

HOURS = named_hours(
    {
        "kantoor": HoursSettings.model_validate({"weekly": ["mon-fri 08:00-18:00"]}),
        "wacht": HoursSettings(outside="kantoor"),
    },
    "Europe/Brussels",
)
CHIEF = OPS.model_copy(update={"address": "chef@example.be", "after": 30 * MINUTE})
DIRECTOR = OPS.model_copy(update={"address": "directie@example.be", "after": 120 * MINUTE})
DAY_SHIFT = OPS.model_copy(update={"address": "dag@example.be", "duty": "kantoor"})
NIGHT_SHIFT = OPS.model_copy(update={"address": "nacht@example.be", "duty": "wacht"})


@pytest.fixture
def office(tmp_path):
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database, hours=HOURS)
    database.close()


def told(office: Office) -> list[tuple[str, str]]:
    """The first word of each mail, and the local part of whom it reached."""
    pairs = zip(office.words(), office.accepted, strict=True)
    return [(word, address.partition("@")[0]) for word, addresses in pairs for address in addresses]


def acknowledge(office: Office) -> None:
    with office.database.begin() as tx:
        acknowledging.acknowledge(tx, office.open_incidents()[0], by="Ann", now_us=office.now_us)


def test_an_outage_that_nobody_is_on_goes_to_the_next_tier_and_then_to_the_one_after(office):
    office.recipients = (OPS, CHIEF, DIRECTOR)
    office.live("x" * 32)
    assert told(office) == [("STORING", "ops"), ("ESCALATIE", "chef")]
    office.live("x" * 90)
    assert [pair for pair in told(office) if pair[1] == "directie"] == [("ESCALATIE", "directie")]


def test_the_tier_is_told_at_its_time_and_not_a_minute_before(office):
    """The opening was mailed at 10:01."""
    office.recipients = (OPS, CHIEF)
    office.live("x" * 31)
    assert told(office) == [("STORING", "ops")]
    office.live("x")
    assert told(office)[1:] == [("ESCALATIE", "chef")]


def test_whoever_acknowledges_stops_the_escalation(office):
    office.recipients = (OPS, CHIEF)
    office.live("xx")
    acknowledge(office)
    office.live("x" * 60)
    assert told(office) == [("STORING", "ops")]


def test_an_outage_that_ends_in_time_never_reaches_the_next_tier(office):
    office.recipients = (OPS, CHIEF)
    office.live("xx" + "." * 60)
    assert told(office) == [("STORING", "ops"), ("HERSTELD", "ops")]


def test_whom_it_was_escalated_to_hears_of_the_end(office):
    office.recipients = (OPS, CHIEF)
    office.live("x" * 40 + "...")
    assert sorted(told(office)[2:]) == [("HERSTELD", "chef"), ("HERSTELD", "ops")]


def test_the_escalation_lies_in_the_thread_of_the_opening_and_says_when_that_was_told(office):
    office.recipients = (OPS, CHIEF)
    office.live("x" * 32)
    opening, escalation = office.sent
    assert escalation.in_reply_to == opening.message_id
    assert "Het is gemeld op 23 november 2026 om 11:01 (CET), en niemand liet weten" in escalation.text
    assert escalation.urgent


def test_where_nobody_is_in_the_first_tier_the_second_counts_from_the_confirmation(office):
    office.recipients = (CHIEF,)
    office.live("x" * 31)
    assert told(office) == []
    office.live("x")
    assert told(office) == [("ESCALATIE", "chef")]
    assert "Er was niemand van dienst om het aan te melden." in office.sent[0].text
    office.live("...")
    assert told(office)[1:] == [("HERSTELD", "chef")]


def test_each_language_and_time_zone_has_its_own_mail_and_thread(office):
    london = BOSS.model_copy(update={"address": "london@example.be", "timezone": "Europe/London"})
    office.recipients = (OPS, BOSS, london)
    office.live("xx..")
    openings = {mail.recipients[0]: mail for mail in office.sent[:3]}
    assert "Start: 23 November 2026 at 11:00:00 (CET)" in openings["boss@example.be"].text
    assert "Start: 23 November 2026 at 10:00:00 (GMT)" in openings["london@example.be"].text
    assert "Times are in the time zone Europe/London." in openings["london@example.be"].text
    for end in office.sent[3:]:
        assert end.in_reply_to == openings[end.recipients[0]].message_id


def test_who_is_off_duty_is_told_when_duty_begins_if_it_still_goes_on(office):
    """From 17:50 in Brussels; the day shift ends at 18:00, and the night shift begins."""
    office.recipients = (DAY_SHIFT, NIGHT_SHIFT)
    office.live("x" * 30, start="16:50")
    assert told(office) == [("STORING", "dag"), ("STORING", "nacht")]
    assert "Dat begon buiten uw diensturen en duurt nog." in office.sent[1].text
    office.live("...")
    assert sorted(told(office)[2:]) == [("HERSTELD", "dag"), ("HERSTELD", "nacht")]


def test_who_is_off_duty_never_hears_of_an_outage_that_ends_before(office):
    office.recipients = (DAY_SHIFT, NIGHT_SHIFT)
    office.live("xxx....", start="16:30")
    office.wait(60)
    assert [who for _, who in told(office)] == ["dag", "dag"]


def test_reminders_go_to_those_on_duty_only(office):
    """Opened at 17:31 in Brussels; the reminder of an hour later is the night shift's."""
    office.recipients = (DAY_SHIFT, NIGHT_SHIFT)
    office.live("x" * 70, start="16:30")
    assert [who for word, who in told(office) if word == "HERINNERING"] == ["nacht"]


def test_what_is_due_by_the_clock_does_not_wait_for_the_next_run(office):
    """A check that runs every hour: its reminder and its escalation come when they are due."""
    office.recipients = (OPS, CHIEF)
    office.live("xx")
    office.wait(65)
    assert told(office)[1:] == [("ESCALATIE", "chef"), ("HERINNERING", "chef"), ("HERINNERING", "ops")]


def test_a_good_run_stops_what_the_clock_would_bring_up(office):
    """Until the next run, an hour later, says whether it really works again."""
    hourly = INDIENEN.model_copy(update={"interval": HOUR})
    office.recipients = (OPS, CHIEF)
    office.live("xx.", hourly)
    office.wait(65, hourly)
    assert told(office) == [("STORING", "ops")]


def test_a_restart_loses_no_tier(office):
    office.recipients = (OPS, CHIEF)
    office.live("xx")
    office.database.close()
    office.database = Database.open(office.database.url, durable=False)
    office.wait(40)
    assert told(office) == [("STORING", "ops"), ("ESCALATIE", "chef")]


def test_a_dependent_check_is_escalated_to_nobody_while_its_explanation_fails(office):
    office.recipients = (OPS, CHIEF)
    behind = INDIENEN.model_copy(update={"id": "achter", "depends_on": ("indienen",)})
    office.live("xx")
    office.live("xx", behind, start="10:00")
    office.wait(40, INDIENEN, behind)
    assert [mail.subject.rpartition(" - ")[2][:8] for mail in office.sent] == ["indienen", "indienen"]
