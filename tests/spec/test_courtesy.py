"""How many mails one person gets: quiet hours for warnings, and one digest in place of many mails."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.check_run import Finding, save
from monitor.courtesy import HOUR_US, DigestRule
from monitor.hours import HoursSettings, named_hours
from monitor.news import Kind, Outgoing, Reader
from monitor.store import outbox
from monitor.store.outbox import Settled
from probes.checks import Title
from tests.every_news import DEGRADED
from tests.heart import BOSS, DAY, HOUR, INDIENEN, MINUTE, OPS, SECOND, Office, a_sample, at
from tests.new_store import new_store

NIGHT = named_hours({"nacht": HoursSettings.model_validate({"weekly": ["mon-sun 22:00-07:00"]})}, "Europe/Brussels")
SLEEPER = OPS.model_copy(update={"quiet": "nacht"})
NOT_TOLD = "the first mail never arrived there"
THREE = DigestRule.model_validate({"after": 3, "within": "10m", "every": "2m"})
MANY = [
    INDIENEN.model_copy(update={"id": f"reis-{n:02}", "title": Title(nl=f"Reis {n}", en=f"Journey {n}")})
    for n in range(20)
]


@pytest.fixture
def office(tmp_path):
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database, hours=NIGHT)
    database.close()


def breaks(office: Office, mark: str = "X", checks=MANY) -> None:
    """All of them find the same, one second after the other, and mail is delivered after each."""
    for check in checks:
        sample = a_sample(mark, office.now_us, check.id)
        save(office.database, Finding(check=check, sample=sample, alerting=office.alerting), now_us=office.now_us)
        office.deliver()
        office.now_us += SECOND


def test_warnings_wait_until_the_quiet_hours_are_over(office):
    """23:00 in Brussels; the hours end at 07:00, which is 06:00 UTC."""
    office.recipients = (SLEEPER,)
    office.now_us = at("22:00")
    office.certificate("aa" * 32, days_left=10)
    office.wait(6 * 60, every=30)
    assert office.sent == []
    office.wait(2 * 60, every=30)
    [warning] = office.sent
    assert warning.subject.startswith("[Voorbeeldloket] CERTIFICAAT")
    assert "Deze mail is geschreven op 23 november 2026 om 23:00 (CET) en bewaard tot 24 november" in warning.text


def test_an_outage_is_told_at_every_hour(office):
    office.recipients = (SLEEPER,)
    office.live("xx", start="22:00")
    assert office.words() == ["STORING"]


def test_one_reader_s_quiet_hours_keep_nobody_else_waiting(office):
    office.recipients = (SLEEPER, OPS.model_copy(update={"address": "wakker@example.be"}))
    office.now_us = at("22:00")
    office.certificate("aa" * 32, days_left=10)
    office.wait(10 * 60, every=30)
    assert office.accepted == [("wakker@example.be",), ("ops@example.be",)]


def test_quiet_hours_are_those_of_the_reader_s_own_clock(office):
    """22:00 UTC is five in the afternoon in New York."""
    office.recipients = (SLEEPER.model_copy(update={"timezone": "America/New_York"}),)
    office.now_us = at("22:00")
    office.certificate("aa" * 32, days_left=10)
    assert office.words() == ["CERTIFICAAT"]


def test_when_twenty_break_at_once_three_are_told_one_by_one_and_the_others_together(office):
    office.digest = THREE
    breaks(office)
    assert office.words() == ["STORING"] * 3
    office.wait(3, *MANY)
    assert office.subjects[3:] == ["[Voorbeeldloket] VERZAMELD: 17 meldingen, 17 onderdelen werken niet"]
    assert (
        "11:00 STORING: Reis 3 werkt niet. Stap “Verzenden”: het portaal antwoordde met status 500; verwacht werd 200."
        in office.sent[3].text
    )


def test_the_ends_of_those_are_told_together_too_and_nobody_hears_of_an_end_alone(office):
    office.digest = THREE
    breaks(office)
    office.wait(3, *MANY)
    breaks(office, ".")
    breaks(office, ".")
    office.wait(5, *MANY)
    assert set(office.words()[4:]) == {"VERZAMELD"}
    assert sum(mail.text.count("HERSTELD:") for mail in office.sent[4:]) == 20
    assert all("alles daarvan werkt weer" in mail.subject for mail in office.sent[4:])


def test_every_address_is_counted_for_itself_and_reads_its_own_language(office):
    office.recipients = (OPS, BOSS.model_copy(update={"checks": ("reis-00", "reis-01")}))
    office.digest = THREE
    breaks(office)
    office.wait(3, *MANY)
    to_boss = [mail.subject for mail in office.sent if "boss@example.be" in mail.recipients]
    assert [subject.split()[1] for subject in to_boss] == ["OUTAGE:", "OUTAGE:"]


def test_a_digest_that_is_refused_for_good_is_an_end_for_each_of_its_messages(office):
    office.digest = THREE
    breaks(office)
    office.codes = {"ops@example.be": 550}
    office.wait(3, *MANY)
    states = [queued.readers[0].state for queued in office.queue() if queued.incident_id]
    assert sorted(states) == [Settled.FAILED] * 17 + [Settled.SENT] * 3
    office.codes = {}
    breaks(office, ".")
    breaks(office, ".")
    office.wait(10, *MANY)
    # The ends of the three that were told are told, each once; of the others that reader has heard nothing.
    alone, together = office.sent[3:]
    assert alone.subject.startswith("[Voorbeeldloket] HERSTELD: Reis 0 -")
    assert together.subject == "[Voorbeeldloket] VERZAMELD: 2 meldingen, alles daarvan werkt weer"
    assert [line for line in together.text.splitlines() if "HERSTELD" in line] == [
        "11:03 HERSTELD: Reis 1 werkt weer",
        "11:03 HERSTELD: Reis 2 werkt weer",
    ]
    ends = {q.incident_id[:7]: q.readers[0] for q in office.queue() if q.kind is Kind.RECOVERED}
    sent = {name for name, who in ends.items() if who.state is Settled.SENT}
    skipped = {name for name, who in ends.items() if (who.state, who.answer) == (Settled.SKIPPED, NOT_TOLD)}
    assert (sent, skipped) == ({"reis-00", "reis-01", "reis-02"}, {f"reis-{n:02}" for n in range(3, 20)})


def test_a_server_that_is_away_loses_no_digest(office):
    office.digest = THREE
    breaks(office)
    office.down = True
    office.wait(5, *MANY)
    office.down = False
    office.wait(20, *MANY)
    assert sum(f"Reis {n} werkt niet" in mail.text for n in range(20) for mail in office.sent) == 20


def test_nothing_is_gathered_where_nothing_else_waits(office):
    office.digest = THREE
    breaks(office, checks=MANY[:4])
    office.wait(3, *MANY)
    assert office.words() == ["STORING"] * 4


def test_nobody_gets_more_mails_in_an_hour_than_the_limit_and_the_rest_comes_after_it(office):
    office.digest = DigestRule.model_validate({"after": 3, "within": "10m", "every": "1m", "hourly": 6})
    for _ in range(8):
        breaks(office, checks=MANY[:2])
        breaks(office, ".", checks=MANY[:2])
        breaks(office, ".", checks=MANY[:2])
        office.wait(5, *MANY)
    sent = [queued.readers[0].settled_us for queued in office.queue() if queued.readers[0].state is Settled.SENT]
    assert all(sum(one - HOUR < other <= one for other in set(sent)) <= 6 for one in sent)
    office.wait(120, *MANY, every=10)
    assert {queued.readers[0].state for queued in office.queue()} == {Settled.SENT}


minutes = st.integers(1, 60).map(lambda n: f"{n}m")
rules = st.fixed_dictionaries(
    {"after": st.integers(0, 4), "within": minutes, "every": minutes, "hourly": st.sampled_from([0, 5, 9])}
).map(DigestRule.model_validate)


@example(DigestRule.model_validate({"after": 1, "within": "30m", "every": "30m", "hourly": 0}), [0] * 60)
@given(rules, st.lists(st.integers(0, 20 * MINUTE), min_size=1, max_size=60))
def test_whatever_comes_is_sent_in_the_end_and_never_more_than_the_hour_allows(rule, pauses):
    """Everything that waits goes at the first moment at which the address may have a mail."""
    now_us, waiting, sent = 0, 0, []
    for pause_us in [*pauses, *[MINUTE] * 180]:
        now_us += pause_us
        waiting += len(sent) < 10_000 and pause_us != MINUTE
        if waiting and rule.rest_until_us(sent, now_us) is None:
            waiting = 0 if rule.gathers(sent, now_us) else waiting - 1
            sent.append(now_us)
    assert waiting == 0
    assert all(not rule.hourly or sum(one - HOUR_US < s <= one for s in sent) <= rule.hourly for one in sent)


@given(rules, st.lists(st.integers(0, HOUR_US), max_size=40).map(sorted))
def test_a_rest_ends_within_the_hour_and_when_it_ends_a_mail_may_go(rule, sent):
    rest_us = rule.rest_until_us(sent, HOUR_US)
    if rest_us is not None:
        assert HOUR_US < rest_us <= 2 * HOUR_US
        assert rule.rest_until_us(sent, rest_us) is None or rule.rest_until_us(sent, rest_us) > rest_us


# -- what is kept is not lost ------------------------------------------------------------------------------------------

CLOSED = named_hours(
    {
        "kantoor": HoursSettings.model_validate(
            {"weekly": ["mon-fri 08:00-18:00"], "holidays": [f"2026-11-{day}" for day in range(24, 31)]}
        ),
        "vrij": HoursSettings(outside="kantoor"),
    },
    "Europe/Brussels",
)
AWAY = OPS.model_copy(update={"quiet": "vrij"})


def test_a_warning_kept_for_a_week_is_not_given_up_when_its_first_try_fails(office):
    """Written on a Monday evening, kept until the Tuesday of the next week; the server puts it off at first."""
    office.hours, office.recipients = CLOSED, (AWAY,)
    office.now_us = at("22:00")
    office.certificate("aa" * 32, days_left=10)
    office.codes = {AWAY.address: 451}
    office.now_us = at("07:00") + 8 * DAY
    office.deliver()
    assert [who.state.value for who in office.queue()[0].readers] == ["pending"]
    office.codes = {}
    office.now_us += MINUTE
    office.deliver()
    assert len(office.sent) == 1


NIGHTS = named_hours({"nacht": HoursSettings.model_validate({"weekly": ["mon-sun 22:00-07:00"]})}, "Europe/Brussels")


def test_a_warning_that_is_put_off_by_day_and_waits_every_night_is_given_up_in_the_end(office):
    """Fifteen hours a day it may go: three whole days of these are over on the fifth day."""
    office.hours, office.recipients = NIGHTS, (OPS.model_copy(update={"quiet": "nacht"}),)
    office.codes = {OPS.address: 451}
    office.now_us = at("08:00")  # nine in Brussels
    office.certificate("aa" * 32, days_left=10)
    tried = []
    while office.now_us < at("08:00") + 6 * DAY:
        office.deliver()
        if office.told.deliveries[-1] == "given-up":
            break
        tried.append(office.now_us)
        office.now_us += 20 * MINUTE
    assert office.now_us == at("20:00") + 4 * DAY
    assert [who.given_up for who in office.queue()[0].readers] == [True]


def test_a_weekend_of_quiet_hours_between_two_tries_does_not_count(office):
    """Twenty tries on Friday morning in vain, and on Monday, after 64 hours of rest, the server is still away."""
    office.hours, office.recipients = CLOSED, (AWAY,)
    office.codes = {AWAY.address: 451}
    office.now_us = at("07:00") - 3 * DAY  # Friday, eight in Brussels
    office.certificate("aa" * 32, days_left=10)
    for _ in range(30):
        office.now_us += 15 * MINUTE
        office.deliver()
    office.now_us = at("12:00")
    office.deliver()
    assert [who.state.value for who in office.queue()[0].readers] == ["pending"]


def test_a_monitor_that_was_off_for_days_still_tries_for_days(office):
    office.live("xx", mail=False)
    office.now_us += 5 * DAY
    office.codes = {OPS.address: 0}
    office.deliver()
    assert [who.state.value for who in office.queue()[0].readers] == ["pending"]
    for _ in range(19):
        assert [who.state.value for who in office.queue()[0].readers] == ["pending"]
        office.now_us += 4 * HOUR
        office.deliver()
    assert [who.state.value for who in office.queue()[0].readers] == ["failed"]


def test_a_warning_that_was_kept_says_so_also_where_others_had_it_before(office):
    office.recipients = (SLEEPER, OPS.model_copy(update={"address": "wakker@example.be"}))
    office.now_us = at("22:00")
    office.certificate("aa" * 32, days_left=10)
    office.wait(10 * 60, every=30)
    kept = office.sent[1]
    assert kept.recipients == (SLEEPER.address,)
    assert "en bewaard tot 24 november" in kept.text
    assert "vertraagd" not in kept.text


def test_what_follows_for_one_reader_does_not_wait_for_another_one_s_quiet_hours(office):
    """The quiet hours begin at 22:00 in Brussels. Before, the server takes the beginning for one and puts one off."""
    awake = OPS.model_copy(update={"address": "wakker@example.be"})
    office.recipients, office.now_us = (SLEEPER, awake), at("20:50")
    office.codes = {awake.address: 451}
    first = Outgoing(
        thread="x", kind=Kind.DEGRADED, language="nl", news=DEGRADED, incident_id="x",
        readers=tuple(Reader(address=who.address) for who in office.recipients),
    )  # fmt: skip
    with office.database.begin() as tx:
        outbox.add(tx, (first,), now_us=office.now_us)
    office.deliver()
    office.now_us = at("21:05")
    with office.database.begin() as tx:
        outbox.add(tx, (replace(first, kind=Kind.FAST),), now_us=office.now_us)
    office.deliver()
    office.codes = {}
    office.wait(5)
    assert office.accepted == [(SLEEPER.address,), (awake.address,), (awake.address,)]
