"""Laws of the mails, for every sequence of samples and every way the mail server comes and goes."""

from __future__ import annotations

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.news import Kind
from monitor.store.database import Database
from monitor.store.outbox import Queued, ReaderState, Settled
from tests.heart import BOSS, OPS, Office

# A story is long and slow to live: a failing one is shown as it was found, not made smaller for minutes.
STORIES = settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))

moments = st.lists(
    st.tuples(st.sampled_from(".xX?"), st.sampled_from(["ok", "down", "refuses ops", "busy for boss"])), max_size=40
)


def lived(story) -> Office:
    office = Office(database=Database.open("sqlite://"), recipients=(OPS, BOSS))
    for mark, server in story:
        office.down = server == "down"
        office.codes = {
            "refuses ops": {OPS.address: 550},
            "busy for boss": {BOSS.address: 450},
        }.get(server, {})
        office.live(mark)
    # All heals in the end, and time passes.
    office.down, office.codes = False, {}
    office.live("." * 45)
    return office


@STORIES
@given(moments)
def test_whoever_heard_of_an_incident_hears_of_its_end_and_nobody_else_does(story):
    office = lived(story)
    queue = office.queue()
    heard = {(one.incident_id, who.address) for one in queue for who in one.readers if begins(one) and took(who)}
    ended = {(one.incident_id, who.address) for one in queue for who in one.readers if ends(one) and took(who)}
    refused = {(one.incident_id, who.address) for one in queue for who in one.readers if ends(one) and no(who)}
    assert office.open_incidents() == []
    office.database.close()
    assert ended <= heard
    assert heard - ended <= refused
    assert all(one.state is not Settled.PENDING for one in queue)


@STORIES
@given(moments)
def test_a_server_that_answers_gets_no_mail_twice_and_no_end_before_its_beginning(story):
    office = lived(story)
    office.database.close()
    seen: set[tuple[str, str]] = set()
    for mail, accepted in zip(office.sent, office.accepted, strict=True):
        for address in accepted:
            assert (address, mail.message_id) not in seen
            assert mail.in_reply_to is None or (address, mail.in_reply_to) in seen
            seen.add((address, mail.message_id))


def begins(queued: Queued) -> bool:
    return queued.kind in (Kind.OPENED, Kind.MONITOR)


def ends(queued: Queued) -> bool:
    return queued.kind in (Kind.RECOVERED, Kind.MEASURING)


def no(who: ReaderState) -> bool:
    return who.state is Settled.FAILED


def took(who: ReaderState) -> bool:
    return who.state is Settled.SENT
