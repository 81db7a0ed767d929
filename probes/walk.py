"""A journey's steps in order: values and cookies carried along, an end at the first failure, clean-up after it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin

from probes.assertions import Finding, findings, seconds, slowness
from probes.bodies import content, file_facts
from probes.checks import Expect, Journey, Step
from probes.errors import quoted
from probes.evidence import evidence
from probes.extraction import Fields, captured
from probes.fault import Fault
from probes.http import Ask, Visitor, host_of
from probes.redaction import Redactor
from probes.regexes import TooSlowError, may_wait, search_at_once, search_bounded
from probes.response import Response
from probes.sample import Evidence, Failure, FailureKind, StepOutcome, StepResult
from probes.setup import Setup
from probes.templates import Into, MissingNameError, TemplateError, is_template, key, rendered
from probes.trail import Trail

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Budget of an `always` step that names none.
CLEAN_UP_US = 10_000_000
#: Bodies beyond this are judged in a thread, so that other runs are not kept waiting.
_LARGE = 256 * 1024
#: What only robot checks write into a page: Anubis, the practice portal's, and two well-known services'.
_BOT_CHECKS = (
    'id="bot-check"',
    "/.within.website/",
    'id="anubis_',
    "/cdn-cgi/challenge-platform/",
    "_Incapsula_Resource",
)


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
        self._run_id = run_id
        self._setup = setup
        self._visitor = visitor
        self._secrets = {name: setup.secrets[name] for name in journey.secrets if name in setup.secrets}
        # Every secret we know is redacted, not only this journey's: a portal may echo what another one sent.
        self._redact = Redactor(setup.secrets.values())
        self._captured: dict[str, str | Fields] = {}
        self._files: dict[str, Mapping[str, str]] = {}
        self._run_time = run_time
        # The bound is one of real time, kept by another process: neither exists in simulated time.
        self._search = search_bounded if setup.transport is None else search_at_once
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

    async def _clean_up(self, step: Step) -> StepResult:
        try:
            self._rendered_ask(step)
        except Fault:
            # What was to be cleaned up was never made: the value that names it is missing.
            return StepResult(step=step.id, outcome=StepOutcome.SKIPPED)
        return await self._step(step, step.deadline or min(CLEAN_UP_US, self._journey.deadline), of_step=True)

    async def _step(self, step: Step, deadline_us: int, *, of_step: bool) -> StepResult:
        trail = Trail()
        started = self._setup.monotonic_us()
        response: Response | None = None
        executed = 0
        fault: Fault | None = None
        slow: Finding | None = None
        limit = asyncio.timeout(deadline_us / 1_000_000)
        try:
            async with limit:
                ask = self._rendered_ask(step)
                expect = self._rendered_expect(step.expect)
                response = await self._visitor.ask(ask, trail, allowed=frozenset(map(str.lower, step.allow_hosts)))
                response = replace(response, duration_us=self._setup.monotonic_us() - started)
                found = await self._judged(expect, response)
                executed = len(found)
                fault = _first_fault(step, response, found)
                if fault is None:
                    await self._capture(step, response)
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
        if fault is not None and response is not None and _is_bot_check(response):
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

    async def _judged(self, expect: Expect, response: Response) -> tuple[Finding, ...]:
        return await self._beside(self._patterns(expect), response, lambda: findings(expect, response, self._search))

    async def _beside(self, patterns: Iterable[str], response: Response, work: Callable[[], T]) -> T:
        """Does what may take long in a thread, so that other runs are not kept waiting; simulated time has none."""
        size = len(response.body)
        if self._setup.transport is None and (size > _LARGE or any(may_wait(pattern, size) for pattern in patterns)):
            return await asyncio.to_thread(work)
        return work()

    @staticmethod
    def _patterns(expect: Expect) -> Iterator[str]:
        yield from expect.regex
        if expect.url is not None:
            yield expect.url
        matches = [css.matches for css in expect.css] + [item.matches for item in expect.json_]
        matches += [header.matches for header in expect.header]
        yield from (pattern for pattern in matches if pattern is not None)

    def _clean(self, failure: Failure) -> Failure:
        return replace(
            failure,
            subject=self._redact.short(failure.subject) or "",
            expected=self._redact.short(failure.expected),
            found=self._redact.short(failure.found),
        )

    async def _capture(self, step: Step, response: Response) -> None:
        def take() -> None:
            # One by one: what was found before a value that is missing, a clean-up may need.
            for name, capture in step.capture.items():
                self._captured[name] = captured(name, capture, response, self._search)

        patterns = (capture.regex or capture.url for capture in step.capture.values())
        await self._beside((pattern for pattern in patterns if pattern is not None), response, take)

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            key(name): value if isinstance(value, str) else {key(field): text for field, text in value}
            for name, value in self._captured.items()
        }
        values["secret"] = {key(name): value for name, value in self._secrets.items()}
        values["run"] = {"id": self._run_id, "time": self._run_time}
        values["file"] = {key(name): facts for name, facts in self._files.items()}
        return values

    def _fill(self, text: str, into: Into = Into.TEXT) -> str:
        if not is_template(text):
            return text
        try:
            return rendered(text, self._values(), into)
        except MissingNameError as error:
            raise Fault(
                FailureKind.MONITOR, "template", expected=f"a value for {error.name}", found="nothing"
            ) from error
        except TemplateError as error:
            raise Fault(FailureKind.MONITOR, "template", expected="a template", found=str(error)) from error

    def _rendered_ask(self, step: Step) -> Ask:
        hidden: Fields = ()
        if step.form_from is not None:
            value = self._captured.get(step.form_from)
            if not isinstance(value, tuple):
                raise Fault(FailureKind.MONITOR, "form_from", expected=f"a value for {step.form_from}", found="nothing")
            hidden = value
        # A step's own files are known before they are sent, so that the step itself may speak of their hash.
        self._files.update(file_facts(step, self._run_id))
        body = content(step, run_id=self._run_id, fill=self._fill, hidden=hidden)
        url = urljoin(self._base_url, self._fill(step.path))
        if step.query:
            pairs = urlencode({name: self._fill(value) for name, value in step.query.items()})
            address, hash_mark, fragment = url.partition("#")
            url = f"{address}{'&' if '?' in address else '?'}{pairs}{hash_mark}{fragment}"
        headers = [(name, self._fill(value)) for name, value in step.headers.items()]
        if body.content_type is not None and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", body.content_type))
        return Ask(
            method=step.method,
            url=url,
            headers=tuple(headers),
            body=body.body,
            follow_redirects=step.follow_redirects,
            private=tuple(self._secrets.values()),
        )

    def _rendered_expect(self, expect: Expect) -> Expect:
        """The same expectations with every template filled in, protected for where it goes."""

        def text(value: str | None) -> str | None:
            return None if value is None else self._fill(value)

        def regex(value: str | None) -> str | None:
            return None if value is None else self._fill(value, Into.REGEX)

        return expect.model_copy(
            update={
                "text": tuple(map(self._fill, expect.text)),
                "not_text": tuple(map(self._fill, expect.not_text)),
                "regex": tuple(self._fill(pattern, Into.REGEX) for pattern in expect.regex),
                "css": tuple(
                    css.model_copy(
                        update={
                            "select": self._fill(css.select, Into.CSS),
                            "text": text(css.text),
                            "contains": text(css.contains),
                            "matches": regex(css.matches),
                        }
                    )
                    for css in expect.css
                ),
                "json_": tuple(
                    item.model_copy(
                        update={
                            "path": self._fill(item.path, Into.JMESPATH),
                            "equals": self._fill(item.equals) if isinstance(item.equals, str) else item.equals,
                            "contains": text(item.contains),
                            "matches": regex(item.matches),
                        }
                        if "equals" in item.model_fields_set
                        else {
                            "path": self._fill(item.path, Into.JMESPATH),
                            "contains": text(item.contains),
                            "matches": regex(item.matches),
                        }
                    )
                    for item in expect.json_
                ),
                "header": tuple(
                    header.model_copy(
                        update={
                            "equals": text(header.equals),
                            "contains": text(header.contains),
                            "matches": regex(header.matches),
                        }
                    )
                    for header in expect.header
                ),
                "url": regex(expect.url),
                "sha256": text(expect.sha256),
            }
        )


def _first_fault(step: Step, response: Response, found: tuple[Finding, ...]) -> Fault | None:
    """The first assertion that did not hold; without an expected status, an error status is a failure by itself."""
    failed = next((finding for finding in found if not finding.ok), None)
    if not step.expect.status and response.status >= 400:
        return Fault(FailureKind.HTTP_STATUS, "status", expected="below 400", found=str(response.status))
    if failed is not None:
        return Fault(failed.kind, failed.subject, expected=failed.expected, found=failed.found)
    if not any(finding.content for finding in found) and _is_bot_check(response):
        return Fault(FailureKind.BOT_CHECK, "page", found="a robot check in the page's place")
    return None


def _failure(step: str, finding: Finding) -> Failure:
    return Failure(
        kind=finding.kind, step=step, subject=finding.subject, expected=finding.expected, found=finding.found
    )


def _is_bot_check(response: Response) -> bool:
    if response.header("cf-mitigated"):
        return True
    return response.is_html and any(mark in response.text for mark in _BOT_CHECKS)


def _instant_us(http_date: str) -> int | None:
    if not http_date:
        return None
    try:
        return int(parsedate_to_datetime(http_date).timestamp()) * 1_000_000
    except (ValueError, TypeError, OverflowError):
        return None
