"""What is told: the facts behind a message, as the outbox keeps them, in no language yet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from monitor.attribution import Cause
from monitor.recipients import Language
from monitor.severity import Severity
from probes.checks import Title
from probes.sample import Failure
from sla.effect import Effect


class Trouble(StrEnum):
    """What of the monitor's own can be broken for long while it measures. The words are stored."""

    STORE_DAMAGED = "store-damaged"
    REFERENCE_SILENT = "reference-silent"  # it never answers while others do
    RESOLVER_SILENT = "resolver-silent"  # ours answers for none of the watched names
    CLOCK_WRONG = "clock-wrong"  # it contradicts the newest sample that is stored


class Kind(StrEnum):
    """What a message is. The words are stored."""

    OPENED = "opened"
    REMINDER = "reminder"
    ESCALATED = "escalated"  # nobody said to be on it in time, so somebody else hears of it
    WORSE = "worse"  # it was told as milder than it is by now
    ONGOING = "ongoing"  # it began before the reader's hours of duty, and goes on
    RECOVERED = "recovered"
    UNMEASURED = "unmeasured"  # nobody can say any longer how it is: its check, or its slowness, is followed no more
    FLAPPING = "flapping"  # it breaks and recovers again and again: told once, instead of each time
    STEADY = "steady"  # that is over: it works, or it stays down
    DEGRADED = "degraded"  # it works, but has been slower than its soft limits for a while
    FAST = "fast"  # that is over
    CERTIFICATE = "certificate"
    MONITOR = "monitor"  # the monitor cannot measure
    MEASURING = "measuring"  # the monitor measures again
    LEFT_BEHIND = "left-behind"  # what journeys made at the portal could not be taken away
    CONFIG_REFUSED = "config-refused"  # a reload found mistakes; the old configuration stays in force
    CONFIG_TAKEN = "config-taken"  # after that, a configuration was taken over
    UNDELIVERED = "undelivered"  # a message was given up for one of its readers
    SIGNATURE = "signature"  # mails leave without a signature they should carry, or soon will
    TROUBLE = "trouble"  # something the monitor stands on is broken, while it measures
    TROUBLE_OVER = "trouble-over"  # that is over
    BUDGET = "budget"  # so much of the allowed downtime of a clause's period is spent
    MAINTENANCE = "maintenance"  # announced maintenance began
    MAINTENANCE_CHANGED = "maintenance-changed"  # while it lasts, it was announced anew with other times
    MAINTENANCE_OVER = "maintenance-over"  # it ended, or was cancelled while it lasted
    REPORT = "report"
    TEST = "test"
    DIGEST = "digest"  # what would have been many mails to one address


#: Messages that may only go to people whom a first message of the thread has reached.
FOLLOW_UPS = frozenset(
    {
        Kind.REMINDER,
        Kind.WORSE,
        Kind.RECOVERED,
        Kind.UNMEASURED,
        Kind.MEASURING,
        Kind.STEADY,
        Kind.FAST,
        Kind.CONFIG_TAKEN,
        Kind.TROUBLE_OVER,
        Kind.MAINTENANCE_CHANGED,
        Kind.MAINTENANCE_OVER,
    }
)
#: Of these a thread may hold several; of every other follow-up one.
REPEATED = frozenset({Kind.REMINDER, Kind.WORSE, Kind.MAINTENANCE_CHANGED})
#: What ends a thread.
ENDS = frozenset(
    {
        Kind.RECOVERED,
        Kind.UNMEASURED,
        Kind.MEASURING,
        Kind.STEADY,
        Kind.FAST,
        Kind.CONFIG_TAKEN,
        Kind.TROUBLE_OVER,
        Kind.MAINTENANCE_OVER,
    }
)
#: Messages that may join a thread and bring further readers to it.
JOINING = frozenset({Kind.ESCALATED, Kind.ONGOING})
#: Nothing is broken yet, or no visitor notices: in a reader's quiet hours these wait.
WARNINGS = frozenset(
    {
        Kind.CERTIFICATE,
        Kind.LEFT_BEHIND,
        Kind.SIGNATURE,
        Kind.STEADY,
        Kind.DEGRADED,
        Kind.FAST,
        Kind.BUDGET,
        Kind.MAINTENANCE,
        Kind.MAINTENANCE_CHANGED,
        Kind.MAINTENANCE_OVER,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """Somebody (`by`) let a check rest in [since_us, until_us), and said `why`."""

    since_us: int
    until_us: int
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """No measurement has said anything of an open incident since the slot `last_bad_us`, when it was last seen failing.

    Attributes:
        good_us: slot at which it was then seen working, too briefly to be over, and nothing since; None: it was not.
        paused: why not, where somebody paused its check; None: nobody did.
    """

    last_bad_us: int
    good_us: int | None = None
    paused: Paused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentNews:
    """An incident opened, goes on, or ended.

    Attributes:
        step: title of the failing step; None where no step is to blame.
        until_us: only where it ended.
        number: of the reminder, from 1; 0 for other kinds.
        attached: titles of the journeys that fail along with it, because they depend on it.
        cause: the proposed or confirmed one, `confirmed_by` whom; None for no proposal.
        severity: None in messages from before there was one.
        worse_us: slot since which it is as bad as that, where that is the news; `step` and `failure` are of then.
        was: how bad it was told to be, where the news is that it is worse; None in messages from before that was kept,
            when it could only be minor.
        shadow: where its check is followed no longer: it is measured still, but counts and alarms no more.
        told_us: when it was first told, for whoever hears of it later; None: this is the first.
        acknowledged_by: who is on it; None: nobody said so.
        effects: what it does to contracts if it goes on, most pressing first; empty where that could not be told.
        failing, working: the locations that say so when it is told; empty where there is but one location.
        unseen: since when nobody knows whether it goes on; None where it is seen to, or is over.
        hit: titles of what its readers follow and it takes along, where they are told later for that alone.
    """

    news: Literal["incident"] = "incident"
    incident_id: str
    check_id: str
    title: Title
    step: Title | None
    since_us: int
    confirmed_us: int
    failure: Failure
    until_us: int | None = None
    number: int = 0
    attached: tuple[Title, ...] = ()
    cause: Cause | None = None
    confirmed_by: str | None = None
    severity: Severity | None = None
    worse_us: int | None = None
    was: Severity | None = None
    shadow: bool = False
    told_us: int | None = None
    acknowledged_by: str | None = None
    effects: tuple[Effect, ...] = ()
    failing: tuple[str, ...] = ()
    working: tuple[str, ...] = ()
    unseen: Unseen | None = None
    hit: tuple[Title, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlappingNews:
    """A check breaks and recovers again and again since `since_us`, or does so no more since `until_us`.

    Attributes:
        openings: how many outages within `within_us` made it so.
        steady_us: it is over when nothing changed for so long.
        told_us: when it was first told, for whoever hears of it later; None: this is the first.
        shadow, hit: as in `IncidentNews`.
        down_since_us: where it is over because it stays down: since when; None: it works.
    """

    news: Literal["flapping"] = "flapping"
    check_id: str
    title: Title
    since_us: int
    openings: int
    within_us: int
    steady_us: int
    until_us: int | None = None
    told_us: int | None = None
    shadow: bool = False
    down_since_us: int | None = None
    hit: tuple[Title, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DegradedNews:
    """A check has been slower than its soft limits since `since_us`, or is so no more since `until_us`.

    Attributes:
        step: title of the slow step; None where it is the whole.
        failure: which limit, and what was found instead; that of the sample that made it news.
        slow, among: so many of the last so many samples were slow.
        shadow: as in `IncidentNews`.
        unwatched: where nobody can say whether it still is: the configuration asks for it no more.
    """

    news: Literal["degraded"] = "degraded"
    check_id: str
    title: Title
    step: Title | None
    since_us: int
    failure: Failure
    slow: int
    among: int
    until_us: int | None = None
    shadow: bool = False
    unwatched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNews:
    """The monitor cannot measure, or can again. `checks` are the titles of those it could not measure.

    `number` is that of the reminder, from 1; 0 for other kinds.
    """

    news: Literal["own"] = "own"
    incident_id: str
    since_us: int
    failure: Failure
    checks: tuple[Title, ...] = ()
    until_us: int | None = None
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateNews:
    """A certificate ends within `threshold_us`.

    Attributes:
        role: of this one in the chain that was verified.
        not_after_us, fingerprint_sha256, subject, issuer: its own.
    """

    news: Literal["certificate"] = "certificate"
    check_id: str
    title: Title
    host: str
    not_after_us: int
    threshold_us: int
    fingerprint_sha256: str
    subject: str
    issuer: str
    role: Literal["leaf", "intermediate", "root"] = "leaf"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehindNews:
    """What journeys made at the portal and could not take away: each object, and its journey's title."""

    news: Literal["left-behind"] = "left-behind"
    objects: tuple[tuple[str, Title], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A mistake in the configuration, at its place; texts in quotes are left out of `what`: they might be secrets."""

    file: str
    line: int
    key: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigNews:
    """A reload was refused at `at_us`, or a configuration was taken over then.

    Attributes:
        mistakes: the first ones; empty where it was taken over.
        count: of all of them.
    """

    news: Literal["configuration"] = "configuration"
    at_us: int
    mistakes: tuple[Mistake, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeliveredNews:
    """A message will not reach one of its readers.

    Attributes:
        reader: a mail address, or `webhook:` and its id.
        about: what kind of message it was, written at `written_us`; None: this version of the program cannot read it,
            and has set it aside for one that can.
        refused: refused for good; otherwise tried for days in vain.
        answer: the last word of the server, or ours.
    """

    news: Literal["undelivered"] = "undelivered"
    reader: str
    about: Kind | None
    written_us: int
    refused: bool
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureNews:
    """Mails leave without a signature that they should carry, or soon will.

    Attributes:
        name: whose signature it is: the sender's address, or the domain.
        why: its certificate `ends` soon, has `ended` or is `not-yet` valid; or its `key` or certificate cannot sign.
        setting, what: only for `key`: which setting is wrong, and how; never with a part of the key.
        from_us, until_us: when the certificate is valid; None for `key`, as are the names empty.
    """

    news: Literal["signature"] = "signature"
    by: Literal["dkim", "smime"]
    name: str
    why: Literal["ends", "ended", "not-yet", "key"]
    setting: str = ""
    what: str = ""
    from_us: int | None = None
    until_us: int | None = None
    fingerprint_sha256: str = ""
    subject: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleNews:
    """Something the monitor stands on is broken since `since_us`, or is well again since `until_us`.

    Attributes:
        subjects: what is in trouble: addresses, names, a file, an instant.
        said: what was found, in English.
    """

    news: Literal["trouble"] = "trouble"
    what: Trouble
    since_us: int
    subjects: tuple[str, ...]
    said: str
    until_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetNews:
    """So much of the downtime that an availability clause allows in its period is spent.

    Attributes:
        text: the contract's own words; empty where it has none.
        timezone: the contract's.
        threshold: percent of what is allowed; the tightest one that was crossed.
        allowed_us, spent_us: downtime inside service time, over the whole period.
        step: what further downtime costs, or why nothing; one sentence.
        gone_us: when all of it is spent at the present pace, or was; None: never in this period.
        measured: share of the service time so far that was measured, cut to hundredths of a percent.
        enough_measured: whether that is as much as the contract asks for.
        rolling_days: of a period that moves on with every day; 0 for others.
        eases_us: of such a period, the midnight at which the oldest downtime in it leaves.
    """

    news: Literal["budget"] = "budget"
    contract: str
    clause: str
    text: str
    timezone: str
    from_us: int
    until_us: int
    threshold: int
    allowed_us: int
    spent_us: int
    best_efforts: bool
    step: Title
    gone_us: int | None
    measured: str
    enough_measured: bool
    rolling_days: int = 0
    eases_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceNews:
    """Announced maintenance begins, changes or ends.

    Attributes:
        entry: its number in the ledger.
        titles: of the checks it is about; empty means all.
        by, reason: who announced it last, and why.
        announced_us: when that was recorded.
        excluded: per contract what its rules make of the announcement, where that is known.
        until_before_us: of a change: the end that was told before.
        failing: at the end, titles of the checks it was about that have an open incident.
        cancelled_by, cancelled_why: of an end before its time.
    """

    news: Literal["maintenance"] = "maintenance"
    entry: int
    from_us: int
    until_us: int
    titles: tuple[Title, ...]
    by: str
    reason: str
    announced_us: int
    excluded: tuple[Title, ...] = ()
    until_before_us: int | None = None
    failing: tuple[Title, ...] = ()
    cancelled_by: str | None = None
    cancelled_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes along. It is read when the mail is sent; one that is gone by then is named in the text."""

    path: str
    file_name: str
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportNews:
    """A report is ready.

    Attributes:
        period: as on the command line, e.g. `2026-10`.
        lines: the verdicts in short, one a clause, in both languages.
        link: None where no page shows it.
    """

    news: Literal["report"] = "report"
    contract: str
    period: str
    number: int
    lines: tuple[Title, ...] = ()
    link: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestNews:
    """Somebody asked whether mails arrive."""

    __test__ = False  # not a test, whatever pytest thinks of its name

    news: Literal["test"] = "test"
    asked_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A message that went in a digest instead of by itself; its attributes are those it had."""

    kind: Kind
    created_us: int
    incident_id: str | None
    news: Single


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestNews:
    """Several messages to one address as one, oldest first."""

    news: Literal["digest"] = "digest"
    messages: tuple[Gathered, ...]


#: What one message is about.
Single = Annotated[
    IncidentNews
    | FlappingNews
    | DegradedNews
    | OwnNews
    | CertificateNews
    | LeftBehindNews
    | ConfigNews
    | UndeliveredNews
    | SignatureNews
    | TroubleNews
    | BudgetNews
    | MaintenanceNews
    | ReportNews
    | TestNews,
    Field(discriminator="news"),
]
News = Annotated[Single | DigestNews, Field(discriminator="news")]
NEWS: TypeAdapter[News] = TypeAdapter(News)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One address a message goes to."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message for the outbox, in one language and one time zone.

    Attributes:
        thread: what all messages about the same thing share; the first one's id is the thread itself, so that queueing
            it twice is impossible.
        timezone: of the times in it; None: the monitor's.
    """

    thread: str
    kind: Kind
    language: Language
    news: News
    readers: tuple[Reader, ...]
    incident_id: str | None = None
    timezone: str | None = None
