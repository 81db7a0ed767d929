"""Own troubles that last while measuring goes on: told once, over once; the store remembers, not the process."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.alerts import first_messages, following_messages
from monitor.news import Kind, Trouble, TroubleNews
from monitor.recipients import Addressee
from monitor.store import events, outbox
from monitor.store.database import Transaction
from monitor.store.events import Event


def tell_trouble(
    tx: Transaction,
    what: Trouble,
    subjects: Sequence[str],
    said: str,
    recipients: Sequence[Addressee],
    *,
    since_us: int,
    now_us: int,
) -> tuple[str, ...]:
    """Note a trouble, and queue the mails about it; nothing where it is told already. The ids of what was queued.

    Args:
        subjects: what is in trouble; one that was not told before is told in a thread of its own.
        said: what was found, in English; shown as it is.
        since_us: since when it is known.
    """
    before = standing(tx, what)
    if before is not None and set(subjects) <= set(subjects_of(before)):
        return ()
    events.add(
        tx,
        Event(
            at_us=now_us,
            kind=_kind(what),
            data={"subjects": "\n".join(subjects), "said": said, "since_us": since_us},
        ),
    )
    news = TroubleNews(what=what, since_us=since_us, subjects=tuple(subjects), said=said)
    readers = [one for one in recipients if one.wants("monitor")]
    return outbox.add(tx, first_messages(_thread(what, now_us), Kind.TROUBLE, news, readers), now_us=now_us)


def tell_over(tx: Transaction, what: Trouble, *, now_us: int) -> tuple[str, ...]:
    """Note that a trouble is over, and queue that for those who were told of it; nothing where there is none."""
    before = standing(tx, what)
    if before is None:
        return ()
    events.add(tx, Event(at_us=now_us, kind=_kind(what), data={"over": True}))
    news = TroubleNews(
        what=what,
        since_us=int(before.data["since_us"] or 0),
        subjects=subjects_of(before),
        said=str(before.data["said"]),
        until_us=now_us,
    )
    thread = _thread(what, before.at_us)
    told = following_messages(thread, Kind.TROUBLE_OVER, news, outbox.told(tx, thread))
    return outbox.add(tx, told, now_us=now_us)


def standing(tx: Transaction, what: Trouble) -> Event | None:
    """The note of a trouble that is not over; None where there is none."""
    last = events.last(tx, _kind(what))
    return None if last is None or last.data.get("over") else last


def subjects_of(noted: Event) -> tuple[str, ...]:
    """What is in trouble, by the note of it."""
    return tuple(str(noted.data["subjects"]).split("\n"))


def _kind(what: Trouble) -> str:
    return f"trouble-{what.value}"


def _thread(what: Trouble, at_us: int) -> str:
    return f"trouble.{what.value}.{at_us}"
