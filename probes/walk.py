"""A journey's steps in order: values and cookies carried along, an end at the first failure, clean-up after it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from typing import assert_never
from urllib.parse import urlsplit

from probes.asking import ask_of, self_posted
from probes.assertions import Finding, seconds, slowness
from probes.bodies import file_facts
from probes.checks import Journey
from probes.course import TimeLimit, course
from probes.errors import quoted
from probes.evidence import evidence
from probes.fault import Fault
from probes.forms import self_posting
from probes.guest import MAY_ASK_FOR_LATER
from probes.har import Asked
from probes.http import Visitor, host_of
from probes.judging import Judge, first_fault, is_bot_check
from probes.mailboxes import OUR_MAILBOX, mail_answer
from probes.making import Making
from probes.redaction import Redactor
from probes.regexes import TooSlowError
from probes.response import Response
from probes.run_redactor import RunRedactor
from probes.sample import Evidence, Failure, FailureKind, StepOutcome, StepResult
from probes.setup import Setup
from probes.steps import CLEAN_UP_US, AnyStep, MailStep, Step, Until
from probes.totp import one_time_password, shared_key
from probes.trail import Trail
from probes.values import Values, filled

log = logging.getLogger(__name__)

#: Beyond all deadlines of a run it is over for certain.
_MARGIN_US = 10_000_000
#: An answer that was good is held until the run ends, should a later step fail, but for the body of a larger one.
_HELD = 16 * 1024
#: Forms that send themselves are followed so many times within a step.
MOST_AUTO_POSTS = 5
#: Failures that a later try may mend: an answer came, but not yet the right one.
_WAITED_FOR = frozenset({FailureKind.HTTP_STATUS, FailureKind.ASSERTION, FailureKind.CAPTURE, FailureKind.BODY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """All steps of a run in the journey's order, and why it was not up (redacted); None where it was.

    Attributes:
        waited_us: what was waited for turns, so that no host is asked too much, and for the list of what is made: none
            of the portal's time.
        asked: what the steps asked, not redacted; `hidden` are values that came up and grant access. Neither leaves
            the run.
    """

    steps: tuple[StepResult, ...]
    failure: Failure | None
    evidence: tuple[Evidence, ...]
    asked: tuple[Asked, ...] = field(default=(), repr=False)
    waited_us: int = 0
    hidden: tuple[str, ...] = field(default=(), repr=False)


async def walk(
    journey: Journey, *, run_id: str, run_time: str, setup: Setup, given: tuple[tuple[str, str], ...] = ()
) -> Walked:
    """Walks a journey once, on fresh connections with an empty cookie jar.

    Deadlines are total: over names, connections, TLS, every redirect and every byte. `always` steps run on their own.

    Args:
        given: values by name, as if earlier steps had captured them.
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
            *(((marker.name, marker.value),) if (marker := setup.portal.marker) is not None else ()),
        ),
        allowed=frozenset(
            {host_of(base_url), host_of(setup.portal.base_url), *map(str.lower, setup.portal.allow_hosts)}
        ),
        max_body=setup.portal.max_body,
        max_redirects=setup.portal.max_redirects,
        now_us=setup.now_us,
        monotonic_us=setup.monotonic_us,
    )
    walking = _Walk(journey=journey, base_url=base_url, run_id=run_id, run_time=run_time, setup=setup, visitor=visitor)
    walking.know(given)
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


@dataclass(slots=True)
class _Seen:
    """What is known of a step so far, of its newest try; the phases are those of all tries together."""

    trail: Trail = field(default_factory=Trail)
    response: Response | None = None
    assertions: int = 0
    slow: Finding | None = None
    #: Whether the answer asked us to come back later.
    later: bool = False


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
            base_url=base_url,
            passwords=partial(_passwords, journey, setup),
        )
        self._redactor = RunRedactor(setup.secrets.values(), self._values)
        #: The newest answer to a request, whose forms the next step may submit.
        self._last: Response | None = None
        self._judge = Judge(simulated=setup.transport is not None)
        self._evidence: list[Evidence] = []
        self._asked: list[Asked] = []
        self._began_us = setup.monotonic_us()
        self._waited_us = 0
        self._host = urlsplit(base_url).hostname or ""
        self._making = Making(
            journey,
            keep=setup.created,
            values=self._values,
            redact=self._redactor,
            patience_us=_patience(journey) + setup.guest.patience_us * len(journey.step),
            monotonic_us=setup.monotonic_us,
        )

    def know(self, given: tuple[tuple[str, str], ...]) -> None:
        """Takes in values that this run did not capture itself."""
        for name, value in given:
            self._values.keep(name, value)

    async def all_steps(self) -> Walked:
        done = await course(
            self._journey.step,
            deadline_us=self._journey.deadline,
            take=self._noted,
            can_be_cleaned=self._can_be_cleaned,
        )
        return Walked(
            steps=done.steps,
            failure=done.failed or done.slow,
            evidence=tuple(self._evidence),
            asked=tuple(self._asked),
            waited_us=self._waited_us + self._making.waited_us,
            hidden=self._values.found_secret,
        )

    def _can_be_cleaned(self, step: AnyStep) -> bool:
        try:
            self._values.give(step.given)
            if isinstance(step, Step):
                ask_of(step, self._values, base_url=self._base_url, last=self._last)
        except Fault:
            return False
        return True

    async def _noted(self, step: AnyStep, limit: TimeLimit) -> StepResult:
        """A step, and what it makes or takes away put on the list."""
        refused = await self._making.before(step)
        if refused is not None:
            return StepResult(step=step.id, outcome=StepOutcome.FAILED, failure=refused)
        try:
            if isinstance(step, Step):
                self._waited_us += await self._setup.guest.turn(self._host, self._setup.monotonic_us)
            result = await self._step(step, limit)
            self._setup.guest.more(self._host, len(result.urls) - 1, self._setup.monotonic_us)
        except Fault as fault:  # of the turn; a step raises none
            result = StepResult(step=step.id, outcome=StepOutcome.FAILED, failure=fault.failure(step.id))
        told = self._making.held_up(result)
        await self._making.after(step, result)
        return told

    async def _step(self, step: AnyStep, limit: TimeLimit) -> StepResult:
        seen = _Seen()
        started = self._setup.monotonic_us()
        fault: Fault | None = None
        self._values.give(step.given)
        try:
            async with asyncio.timeout(limit.us / 1_000_000):
                if step.when is not None and not await self._judge.taken(step.when, self._values):
                    return StepResult(step=step.id, outcome=StepOutcome.SKIPPED)
                if step.until is None:
                    await self._look(step, seen, started)
                else:
                    await self._look_until(step, step.until, seen, started, limit.us)
        except TimeoutError:
            waiting_for = seen.trail.waiting_for
            fault = limit.overrun(waiting_for)
            if seen.response is not None or waiting_for == OUR_MAILBOX:
                # The answer was in; that we were not done looking at it is no fault of the portal.
                fault = Fault(FailureKind.MONITOR, "step", expected=fault.expected, found="not done")
        except Fault as error:
            fault = error.bare()
        except TooSlowError as error:
            # The expression is ours: the portal is not to blame for it.
            fault = Fault(FailureKind.MONITOR, "regex", expected="an answer in time", found=quoted(str(error)))
        except Exception as error:
            # The edge of a step: a bug of ours must not keep the clean-up from running.
            log.error("a step broke down", extra={"check": self._journey.id, "step": step.id, "at": place_of(error)})
            fault = Fault(FailureKind.MONITOR, "step", found=f"{type(error).__name__} at {place_of(error)}")
        trail, response, slow = seen.trail, seen.response, seen.slow
        duration = self._setup.monotonic_us() - started
        if fault is not None and response is not None and is_bot_check(response):
            fault = Fault(
                FailureKind.BOT_CHECK, fault.subject, expected=fault.expected, found="a robot check in the page's place"
            )
        failure: Failure | None = None
        outcome = StepOutcome.OK
        if fault is not None:
            outcome, failure = StepOutcome.FAILED, self._redact.failure(fault.failure(step.id))
            self._evidence.append(evidence(step.id, trail, self._redact, response.text if response else None))
        elif slow is not None:
            outcome, failure = StepOutcome.SLOW, self._redact.failure(_failure(step.id, slow))
        size = len(trail.body)
        if trail.urls:
            self._asked.append(Asked(step=step.id, since_us=started - self._began_us, trail=trail, size=size))
            if size > _HELD:
                trail.body = b""
        return StepResult(
            step=step.id,
            outcome=outcome,
            duration_us=duration,
            phases=trail.phases,
            status=trail.status,
            body_bytes=size,
            urls=tuple([self._redact.address(url) for url in trail.urls]),
            hops=trail.hops,
            assertions=seen.assertions,
            failure=failure,
            address=trail.addresses[-1] if trail.addresses else "",
            http_version=trail.http_version,
            content_length=trail.content_length,
            last_modified_us=_instant_us(trail.last_modified),
            tls_version=trail.tls_version,
            tls_cipher=trail.tls_cipher,
            certificate_not_after_us=trail.certificate_not_after_us,
        )

    async def _look(self, step: AnyStep, seen: _Seen, started: int) -> None:
        """One try: asks, looks at the answer, keeps what was to be captured. `seen` is kept up to date meanwhile."""
        # A step's own files are known before they are sent, so that the step itself may speak of their hash.
        if isinstance(step, Step) and step.multipart:
            self._values.keep_files(file_facts(step, self._values.run_id))
        expect = filled(step.expect, self._values.fill)
        seen.response = response = await self._answer(step, seen.trail, started)
        seen.later = isinstance(step, Step) and response.status in MAY_ASK_FOR_LATER and self._asks_for_later(response)
        found = await self._judge.findings(expect, response)
        # That a mail came at all is an assertion too.
        seen.assertions = len(found) + isinstance(step, MailStep)
        fault = first_fault(expect, response, found)
        if fault is not None:
            if isinstance(step, Step) and step.creates is not None:
                # Whatever is wrong with the answer: what was made must be found again.
                with suppress(Fault):
                    await self._judge.capture(step.capture, response, self._values)
            raise fault
        await self._judge.capture(step.capture, response, self._values)
        soft = slowness(expect, response)
        seen.slow = soft if soft is not None and not soft.ok else None

    def _asks_for_later(self, response: Response) -> bool:
        return self._setup.guest.answered(
            frozenset({self._host, urlsplit(response.url).hostname or ""}),
            self._journey.id,
            response.status,
            next(iter(response.header("retry-after")), ""),
            self._setup.now_us(),
            self._setup.monotonic_us(),
        )

    async def _look_until(self, step: AnyStep, until: Until, seen: _Seen, started: int, deadline_us: int) -> None:
        """Tries until the step holds. What it failed by last is told, with how often and how long it was tried."""
        tries = 0
        while True:
            tries += 1
            try:
                return await self._look(step, seen, started)
            except Fault as error:
                fault = error.bare()
            waited_us = self._setup.monotonic_us() - started
            tried = f"after {tries} attempt{'s' if tries > 1 else ''} in {seconds(waited_us)}"
            # Only an answer that is not yet the right one is waited for: a portal that does not answer is down.
            if (
                fault.kind not in _WAITED_FOR
                or seen.later
                or (seen.response is not None and is_bot_check(seen.response))
            ):
                raise fault
            if until.unless is not None and seen.response is not None:
                ends = await self._judge.findings(filled(until.unless, self._values.fill), seen.response)
                if all(finding.ok for finding in ends):
                    raise fault.with_found(f"{fault.found}, which ends the wait, {tried}")
            if waited_us + until.interval > min(until.within, deadline_us):
                raise fault.with_found(f"{fault.found}, {tried}")
            await asyncio.sleep(until.interval / 1_000_000)
            seen.response, seen.assertions = None, 0
            seen.trail = Trail(phases=seen.trail.phases)

    async def _answer(self, step: AnyStep, trail: Trail, started: int) -> Response:
        """What a step gets to see: the one place where kinds of steps differ.

        Whatever a step does ends in an answer, which `expect` and `capture` look at in the same way. The trail is kept
        up to date meanwhile, so that a deadline that cuts in can say what was being waited for.

        Raises:
            Fault: for whatever keeps an answer from coming.
        """
        match step:
            case Step():
                return await self._request(step, trail, started)
            case MailStep():
                response = await self._mail(step, trail)
                return replace(response, duration_us=self._setup.monotonic_us() - started)
            case _:
                assert_never(step)

    async def _mail(self, step: MailStep, trail: Trail) -> Response:
        setup = self._setup
        if setup.transport is not None:
            raise Fault(FailureKind.MONITOR, "run", found="no network in this run")
        return await mail_answer(
            step,
            boxes=setup.mailboxes,
            secrets=setup.secrets,
            values=self._values,
            most=setup.portal.max_body,
            ca_file=setup.portal.ca_file,
            trail=trail,
        )

    async def _request(self, step: Step, trail: Trail, started: int) -> Response:
        allowed = frozenset(map(str.lower, step.allow_hosts))
        ask = ask_of(step, self._values, base_url=self._base_url, last=self._last)
        self._last = response = await self._visitor.ask(ask, trail, since_us=started, allowed=allowed)
        posts = 0
        while step.auto_post and (form := self_posting(response)) is not None:
            posts += 1
            if posts > MOST_AUTO_POSTS:
                expected = f"at most {MOST_AUTO_POSTS}"
                raise Fault(FailureKind.REDIRECT, "auto_post", expected=expected, found=f"one more, to {form.action}")
            ask = self_posted(form, step, self._values, response)
            self._last = response = await self._visitor.ask(ask, trail, since_us=started, allowed=allowed)
        return response

    @property
    def _redact(self) -> Redactor:
        return self._redactor()


def _passwords(journey: Journey, setup: Setup) -> dict[str, str]:
    """The one-time passwords of this moment; none for a secret that is missing."""
    return {
        name: one_time_password(shared_key(setup.secrets[totp.secret]), now_us=setup.now_us(), totp=totp)
        for name, totp in journey.totp.items()
        if totp.secret in setup.secrets
    }


def _patience(journey: Journey) -> int:
    """How long a run may last with all its clean-up, and a margin."""
    own = min(CLEAN_UP_US, journey.deadline)
    return journey.deadline + sum(step.deadline or own for step in journey.step if step.always) + _MARGIN_US


def _failure(step: str, finding: Finding) -> Failure:
    return Failure(
        kind=finding.kind, step=step, subject=finding.subject, expected=finding.expected, found=finding.found
    )


@lru_cache(maxsize=256)
def _instant_us(http_date: str) -> int | None:
    if not http_date:
        return None
    try:
        return int(parsedate_to_datetime(http_date).timestamp()) * 1_000_000
    except (ValueError, TypeError, OverflowError):
        return None
