"""How bad an outage is and where it probably comes from: by rule, kept as it was judged, and worse but never better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor import acknowledging
from monitor.attribution import Cause, propose, proposed
from monitor.check_run import Finding, save
from monitor.hours import HoursSettings, named_hours
from monitor.incident_life import life_of
from monitor.incidents import IncidentRule
from monitor.severity import Severity, is_worse, severity_of
from monitor.store import incidents, ledger
from monitor.store.database import Database
from probes.checks import Check, Journey
from probes.sample import Failure, FailureKind
from sla.ledger import Entry
from tests.heart import BROKEN, DAY, INDIENEN, MINUTE, OPS, Office, a_sample, at

CRITICAL, MAJOR, MINOR = Severity.CRITICAL, Severity.MAJOR, Severity.MINOR
TIMEOUT = Failure(kind=FailureKind.TIMEOUT, step="verzenden", subject="total", expected="20 s", found="none")
REFUSED = Failure(kind=FailureKind.CONNECT, subject="loket.example:443", expected="a connection", found="refused")
CHIEF = OPS.model_copy(update={"address": "chef@example.be", "after": 30 * MINUTE})
DAY_SHIFT = OPS.model_copy(update={"address": "dag@example.be", "duty": "kantoor"})
NIGHT_SHIFT = OPS.model_copy(update={"address": "nacht@example.be", "duty": "wacht"})
SHIFTS = named_hours(
    {
        "kantoor": HoursSettings.model_validate({"weekly": ["mon-fri 08:00-18:00"]}),
        "wacht": HoursSettings(outside="kantoor"),
    },
    "Europe/Brussels",
)
#: A timeout is a minor matter; a status that is wrong is a major one.
RULE = IncidentRule(open_after=2, close_after=2, severities={"*/timeout": MINOR})


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = Database.open(f"sqlite:///{tmp_path / 'store.db'}", durable=False)
    yield Office(database=database, rule=RULE, checks=(INDIENEN,))
    database.close()


def fails(office: Office, *failures: Failure, check: Check = INDIENEN) -> None:
    """One failing run a minute for each of these."""
    for failure in failures:
        sample = replace(a_sample("x", office.now_us, check.id), failure=failure)
        save(office.database, Finding(check=check, sample=sample, alerting=office.alerting), now_us=office.now_us)
        office.deliver()
        office.now_us += MINUTE


def told(office: Office) -> list[tuple[str, str]]:
    """The first word of each mail, and the local part of whom it reached."""
    pairs = zip(office.words(), office.accepted, strict=True)
    return [(word, address.partition("@")[0]) for word, addresses in pairs for address in addresses]


def kept(office: Office) -> tuple[Severity | None, Cause | None]:
    with office.database.read() as tx:
        [incident] = incidents.read(tx)
    return incident.severity, incident.cause


# -- severity by rule -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ({}, MAJOR),
        ({"*/http-status": MINOR}, MINOR),
        ({"*/http-status": MINOR, "indienen": CRITICAL}, CRITICAL),
        ({"indienen": CRITICAL, "indienen/http-status": MINOR}, MINOR),
        ({"indienen/http-status": MINOR, "indienen/verzenden": CRITICAL}, CRITICAL),
        ({"inzage": MINOR, "*/timeout": MINOR, "indienen/betalen": MINOR}, MAJOR),
    ],
)
def test_the_most_precise_word_about_severity_wins(severities, expected):
    assert severity_of("indienen", BROKEN, severities, MAJOR) is expected


def test_where_no_step_is_to_blame_the_kind_of_failure_decides_before_the_check():
    failure = Failure(kind=FailureKind.CONNECT)
    words = {"indienen": MINOR, "indienen/connect": CRITICAL, "indienen/None": MINOR}
    assert severity_of("indienen", failure, words) is CRITICAL


def test_critical_is_worse_than_major_and_major_than_minor():
    ranked = (CRITICAL, MAJOR, MINOR)
    assert [[is_worse(one, other) for other in ranked] for one in ranked] == [
        [False, True, True],
        [False, False, True],
        [False, False, False],
    ]


# -- the proposed cause -----------------------------------------------------------------------------------------------

LOGIN = Journey.model_validate(
    {
        "id": "loket",
        "title": {"nl": "Loket", "en": "Counter"},
        "interval": "1m",
        "deadline": "20s",
        "step": [
            {"id": "aanmelden", "path": "/login", "login": True, "expect": {"status": 200}},
            {"id": "keuze", "path": "https://idp.example/keuze", "expect": {"status": 200}},
            {"id": "dossier", "path": "/dossier", "expect": {"status": 200}},
        ],
    }
)


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (Failure(kind=FailureKind.BOT_CHECK, step="aanmelden"), Cause.BOT_CHECK),
        (Failure(kind=FailureKind.REFERENCE), Cause.NETWORK),
        (Failure(kind=FailureKind.RATE_LIMITED, step="dossier"), Cause.MONITOR),
        (Failure(kind=FailureKind.MONITOR), Cause.MONITOR),
        (Failure(kind=FailureKind.HTTP_STATUS, step="aanmelden"), Cause.IDENTITY_PROVIDER),
        (Failure(kind=FailureKind.HTTP_STATUS, step="keuze"), Cause.IDENTITY_PROVIDER),
        (Failure(kind=FailureKind.TIMEOUT, step="dossier", subject="IDP.example:443"), Cause.IDENTITY_PROVIDER),
        (Failure(kind=FailureKind.DNS, step="dossier", subject="loket.example"), Cause.NETWORK),
        (Failure(kind=FailureKind.CONNECT, step="dossier", subject="loket.example:443"), Cause.NETWORK),
        (Failure(kind=FailureKind.CONNECT, step="dossier", found="connection refused"), Cause.PORTAL),
        (Failure(kind=FailureKind.TIMEOUT, step="dossier"), Cause.PORTAL),
        (Failure(kind=FailureKind.ASSERTION, step="dossier"), Cause.PORTAL),
        (Failure(kind=FailureKind.CERTIFICATE), Cause.PORTAL),
    ],
)
def test_the_cause_is_proposed_from_what_failed_by_the_first_rule_that_fits(failure, cause):
    proposal = propose(failure, LOGIN, ("idp.example",))
    assert proposal.cause is cause
    assert proposed(cause, failure) == proposal


def test_of_a_check_that_is_configured_no_more_a_step_tells_nothing():
    failure = Failure(kind=FailureKind.HTTP_STATUS, step="aanmelden")
    assert propose(failure, None, ("idp.example",)).cause is Cause.PORTAL


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("kind", FailureKind)
def test_a_kept_cause_has_its_reason_whatever_failed(cause, kind):
    assert proposed(cause, Failure(kind=kind)).why.nl


# -- kept as it was judged --------------------------------------------------------------------------------------------


def test_what_was_said_of_an_incident_stays_whatever_the_configuration_says_later(office):
    office.rule = RULE.model_copy(update={"severity": CRITICAL})
    fails(office, BROKEN, BROKEN)
    assert kept(office) == (CRITICAL, Cause.PORTAL)
    later = RULE.model_copy(update={"severity": MINOR})
    login = LOGIN.model_copy(update={"id": "indienen"})
    with office.database.read() as tx:
        [incident] = incidents.read(tx)
        life = life_of(tx, incident, (login,), later, lambda name: name, "nl")
    assert (life.severity, life.cause) == ("kritiek", "het portaal")
    office.rule = later
    office.live("..")
    assert "Ernst: kritiek" in office.sent[-1].text


def test_of_an_incident_from_before_it_was_kept_the_rule_of_today_speaks(office):
    fails(office, TIMEOUT, TIMEOUT)
    with office.database.begin() as tx:
        tx.execute(incidents.incident.update().values(severity=None, cause=None))
        [incident] = incidents.read(tx)
        life = life_of(tx, incident, (INDIENEN,), RULE, lambda name: name, "en")
    assert (incident.severity, life.severity, life.cause) == (None, "minor", "the portal")
    fails(office, TIMEOUT)
    assert kept(office) == (MINOR, Cause.PORTAL)


def test_an_incident_is_as_bad_as_the_worst_of_what_opened_it(office):
    fails(office, TIMEOUT, BROKEN)
    assert kept(office)[0] is MAJOR
    assert "Ernst: ernstig" in office.sent[0].text


@pytest.mark.parametrize("among", [0, 6], ids=["in a row", "among the last six"])
def test_neither_first_nor_last_need_be_the_worst_of_what_opened_it(office, among):
    office.rule = RULE.model_copy(update={"open_after": 4, "open_among": among})
    fails(office, TIMEOUT, TIMEOUT, BROKEN, TIMEOUT)
    assert kept(office)[0] is MAJOR
    assert "Ernst: ernstig" in office.sent[0].text


def test_a_restart_between_the_failures_that_open_it_forgets_none_of_them(office):
    """T11."""
    office.rule = RULE.model_copy(update={"open_after": 3})
    fails(office, TIMEOUT, BROKEN)
    office.database.close()
    office.database = Database.open(office.database.url, durable=False)
    fails(office, TIMEOUT)
    assert kept(office)[0] is MAJOR


def test_what_failed_before_the_failures_that_opened_it_makes_it_no_worse(office):
    office.rule = RULE.model_copy(update={"open_after": 2, "open_among": 3})
    fails(office, BROKEN)
    office.live("...")
    fails(office, TIMEOUT, TIMEOUT)
    assert kept(office)[0] is MINOR


# -- worse ------------------------------------------------------------------------------------------------------------


def test_a_minor_outage_that_gets_worse_is_told_once_with_what_fails_now(office):
    fails(office, TIMEOUT, TIMEOUT, BROKEN, BROKEN, BROKEN)
    assert office.words() == ["STORING", "ERNSTIGER"]
    opening, worse = office.sent
    assert (opening.urgent, worse.urgent, worse.in_reply_to) == (False, True, opening.message_id)
    assert "De storing was gemeld als beperkt en is sinds 23 november 2026 om 11:02 (CET) ernstig." in worse.text
    assert "500" in worse.text


def test_what_is_milder_later_makes_it_no_better(office):
    fails(office, TIMEOUT, TIMEOUT, BROKEN, TIMEOUT)
    assert kept(office)[0] is MAJOR
    office.live("..")
    assert "Ernst: ernstig" in office.sent[-1].text


def test_each_time_it_gets_worse_is_told_with_how_bad_it_was_said_to_be(office):
    office.rule = RULE.model_copy(update={"severities": {"*/timeout": MINOR, "*/connect": CRITICAL}})
    fails(office, TIMEOUT, TIMEOUT, BROKEN, BROKEN, REFUSED, REFUSED, BROKEN)
    assert (office.words(), kept(office)[0]) == (["STORING", "ERNSTIGER", "ERNSTIGER"], CRITICAL)
    assert (
        "De storing was gemeld als beperkt en is sinds 23 november 2026 om 11:02 (CET) ernstig." in office.sent[1].text
    )
    assert (
        "De storing was gemeld als ernstig en is sinds 23 november 2026 om 11:04 (CET) kritiek." in office.sent[2].text
    )
    assert [mail.in_reply_to for mail in office.sent[1:]] == [office.sent[0].message_id] * 2


def test_from_major_to_critical_is_kept_and_told(office):
    office.rule = RULE.model_copy(update={"severities": {"*/timeout": CRITICAL}})
    fails(office, BROKEN, BROKEN, TIMEOUT)
    assert (office.words(), kept(office)[0]) == (["STORING", "ERNSTIGER"], CRITICAL)


def test_while_no_mail_leaves_each_step_waits_for_the_one_before_it(office):
    office.rule = RULE.model_copy(update={"severities": {"*/timeout": MINOR, "*/connect": CRITICAL}})
    office.down = True
    fails(office, TIMEOUT, TIMEOUT, BROKEN, REFUSED)
    office.down = False
    for _ in range(4):
        office.now_us += 20 * MINUTE
        office.deliver()
    assert office.words() == ["STORING", "ERNSTIGER", "ERNSTIGER"]
    assert "gemeld als beperkt" in office.sent[1].text
    assert "gemeld als ernstig" in office.sent[2].text


def test_who_was_told_and_is_off_duty_by_then_hears_that_it_got_worse_when_duty_begins(office):
    """Opened at 17:51 in Brussels, worse at 18:01; the day shift is back at eight."""
    office.hours, office.recipients = SHIFTS, (DAY_SHIFT, NIGHT_SHIFT)
    office.now_us = at("16:50")
    fails(office, *[TIMEOUT] * 11, BROKEN)
    assert told(office) == [("STORING", "dag"), ("STORING", "nacht"), ("ERNSTIGER", "nacht")]
    office.now_us = at("06:59") + DAY
    office.wait(1)
    assert [pair for pair in told(office)[3:] if pair[1] == "dag"] == []
    office.wait(2)
    assert [pair for pair in told(office)[3:] if pair[1] == "dag"] == [("ERNSTIGER", "dag")]


def test_who_comes_on_duty_hears_of_two_steps_at_once_and_from_what_they_were_told(office):
    office.hours, office.recipients = SHIFTS, (DAY_SHIFT, NIGHT_SHIFT)
    office.rule = RULE.model_copy(
        update={"severities": {"*/timeout": MINOR, "*/connect": CRITICAL}, "reminders": (7 * 24 * 60 * MINUTE,)}
    )
    office.now_us = at("16:50")
    fails(office, *[TIMEOUT] * 11, BROKEN, REFUSED)
    office.now_us = at("07:00") + DAY
    office.wait(2)
    assert told(office)[2:] == [("ERNSTIGER", "nacht"), ("ERNSTIGER", "nacht"), ("ERNSTIGER", "dag")]
    assert "De storing was gemeld als beperkt en is sinds" in office.sent[-1].text
    assert "kritiek." in office.sent[-1].text


def test_who_heard_it_in_a_reminder_is_told_no_second_time_that_it_got_worse(office):
    """Worse and due for a reminder in the same moment of the morning."""
    office.recipients = (OPS,)
    fails(office, *[TIMEOUT] * 61, BROKEN)
    office.wait(5)
    assert office.words().count("ERNSTIGER") == 1


def test_an_outage_that_is_over_when_duty_begins_is_told_as_over_and_no_more_as_worse(office):
    office.hours, office.recipients = SHIFTS, (DAY_SHIFT,)
    office.now_us = at("16:50")
    fails(office, *[TIMEOUT] * 11, BROKEN)
    office.live("..")
    office.now_us = at("07:00") + DAY
    office.wait(2)
    assert told(office) == [("STORING", "dag"), ("HERSTELD", "dag")]


def test_that_it_got_worse_before_anybody_was_told_is_told_with_its_opening(office):
    office.down = True
    office.recipients = ()
    fails(office, TIMEOUT, TIMEOUT, BROKEN)
    office.down, office.recipients = False, (OPS,)
    fails(office, BROKEN)
    assert office.words() == ["STORING"]
    assert "Ernst: ernstig" in office.sent[0].text


def test_whoever_is_on_it_hears_that_it_got_worse_all_the_same(office):
    fails(office, TIMEOUT, TIMEOUT)
    with office.database.begin() as tx:
        acknowledging.acknowledge(tx, office.open_incidents()[0], by="Ann", now_us=office.now_us)
    fails(office, BROKEN)
    assert office.words() == ["STORING", "ERNSTIGER"]


def test_a_restart_tells_it_no_second_time(office):
    fails(office, TIMEOUT, TIMEOUT, BROKEN)
    office.database.close()
    office.database = Database.open(office.database.url, durable=False)
    fails(office, BROKEN)
    office.wait(10)
    assert office.words() == ["STORING", "ERNSTIGER"]


def test_whom_it_is_escalated_to_later_hears_how_bad_it_is_by_then_and_nobody_hears_twice(office):
    office.recipients = (OPS, CHIEF)
    fails(office, TIMEOUT, TIMEOUT, BROKEN, *[BROKEN] * 40)
    assert office.words() == ["STORING", "ERNSTIGER", "ESCALATIE"]
    assert "Ernst: ernstig" in office.sent[-1].text


def test_maintenance_puts_it_off(office):

    fails(office, TIMEOUT, TIMEOUT)
    works = Entry(kind="maintenance", recorded_us=1, by="a", reason="b", from_us=at("10:02"), until_us=at("10:05"))
    with office.database.begin() as tx:
        ledger.append(tx, works)
    fails(office, BROKEN, BROKEN, BROKEN)
    assert office.words() == ["STORING"]
    fails(office, BROKEN)
    assert office.words() == ["STORING", "ERNSTIGER"]
