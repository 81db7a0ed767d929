"""What proves a failing run, as the incident page shows it: texts that are escaped whatever they hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateShown:
    """The certificate a server showed; `fingerprint_sha256` is hexadecimal."""

    subject: str
    issuer: str
    not_after_us: int
    fingerprint_sha256: str
    tls_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureShown:
    """What a visitor saw; `step` is the step's own name, `href` where its PNG is."""

    step: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageShown:
    """What only a browser sees of a step.

    Attributes:
        timings: `first_paint`, `largest_paint`, `content_loaded`, `loaded`, as far as they came; microseconds from the
            start of the navigation.
        console, failed, blocked: errors of scripts, parts that could not be loaded, hosts that were kept out.
        trace_href: where the run's trace is downloaded; None without one.
        missing: kinds of files that were not kept, each with the key of why.
    """

    timings: tuple[tuple[str, int], ...] = ()
    pictures: tuple[PictureShown, ...] = ()
    console: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    trace_href: str | None = None
    missing: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is known of a failing step beyond what was asked and answered.

    Attributes:
        sentence: what was wrong, for people; `expected` and `found` are its parts, None where nothing can be named.
        addresses: every one tried; one that refused says why, in brackets.
        phases: the step's time by phase (`resolve`, `connect`, `tls`, `processing`, `transfer`), microseconds.
        curl: the line that asks the same again; empty where there is none. `lacks` are the keys of what it lacks.
        config_sha256: of the configuration in force; empty where there was none.
        page: of a run in a browser; None of others.
        sha256: of the whole bundle, its name; `href` is where it is downloaded, `har_href` the HTTP archive in it.
    """

    sentence: str
    expected: str | None
    found: str | None
    addresses: tuple[str, ...]
    phases: tuple[tuple[str, int], ...]
    certificate: CertificateShown | None
    curl: str
    lacks: tuple[str, ...]
    config_sha256: str
    run_id: str
    software: str
    sha256: str
    href: str
    har_href: str | None
    page: PageShown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceText:
    """Evidence as text, already redacted and capped; it is escaped when shown, whatever it holds.

    Attributes:
        step: empty where no step is to blame.
        sha256: of the body as it was received.
        proof: None for samples of before there were bundles.
    """

    step: str
    at_us: int
    request: str
    response_head: str
    body: str
    truncated: bool = False
    sha256: str | None = None
    proof: Proof | None = None
