"""Any check becomes a `Sample`: the target's faults are values, ours make the sample unknown. No exception leaves."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import assert_never
from urllib.parse import urlsplit

from probes.assertions import seconds
from probes.browser.browsed import browse
from probes.browser.exchange import Seen
from probes.bundle import with_bundle
from probes.checks import (
    BrowserJourney,
    CertificateCheck,
    Check,
    Journey,
    MailServerCheck,
    NameCheck,
    PortCheck,
    ReachabilityCheck,
)
from probes.evidence import evidence as evidence_of
from probes.fault import Fault
from probes.reading import Reading
from probes.redaction import Redactor
from probes.refused import refused_certificate
from probes.sample import OURS, CertificateFacts, Failure, FailureKind, Outcome, Reached, Sample
from probes.setup import Setup
from probes.tls import facts, verdict
from probes.trail import Trail
from probes.walk import Walked, place_of, walk

__all__ = ["Setup", "run"]

log = logging.getLogger(__name__)


async def run(check: Check, *, slot_us: int, location: str, setup: Setup) -> Sample:
    """Runs a check once.

    Returns:
        up; degraded beyond a soft limit; down for the target's fault; unknown for our own (a bug, a missing secret, no
        resources) and for a robot check.

    Raises:
        asyncio.CancelledError: where the run itself is cancelled; nothing else.
    """
    # A run begins when it has its turn: what it waits for one is our lag, and none of the portal's time.
    async with setup.guest.place(_host(check, setup)):
        if isinstance(check, BrowserJourney):
            async with setup.browsers.turn():
                return await _run(check, slot_us=slot_us, location=location, setup=setup)
        return await _run(check, slot_us=slot_us, location=location, setup=setup)


def _host(check: Check, setup: Setup) -> str:
    """Whose guest a run is."""
    if isinstance(check, Journey | BrowserJourney):
        return urlsplit(check.base_url or setup.portal.base_url).hostname or ""
    return check.name if isinstance(check, NameCheck) else check.host


async def _run(check: Check, *, slot_us: int, location: str, setup: Setup) -> Sample:
    run_id = setup.new_id()
    started_us = setup.now_us()
    started = setup.monotonic_us()
    walked = Walked(steps=(), failure=None, evidence=())
    certificate: CertificateFacts | None = None
    reached: Reached | None = None
    failure: Failure | None
    duration_us: int | None = None
    seen: Seen | None = None
    try:
        match check:
            case Journey():
                walked = await walk(check, run_id=run_id, run_time=_iso(started_us), setup=setup)
                failure = walked.failure
            case BrowserJourney():
                visited = await browse(check, run_id=run_id, run_time=_iso(started_us), setup=setup)
                walked = Walked(
                    steps=visited.steps, failure=visited.failure, evidence=visited.evidence, hidden=visited.hidden
                )
                failure, duration_us, seen = visited.failure, visited.duration_us, visited.seen
            case CertificateCheck():
                certificate, failure = await _certificate(check, setup)
            case NameCheck() | PortCheck() | MailServerCheck():
                reading = Reading()
                fault = await _asked(check, setup, reading)
                walked, failure = _told(check, reading, fault, Redactor(setup.secrets.values()))
                certificate, reached = reading.certificate, reading.reached(check.kind)
            case _:
                assert_never(check)
    except Exception as error:
        redact = Redactor(setup.secrets.values())
        # The edge of a run: whatever nobody foresaw is our fault, never the portal's, and never stops the service.
        # The text of an exception may hold what the portal sent, so neither it nor its trace is logged as it is.
        what = redact.short(f"{type(error).__name__}: {error}")
        log.error("a run broke down", extra={"check": check.id, "error": what, "at": place_of(error)})
        failure = Failure(kind=FailureKind.MONITOR, subject="run", found=what)
    sample = Sample(
        check_id=check.id,
        location=location,
        slot_us=slot_us,
        started_us=started_us,
        duration_us=max(0, setup.monotonic_us() - started - walked.waited_us) if duration_us is None else duration_us,
        outcome=outcome_of(failure),
        run_id=run_id,
        failure=failure,
        steps=walked.steps,
        evidence=walked.evidence,
        certificate=certificate,
        reached=reached,
    )
    refused = await refused_certificate(sample, walked.asked, setup)
    return with_bundle(sample, walked.asked, walked.hidden, setup, refused, seen)


def outcome_of(failure: Failure | None) -> Outcome:
    """What a run's failure makes of it."""
    if failure is None:
        return Outcome.UP
    if failure.kind in OURS:
        return Outcome.UNKNOWN
    return Outcome.DEGRADED if failure.kind is FailureKind.SLOW else Outcome.DOWN


async def _certificate(check: CertificateCheck, setup: Setup) -> tuple[CertificateFacts | None, Failure | None]:
    if setup.transport is not None and setup.certificate is None:
        return None, Failure(kind=FailureKind.MONITOR, subject="run", found="no network in this run")
    limit = asyncio.timeout(check.deadline / 1_000_000)
    certificate: CertificateFacts | None = None
    trail = Trail(waiting_for="the TLS handshake")
    try:
        async with limit:
            handshake = await setup.shown(check, trail)
        certificate = facts(check.host, handshake)
        fault = verdict(check, certificate, handshake.refusal, setup.now_us())
    except TimeoutError:
        if not limit.expired():
            raise
        fault = Fault(
            FailureKind.TIMEOUT,
            f"{check.host}:{check.port}",
            expected=f"done within {seconds(check.deadline)}",
            found=f"still waiting for {trail.waiting_for}",
        )
    except Fault as error:
        fault = error
    return certificate, fault.failure(None) if fault is not None else None


async def _asked(check: ReachabilityCheck, setup: Setup, reading: Reading) -> Fault | None:
    if setup.transport is not None:
        return Fault(FailureKind.MONITOR, "run", found="no network in this run")
    limit = asyncio.timeout(check.deadline / 1_000_000)
    try:
        async with limit:
            await setup.ask(check, reading)
    except TimeoutError:
        if not limit.expired():
            raise
        if reading.so_far is not None:
            return reading.so_far
        return Fault(
            FailureKind.TIMEOUT,
            check.name if isinstance(check, NameCheck) else f"{check.host}:{check.port}",
            expected=f"done within {seconds(check.deadline)}",
            found=f"still waiting for {reading.trail.waiting_for}",
        )
    except Fault as fault:
        return fault
    return None


def _told(
    check: ReachabilityCheck, reading: Reading, fault: Fault | None, redact: Redactor
) -> tuple[Walked, Failure | None]:
    """The failure as it may be shown, and what proves it."""
    if fault is None:
        return Walked(steps=(), failure=None, evidence=()), None
    failure = replace(fault.failure(None), found=redact.short(fault.found))
    kept = evidence_of("", reading.trail, redact)
    return Walked(steps=(), failure=failure, evidence=(kept,)), failure


def _iso(instant_us: int) -> str:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant_us)
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
