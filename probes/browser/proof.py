"""What a run leaves as proof, redacted: evidence of steps that failed, pictures, a trace, what went wrong beside."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from probes.browser.definition import BrowserStep
from probes.browser.exchange import Aside, LeftOut, Seen, Shot, Why
from probes.browser.fields import fields_masked
from probes.browser.loading import Loading
from probes.browser.page import Visit
from probes.browser.picture import picture
from probes.browser.trace import cleaned
from probes.evidence import BODY_LIMIT
from probes.har import HEAD_LIMIT
from probes.redaction import Redactor
from probes.response import Response
from probes.sample import Evidence, FileKind

_ACTIONS = ("goto", "fill", "select", "check", "upload", "click", "press", "request")
#: A run keeps so many pictures, the newest ones; a journey may ask for one of each step.
_MOST_PICTURES = 4
_TRACE_SECONDS = 4.0


class Proof:
    """Gathered step by step, told at the end.

    Attributes:
        evidence: of the steps that failed.
        secret_fields: selectors of the fields into which a secret was typed; no picture shows them.
    """

    def __init__(
        self, *, context: BrowserContext, page: Visit, loading: Loading, redact: Callable[[], Redactor], traced: bool
    ) -> None:
        self._context = context
        self._page = page
        self._loading = loading
        self._redact = redact
        self._traced = traced
        self.evidence: list[Evidence] = []
        self.secret_fields: set[str] = set()
        self._asides: list[Aside] = []
        self._pictures: list[Shot] = []
        self._left_out: list[LeftOut] = []

    def failed(self, step: BrowserStep, response: Response | None) -> None:
        """Keeps what a step asked, and the page it ended with; None where it ended with none."""
        redact = self._redact()
        done = [name for name in _ACTIONS if getattr(step, name)]
        lines = [f"browser step: {', '.join(done) or 'look'}", *(f"asked: {url}" for url in self._page.urls)]
        head = "\n".join(f"{name}: {value}" for name, value in response.headers) if response is not None else ""
        body, truncated = redact.capped(fields_masked(response.text) if response is not None else "", BODY_LIMIT)
        self.evidence.append(
            Evidence(
                step=step.id,
                request=redact.capped("\n".join(lines), HEAD_LIMIT)[0],
                response_head=redact.capped(f"{response.status}\n{head}", HEAD_LIMIT)[0]
                if response is not None
                else "",
                body=body,
                body_truncated=truncated,
                body_sha256=hashlib.sha256(response.body).hexdigest() if response is not None else None,
            )
        )

    async def take_picture(self, step_id: str) -> None:
        taken = await picture(self._page.page, self._redact(), self.secret_fields)
        if taken is None:
            self._left_out.append(LeftOut(kind=FileKind.PICTURE, step=step_id, why=Why.UNAVAILABLE))
        else:
            self._pictures.append(Shot(kind=FileKind.PICTURE, step=step_id, content=taken))

    def note_aside(self, step_id: str) -> None:
        """Keeps what went wrong beside a step, if anything did."""
        beside, redact = self._page.beside, self._redact()
        if not (beside.console or beside.failed or beside.blocked):
            return

        def told(texts: Sequence[str]) -> tuple[str, ...]:
            return tuple(redact.short(text, 500) or "" for text in dict.fromkeys(texts))

        console, failed, blocked = told(beside.console), told(beside.failed), told(beside.blocked)
        self._asides.append(Aside(step=step_id, console=console, failed=failed, blocked=blocked))

    async def seen(self) -> Seen:
        """What a failed run leaves beside its evidence, the requests of its pages among it."""
        loaded = await self._loading.told()
        shots = self._pictures[-_MOST_PICTURES:]
        if self._traced:
            trace = await self._trace()
            if trace is None:
                self._left_out.append(LeftOut(kind=FileKind.TRACE, step="", why=Why.UNAVAILABLE))
            else:
                content = base64.b64encode(trace).decode("ascii")
                shots.append(Shot(kind=FileKind.TRACE, step="", content=content))
        return Seen(
            loaded=loaded,
            asked=self._loading.total,
            asides=tuple(self._asides),
            shots=tuple(shots),
            left_out=tuple(self._left_out),
        )

    async def _trace(self) -> bytes | None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.zip"
            try:
                async with asyncio.timeout(_TRACE_SECONDS):
                    await self._context.tracing.stop(path=path)
            except (PlaywrightError, TimeoutError):
                return None
            return cleaned(path, self._redact())
