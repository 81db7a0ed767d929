"""Builders for tests of the monitor's heart: samples written as a picture, a journey, a store, a post office."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from monitor.attached import dependants
from monitor.check_run import Alerting, Finding, Recorder, save
from monitor.clock import Clock
from monitor.courtesy import Courtesy, DigestRule
from monitor.delivery import Delivery
from monitor.failing import Failing
from monitor.hours import Hours
from monitor.incidents import HEALTHY, Event, IncidentRule, State, advance
from monitor.mail_message import Answer, Mailbox, MailMessage, Receipt, SendMail
from monitor.mail_text import House, composer
from monitor.observer import Delivered
from monitor.recipients import Recipient
from monitor.store import incidents, outbox
from monitor.store.database import Database, directly
from monitor.telling import follow_up
from probes.checks import CertificateCheck, Check, Journey, Title
from probes.sample import CertificateFacts, EarliestCertificate, Failure, FailureKind, Outcome, Sample
from sla.standing import Standing

T = TypeVar("T")

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

BROKEN = Failure(kind=FailureKind.HTTP_STATUS, step="verzenden", subject="status", expected="200", found="500")
BLIND = Failure(kind=FailureKind.REFERENCE, subject="references")
SLOW = Failure(kind=FailureKind.SLOW, step="verzenden", subject="duration", expected="at most 3 s", found="4.2 s")

INDIENEN = Journey.model_validate(
    {
        "id": "indienen",
        "title": {"nl": "Aanvraag indienen", "en": "Submit an application"},
        "interval": "1m",
        "deadline": "20s",
        "step": [
            {
                "id": "verzenden",
                "title": {"nl": "Verzenden", "en": "Send"},
                "path": "/loket",
                "expect": {"status": 200},
            }
        ],
    }
)
INZAGE = INDIENEN.model_copy(update={"id": "inzage", "title": Title(nl="Dossier inzien", en="View a file")})
CERTIFICATE = CertificateCheck.model_validate(
    {
        "id": "certificaat",
        "title": {"nl": "Certificaat", "en": "Certificate"},
        "interval": "1h",
        "deadline": "10s",
        "host": "loket.example",
    }
)

TWO_OF_EACH = IncidentRule(open_after=2, close_after=2)
OPS = Recipient(address="ops@example.be", name="Wacht")
BOSS = Recipient(address="boss@example.be", language="en")


def at(clock_time: str) -> int:
    """`10:05` or `10:05:30` of 23 November 2026 (UTC) as an instant."""
    hours, minutes, *rest = (int(part) for part in clock_time.split(":"))
    return int(datetime(2026, 11, 23, hours, minutes, *rest, tzinfo=UTC).timestamp()) * SECOND


def a_sample(mark: str, slot_us: int, check_id: str = "indienen", *, location: str = "lokaal") -> Sample:
    """`.` up, `~` degraded, `x` one failed run, `X` a run and its re-run both failed, `?` unknown."""
    outcome, failure = {
        ".": (Outcome.UP, None),
        "~": (Outcome.DEGRADED, SLOW),
        "x": (Outcome.DOWN, BROKEN),
        "X": (Outcome.DOWN, BROKEN),
        "?": (Outcome.UNKNOWN, BLIND),
    }[mark]
    return Sample(
        check_id=check_id,
        location=location,
        slot_us=slot_us,
        started_us=slot_us + 1_000,
        duration_us=250_000,
        outcome=outcome,
        failure=failure,
        run_id=f"run-{slot_us}",
        attempts=2 if mark == "X" else 1,
    )


def samples_of(picture: str, start: str = "10:00", every_us: int = MINUTE) -> list[Sample]:
    """One sample a minute from `start`; a space is a slot that nobody measured."""
    return [a_sample(mark, at(start) + number * every_us) for number, mark in enumerate(picture) if mark != " "]


def played(picture: str, rule: IncidentRule = TWO_OF_EACH, state: State = HEALTHY) -> tuple[State, list[Event]]:
    events: list[Event] = []
    for sample in samples_of(picture):
        state, happened = advance(state, sample, rule, interval_us=MINUTE)
        events += happened
    return state, events


class Told:
    """An `Observer` that remembers."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.incidents: list[tuple[str, int | None]] = []
        self.own_fault: list[bool] = []
        self.store_failures = 0
        self.waiting = self.waiting_bytes = self.given_up = 0
        self.lost = 0
        self.deliveries: list[Delivered] = []
        self.servers: list[tuple[str, int]] = []
        self.pending = self.held = self.aside = 0
        self.oldest_us: int | None = None

    def sample(self, sample: Sample) -> None:
        self.samples.append(sample)

    def incident(self, check_id: str, since_us: int | None) -> None:
        self.incidents.append((check_id, since_us))

    def references_asked(self, *, own_fault: bool) -> None:
        self.own_fault.append(own_fault)

    def store_failed(self) -> None:
        self.store_failures += 1

    def samples_waiting(self, waiting: int, waiting_bytes: int) -> None:
        self.waiting, self.waiting_bytes = waiting, waiting_bytes

    def evidence_given_up(self, samples: int) -> None:
        self.given_up += samples

    def samples_lost(self, lost: int) -> None:
        self.lost += lost

    def delivered(self, result: Delivered, *, now_us: int, channel: str = "mail") -> None:
        self.deliveries.append(result)

    def mail_server(self, server: str, code: int) -> None:
        self.servers.append((server, code))

    def outbox(
        self, *, pending: int, oldest_us: int | None, now_us: int, held: int = 0, aside: int = 0, channel: str = "mail"
    ) -> None:
        self.pending, self.oldest_us, self.held, self.aside = pending, oldest_us, held, aside


HOUSE = House(
    portal="Voorbeeldloket",
    timezone="Europe/Brussels",
    pages_url="https://monitor.example/",
    sender=Mailbox(address="loketwacht@example.be", name="Loketwacht"),
    id_host="monitor.example",
    list_id="loketwacht.example.be",
)


@dataclass
class Office:
    """A store with a clock that tests move, and a mail server that answers as they say.

    Attributes:
        codes: what the server says to an address; 250 to all others. 0 is a server that is not there.
        down: nobody answers at all.
        standings: where the clauses of contracts stand.
        failing: what is known of all that fails, from mail to mail.
        checks: what is configured; empty: nothing is said of what depends on what.
        sent: mails that reached somebody, and in `accepted` whom each of them reached.
        post: a real way out in place of that server.
    """

    database: Database
    now_us: int = field(default_factory=lambda: at("10:00"))
    codes: dict[str, int] = field(default_factory=dict)
    down: bool = False
    rule: IncidentRule = TWO_OF_EACH
    recipients: tuple[Recipient, ...] = (OPS,)
    hours: dict[str, Hours] = field(default_factory=dict)
    digest: DigestRule = field(default_factory=lambda: DigestRule(after=0, hourly=0))
    standings: tuple[Standing, ...] = ()
    failing: Failing = field(default_factory=Failing)
    checks: tuple[Check, ...] = ()
    sent: list[MailMessage] = field(default_factory=list)
    accepted: list[tuple[str, ...]] = field(default_factory=list)
    post: SendMail | None = None
    told: Told = field(default_factory=Told)

    @property
    def clock(self) -> Clock:
        return Clock(now_us=lambda: self.now_us, monotonic_us=lambda: self.now_us, new_id=lambda: "0" * 16)

    @property
    def alerting(self) -> Alerting:
        titles = {check.id: check.title for check in (INDIENEN, INZAGE, CERTIFICATE)}
        return Alerting(
            rule=self.rule,
            recipients=self.recipients,
            titles=titles | {check.id: check.title for check in self.checks},
            dependants=dependants(self.checks) if self.checks else None,
            hours=self.hours,
            standings=lambda: self.standings,
            failing=self.failing,
        )

    @property
    def courtesy(self) -> Courtesy:
        return Courtesy(rule=self.digest, people={who.address: who for who in self.recipients}, hours=self.hours)

    @property
    def delivery(self) -> Delivery:
        return Delivery(
            database=self.database,
            in_store=directly,
            send=self.post or self._send,
            compose=composer(HOUSE),
            clock=self.clock,
            observer=self.told,
            owner="office",
            chance=lambda: 0.5,
            courtesy=lambda: self.courtesy,
        )

    def recorder(self, capacity: int = 50_000, capacity_bytes: int = 256 * 1024 * 1024) -> Recorder:
        return Recorder(
            database=self.database,
            in_store=directly,
            clock=self.clock,
            observer=self.told,
            capacity=capacity,
            capacity_bytes=capacity_bytes,
        )

    def live(self, picture: str, check: Check = INDIENEN, *, start: str | None = None, mail: bool = True) -> None:
        """Save one sample a minute, and deliver what is due after each; the clock goes with them."""
        if start is not None:
            self.now_us = at(start)
        for mark in picture:
            if mark != " ":
                sample = a_sample(mark, self.now_us, check.id)
                save(self.database, Finding(check=check, sample=sample, alerting=self.alerting), now_us=self.now_us)
            if mail:
                self.deliver()
            self.now_us += MINUTE

    def wait(self, minutes: int, *checks: Check, every: int = 1) -> None:
        """Nothing is measured; the clock goes on, and now and then what is due by it is told and delivered."""
        for _ in range(0, minutes, every):
            follow_up(self.database, checks or (INDIENEN,), self.alerting, now_us=self.now_us)
            self.deliver()
            self.now_us += every * MINUTE

    def certificate(
        self,
        fingerprint: str,
        days_left: int,
        check: CertificateCheck = CERTIFICATE,
        *,
        earliest: tuple[EarliestCertificate, int] | None = None,
    ) -> None:
        """One sample of a certificate check, and what follows.

        Args:
            earliest: another certificate of the chain that ends first, and the days that it has left.
        """
        first, first_days = earliest or (None, days_left)
        facts = CertificateFacts(
            host=check.host,
            not_before_us=self.now_us - 300 * DAY,
            not_after_us=self.now_us + days_left * DAY + HOUR,
            earliest_not_after_us=self.now_us + first_days * DAY + HOUR,
            earliest=first,
            fingerprint_sha256=fingerprint,
            subject="CN=loket.example",
            issuer="CN=Voorbeeld CA",
            serial="01",
            names=("loket.example",),
            tls_version="TLSv1.3",
            cipher="TLS_AES_256_GCM_SHA384",
        )
        sample = replace(a_sample(".", self.now_us, check.id), certificate=facts)
        save(self.database, Finding(check=check, sample=sample, alerting=self.alerting), now_us=self.now_us)
        self.deliver()
        self.now_us += HOUR

    def deliver(self) -> None:
        run(self.delivery.deliver_due())

    @property
    def subjects(self) -> list[str]:
        return [mail.subject for mail in self.sent]

    def words(self) -> list[str]:
        """The first word of every subject that was sent, in order."""
        return [mail.subject.partition("] ")[2].partition(":")[0] for mail in self.sent]

    def open_incidents(self) -> list[str]:
        with self.database.read() as tx:
            return [incident.id for incident in incidents.read(tx, only_open=True)]

    def queue(self) -> tuple[outbox.Queued, ...]:
        with self.database.read() as tx:
            return outbox.read(tx)

    async def _send(self, mail: MailMessage) -> Receipt:
        codes = {address: 0 if self.down else self.codes.get(address, 250) for address in mail.recipients}
        if 250 in codes.values():
            self.sent.append(mail)
            self.accepted.append(tuple(address for address, code in codes.items() if code == 250))
        return Receipt(answers=tuple(Answer(address=a, code=c, text="said so") for a, c in codes.items()))


def runs(office: Office, check: Check, mark: str, clock_time: str, *, failure: Failure | None = None) -> None:
    """One run at that time, saved two seconds later, and what is due is delivered."""
    sample = a_sample(mark, at(clock_time), check.id)
    sample = replace(sample, failure=failure) if failure is not None else sample
    office.now_us = at(clock_time) + 2 * SECOND
    save(office.database, Finding(check=check, sample=sample, alerting=office.alerting), now_us=office.now_us)
    office.deliver()


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
