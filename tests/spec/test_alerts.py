"""Who is told what and when: played on a real store, with a mail server that answers as the test says."""

from __future__ import annotations

import pytest

from monitor.alerts import reminders_passed
from monitor.incidents import IncidentRule
from monitor.recipients import Recipient
from monitor.store import incidents, ledger
from monitor.store.database import Database
from probes.sample import EarliestCertificate
from sla.ledger import Entry
from tests.heart import BOSS, CERTIFICATE, DAY, HOUR, INDIENEN, INZAGE, MINUTE, OPS, Office, at
from tests.new_store import new_store


@pytest.fixture
def office(tmp_path):
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database)
    database.close()


def announce(office: Office, start: str, end: str, *scope: str) -> None:
    entry = Entry(
        kind="maintenance", recorded_us=1, by="a", reason="b", from_us=at(start), until_us=at(end), scope=scope
    )
    with office.database.begin() as tx:
        ledger.append(tx, entry)


def test_one_mail_when_it_breaks_and_one_when_it_works_again(office):
    office.live("..xxxx....")
    assert office.subjects == [
        "[Voorbeeldloket] STORING: Aanvraag indienen - indienen-20261123T100200Z",
        "[Voorbeeldloket] HERSTELD: Aanvraag indienen - indienen-20261123T100200Z",
    ]


def test_the_recovery_lies_in_the_thread_of_the_opening(office):
    office.live("xx..")
    opening, recovery = office.sent
    assert opening.message_id == "incident.indienen-20261123T100000Z@monitor.example"
    assert (opening.in_reply_to, opening.references) == (None, ())
    assert recovery.message_id == "incident.indienen-20261123T100000Z.1@monitor.example"
    assert recovery.in_reply_to == opening.message_id
    assert recovery.references == (opening.message_id,)


def test_only_the_first_mail_is_urgent(office):
    office.live("xx..")
    assert [mail.urgent for mail in office.sent] == [True, False]


def test_everybody_reads_their_own_language(office):
    office.recipients = (OPS, BOSS)
    office.live("xx")
    assert [(mail.recipients, mail.subject.split()[1]) for mail in office.sent] == [
        (("ops@example.be",), "STORING:"),
        (("boss@example.be",), "OUTAGE:"),
    ]


def test_a_recipient_hears_only_of_their_own_checks(office):
    office.recipients = (Recipient(address="a@example.be", checks=("inzage",)),)
    office.live("xx", start="10:00")
    office.live("xx", INZAGE, start="10:10")
    assert [mail.subject.partition(": ")[2] for mail in office.sent] == ["Dossier inzien - inzage-20261123T101000Z"]


def test_reminders_come_after_one_hour_four_hours_and_then_daily(office):
    office.rule = IncidentRule(open_after=1)
    office.live("x")
    hours = []
    for half_hour in range(1, 120):
        before = len(office.sent)
        office.now_us = at("10:00") + half_hour * 30 * MINUTE
        office.live("x")
        if len(office.sent) > before:
            hours.append(half_hour / 2)
    assert hours == [1, 4, 28, 52]
    assert set(office.words()[1:]) == {"HERINNERING"}


@pytest.mark.parametrize(
    ("after", "passed"), [(59 * MINUTE, 0), (HOUR, 1), (5 * HOUR, 2), (4 * HOUR + DAY, 3), (4 * HOUR + 10 * DAY, 12)]
)
def test_reminders_go_by_the_wall_clock(after, passed):
    """T13: not by the number of runs, which depends on intervals and pauses."""
    assert reminders_passed(at("10:00"), at("10:00") + after, IncidentRule()) == passed


def test_after_a_long_absence_one_reminder_makes_up_for_all(office):
    office.live("xx")
    office.now_us += 3 * DAY
    office.live("xxx")
    assert office.words() == ["STORING", "HERINNERING"]


def test_restarts_in_an_outage_tell_nobody_again(office):
    """T10: three restarts, no second opening, and the reminder's clock runs on."""
    office.live("xx")
    for _ in range(3):
        office.database.close()
        office.database = Database.open(office.database.url, durable=False)
        office.live("xxxx")
    assert office.words() == ["STORING"]
    office.now_us = at("11:02")
    office.live("x")
    assert office.words() == ["STORING", "HERINNERING"]


def test_maintenance_mutes_the_mail_and_never_the_measuring(office):
    """T12: the incident is there, nobody is woken."""
    announce(office, "09:00", "11:00")
    office.live("xxxx")
    assert office.sent == []
    assert office.open_incidents() == ["indienen-20261123T100000Z"]


def test_what_is_still_broken_when_maintenance_ends_is_told_then(office):
    announce(office, "09:00", "10:03")
    office.live("xxxxx")
    assert office.words() == ["STORING"]
    assert office.sent[0].date_us == at("10:03")


def test_when_maintenance_ends_an_old_sample_of_a_check_that_runs_seldom_alarms_nobody(office):
    """It may work again, and nobody has looked: its next run says so."""
    seldom = INDIENEN.model_copy(update={"interval": 15 * MINUTE})
    announce(office, "09:00", "10:05")
    office.live("xx", seldom)
    office.wait(12, seldom)
    assert office.sent == []
    office.live("..", seldom)
    office.wait(30, seldom)
    assert office.sent == []


@pytest.mark.parametrize(("marks", "told_at"), [("x", "10:10"), ("?", "10:21")])
def test_what_fails_once_more_after_maintenance_or_is_overdue_to_be_seen_is_told(office, marks, told_at):
    """Maintenance ended at 10:05; its next run is due within a quarter of an hour and its twenty seconds."""
    seldom = INDIENEN.model_copy(update={"interval": 15 * MINUTE})
    announce(office, "09:00", "10:05")
    office.live("xx", seldom)
    office.wait(8, seldom)
    office.live(marks, seldom)
    office.wait(15, seldom)
    assert [mail.date_us for mail in office.sent] == [at(told_at)]


def test_maintenance_that_was_cancelled_ended_when_that_was_recorded(office):
    seldom = INDIENEN.model_copy(update={"interval": 15 * MINUTE})
    announce(office, "09:00", "12:00")
    office.live("xx", seldom)
    with office.database.begin() as tx:
        cancelled = Entry(kind="maintenance-cancelled", recorded_us=at("10:03"), by="a", reason="b", supersedes=1)
        ledger.append(tx, cancelled)
    office.now_us = at("10:04")
    office.wait(10, seldom)
    assert office.sent == []
    office.live("x", seldom)
    assert office.words() == ["STORING"]


def test_what_broke_and_was_mended_within_maintenance_is_told_to_nobody(office):
    announce(office, "09:00", "11:00")
    office.live("xx.....")
    assert office.sent == []


def test_a_first_good_sample_after_maintenance_alarms_nobody(office):
    """T12: by then it works again."""
    announce(office, "09:00", "10:03")
    office.live("xxx..")
    assert office.sent == []


def test_a_first_good_sample_reminds_nobody(office):
    office.live("x" * 61 + "..")
    assert office.words() == ["STORING", "HERSTELD"]


def test_maintenance_during_a_known_outage_keeps_its_recovery(office):
    """T12: told before, so told that it is over, and not told twice in between."""
    announce(office, "10:03", "10:30")
    office.live("xx" + "x" * 5 + "..")
    assert office.words() == ["STORING", "HERSTELD"]


def test_maintenance_mutes_reminders(office):
    announce(office, "10:30", "12:00")
    office.live("x" * 119)
    assert office.words() == ["STORING"]
    office.live("xx")
    assert office.words() == ["STORING", "HERINNERING"]


def test_maintenance_of_another_journey_mutes_nothing_here(office):
    announce(office, "09:00", "11:00", "inzage")
    office.live("xx")
    assert office.words() == ["STORING"]


def test_maintenance_that_was_withdrawn_mutes_nothing(office):
    announce(office, "09:00", "11:00")
    with office.database.begin() as tx:
        ledger.append(tx, Entry(kind="maintenance-withdrawn", recorded_us=2, by="a", reason="b", supersedes=1))
    office.live("xx")
    assert office.words() == ["STORING"]


def test_our_own_blindness_is_one_mail_and_no_outage(office):
    """T1: the network of the monitor is gone."""
    office.live("." + "?" * 30)
    assert office.subjects == ["[Voorbeeldloket] MONITOR: kan niet meten - monitor-20261123T100100Z"]


def test_when_we_see_again_we_say_so_once_in_the_same_thread(office):
    office.live("." + "?" * 10 + "...")
    assert office.words() == ["MONITOR", "MONITOR"]
    assert office.sent[1].in_reply_to == office.sent[0].message_id


def test_a_certificate_is_told_once_for_each_threshold(office):
    """T13: not once a run."""
    for days in (40, 30, 29, 15, 14, 13, 8, 7, 6, 2, 1):
        office.certificate("ab" * 32, days)
    assert [mail.subject.split("nog ")[1] for mail in office.sent] == ["29 dagen", "13 dagen", "6 dagen", "2 dagen"]


def test_two_checks_of_one_certificate_are_told_once(office):
    """T13: one for each threshold and fingerprint, across all checks."""
    office.certificate("ab" * 32, 10)
    office.certificate("ab" * 32, 10, CERTIFICATE.model_copy(update={"id": "tweede"}))
    assert len(office.sent) == 1


def test_an_intermediate_that_ends_first_is_told_as_what_it_is(office):
    """T13: or it would be told never."""
    between = EarliestCertificate(
        role="intermediate", subject="CN=Tussenlaag", issuer="CN=Wortel", fingerprint_sha256="ef" * 32
    )
    office.certificate("ab" * 32, 200, earliest=(between, 13))
    office.certificate("cd" * 32, 200, earliest=(between, 12))  # of another server, by the same authority
    [mail] = office.sent
    assert mail.subject == "[Voorbeeldloket] CERTIFICAAT: tussencertificaat van loket.example nog 13 dagen"
    for said in ("Tussencertificaat", "CN=Tussenlaag", "CN=Wortel", "ef" * 32):
        assert said in mail.text
    assert "CN=loket.example" not in mail.text


def test_a_new_certificate_is_told_anew(office):
    office.certificate("ab" * 32, 10)
    office.certificate("cd" * 32, 10)
    assert len(office.sent) == 2


@pytest.mark.parametrize("address", ["nobody", "a@b@c", "a b@c.be", "Jan <a@c.be>", "a@c.be\nBcc: x@y.be", "@c.be"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ValueError, match="is not a mail address"):
        Recipient(address=address)


def test_a_name_cannot_smuggle_a_header():
    with pytest.raises(ValueError, match="one line"):
        Recipient(address="a@c.be", name="Jan\r\nBcc: x@y.be")


def test_a_clock_set_back_makes_no_outage_of_less_than_no_time(office):
    """T20: half an hour back between the failure and the recovery."""
    office.live("..xx")
    office.now_us -= 30 * MINUTE
    office.live("..")
    assert office.words() == ["STORING", "HERSTELD"]
    with office.database.read() as tx:
        [ended] = incidents.read(tx)
    assert ended.since_us == at("10:02")
    assert ended.until_us == ended.last_bad_us == at("10:03")
    assert "duurde 1 min" in office.sent[1].text


def test_an_outage_at_an_hour_that_is_lived_twice_is_told_both_times(office):
    """T20: the clock went back an hour, and the same slot (a millisecond beside itself) begins an outage again."""
    office.live("xx..", start="10:00")
    office.now_us = at("10:00") + 1_000
    office.live("xx..")
    assert office.words() == ["STORING", "HERSTELD", "STORING", "HERSTELD"]
    assert len({mail.message_id for mail in office.sent}) == 4


def test_twenty_journeys_that_cannot_be_measured_after_each_restart_are_one_mail(office):
    """T45: the monitor comes back without its network, again and again."""
    journeys = [INDIENEN.model_copy(update={"id": f"reis-{number}"}) for number in range(20)]
    for _ in range(office.rule.unknown_after + 2):
        for check in journeys:
            office.live("?", check)
            office.now_us -= MINUTE
        office.now_us += MINUTE
        office.database.close()
        office.database = Database.open(office.database.url, durable=False)
    assert office.words() == ["MONITOR"]
