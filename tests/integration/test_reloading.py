"""A configuration of which nothing can be made ends neither a monitor nor an outpost: the one before stays in force."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.clock import LIVE
from monitor.config import Loaded, load
from monitor.measuring import Measuring
from monitor.outpost import Outpost
from monitor.reloading import or_refused, reloads
from monitor.schedule import Schedule
from monitor.store.database import Database, directly
from monitor.toml_file import ConfigError
from tests.certificates import authority
from tests.running_service import Place, a_place

OUTPOST = '\n[[outpost]]\nlocation = "gent"\n'
#: No file can be called so, and the system says so with none of the errors that one expects of files.
NOTHING_CAN_BE_MADE = '\n[[contract]]\nfile = "a\\u0000b"\n'


async def _never(*_: object) -> None:
    raise AssertionError("nothing is due")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = a_place(tmp_path, journeys=("startpagina",), more=OUTPOST)
    loaded = load(place.config)
    for name in filter(None, (loaded.config.portal.ca_file, loaded.config.mail.ca_file)):
        file = loaded.path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        authority(file.parent, file.name)
    return place


@pytest.fixture
def outpost(place: Place) -> Iterator[Outpost]:
    """Its parts stand ready; nothing is due."""
    loaded = load(place.config)
    outpost = Outpost(loaded, loaded.config.outpost[0], path=place.config, clock=LIVE)
    database = Database.open(loaded.database_url, durable=False)
    measuring = Measuring(
        "gent", database=database, in_store=directly, clock=LIVE, metrics=outpost._metrics, outpost=True
    )
    measuring.configured(loaded, outpost._alerting(loaded))
    measuring._schedule = Schedule((), clock=LIVE, start=_never, on_missed=print, on_jump=print)
    outpost._measuring = measuring
    yield outpost
    database.close()


async def _reloaded(outpost: Outpost, path: Path) -> bool:
    """Ask for a reload; what the metric says of it."""
    asked = asyncio.Event()
    outpost._metrics.set("monitor_config_last_reload_successful", -1.0)
    going = asyncio.create_task(reloads(asked, outpost, path=path, clock=LIVE, metrics=outpost._metrics))
    asked.set()
    said = ""
    async with asyncio.timeout(20):
        while not going.done() and said in ("", "-1.0"):
            await asyncio.sleep(0.01)
            text = outpost._metrics.exposition("")[0].decode()
            said = text.partition("\nmonitor_config_last_reload_successful ")[2].partition("\n")[0]
    assert not going.done(), going
    going.cancel()
    return float(said) == 1


def test_an_outpost_goes_on_by_the_old_configuration_where_nothing_can_be_made_of_the_new(
    place: Place, outpost: Outpost, caplog: pytest.LogCaptureFixture
) -> None:
    """T44."""
    good, before = place.config.read_text(encoding="utf-8"), outpost._measuring.setup
    place.config.write_text(good + NOTHING_CAN_BE_MADE, encoding="utf-8")
    assert not asyncio.run(_reloaded(outpost, place.config))
    assert "the old one stays in force" in caplog.text
    assert outpost._measuring.setup is before
    place.config.write_text(good.replace('name = "Oefenloket"', 'name = "Ander loket"'), encoding="utf-8")
    assert asyncio.run(_reloaded(outpost, place.config))
    assert outpost._measuring.setup is not before
    assert outpost._loaded.config.portal.name == "Ander loket"


def test_an_outpost_that_is_configured_no_more_goes_on_and_says_what_to_do(
    place: Place, outpost: Outpost, caplog: pytest.LogCaptureFixture
) -> None:
    good = place.config.read_text(encoding="utf-8")
    place.config.write_text(good.replace('location = "gent"', 'location = "aalst"'), encoding="utf-8")
    assert not asyncio.run(_reloaded(outpost, place.config))
    assert "end it, and start it again if it should measure" in caplog.text


@pytest.mark.parametrize("missing", ["references", "monitor", "portal"])
def test_what_fails_half_way_changes_nothing(outpost: Outpost, missing: str) -> None:
    loaded, setup, checks = outpost._loaded, outpost._measuring.setup, outpost._measuring.checks
    broken: Loaded = replace(loaded, config=loaded.config.model_copy(update={missing: None}))
    with (
        pytest.raises(ConfigError, match="cannot be taken into use"),
        or_refused(Path("config.toml"), "cannot be taken into use"),
    ):
        outpost.take_over(broken)
    assert (outpost._loaded, outpost._measuring.setup, outpost._measuring.checks) == (loaded, setup, checks)
