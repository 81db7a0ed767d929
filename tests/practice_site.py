"""The practice portal on free ports, its journeys, and a visitor with a plain HTTP client."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from monitor.clock import monotonic_us, new_id, wall_us
from probes.checks import Journey, Portal
from probes.practice import PRACTICE_SECRETS, PracticeSettings, RunningPractice, serve
from probes.run import run
from probes.sample import Sample
from probes.setup import Setup
from tests.engines import chosen
from tests.patience import patient

JOURNEYS_FILE = Path(__file__).parents[1] / "probes" / "practice" / "journeys.toml"


@cache
def practice_journeys() -> dict[str, Journey]:
    """The twelve journeys with their fragments put in, by id; none of them is merely slow."""
    tree = tomllib.loads(JOURNEYS_FILE.read_text())
    fragments = {f["id"]: f["step"] for f in tree["fragment"]}

    def steps(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [patient(step) for item in items for step in (fragments[item["use"]] if "use" in item else [item])]

    return {j["id"]: Journey.model_validate(j | {"step": steps(j["step"])}) for j in tree["journey"]}


def settings(state_dir: Path, **changes: Any) -> PracticeSettings:
    free = {"http_port": 0, "https_port": 0, "smtp_port": 0, "reference_ports": (0, 0, 0)}
    return PracticeSettings(state_dir=state_dir, **(free | changes))


@asynccontextmanager
async def practice_site(state_dir: Path, **changes: Any) -> AsyncIterator[RunningPractice]:
    """A running portal; `changes` are settings."""
    async with serve(settings(state_dir, **changes), now_us=wall_us) as site:
        yield site


async def walked(
    site: RunningPractice, journey_id: str, *, tls: bool = False, max_body: int = 8 * 1024 * 1024
) -> Sample:
    """One run of a practice journey by the real engine."""
    portal = Portal(
        name="Oefenloket",
        base_url=site.https_url if tls else site.base_url,
        ca_file=str(site.ca_file),
        contact="test@example.org",
        max_body=max_body,
        engine=chosen.get(),
    )
    setup = Setup(portal=portal, secrets=PRACTICE_SECRETS, now_us=wall_us, monotonic_us=monotonic_us, new_id=new_id)
    return await run(practice_journeys()[journey_id], slot_us=wall_us(), location="hier", setup=setup)


def value(page: str, pattern: str) -> str:
    """The first group of a pattern in a page."""
    found = re.search(pattern, page)
    assert found is not None, f"{pattern} is not in the page"
    return found[1]


def csrf(page: str) -> str:
    """The token of the page's last form; the first one logs out."""
    return value(page, r'(?s).*name="_csrf" value="([^"]+)"')


class Visitor:
    """Somebody with a browser, as far as HTML forms and cookies go."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def log_in(self, persona: str) -> httpx.Response:
        page = await self.client.get("/aanmelden")
        asked = value(page.text, r'name="aanmeldvraag" value="([^"]+)"')
        form = {"aanmeldvraag": asked, "sleutel": "token", "token": PRACTICE_SECRETS[f"{persona}_token"]}
        return await self.client.post("/op/v1/auth/sleutel", data=form)

    async def post(self, page_path: str, path: str, data: dict[str, str], **more: Any) -> httpx.Response:
        """Opens a page, takes its token, and sends a form of it."""
        page = await self.client.get(page_path)
        return await self.client.post(path, data=data | {"_csrf": csrf(page.text)}, **more)

    async def make_project(self, procedure: str = "vereenvoudigd", name: str = "MONITORING proef") -> str:
        """Makes a project and gives its number."""
        form = {"projectnaam": name, "gemeente": "Oefendorp", "adres": "Straat 1", "procedure": procedure}
        page = await self.post("/loket/projecten/nieuw", "/loket/projecten/nieuw", form)
        return value(page.text, r'id="projectnummer"[^>]*>([^<]+)<')

    async def submit_project(self, number: str) -> httpx.Response:
        """Uploads, signs and submits a project under the simplified procedure."""
        path = f"/loket/projecten/{number}"
        await self.post(
            path, f"{path}/dossierstukken", {"dossierstuk-type": "plan"}, files={"bestand": ("p.pdf", b"x")}
        )
        await self.post(path, f"{path}/dossiertaks", {}, files={"betaalbewijs": ("b.pdf", b"y")})
        await self.post(path, f"{path}/ondertekenen", {})
        return await self.post(path, f"/loket/indienen/{number}", {})


@asynccontextmanager
async def visitor(site: RunningPractice, persona: str | None = None) -> AsyncIterator[Visitor]:
    async with httpx.AsyncClient(base_url=site.base_url, follow_redirects=True, trust_env=False, timeout=60) as client:
        somebody = Visitor(client)
        if persona is not None:
            await somebody.log_in(persona)
        yield somebody


async def broken(site: RunningPractice, fault: str, **order: Any) -> None:
    """Breaks something through the control API."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        answer = await client.post(f"{site.base_url}/_practice/faults", json={"fault": fault, **order})
        assert answer.status_code == 201, answer.text
