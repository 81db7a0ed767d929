"""What a visitor does in one step: its templates filled in, then done on the page."""

from __future__ import annotations

from functools import partial
from urllib.parse import urljoin, urlsplit

from playwright.async_api import FilePayload

from probes.asking import ask_of
from probes.bodies import file_bytes, file_fact
from probes.browser.definition import BrowserExpect, BrowserStep, Upload
from probes.browser.page import Visit
from probes.fault import Fault
from probes.sample import FailureKind
from probes.values import Values, filled


def ready(step: BrowserStep, values: Values, *, base_url: str) -> tuple[BrowserStep, BrowserExpect]:
    """The step with every template filled in, and what it expects.

    Raises:
        Fault: of kind monitor, where a value is not there.
    """
    fill, css = values.fill, values.fill_css
    for upload in (one for files in step.upload.values() for one in files):
        values.keep_files({upload.name: file_fact(run_id=values.run_id, part=upload.name, size=upload.size)})
    if step.request is not None:
        ask_of(step.request.as_step(step.id), values, base_url=base_url, last=None)
    done = step.model_copy(
        update={
            "goto": None if step.goto is None else urljoin(base_url, fill(step.goto)),
            "fill": {css(selector): fill(text) for selector, text in step.fill.items()},
            "select": {css(selector): fill(text) for selector, text in step.select.items()},
            "check": tuple(map(css, step.check)),
            "upload": {css(selector): files for selector, files in step.upload.items()},
            "click": None if step.click is None else css(step.click),
        }
    )
    expect = filled(step.expect, fill)
    assert isinstance(expect, BrowserExpect)
    seen = {"visible": tuple(map(css, expect.visible)), "hidden": tuple(map(css, expect.hidden))}
    return done, expect.model_copy(update=seen)


def secret_fields(step: BrowserStep, values: Values) -> set[str]:
    """Selectors of the fields into which this step types a secret."""
    return {values.fill_css(selector) for selector, text in step.fill.items() if "secret." in text}


async def act(step: BrowserStep, visit: Visit, values: Values, *, base_url: str, wait_us: int) -> None:
    """Does what a step says, once it is ready.

    Args:
        wait_us: how long an element may take to be there and usable.

    Raises:
        Fault: what it does cannot be done, or is not answered.
    """
    page, limit = visit.page, wait_us / 1_000
    if step.request is not None:
        await visit.fetch(ask_of(step.request.as_step(step.id), values, base_url=base_url, last=None))
        return
    if step.goto is not None:
        if urlsplit(step.goto).scheme not in ("http", "https"):
            raise Fault(FailureKind.MONITOR, "goto", expected="an http or https address", found=step.goto)
        await visit.goto(step.goto)
    for selector, text in step.fill.items():
        await visit.act(selector, "fill", partial(page.fill, selector, text, timeout=limit))
    for selector, text in step.select.items():
        await visit.act(selector, "select", partial(page.select_option, selector, text, timeout=limit))
    for selector in step.check:
        await visit.act(selector, "check", partial(page.check, selector, timeout=limit))
    for selector, files in step.upload.items():
        given = [_file(one, values) for one in files]
        await visit.act(selector, "upload", partial(page.set_input_files, selector, given, timeout=limit))
    if step.click is not None:
        await visit.act(step.click, "click", partial(page.click, step.click, timeout=limit, no_wait_after=True))
        await visit.after()
    if step.press is not None:
        await visit.act("*:focus", "press", partial(page.keyboard.press, step.press))
        await visit.after()


def _file(upload: Upload, values: Values) -> FilePayload:
    return {
        "name": values.fill(upload.file_name),
        "mimeType": upload.content_type,
        "buffer": file_bytes(run_id=values.run_id, part=upload.name, size=upload.size),
    }
