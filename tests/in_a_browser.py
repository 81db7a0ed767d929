"""The practice portal's twelve browser journeys, and one run of one of them in a real Chromium."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import monotonic_us, new_id, wall_us
from probes.browser.definition import BrowserJourney, ChromiumSettings
from probes.browser.running import Browsers
from probes.bundle import unpacked
from probes.checks import Portal
from probes.created import Keep
from probes.guest import Guest
from probes.practice import PRACTICE_SECRETS
from probes.run import run
from probes.sample import FileKind, Sample
from probes.setup import Setup
from tests.patience import patient

FILE = Path(__file__).parents[1] / "probes" / "practice" / "browser_journeys.toml"

in_chromium = pytest.mark.chromium


@cache
def browser_journeys() -> dict[str, BrowserJourney]:
    """By id, with their fragments put in."""
    tree = tomllib.loads(FILE.read_text(encoding="utf-8"))
    fragments = {f["id"]: f["step"] for f in tree["fragment"]}

    def steps(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [patient(step) for item in items for step in (fragments[item["use"]] if "use" in item else [item])]

    slow = {"wait": "10s", "deadline": "60s"}
    return {j["id"]: BrowserJourney.model_validate(j | slow | {"step": steps(j["step"])}) for j in tree["browser"]}


#: How long an element is waited for that comes, on a machine that may have other things to do.
LATE = "10s"


def one_page(*, wait: str = "", **changes: Any) -> BrowserJourney:
    """A journey of one step that opens the front page; `changes` are the step's.

    Args:
        wait: for an element; none waits long for the heading, and a moment for anything else: that is never to come.
    """
    wait = wait or ("500ms" if "expect" in changes else LATE)
    step = {"id": "pagina", "goto": "/", "expect": {"visible": "h1"}} | changes
    whole = {"id": "een-pagina", "title": {"nl": "Eén pagina", "en": "One page"}, "wait": wait}
    return BrowserJourney.model_validate(whole | {"interval": "1m", "deadline": "40s", "step": [step]})


def a_setup(
    base_url: str,
    *,
    settings: ChromiumSettings | None = None,
    secrets: Mapping[str, str] = PRACTICE_SECRETS,
    ca_file: Path | None = None,
    guest: Guest | None = None,
    created: Keep | None = None,
    **portal: Any,
) -> Setup:
    """What a run needs; `portal` are settings of the portal."""
    return Setup(
        portal=Portal(
            name="Oefenloket",
            base_url=base_url,
            contact="https://loketwacht.example/wie",
            ca_file=str(ca_file) if ca_file else None,
            **portal,
        ),
        secrets=secrets,
        now_us=wall_us,
        monotonic_us=monotonic_us,
        new_id=new_id,
        browsers=Browsers(settings),
        guest=guest or Guest(),
        created=created,
    )


def of_steps(*steps: dict[str, Any], **more: Any) -> BrowserJourney:
    """A journey of these steps."""
    whole = {"id": "reis", "title": {"nl": "Reis", "en": "Journey"}, "wait": "5s", "interval": "1m"}
    return BrowserJourney.model_validate(whole | {"deadline": "50s", "step": list(steps), **more})


async def browsed(base_url: str, journey: BrowserJourney, **more: Any) -> Sample:
    """One run; `more` as of `a_setup`."""
    return await run(journey, slot_us=wall_us(), location="hier", setup=a_setup(base_url, **more))


def told(sample: Sample) -> dict[str, Any]:
    """What the one bundle of a run tells."""
    [bundle] = sample.bundles
    found: dict[str, Any] = json.loads(unpacked(bundle.packed))
    return found


def file_of(sample: Sample, kind: FileKind) -> bytes | None:
    """The newest file of that kind that a run left; None where it left none."""
    return next((file.content for file in reversed(sample.bundles[0].files) if file.kind is kind), None)
