"""A project that a practice journey could not withdraw is withdrawn later, in a session of its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.clean_up import CleanUp, Standing
from monitor.clock import LIVE, monotonic_us, new_id, wall_us
from monitor.created import Stage
from monitor.store import created
from monitor.store.database import directly
from probes.checks import Portal
from probes.created import Made, Note
from probes.practice import PRACTICE_SECRETS, RunningPractice
from probes.run import run
from probes.setup import Setup
from tests.new_store import new_store
from tests.practice_site import practice_journeys, practice_site, value, visitor

HOUR_US = 3_600_000_000


def setup(site: RunningPractice) -> Setup:
    portal = Portal(name="Oefenloket", base_url=site.base_url, contact="test@example.org")
    return Setup(portal=portal, secrets=PRACTICE_SECRETS, now_us=wall_us, monotonic_us=monotonic_us, new_id=new_id)


@pytest.mark.parametrize("journey_id", ["project-aanmaken", "indienen"])
def test_a_project_left_behind_is_withdrawn_later(journey_id: str, tmp_path: Path) -> None:
    check = practice_journeys()[journey_id]
    database = new_store(tmp_path / "loketwacht.db")

    async def go() -> tuple[str, Standing]:
        async with practice_site(tmp_path / "practice") as site:
            keeper = CleanUp(database=database, in_store=directly, clock=LIVE)
            keeper.configured([check], setup(site))

            async def keep(note: Note) -> None:
                await keeper.keep(note)
                if isinstance(note, Made):
                    raise asyncio.CancelledError  # the monitor is killed here, before it cleaned up

            with pytest.raises(asyncio.CancelledError):
                await run(check, slot_us=0, location="hier", setup=replace(setup(site), created=keep))
            with database.read() as tx:
                [left] = created.read(tx)
            assert left.stage is Stage.MADE
            later = replace(LIVE, now_us=lambda: wall_us() + HOUR_US)
            successor = CleanUp(database=database, in_store=directly, clock=later)
            successor.configured([check], setup(site))
            standing = await successor.work_off()
            async with visitor(site, "burger") as applicant:
                page = await applicant.client.get(f"/loket/projecten/{left.name}")
            return value(page.text, r'id="toestand"[^>]*>([^<]+)<'), standing

    try:
        assert asyncio.run(go()) == ("ingetrokken", Standing())
    finally:
        database.close()
