"""What one run of a check found out: the smallest fact that an SLA figure rests on.

Instants are integers: microseconds since the epoch, UTC. Lengths of time are integers too: microseconds, taken from
the monotonic clock. Both carry the suffix `_us`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Outcome(StrEnum):
    """How a run ended."""

    UP = "up"
    DEGRADED = "degraded"  # it worked, but beyond a step's soft limit
    DOWN = "down"  # the portal failed its visitor
    UNKNOWN = "unknown"  # the monitor could not measure honestly; never counts against the portal, nor for it


class FailureKind(StrEnum):
    """Why a run was not up: a closed list, so that metrics, mails and reports can rely on the words."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    CERTIFICATE = "certificate"  # a certificate check: expired, about to, or for another name
    TIMEOUT = "timeout"  # a total deadline of a step or of the journey ran out
    PROTOCOL = "protocol"  # not HTTP: garbage, early close, headers beyond the cap
    HTTP_STATUS = "http-status"
    REDIRECT = "redirect"  # a loop, too many, or to a host that is not allowed
    TOO_LARGE = "too-large"  # beyond the cap, on the wire or after decoding
    BODY = "body"  # cannot be decoded or parsed
    ASSERTION = "assertion"
    CAPTURE = "capture"  # a value the next step needs is not there
    SLOW = "slow"  # beyond a soft limit: the only kind that makes a run degraded
    BOT_CHECK = "bot-check"  # a robot check answered in the portal's place: unknown
    RATE_LIMITED = "rate-limited"  # status 429: we asked more than the portal lets one visitor ask: unknown
    REFERENCE = "reference"  # the reference targets failed too: unknown
    MONITOR = "monitor"  # our own fault (a missing secret, a bug, no resources): unknown


#: Kinds that say something about the monitor's own side and therefore never about the portal.
OURS = frozenset({FailureKind.BOT_CHECK, FailureKind.RATE_LIMITED, FailureKind.REFERENCE, FailureKind.MONITOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One reason why a run was not up, in parts, so that each reader's language can tell it.

    Attributes:
        step: id of the step that failed; None where no step is to blame (a certificate check, the monitor itself).
        subject: what was looked at, e.g. `status`, `css h1`, `header Location`, `127.0.0.1:8781`.
        expected: what should have been there, as short text; None where nothing can be named.
        found: what was there instead, redacted and capped; None where nothing came.
    """

    kind: FailureKind
    step: str | None = None
    subject: str = ""
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """Where the time of a request went, summed over redirects; blackbox_exporter's five phases, in microseconds."""

    resolve_us: int = 0
    connect_us: int = 0
    tls_us: int = 0
    processing_us: int = 0  # request sent until the first byte of the answer
    transfer_us: int = 0

    def __add__(self, other: Phases) -> Phases:
        return Phases(
            resolve_us=self.resolve_us + other.resolve_us,
            connect_us=self.connect_us + other.connect_us,
            tls_us=self.tls_us + other.tls_us,
            processing_us=self.processing_us + other.processing_us,
            transfer_us=self.transfer_us + other.transfer_us,
        )

    def __sub__(self, other: Phases) -> Phases:
        return Phases(
            resolve_us=self.resolve_us - other.resolve_us,
            connect_us=self.connect_us - other.connect_us,
            tls_us=self.tls_us - other.tls_us,
            processing_us=self.processing_us - other.processing_us,
            transfer_us=self.transfer_us - other.transfer_us,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One address that a connection was tried with; `refusal` says why it did not come about, None where it did."""

    address: str
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One request of a step, which its redirects make several.

    Attributes:
        status: 0 where no answer came.
        attempts: connections that were tried for it; empty on a connection that was there already.
    """

    status: int = 0
    phases: Phases = Phases()
    attempts: tuple[Attempt, ...] = ()


class StepOutcome(StrEnum):
    OK = "ok"
    SLOW = "slow"
    FAILED = "failed"
    SKIPPED = "skipped"  # an earlier step failed, or its condition did not hold


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One step of a run. Steps after the failing one are `skipped`, except those marked `always`.

    Attributes:
        status: HTTP status of the last answer; 0 where none came.
        body_bytes: size of the decoded body that was read, capped.
        urls: every URL asked, in order of the redirects, redacted.
        hops: the same requests with what became of each; their phases sum up to `phases`.
        assertions: how many assertions were executed.
        address: the IP address that answered last; "" where none did.
        http_version: of the last answer, such as `1.1`; "" where none came.
        content_length: what the last answer announced; -1 where it announced nothing.
        last_modified_us: the last answer's Last-Modified as an instant; None without one.
        tls_version, tls_cipher: of the last connection; "" without TLS.
        certificate_not_after_us: earliest end of validity in the chain that was verified; None without TLS.
        lcp_us: from the start of the navigation until the largest part of the page was drawn; None without a browser,
            and for a step that opened no page.
        first_paint_us, content_loaded_us, loaded_us: likewise, until something of it was drawn, until its document was
            read, and until all of it had loaded; None also where the page did not come so far.
        console_errors, failed_requests, blocked_requests: of a browser: errors its scripts told, parts of pages that
            could not be loaded, and requests to hosts that were not allowed.
    """

    step: str
    outcome: StepOutcome
    duration_us: int = 0
    phases: Phases = Phases()
    status: int = 0
    body_bytes: int = 0
    urls: tuple[str, ...] = ()
    hops: tuple[Hop, ...] = ()
    assertions: int = 0
    failure: Failure | None = None
    address: str = ""
    http_version: str = ""
    content_length: int = -1
    last_modified_us: int | None = None
    tls_version: str = ""
    tls_cipher: str = ""
    certificate_not_after_us: int | None = None
    lcp_us: int | None = None
    first_paint_us: int | None = None
    content_loaded_us: int | None = None
    loaded_us: int | None = None
    console_errors: int = 0
    failed_requests: int = 0
    blocked_requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EarliestCertificate:
    """The certificate of a chain that ends before the leaf does.

    Attributes:
        role: `root` is one that signed itself.
    """

    role: Literal["intermediate", "root"]
    subject: str
    issuer: str
    fingerprint_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What a TLS handshake showed, also where the certificate is expired or not trusted.

    Attributes:
        not_after_us: end of validity of the leaf certificate.
        earliest_not_after_us: the earliest end of validity in the chain that was verified; where none could be, in
            what was sent.
        earliest: whose end that is; None where it is the leaf's, and in samples from before this was told.
    """

    host: str
    not_before_us: int
    not_after_us: int
    earliest_not_after_us: int
    fingerprint_sha256: str
    subject: str
    issuer: str
    serial: str
    names: tuple[str, ...]
    tls_version: str
    cipher: str
    earliest: EarliestCertificate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a name server answered.

    Attributes:
        code: such as `NOERROR` or `NXDOMAIN`.
        records: what the records of the type asked for hold, sorted.
        ttl_us: the smallest time to live on the way to them; None where there is none.
        serial: of the zone, for a question about SOA; None for others.
        authenticated: the resolver says that it checked the answer (AD).
        authoritative: the server speaks by its own authority (AA).
        answers, authorities, additionals: how many records each part of the answer holds.
    """

    code: str
    records: tuple[str, ...] = ()
    ttl_us: int | None = None
    serial: int | None = None
    authenticated: bool = False
    authoritative: bool = False
    answers: int = 0
    authorities: int = 0
    additionals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How a name server, port or mail server was reached.

    Attributes:
        kind: of the check: `name`, `tcp` or `smtp`.
        address: the IP address that answered last; "" where none did.
        phases: as of a request; what was said took `processing_us`.
        answered: by a name server; None where none answered, or another kind of server was asked.
    """

    kind: str
    address: str = ""
    phases: Phases = Phases()
    answered: Answered | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is kept to prove a failing step: bounded and redacted when captured, shown only as escaped text.

    Attributes:
        body: at most the configured cap; `body_truncated` says whether more came.
        body_sha256: of the body as it was received, before redaction and cap; None where no body came.
    """

    step: str
    request: str  # request line and headers, as text
    response_head: str  # status line and headers, as text; empty where no answer came
    body: str
    body_truncated: bool
    body_sha256: str | None
    addresses: tuple[str, ...] = ()  # every one tried; one that refused says why, in brackets


class FileKind(StrEnum):
    """What a file beside a bundle is."""

    PICTURE = "picture"  # PNG of what a visitor would have seen
    TRACE = "trace"  # ZIP that Playwright's trace viewer opens


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFile:
    """A file that proves a failing run beside its bundle, which names it; nothing secret is in it.

    Attributes:
        step: which step it shows; empty where it shows the whole run.
        sha256: of its bytes; its name.
    """

    kind: FileKind
    step: str
    sha256: str
    content: bytes = field(repr=False)

    @property
    def form(self) -> str:
        """Its file name's ending."""
        return FILE_FORMS[self.kind]


FILE_FORMS = {FileKind.PICTURE: "png", FileKind.TRACE: "zip"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All that proves one failing run; see `probes.bundle`.

    Attributes:
        sha256: of its canonical bytes, which are `size` long; its name.
        packed: the same bytes, compressed (zlib).
        files: what it names by their SHA-256, beside it.
    """

    sha256: str
    size: int
    packed: bytes
    files: tuple[ProofFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a check found out for one slot.

    The key is (check_id, location, slot_us). A slot is an absolute instant (`k x interval + phase`), so a restart does
    not move the grid and what was not measured is a set difference.

    Attributes:
        slot_us: the instant at which the run was due.
        started_us: the instant at which it began.
        duration_us: of the run that decided, from the monotonic clock.
        failure: None exactly when the outcome is up.
        blip: the failure of a first run that the immediate re-run did not confirm; the outcome is then up or degraded.
        attempts: how many runs were made in this slot; all of them failed where the outcome is down.
        bundles: of every run of this slot that failed and is told here, in their order; each holds its evidence too.
        lag_us: how late the event loop was while this was measured, at worst.
    """

    check_id: str
    location: str
    slot_us: int
    started_us: int
    duration_us: int
    outcome: Outcome
    run_id: str
    failure: Failure | None = None
    blip: Failure | None = None
    attempts: int = 1
    steps: tuple[StepResult, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    certificate: CertificateFacts | None = None
    reached: Reached | None = None
    lag_us: int = 0

    def __post_init__(self) -> None:
        if (self.failure is None) != (self.outcome is Outcome.UP):
            raise ValueError(f"outcome is {self.outcome.value} but failure is {self.failure!r}: all but up name one")
        if self.attempts < 1 or self.duration_us < 0:
            raise ValueError(f"attempts {self.attempts} and duration_us {self.duration_us} cannot be")
