"""Announced maintenance, told when it begins, when its times change while it lasts, and when it is over.

Decided from the ledger and from what was queued about it: asked again after a restart it gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.alerts import first_messages, following_messages
from monitor.incidents import MONITOR
from monitor.news import Kind, MaintenanceNews
from monitor.recipients import Addressee
from monitor.store import incidents, ledger, outbox
from monitor.store.database import Transaction
from probes.checks import Title
from sla.assessment import WindowDecision
from sla.ledger import Sealed

_WEEK_US = 7 * 86_400_000_000
_ANNOUNCED, _CANCELLED = KINDS = ("maintenance", "maintenance-cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Maintenance as it was announced last.

    Attributes:
        entries: numbers of the ledger entries about it, first to last; each supersedes the one before.
        last: the announcement that says when.
        cancelled: the entry that took it back; None while it stands.
    """

    entries: tuple[int, ...]
    last: Sealed
    cancelled: Sealed | None = None

    @property
    def from_us(self) -> int:
        return self.last.entry.from_us or 0

    @property
    def until_us(self) -> int:
        return self.last.entry.until_us or 0


def announcements(entries: Iterable[Sealed]) -> Iterator[Announcement]:
    """Each announcement in its last form.

    Args:
        entries: of the kinds `KINDS`, in order.
    """
    known = {sealed.seq: sealed for sealed in entries}
    replaced = {sealed.entry.supersedes for sealed in known.values()}
    for sealed in known.values():
        if sealed.seq in replaced:
            continue
        chain = [sealed]
        while (before := known.get(chain[0].entry.supersedes or 0)) is not None and before.seq < chain[0].seq:
            chain.insert(0, before)
        times = [one for one in chain if one.entry.kind == _ANNOUNCED and one.entry.until_us is not None]
        if times:
            cancelled = sealed if sealed.entry.kind == _CANCELLED else None
            yield Announcement(entries=tuple(one.seq for one in chain), last=times[-1], cancelled=cancelled)


def next_kind(found: Announcement, told: tuple[Kind, MaintenanceNews] | None, *, now_us: int) -> Kind | None:
    """What people should hear of it now; None: nothing. Nobody hears of what began and ended while nobody looked.

    Args:
        told: the newest message about it.
    """
    running = found.cancelled is None and found.from_us <= now_us < found.until_us
    if told is None:
        return Kind.MAINTENANCE if running else None
    kind, news = told
    if kind is Kind.MAINTENANCE_OVER:
        # Announced anew after its end: it begins once more.
        return Kind.MAINTENANCE if running and news.entry != found.last.seq else None
    if found.cancelled is not None or now_us >= found.until_us:
        return Kind.MAINTENANCE_OVER
    return Kind.MAINTENANCE_CHANGED if news.entry != found.last.seq else None


def tell_maintenance(
    tx: Transaction,
    titles: Mapping[str, Title],
    decisions: Mapping[str, Sequence[WindowDecision]],
    recipients: Sequence[Addressee],
    *,
    now_us: int,
) -> tuple[str, ...]:
    """Queue what is news about announced maintenance; the ids of what was queued.

    What ended more than a week ago is not looked at: whoever was away for so long needs no mail about it.

    Args:
        titles: of all checks, by id.
        decisions: what contracts make of announcements, by contract, as far as it is known.
    """
    queued: list[str] = []
    for found in announcements(ledger.read(tx, kinds=KINDS)):
        if found.until_us < now_us - _WEEK_US:
            continue
        thread, told = _told(tx, found)
        kind = next_kind(found, told, now_us=now_us)
        if kind is None:
            continue
        news = _news(tx, kind, found, told, titles, decisions)
        if kind is Kind.MAINTENANCE:
            scope = found.last.entry.scope
            readers = [r for r in recipients if any(r.wants("maintenance", name) for name in scope or (None,))]
            messages = first_messages(f"maintenance.{found.last.seq}", kind, news, readers)
        else:
            messages = following_messages(thread, kind, news, outbox.told(tx, thread))
        queued += outbox.add(tx, messages, now_us=now_us)
    return tuple(queued)


def _told(tx: Transaction, found: Announcement) -> tuple[str, tuple[Kind, MaintenanceNews] | None]:
    """The thread that speaks of it, named after the entry with which it was first told, and its newest message."""
    for seq in reversed(found.entries):
        said = outbox.last_said(tx, f"maintenance.{seq}")
        if said is not None and isinstance(said[1], MaintenanceNews):
            return f"maintenance.{seq}", (said[0], said[1])
    return "", None


def _news(
    tx: Transaction,
    kind: Kind,
    found: Announcement,
    told: tuple[Kind, MaintenanceNews] | None,
    titles: Mapping[str, Title],
    decisions: Mapping[str, Sequence[WindowDecision]],
) -> MaintenanceNews:
    entry, over = found.last.entry, kind is Kind.MAINTENANCE_OVER
    early = over and found.cancelled is not None and found.cancelled.entry.recorded_us < found.until_us
    failing = [one.check_id for one in incidents.read(tx, only_open=True)] if over else []
    return MaintenanceNews(
        entry=found.last.seq,
        from_us=found.from_us,
        until_us=found.until_us,
        titles=tuple(titles.get(name, Title(nl=name, en=name)) for name in entry.scope),
        by=entry.by,
        reason=entry.reason,
        announced_us=entry.recorded_us,
        excluded=tuple(_decided(found.last.seq, decisions)),
        until_before_us=told[1].until_us if told and kind is Kind.MAINTENANCE_CHANGED else None,
        failing=tuple(
            titles[name]
            for name in failing
            if name != MONITOR and name in titles and (not entry.scope or name in entry.scope)
        ),
        cancelled_by=found.cancelled.entry.by if early and found.cancelled else None,
        cancelled_why=found.cancelled.entry.reason if early and found.cancelled else "",
    )


def _decided(seq: int, decisions: Mapping[str, Sequence[WindowDecision]]) -> Iterator[Title]:
    """What each contract makes of an announcement, in its own words."""
    for contract, those in decisions.items():
        for one in those:
            if one.entry == seq and one.kind == "maintenance":
                yield Title(
                    nl=f"{contract}: " + " ".join(reason.nl for reason in one.reasons),
                    en=f"{contract}: " + " ".join(reason.en for reason in one.reasons),
                )
