"""Who is told what and when. Pure: facts in, messages out; the outbox keeps them, delivery sends them.

Every decision is taken from stored facts (the incident, and which messages about it exist), not from events that could
be missed: asked again after a restart it gives the same answer, so nothing is told twice and nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from monitor.attribution import Cause
from monitor.incidents import Incident, IncidentRule
from monitor.news import (
    FOLLOW_UPS,
    JOINING,
    CertificateNews,
    FlappingNews,
    IncidentNews,
    Kind,
    LeftBehindNews,
    News,
    Outgoing,
    OwnNews,
    Reader,
    ReportNews,
    TestNews,
    Unseen,
)
from monitor.recipients import Addressee, Language, channel_of, follows
from monitor.severity import Severity
from probes.checks import BrowserJourney, CertificateCheck, Check, Journey, Title
from probes.sample import CertificateFacts, Outcome, Sample
from sla.effect import Effect

_DAY_US = 86_400_000_000
#: Follow-ups that alarm, and so leave out who is not there now.
_TO_THOSE_THERE = frozenset({Kind.REMINDER, Kind.WORSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Readers who share a message: of one language and one time zone."""

    language: Language
    timezone: str | None
    readers: tuple[Reader, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was queued about an incident so far.

    Attributes:
        opened_us: when its first message was queued; None where nobody was told.
        arrived: whether that one reached anybody.
        recovered: whether its end was queued.
        readers: whom it was told to, also later, by language and time zone.
    """

    opened_us: int | None = None
    arrived: bool = False
    recovered: bool = False
    readers: tuple[Group, ...] = ()

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset(reader.address for group in self.readers for reader in group.readers)


NOBODY = Told()


def reminders_passed(opened_us: int, now_us: int, rule: IncidentRule) -> int:
    """How many reminder instants lie behind us, by the wall clock since the opening was told."""
    passed = sum(now_us - opened_us >= after for after in rule.reminders)
    if passed < len(rule.reminders):
        return passed
    beyond = now_us - opened_us - max(rule.reminders, default=0)
    return passed + max(0, beyond // rule.remind_every)


def next_kind(incident: Incident, told: Told, *, now_us: int, muted: bool, rule: IncidentRule) -> Kind | None:
    """What people should hear about an incident now; None: nothing.

    Announced maintenance mutes openings and reminders: an incident that outlasts it is told when it ends. A recovery is
    never muted, but only those hear of it who heard of the incident. While the opening has reached nobody yet (no mail
    server), a reminder would only pile up behind it.
    """
    if incident.until_us is not None:
        return Kind.RECOVERED if told.opened_us is not None and not told.recovered else None
    if muted:
        return None
    if told.opened_us is None:
        return Kind.OPENED
    if told.arrived and reminders_passed(told.opened_us, now_us, rule) > incident.reminders:
        return Kind.REMINDER
    return None


def joining(
    check_id: str,
    confirmed_us: int,
    told: Told,
    recipients: Iterable[Addressee],
    *,
    now_us: int,
    acknowledged: bool,
    opening: bool = False,
    along: Collection[str] = (),
) -> dict[Kind, tuple[Addressee, ...]]:
    """Who hears of a check's open incident, or that it flaps, only now, of `recipients` on duty, because they were not
    told yet.

    Somebody with `after` is told when nobody has acknowledged it for so long since it was told; where nobody was there
    to be told, since `confirmed_us`. Somebody without is told when their hours of duty begin, or when something they
    follow fails along with it, acknowledged or not.

    Args:
        opening: others are told of it at this very moment, maybe long after it was confirmed: what muted it is over.
        along: checks that fail because of it; whoever follows one of these is concerned too.
    """
    never_us = now_us if opening else confirmed_us
    began_us = never_us if told.opened_us is None else told.opened_us
    late: list[Addressee] = []
    further: list[Addressee] = []
    for who in recipients:
        if who.address in told.addresses or not follows(who, check_id, along):
            continue
        if not who.after:
            late.append(who)
        elif not acknowledged and now_us - began_us >= who.after:
            further.append(who)
    found = {Kind.ONGOING: tuple(late), Kind.ESCALATED: tuple(further)}
    return {kind: people for kind, people in found.items() if people}


def incident_messages(
    kind: Kind,
    incident: Incident,
    told: Told,
    check: Check,
    recipients: Sequence[Addressee],
    *,
    number: int = 0,
    attached: tuple[Title, ...] = (),
    cause: Cause | None = None,
    confirmed_by: str | None = None,
    severity: Severity | None = None,
    acknowledged_by: str | None = None,
    effects: tuple[Effect, ...] = (),
    failing: tuple[str, ...] = (),
    working: tuple[str, ...] = (),
    unseen: Unseen | None = None,
    was: Severity | None = None,
    hit: tuple[Title, ...] = (),
    along: Collection[str] = (),
) -> tuple[Outgoing, ...]:
    """The messages of one kind about a check's incident, one for each language and time zone.

    An opening goes to those of `recipients` whom it concerns. What follows goes to whom it was told, even if the
    configuration has changed since; a reminder, and that it got worse, leave out those who are not among `recipients`.

    Args:
        along: checks that fail because of it, or may; whoever follows one of these is concerned too.
    """
    worse = kind is Kind.WORSE and incident.worse_failure is not None
    failure = incident.worse_failure if worse and incident.worse_failure is not None else incident.failure
    news = IncidentNews(
        incident_id=incident.id,
        check_id=incident.check_id,
        title=check.title,
        step=step_title(check, failure.step),
        since_us=incident.since_us,
        confirmed_us=incident.confirmed_us,
        failure=failure,
        until_us=incident.until_us,
        worse_us=incident.worse_us if worse else None,
        number=number,
        attached=attached,
        cause=cause,
        confirmed_by=confirmed_by,
        severity=severity,
        told_us=told.opened_us if kind in JOINING else None,
        acknowledged_by=acknowledged_by,
        effects=effects,
        failing=failing,
        working=working,
        unseen=unseen,
        was=was,
        hit=hit,
    )
    return _threaded(kind, incident.id, told, recipients, lambda who: follows(who, check.id, along), news)


def flapping_thread(check_id: str, since_us: int) -> str:
    """What the messages about one stretch of flapping share; in `Outgoing.incident_id` too."""
    return f"flapping.{check_id}.{since_us // 1_000_000}"


def flapping_messages(
    kind: Kind, news: FlappingNews, told: Told, recipients: Sequence[Addressee], *, along: Collection[str] = ()
) -> tuple[Outgoing, ...]:
    """That a check flaps, to whom its incidents concern; and that it is over, to those who were told.

    Args:
        along: as for `incident_messages`.
    """
    thread = flapping_thread(news.check_id, news.since_us)
    groups = told.readers if kind in FOLLOW_UPS else _groups(r for r in recipients if follows(r, news.check_id, along))
    return tuple(_outgoing(thread, kind, group, news, thread) for group in groups)


def own_messages(
    kind: Kind,
    incident: Incident,
    told: Told,
    checks: Iterable[Title],
    recipients: Sequence[Addressee],
    *,
    number: int = 0,
) -> tuple[Outgoing, ...]:
    """The messages about the monitor's own trouble: when it begins, its reminders by `number`, and when it is over."""
    news = OwnNews(
        incident_id=incident.id,
        since_us=incident.since_us,
        failure=incident.failure,
        checks=tuple(checks),
        until_us=incident.until_us,
        number=number,
    )
    return _threaded(kind, incident.id, told, recipients, lambda who: who.wants("monitor"), news)


def certificate_messages(
    check: CertificateCheck, sample: Sample, recipients: Sequence[Addressee], *, now_us: int
) -> tuple[Outgoing, ...]:
    """The warning for the tightest threshold that a certificate has crossed; none where it crossed none.

    It is about the one of the verified chain that ends first: an intermediate that ends turns visitors away as the leaf
    does. One for each threshold and certificate, whichever check saw it first. A certificate that makes its check fail
    is an incident already, and told as one.
    """
    facts = sample.certificate
    if facts is None or sample.outcome is Outcome.DOWN:
        return ()
    crossed = [threshold for threshold in check.warn if facts.earliest_not_after_us - now_us <= threshold]
    if not crossed:
        return ()
    news = _certificate_news(check, facts, min(crossed))
    thread = f"certificate.{news.fingerprint_sha256[:16]}.{min(crossed) // 1_000_000}"
    return tuple(
        _outgoing(thread, Kind.CERTIFICATE, group, news)
        for group in _groups(r for r in recipients if r.wants("certificates", check.id))
    )


def left_behind_messages(
    objects: Sequence[tuple[str, Title]], recipients: Sequence[Addressee], *, now_us: int
) -> tuple[Outgoing, ...]:
    """What was left behind at the portal, to all who receive news about the monitor; at most once a day of UTC."""
    thread = f"left-behind.{now_us // _DAY_US}"
    news = LeftBehindNews(objects=tuple(objects))
    return tuple(
        _outgoing(thread, Kind.LEFT_BEHIND, group, news)
        for group in _groups(r for r in recipients if r.wants("monitor"))
    )


def report_messages(news: ReportNews, recipients: Sequence[Addressee]) -> tuple[Outgoing, ...]:
    """The mail that carries a report, to all who receive reports; once per contract, period and number."""
    thread = f"report.{_plain(news.contract)}.{_plain(news.period)}.{news.number}"
    return tuple(
        _outgoing(thread, Kind.REPORT, group, news) for group in _groups(r for r in recipients if r.wants("reports"))
    )


def test_messages(recipients: Sequence[Addressee], *, asked_us: int) -> tuple[Outgoing, ...]:
    """A test mail to everybody."""
    news = TestNews(asked_us=asked_us)
    return tuple(_outgoing(f"test.{asked_us}", Kind.TEST, group, news) for group in _groups(recipients))


test_messages.__test__ = False  # type: ignore[attr-defined] # not a test either


def first_messages(
    thread: str, kind: Kind, news: News, readers: Iterable[Addressee], *, about: str | None = None
) -> tuple[Outgoing, ...]:
    """The first messages of a thread, one for each language and time zone.

    Args:
        about: what `Outgoing.incident_id` holds; None takes the thread.
    """
    return tuple(_outgoing(thread, kind, group, news, about or thread) for group in _groups(readers))


def following_messages(
    thread: str, kind: Kind, news: News, told: Told, *, about: str | None = None
) -> tuple[Outgoing, ...]:
    """What follows in a thread, to whom its first messages went.

    Args:
        about: as for `first_messages`.
    """
    return tuple(_outgoing(thread, kind, group, news, about or thread) for group in told.readers)


def in_message_id(text: str) -> str:
    """Text as it may stand in a thread's name, and so in a Message-ID."""
    return _plain(text)


def step_title(check: Check, step_id: str | None) -> Title | None:
    """The title of a step, its id where it has none; None where no step is meant."""
    if step_id is None:
        return None
    if isinstance(check, BrowserJourney | Journey):
        for step in check.step:
            if step.id == step_id and step.title is not None:
                return step.title
    return Title(nl=step_id, en=step_id)


def _threaded(
    kind: Kind,
    incident_id: str,
    told: Told,
    recipients: Sequence[Addressee],
    concerns: Callable[[Addressee], bool],
    news: IncidentNews | OwnNews,
) -> tuple[Outgoing, ...]:
    if kind in FOLLOW_UPS:
        present = {recipient.address for recipient in recipients if concerns(recipient)}
        groups = tuple(
            replace(
                group, readers=tuple(r for r in group.readers if kind not in _TO_THOSE_THERE or r.address in present)
            )
            for group in told.readers
        )
    else:
        groups = _groups(r for r in recipients if concerns(r))
    return tuple(
        _outgoing(f"incident.{incident_id}", kind, group, news, incident_id) for group in groups if group.readers
    )


def _certificate_news(check: CertificateCheck, facts: CertificateFacts, threshold_us: int) -> CertificateNews:
    first = facts.earliest or facts
    return CertificateNews(
        check_id=check.id,
        title=check.title,
        host=facts.host,
        not_after_us=facts.earliest_not_after_us,
        threshold_us=threshold_us,
        fingerprint_sha256=first.fingerprint_sha256,
        subject=first.subject,
        issuer=first.issuer,
        role=facts.earliest.role if facts.earliest else "leaf",
    )


def _groups(recipients: Iterable[Addressee]) -> tuple[Group, ...]:
    """Who shares a message. Each webhook has messages of its own, tried by themselves."""
    groups: dict[tuple[str, Language, str], dict[str, Reader]] = {}
    for recipient in recipients:
        reader = Reader(address=recipient.address, name=recipient.name)
        alone = "" if channel_of(reader.address) == "mail" else reader.address
        key = alone, recipient.language, recipient.timezone or ""
        groups.setdefault(key, {}).setdefault(recipient.address, reader)
    return tuple(
        Group(language=language, timezone=timezone or None, readers=tuple(groups[alone, language, timezone].values()))
        for alone, language, timezone in sorted(groups)
    )


def _outgoing(thread: str, kind: Kind, group: Group, news: News, incident_id: str | None = None) -> Outgoing:
    # Dutch in the monitor's own time zone has the plain id; another text is another message.
    name = thread if group.language == "nl" else f"{thread}.{group.language}"
    if group.timezone is not None:
        name = f"{name}.{_plain(group.timezone)}"
    if channel_of(group.readers[0].address) == "webhook":
        name = f"{thread}.{_plain(group.readers[0].address)}"
    return Outgoing(
        thread=name,
        kind=kind,
        language=group.language,
        news=news,
        readers=group.readers,
        incident_id=incident_id,
        timezone=group.timezone,
    )


def _plain(text: str) -> str:
    """Text as it may stand in a Message-ID."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in text)
