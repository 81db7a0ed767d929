"""Mail that cannot be lost: the outbox with a server that refuses, hangs, or is not there. On both engines."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from monitor.alerts import report_messages
from monitor.alerts import test_messages as messages_to_try
from monitor.check_run import Finding, save
from monitor.courtesy import DigestRule
from monitor.delivery import Patience
from monitor.mail_message import Answer, MailMessage, Receipt
from monitor.news import FOLLOW_UPS, Kind, News, Outgoing, Reader, ReportNews
from monitor.recipients import Recipient
from monitor.store import due, events, incidents, leaving, outbox, samples
from monitor.store.database import Database, StoreRefused
from monitor.store.outbox import ReaderState, Settled
from tests.every_news import NEWS
from tests.heart import BOSS, HOUR, INDIENEN, INZAGE, MINUTE, OPS, SECOND, Office, a_sample, at, run

A = OPS.model_copy(update={"address": "a@example.be"})
B = OPS.model_copy(update={"address": "b@example.be"})


def queue_test(office: Office) -> None:
    with office.database.begin() as tx:
        outbox.add(tx, messages_to_try(office.recipients, asked_us=office.now_us), now_us=office.now_us)


def queue(office: Office, thread: str, kind: Kind, news: News) -> None:
    """A message to A."""
    told = Outgoing(
        thread=thread, kind=kind, language="nl", news=news, readers=(Reader(address=A.address),), incident_id="x"
    )
    with office.database.begin() as tx:
        outbox.add(tx, (told,), now_us=office.now_us)


def settled(office: Office) -> dict[str, str]:
    """What became of each reader, over all messages."""
    return {f"{queued.kind} {who.address}": who.state.value for queued in office.queue() for who in queued.readers}


def test_a_server_that_was_away_for_half_an_hour_gets_one_mail_that_tells_when_it_was_written(office):
    """T4: nothing lost, nothing doubled, the original times kept."""
    office.down = True
    office.live("xx" + "x" * 29)
    office.down = False
    office.live("x" * 15)
    assert office.words() == ["STORING"]
    [mail] = office.sent
    assert mail.date_us == at("10:01")
    assert "Deze mail is vertraagd: hij is geschreven op 23 november 2026 om 11:01 (CET)" in mail.text


def test_an_outage_that_ended_while_the_server_was_away_is_told_whole_and_in_order(office):
    """T9: the recovery waits for the opening."""
    office.down = True
    office.live("xxxx....")
    office.down = False
    office.live("." * 12)
    assert office.words() == ["STORING", "HERSTELD"]


def test_a_recovery_that_could_not_be_sent_is_sent_later(office):
    """T9: the server was away for the recovery only."""
    office.live("xxx")
    office.down = True
    office.live("....")
    office.down = False
    office.live("." * 12)
    assert office.words() == ["STORING", "HERSTELD"]


def test_reminders_do_not_pile_up_behind_an_opening_that_cannot_leave(office):
    office.down = True
    office.live("x" * 120)
    office.down = False
    office.live("." * 15)
    assert office.words() == ["STORING", "HERSTELD"]


def test_one_refusal_stops_nobody_else(office):
    """T7, T8: A is refused for good, B is delivered, and each is counted as what it is."""
    office.recipients = (A, B)
    office.codes = {"a@example.be": 550}
    office.live("xx")
    assert settled(office) == {"opened a@example.be": "failed", "opened b@example.be": "sent"}
    assert sorted(office.told.deliveries) == ["delivered", "refused"]
    with office.database.read() as tx:
        [lost] = events.read(tx, 0, at("23:00"), kinds=("mail-refused",))
    assert lost.data["to"] == "a@example.be"


def test_whom_the_opening_never_reached_does_not_hear_of_the_recovery(office):
    """T9: no recovery without an opening."""
    office.recipients = (A, B)
    office.codes = {"a@example.be": 550}
    office.live("xx")
    office.codes = {}
    office.live("...")
    assert settled(office)["recovered a@example.be"] == "skipped"
    assert office.sent[-1].recipients == ("b@example.be",)


def test_a_temporary_refusal_of_one_is_tried_again_for_that_one_only(office):
    """Greylisting: the other one has the mail already."""
    office.recipients = (A, B)
    office.codes = {"a@example.be": 450}
    office.live("xx")
    office.codes = {}
    office.live("xx")
    assert [mail.recipients for mail in office.sent] == [("a@example.be", "b@example.be"), ("a@example.be",)]
    assert len({mail.message_id for mail in office.sent}) == 1


def test_a_recovery_waits_for_each_reader_s_own_opening(office):
    office.recipients = (A, B)
    office.codes = {"a@example.be": 450}
    office.live("xx..")
    assert settled(office)["recovered b@example.be"] == "sent"
    assert settled(office)["recovered a@example.be"] == "pending"
    office.codes = {}
    office.live("....")
    assert settled(office)["recovered a@example.be"] == "sent"


def test_a_crash_between_sending_and_marking_sends_again_with_the_same_message_id(office):
    """T5: at least once, never zero."""
    office.recipients = (A,)
    queue_test(office)
    with office.database.begin() as tx:
        taken = leaving.claim(tx, now_us=office.now_us, owner="crashed", lease_us=2 * MINUTE, hold_us=SECOND)
    assert taken is not None
    office.deliver()
    assert office.sent == []
    office.now_us += 2 * MINUTE
    office.deliver()
    assert [mail.message_id for mail in office.sent] == [f"{taken.id}@monitor.example"]


def test_of_two_processes_one_gets_a_message(office, url):
    """T48: the lease is one conditional update."""
    queue_test(office)
    other = Database.open(url)
    claims = []
    for database in (office.database, other):
        with database.begin() as tx:
            claims.append(
                leaving.claim(tx, now_us=office.now_us, owner=str(id(database)), lease_us=MINUTE, hold_us=SECOND)
            )
    other.close()
    assert [claim is not None for claim in claims] == [True, False]


def test_what_was_sent_stays_sent_even_if_the_lease_had_passed_on(office):
    office.recipients = (A,)
    queue_test(office)
    with office.database.begin() as tx:
        taken = leaving.claim(tx, now_us=office.now_us, owner="slow", lease_us=SECOND, hold_us=SECOND)
    assert taken is not None
    with office.database.begin() as tx:
        leaving.claim(tx, now_us=office.now_us + 2 * SECOND, owner="next", lease_us=MINUTE, hold_us=SECOND)
        sent = ReaderState(address="a@example.be", state=Settled.SENT, settled_us=office.now_us, answer="250")
        assert not leaving.settle(tx, taken.id, [sent], owner="slow", due_us=office.now_us)
    assert office.queue()[0].state is Settled.SENT


def test_after_three_days_a_mail_is_given_up_loudly(office, caplog):
    """T8: counted, kept as an event, and an error in the log."""
    office.recipients = (A,)
    office.down = True
    queue_test(office)
    for _ in range(73):
        office.deliver()
        office.now_us += HOUR
    assert settled(office) == {"test a@example.be": "failed"}
    assert office.told.deliveries[-1] == "given-up"
    with office.database.read() as tx:
        assert events.last(tx, "mail-given-up") is not None
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["mail lost for this reader"]
    assert all(who.given_up for who in office.queue()[0].readers)


def test_pauses_grow_up_to_ten_minutes(office):
    office.recipients = (A,)
    office.down = True
    queue_test(office)
    pauses = []
    for _ in range(9):
        office.deliver()
        due_us = office.queue()[0].due_us
        pauses.append((due_us - office.now_us) // SECOND)
        office.now_us = due_us
    assert pauses == [10, 20, 40, 80, 160, 320, 600, 600, 600]


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 8), (0.5, 10), (0.9999, 11)])
def test_pauses_differ_by_up_to_a_fifth(chance, pause):
    assert Patience().pause_us(1, chance) // SECOND == pause


def test_a_mail_that_cannot_be_written_is_kept(office):
    """A defect in a template must not lose a mail, nor stop the ones behind it."""

    def broken(*_: object) -> MailMessage:
        raise KeyError("template")

    office.recipients = (A,)
    queue_test(office)
    run(replace(office.delivery, compose=broken).deliver_due())
    assert settled(office) == {"test a@example.be": "pending"}
    office.now_us += MINUTE
    office.deliver()
    assert settled(office) == {"test a@example.be": "sent"}


def test_state_incident_and_mail_commit_together_or_not_at_all(office):
    """T6: the transaction is broken at every single statement in turn."""
    office.recipients = (OPS, BOSS)
    office.live("x", mail=False)
    finding = Finding(check=INDIENEN, sample=a_sample("x", office.now_us), alerting=office.alerting)
    broken_at = 0
    while True:
        seen = 0

        def fail(*_: object, limit: int = broken_at) -> None:
            nonlocal seen
            seen += 1
            if seen > limit:
                raise StoreRefused("broken here")

        sa.event.listen(office.database.engine, "before_cursor_execute", fail)
        try:
            save(office.database, finding, now_us=office.now_us)
            done = True
        except StoreRefused:
            done = False
        finally:
            sa.event.remove(office.database.engine, "before_cursor_execute", fail)
        if done:
            break
        with office.database.read() as tx:
            assert samples.read(tx, "indienen", "lokaal", office.now_us) is None
            assert (incidents.read(tx), outbox.read(tx)) == ((), ())
        broken_at += 1
    assert broken_at > 10
    assert len(office.queue()) == 2


def test_the_same_news_is_never_queued_twice(office):
    queue_test(office)
    queue_test(office)
    assert len(office.queue()) == 1


def test_the_store_has_room_for_every_kind_of_message(office):
    """A kind too long for its column would take the whole transaction with it, and what is news is never told."""
    for name, (kind, news, _) in NEWS.items():
        if kind in FOLLOW_UPS:
            queue(office, name, *NEWS["opened"][:2])
        queue(office, name, kind, news)
    office.deliver()
    assert {queued.state for queued in office.queue()} == {Settled.SENT}
    assert {queued.kind for queued in office.queue()} == {kind for kind, _, _ in NEWS.values()}


def test_which_server_took_a_mail_is_kept_for_each_of_its_readers(office):
    """A is taken by the first, B by the second, C by none yet."""

    async def two_servers(mail: MailMessage) -> Receipt:
        said = {"a@example.be": (250, "een:25"), "b@example.be": (250, "twee:25"), "c@example.be": (451, "twee:25")}
        return Receipt(
            answers=tuple(
                Answer(address=address, code=said[address][0], text="Ok", server=said[address][1])
                for address in mail.recipients
            )
        )

    office.recipients = (A, B, Recipient(address="c@example.be"))
    office.post = two_servers
    office.live("xx")
    assert {who.address: (who.state.value, who.server) for who in office.queue()[0].readers} == {
        "a@example.be": ("sent", "een:25"),
        "b@example.be": ("sent", "twee:25"),
        "c@example.be": ("pending", ""),
    }


def test_of_what_went_in_a_digest_the_server_is_that_of_the_digest(office):
    async def one_server(mail: MailMessage) -> Receipt:
        return Receipt(answers=tuple(Answer(address=a, code=250, text="Ok", server="een:25") for a in mail.recipients))

    office.post = one_server
    office.digest = DigestRule(after=1, hourly=0)
    queue_test(office)
    office.deliver()
    office.live("xx", mail=False)
    office.live("xx", INZAGE, mail=False)
    office.deliver()
    merged = [who for queued in office.queue() if queued.state is Settled.MERGED for who in queued.readers]
    assert [(who.state, who.server) for who in merged] == [(Settled.SENT, "een:25")] * 2


def test_what_waits_is_counted(office):
    office.down = True
    office.live("xx")
    assert office.told.pending == 1
    with office.database.read() as tx:
        assert outbox.waiting(tx, now_us=office.now_us) == outbox.Waiting(messages=1, oldest_us=at("10:01"))
        assert due.next_due_us(tx, now_us=at("10:01")) == at("10:01") + 10 * SECOND


def test_the_delivery_loop_sends_when_it_is_woken(office):
    async def scene() -> None:
        wake, arrived = asyncio.Event(), asyncio.Event()

        async def send(mail: MailMessage) -> Receipt:
            arrived.set()
            return await office.delivery.send(mail)

        task = asyncio.create_task(replace(office.delivery, send=send).run(wake))
        await asyncio.sleep(0)
        queue_test(office)
        wake.set()
        await arrived.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(asyncio.wait_for(scene(), 60))
    assert office.words() == ["TEST"]


def test_a_report_of_last_month_is_mailed_once(office):
    reader = OPS.model_copy(update={"receives": ("reports",)})
    news = ReportNews(contract="VOORBEELD-2027-01", period="2026-10", number=1)
    for _ in range(2):
        with office.database.begin() as tx:
            outbox.add(tx, report_messages(news, (reader, A)), now_us=office.now_us)
        office.deliver()
    assert [mail.recipients for mail in office.sent] == [("ops@example.be",)]


@pytest.mark.parametrize("answers", [True, False])
def test_a_stop_waits_for_the_mail_in_hand_but_not_for_ever(office: Office, answers: bool) -> None:
    """T5: what the server took is marked, so that the next start does not send it again."""
    queue_test(office)

    async def stopped() -> None:
        begun, free = asyncio.Event(), asyncio.Event()

        async def send(mail: MailMessage) -> Receipt:
            begun.set()
            await free.wait()
            return Receipt(answers=tuple(Answer(address=a, code=250, text="taken") for a in mail.recipients))

        patience = Patience(stop_us=5 * SECOND if answers else 20_000)
        delivering = asyncio.create_task(replace(office.delivery, send=send, patience=patience).run(asyncio.Event()))
        await begun.wait()
        delivering.cancel()
        if answers:
            free.set()
        with pytest.raises(asyncio.CancelledError):
            await delivering

    run(stopped())
    assert set(settled(office).values()) == {"sent" if answers else "pending"}
