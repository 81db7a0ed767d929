"""A journey's steps in order: values and cookies carried along, an end at the first failure, clean-up after it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from probes.asking import ask_of
from probes.assertions import Finding, seconds, slowness
from probes.bodies import file_facts
from probes.checks import Journey
from probes.errors import quoted
from probes.evidence import evidence
from probes.fault import Fault
from probes.http import Visitor, host_of
from probes.judging import Judge, first_fault, is_bot_check
from probes.redaction import Redactor
from probes.regexes import TooSlowError
from probes.response import Response
from probes.sample import Evidence, Failure, FailureKind, StepOutcome, StepResult
from probes.setup import Setup
from probes.steps import AnyStep
from probes.trail import Trail
from probes.values import Values, filled

log = logging.getLogger(__name__)

#: Budget of an `always` step that names none.
CLEAN_UP_US = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """All steps of a run in the journey's order, and why it was not up (redacted); None where it was."""

    steps: tuple[StepResult, ...]
    failure: Failure | None
    evidence: tuple[Evidence, ...]


async def walk(journey: Journey, *, run_id: str, run_time: str, setup: Setup) -> Walked:
    """Walks a journey once, on fresh connections with an empty cookie jar.

    Deadlines are total: over names, connections, TLS, every redirect and every byte. `always` steps run on their own.
    """
    base_url = journey.base_url or setup.portal.base_url
    visitor = Visitor(
        transport=setup.way_out(),
        headers=(
            ("User-Agent", setup.user_agent),
            ("Accept", "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"),
            ("Accept-Language", "nl,en;q=0.5"),
            ("Accept-Encoding", "gzip, deflate, br"),
            ("X-Loketwacht-Run", run_id),
        ),
        allowed=frozenset(
            {host_of(base_url), host_of(setup.portal.base_url), *map(str.lower, setup.portal.allow_hosts)}
        ),
        max_body=setup.portal.max_body,
        max_redirects=setup.portal.max_redirects,
        monotonic_us=setup.monotonic_us,
    )
    walking = _Walk(journey=journey, base_url=base_url, run_id=run_id, run_time=run_time, setup=setup, visitor=visitor)
    try:
        return await walking.all_steps()
    finally:
        await visitor.aclose()


def place_of(error: BaseException) -> str:
    """`file.py:line` where an exception was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace is not None else ""


class _Walk:
    """One run under way."""

    def __init__(
        self, *, journey: Journey, base_url: str, run_id: str, run_time: str, setup: Setup, visitor: Visitor
    ) -> None:
        self._journey = journey
        self._base_url = base_url
        self._setup = setup
        self._visitor = visitor
        self._values = Values(
            run_id=run_id,
            run_time=run_time,
            secrets={name: setup.secrets[name] for name in journey.secrets if name in setup.secrets},
        )
        # Every secret we know is redacted, not only this journey's: a portal may echo what another one sent.
        self._redact = Redactor(setup.secrets.values())
        self._judge = Judge(simulated=setup.transport is not None)
        self._evidence: list[Evidence] = []

    async def all_steps(self) -> Walked:
        results: list[StepResult] = []
        failure: Failure | None = None
        slow: Failure | None = None
        left_us = self._journey.deadline
        for step in self._journey.step:
            if step.always:
                results.append(await self._clean_up(step))
                continue
            if failure is not None:
                results.append(StepResult(step=step.id, outcome=StepOutcome.SKIPPED))
                continue
            of_step = step.deadline is not None and step.deadline < left_us
            result = await self._step(step, step.deadline if of_step and step.deadline else left_us, of_step=of_step)
            left_us = max(1, left_us - result.duration_us)
            results.append(result)
            if result.outcome is StepOutcome.FAILED:
                failure = result.failure
            elif result.outcome is StepOutcome.SLOW:
                slow = slow or result.failure
        if failure is None and sum(r.assertions for r in results) == 0:
            # Nothing was looked at, so nothing was found to work.
            failure = Failure(kind=FailureKind.MONITOR, subject="assertions", expected="at least 1", found="0")
        return Walked(steps=tuple(results), failure=failure or slow, evidence=tuple(self._evidence))

    async def _clean_up(self, step: AnyStep) -> StepResult:
        try:
            ask_of(step, self._values, base_url=self._base_url)
        except Fault:
            # What was to be cleaned up was never made: the value that names it is missing.
            return StepResult(step=step.id, outcome=StepOutcome.SKIPPED)
        return await self._step(step, step.deadline or min(CLEAN_UP_US, self._journey.deadline), of_step=True)

    async def _step(self, step: AnyStep, deadline_us: int, *, of_step: bool) -> StepResult:
        trail = Trail()
        started = self._setup.monotonic_us()
        response: Response | None = None
        executed = 0
        fault: Fault | None = None
        slow: Finding | None = None
        limit = asyncio.timeout(deadline_us / 1_000_000)
        try:
            async with limit:
                # A step's own files are known before they are sent, so that the step itself may speak of their hash.
                self._values.keep_files(file_facts(step, self._values.run_id))
                expect = filled(step.expect, self._values.fill)
                response = await self._answer(step, trail)
                response = replace(response, duration_us=self._setup.monotonic_us() - started)
                found = await self._judge.findings(expect, response)
                executed = len(found)
                fault = first_fault(expect, response, found)
                if fault is None:
                    await self._judge.capture(step.capture, response, self._values.keep)
                    soft = slowness(expect, response)
                    slow = soft if soft is not None and not soft.ok else None
        except TimeoutError as error:
            whose = "step" if of_step else "journey"
            fault = Fault(
                FailureKind.TIMEOUT,
                f"deadline of the {whose}",
                expected=f"done within {seconds(deadline_us)}",
                found=f"still waiting for {trail.waiting_for}" if trail.waiting_for else "not done",
            )
            if response is not None:
                # The answer was in; that we were not done looking at it is no fault of the portal.
                fault = Fault(FailureKind.MONITOR, "step", expected=fault.expected, found="not done")
            fault.__cause__ = error
        except Fault as error:
            fault = error
        except TooSlowError as error:
            # The expression is ours: the portal is not to blame for it.
            fault = Fault(FailureKind.MONITOR, "regex", expected="an answer in time", found=quoted(str(error)))
        except Exception as error:
            # The edge of a step: a bug of ours must not keep the clean-up from running.
            log.error("a step broke down", extra={"check": self._journey.id, "step": step.id, "at": place_of(error)})
            fault = Fault(FailureKind.MONITOR, "step", found=f"{type(error).__name__} at {place_of(error)}")
        duration = self._setup.monotonic_us() - started
        if fault is not None and response is not None and is_bot_check(response):
            fault = Fault(
                FailureKind.BOT_CHECK, fault.subject, expected=fault.expected, found="a robot check in the page's place"
            )
        failure: Failure | None = None
        outcome = StepOutcome.OK
        if fault is not None:
            outcome, failure = StepOutcome.FAILED, self._clean(fault.failure(step.id))
            self._evidence.append(evidence(step.id, trail, self._redact, response.text if response else None))
        elif slow is not None:
            outcome, failure = StepOutcome.SLOW, self._clean(_failure(step.id, slow))
        return StepResult(
            step=step.id,
            outcome=outcome,
            duration_us=duration,
            phases=trail.phases,
            status=trail.status,
            body_bytes=len(trail.body),
            urls=tuple(self._redact.short(url, 2000) or "" for url in trail.urls),
            assertions=executed,
            failure=failure,
            address=trail.addresses[-1] if trail.addresses else "",
            http_version=trail.http_version,
            content_length=trail.content_length,
            last_modified_us=_instant_us(trail.last_modified),
            tls_version=trail.tls_version,
            tls_cipher=trail.tls_cipher,
            certificate_not_after_us=trail.certificate_not_after_us,
        )

    async def _answer(self, step: AnyStep, trail: Trail) -> Response:
        """What a step gets to see: the one place where kinds of steps differ.

        Whatever a step does ends in an answer, which `expect` and `capture` look at in the same way. The trail is kept
        up to date meanwhile, so that a deadline that cuts in can say what was being waited for.

        Raises:
            Fault: for whatever keeps an answer from coming.
        """
        ask = ask_of(step, self._values, base_url=self._base_url)
        return await self._visitor.ask(ask, trail, allowed=frozenset(map(str.lower, step.allow_hosts)))

    def _clean(self, failure: Failure) -> Failure:
        return replace(
            failure,
            subject=self._redact.short(failure.subject) or "",
            expected=self._redact.short(failure.expected),
            found=self._redact.short(failure.found),
        )


def _failure(step: str, finding: Finding) -> Failure:
    return Failure(
        kind=finding.kind, step=step, subject=finding.subject, expected=finding.expected, found=finding.found
    )


def _instant_us(http_date: str) -> int | None:
    if not http_date:
        return None
    try:
        return int(parsedate_to_datetime(http_date).timestamp()) * 1_000_000
    except (ValueError, TypeError, OverflowError):
        return None
