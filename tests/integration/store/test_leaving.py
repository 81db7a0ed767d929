"""What may leave the outbox and when: nobody is forgotten, nothing stops the rest, what waits on purpose is not late.

On both engines.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from monitor.alerts import test_messages as messages_to_try
from monitor.check_run import Finding, save
from monitor.hours import HoursSettings, named_hours
from monitor.incidents import IncidentRule
from monitor.mail_message import Answer, MailMessage, Receipt
from monitor.news import Kind
from monitor.severity import Severity
from monitor.store import due, events, leaving, outbox
from monitor.store.outbox import Settled
from monitor.store.tables import message
from probes.sample import Failure, FailureKind
from tests.heart import CERTIFICATE, DAY, HOUR, INDIENEN, MINUTE, OPS, SECOND, Office, a_sample, at, run

A = OPS.model_copy(update={"address": "a@example.be"})
B = OPS.model_copy(update={"address": "b@example.be"})
OTHER = CERTIFICATE.model_copy(update={"id": "certificaat-2"})
#: From Friday evening to Monday evening.
LONG = named_hours(
    {"weekend": HoursSettings(weekly=("fri 12:00-24:00", "sat-sun 00:00-24:00", "mon 00:00-20:00"))},
    "Europe/Brussels",
)
NIGHT = named_hours({"nacht": HoursSettings.model_validate({"weekly": ["mon-sun 22:00-07:00"]})}, "Europe/Brussels")


def queue_test(office: Office, *, asked_us: int | None = None) -> None:
    asked = office.now_us if asked_us is None else asked_us
    with office.database.begin() as tx:
        outbox.add(tx, messages_to_try(office.recipients, asked_us=asked), now_us=office.now_us)


def states(office: Office) -> dict[str, str]:
    return {f"{one.kind} {who.address}": who.state.value for one in office.queue() for who in one.readers}


def spoil(office: Office, **values: object) -> None:
    """The oldest message becomes what a newer version of the program wrote."""
    with office.database.begin() as tx:
        first = tx.execute(sa.select(message.c.id).order_by(message.c.created_us, message.c.id)).scalars().first()
        tx.execute(sa.update(message).where(message.c.id == first).values(**values))


# -- whom it concerns --------------------------------------------------------------------------------------------------


def test_two_checks_that_see_one_certificate_tell_each_check_s_own_readers(office: Office) -> None:
    """T13: once for each threshold, certificate and reader."""
    office.recipients = (
        A.model_copy(update={"checks": ("certificaat",)}),
        B.model_copy(update={"checks": ("certificaat-2",)}),
    )
    for check in (CERTIFICATE, OTHER, CERTIFICATE, OTHER):
        office.certificate("ab" * 32, 10, check)
        office.now_us -= HOUR
    assert sorted(office.accepted) == [("a@example.be",), ("b@example.be",)]
    assert [mail.in_reply_to for mail in office.sent] == [None, None]  # to him it is the first


def test_whoever_reads_of_both_checks_hears_of_their_certificate_once(office: Office) -> None:
    office.recipients = (A,)
    office.certificate("ab" * 32, 10, CERTIFICATE)
    office.certificate("ab" * 32, 10, OTHER)
    assert office.words() == ["CERTIFICAAT"]


# -- what this version cannot read -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "of-tomorrow"},
        {"content": '{"news": "of-tomorrow"}'},
        {"content": '{"news": "test"}'},
        {"content": "no JSON"},
        {"kind": "of-tomorrow", "content": '{"news": "of-tomorrow"}'},
    ],
)
def test_what_a_newer_version_wrote_stops_nothing_behind_it(office: Office, values: dict[str, object], caplog) -> None:
    office.recipients = (A,)
    queue_test(office)
    spoil(office, **values)
    office.now_us += SECOND
    queue_test(office)
    office.deliver()
    assert office.words() == ["TEST"]
    assert office.told.aside == 1
    assert office.told.pending == 0
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == [
        "mail cannot be read by this version and was set aside"
    ]
    with office.database.read() as tx:
        assert events.last(tx, "mail-set-aside") is not None


def test_what_was_set_aside_leaves_after_an_upgrade(office: Office) -> None:
    """Rolled back and upgraded again: at the start of the version that can read it, it goes."""
    office.recipients = (A,)
    queue_test(office)
    with office.database.read() as tx:
        [content] = tx.execute(sa.select(message.c.content)).scalars()
    spoil(office, content='{"news": "of-tomorrow"}')
    office.deliver()
    assert office.sent == []
    spoil(office, content=content)
    office.deliver()
    assert office.sent == []  # within one life of the process it is not tried again and again
    with office.database.begin() as tx:
        assert leaving.take_up_again(tx, "mail") == 1
    office.deliver()
    assert office.words() == ["TEST"]
    assert office.told.aside == 0


def test_the_loop_takes_up_what_was_set_aside_when_it_starts(office: Office) -> None:
    office.recipients = (A,)
    queue_test(office)
    spoil(office, state=Settled.ASIDE.value)

    async def scene() -> None:
        arrived = asyncio.Event()

        async def send(mail: MailMessage) -> Receipt:
            arrived.set()
            return await office.delivery.send(mail)

        task = asyncio.create_task(replace(office.delivery, send=send).run(asyncio.Event()))
        await arrived.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(asyncio.wait_for(scene(), 60))
    assert office.words() == ["TEST"]


def test_an_incident_with_a_message_of_a_newer_version_is_told_on(office: Office) -> None:
    """The heart reads what was said of an incident before it says more; so do the pages."""
    office.recipients = (A, B)
    office.live("xx")
    with office.database.begin() as tx:
        row = tx.execute(sa.select(message)).one()._asdict()
        tx.execute(sa.insert(message), row | {"id": "x", "number": 7, "kind": "of-tomorrow", "state": "sent"})
    office.live("...")
    assert office.words() == ["STORING", "HERSTELD"]
    assert {one.kind for one in office.queue()} == {Kind.OPENED, Kind.RECOVERED}


def test_the_age_of_what_waits_is_told_although_the_outbox_breaks_down(office: Office) -> None:
    office.recipients = (A,)
    office.down = True
    queue_test(office)
    way = office.delivery

    def broken() -> object:
        raise RuntimeError("a defect")

    office.now_us += HOUR
    with pytest.raises(RuntimeError):
        run(replace(way, courtesy=broken).deliver_due())
    assert office.told.oldest_us == at("10:00")


# -- patience ----------------------------------------------------------------------------------------------------------


def test_a_warning_held_for_three_quiet_days_is_tried_as_long_as_any_other(office: Office) -> None:
    office.recipients = (A.model_copy(update={"quiet": "weekend"}),)
    office.hours = LONG
    office.now_us = at("12:00") + 4 * DAY  # Friday
    office.certificate("aa" * 32, days_left=10)
    office.codes = {"a@example.be": 451}
    office.now_us += 80 * HOUR  # Monday evening: the hours are over
    office.deliver()
    assert states(office) == {"certificate a@example.be": "pending"}
    office.codes = {}
    office.now_us += MINUTE
    office.deliver()
    assert office.words() == ["CERTIFICAAT"]


@pytest.mark.parametrize("tried_before", [False, True])
def test_a_host_that_was_off_for_three_days_gives_nothing_up_at_its_first_try(
    office: Office, tried_before: bool
) -> None:
    """T4: before it went off, or at the first try since."""
    office.recipients = (A,)
    office.codes = {"a@example.be": 451}
    queue_test(office)
    if tried_before:
        office.deliver()
    office.now_us += 4 * DAY
    office.deliver()
    assert states(office) == {"test a@example.be": "pending"}
    office.codes = {}
    office.now_us += MINUTE
    office.deliver()
    assert office.words() == ["TEST"]


# -- waiting on purpose ------------------------------------------------------------------------------------------------


def test_what_waits_for_the_end_of_quiet_hours_is_not_late(office: Office) -> None:
    office.recipients = (A.model_copy(update={"quiet": "nacht"}),)
    office.hours = NIGHT
    office.now_us = at("22:00")
    office.certificate("aa" * 32, days_left=10)
    office.deliver()
    assert (office.told.pending, office.told.oldest_us, office.told.held) == (0, None, 1)
    office.down = True
    office.now_us = at("06:00") + DAY
    office.deliver()
    assert (office.told.pending, office.told.oldest_us, office.told.held) == (1, at("06:00") + DAY, 0)


def test_what_waits_for_a_digest_is_not_late(office: Office) -> None:
    office.digest = office.digest.model_copy(update={"after": 1, "every": 10 * MINUTE, "within": HOUR})
    office.live("xx")
    office.live("..")
    assert (office.told.pending, office.told.held) == (0, 1)


# -- clocks ------------------------------------------------------------------------------------------------------------


def test_a_clock_set_back_an_hour_delays_no_mail_by_an_hour(office: Office) -> None:
    office.recipients = (A,)
    office.down = True
    queue_test(office)
    office.deliver()
    office.down = False
    office.now_us -= HOUR
    with office.database.read() as tx:
        assert due.next_due_us(tx, now_us=office.now_us) == office.now_us
    office.deliver()
    assert office.words() == ["TEST"]


def test_a_lease_of_an_hour_ahead_is_nobody_s(office: Office) -> None:
    """Somebody took it and was killed, and then the clock was set back."""
    office.recipients = (A,)
    queue_test(office)
    with office.database.begin() as tx:
        leaving.claim(tx, now_us=office.now_us + HOUR, owner="killed", lease_us=2 * MINUTE, hold_us=SECOND)
    office.deliver()
    assert office.words() == ["TEST"]


def test_what_rests_is_looked_at_now_and_then_so_that_a_clock_set_back_is_noticed(office: Office) -> None:
    office.recipients = (A.model_copy(update={"quiet": "nacht"}),)
    office.hours = NIGHT
    office.now_us = at("22:00")
    office.certificate("aa" * 32, days_left=10)
    office.now_us = at("12:00")
    office.deliver()
    assert office.words() == ["CERTIFICAAT"]


def test_an_answer_that_is_no_utf_8_settles_its_reader_as_any_other(office: Office) -> None:
    """Else the mail would go to everybody again and again: what became of it could never be written down."""
    office.recipients = (A, B)

    async def post(mail: MailMessage) -> Receipt:
        wrong = Answer(address=B.address, code=550, text="bo\udceete\x00 inconnue")
        return Receipt(answers=(Answer(address=A.address, code=250, text="ok"), wrong))

    office.post = post
    queue_test(office)
    office.deliver()
    assert states(office) == {"test a@example.be": "sent", "test b@example.be": "failed"}


def test_what_follows_never_overtakes_what_came_before_it(office: Office) -> None:
    """An end that arrived before "it got worse" would leave people with an outage that is over."""
    office.rule = IncidentRule(open_after=1, close_after=1, severities={"*/timeout": Severity.MINOR})
    slow = replace(a_sample("x", office.now_us), failure=Failure(kind=FailureKind.TIMEOUT, step="verzenden"))
    save(office.database, Finding(check=INDIENEN, sample=slow, alerting=office.alerting), now_us=office.now_us)
    office.deliver()
    office.now_us += MINUTE
    office.down = True
    office.live("x")
    worse = [one for one in office.queue() if one.kind == "worse"]
    assert [one.state for one in worse] == [Settled.PENDING]
    with office.database.begin() as tx:  # far in its back-off
        tx.execute(sa.update(message).where(message.c.id == worse[0].id).values(due_us=office.now_us + 5 * MINUTE))
    office.down = False
    office.live(".")
    assert len(office.sent) == 1
    office.now_us += 6 * MINUTE
    office.deliver()
    office.now_us += MINUTE
    office.deliver()
    assert office.words()[1:] == ["ERNSTIGER", "HERSTELD"]
