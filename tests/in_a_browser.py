"""The practice portal's twelve browser journeys, and one run of one of them in a real Chromium."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import monotonic_us, new_id, wall_us
from probes.browser.definition import BrowserJourney, ChromiumSettings
from probes.browser.running import Browsers
from probes.checks import Portal
from probes.practice import PRACTICE_SECRETS
from probes.run import run
from probes.sample import Sample
from probes.setup import Setup

FILE = Path(__file__).parents[1] / "probes" / "practice" / "browser_journeys.toml"

in_chromium = pytest.mark.chromium


@cache
def browser_journeys() -> dict[str, BrowserJourney]:
    """By id, with their fragments put in."""
    tree = tomllib.loads(FILE.read_text(encoding="utf-8"))
    fragments = {f["id"]: f["step"] for f in tree["fragment"]}

    def steps(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [step for item in items for step in (fragments[item["use"]] if "use" in item else [item])]

    return {j["id"]: BrowserJourney.model_validate(j | {"step": steps(j["step"])}) for j in tree["browser"]}


def one_page(**changes: Any) -> BrowserJourney:
    """A journey of one step that opens the front page; `changes` are the step's."""
    step = {"id": "pagina", "goto": "/", "expect": {"visible": "h1"}} | changes
    whole = {"id": "een-pagina", "title": {"nl": "Eén pagina", "en": "One page"}, "wait": "500ms"}
    return BrowserJourney.model_validate(whole | {"interval": "1m", "deadline": "10s", "step": [step]})


async def browsed(
    base_url: str,
    journey: BrowserJourney,
    *,
    settings: ChromiumSettings | None = None,
    ca_file: Path | None = None,
    **portal: Any,
) -> Sample:
    """One run; `portal` are settings of the portal."""
    told = Portal(
        name="Oefenloket",
        base_url=base_url,
        contact="https://loketwacht.example/wie",
        ca_file=str(ca_file) if ca_file else None,
        **portal,
    )
    setup = Setup(
        portal=told,
        secrets=PRACTICE_SECRETS,
        now_us=wall_us,
        monotonic_us=monotonic_us,
        new_id=new_id,
        browsers=Browsers(settings),
    )
    return await run(journey, slot_us=wall_us(), location="hier", setup=setup)
