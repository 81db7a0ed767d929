"""What the service does when its own clock jumps or its schedule stands still."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from monitor.aftercare import Aftercare
from monitor.alerts import test_messages as messages_to_try
from monitor.check_run import Alerting, Finding, save
from monitor.clock import Clock
from monitor.composition import link_signer
from monitor.config import Loaded, load
from monitor.measuring import Measuring
from monitor.pauses import pause, resume
from monitor.reloading import or_refused
from monitor.schedule import ClockJump, Schedule
from monitor.service import Service
from monitor.store import events, incidents, leaving, outbox, samples
from monitor.store.database import Database, directly
from monitor.supervisor import Supervisor
from monitor.toml_file import ConfigError
from tests.bundles import a_picture, a_trace, seen_in_a_browser
from tests.certificates import authority
from tests.heart import DAY, HOUR, INDIENEN, OPS, SECOND, a_sample, at, run
from tests.running_service import a_place


async def _never(*_: object) -> None:
    raise AssertionError("nothing is due")


@dataclass
class Inside:
    """A service whose parts stand ready, with a clock that tests move."""

    service: Service
    database: Database
    monotonic_us: int = 0

    @property
    def measuring(self) -> Measuring:
        return self.service._measuring


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    loaded = load(a_place(tmp_path, journeys=("startpagina",)).config)
    clock = Clock(now_us=lambda: at("10:00"), monotonic_us=lambda: found.monotonic_us, new_id=lambda: "0")
    service = Service(loaded, path=tmp_path / "config.toml", clock=clock)
    database = Database.open(loaded.database_url)
    found = Inside(service=service, database=database)
    service._database, service._in_store = database, directly  # type: ignore[assignment]
    service._signer = link_signer(loaded)
    service._measuring = measuring = Measuring(
        "lokaal", database=database, in_store=directly, clock=clock, metrics=service._metrics
    )
    measuring.configured(loaded, Alerting())
    measuring._schedule = Schedule((), clock=clock, start=_never, on_missed=print, on_jump=print)
    yield found
    database.close()


def test_what_was_kept_of_browsers_today_counts_after_a_restart_and_a_reload(inside: Inside) -> None:
    """What a process before this one kept is known from the store; yesterday's does not count."""
    measuring = inside.measuring
    today = seen_in_a_browser(a_sample("x", at("09:00")))
    yesterday = seen_in_a_browser(a_sample("x", at("09:00") - DAY), picture=a_picture(10), trace=a_trace("gisteren"))
    with inside.database.begin() as tx:
        samples.add(tx, yesterday)
        samples.add(tx, today)
    measuring._before()
    left = 64 * 1024 * 1024 - sum(len(file.content) for file in today.bundles[0].files)
    budget = measuring.setup.browsers.budget
    assert [budget.takes(size, at("10:00")) for size in (left + 1, left - 1)] == [False, True]
    measuring.configured(load(inside.service._path), Alerting())
    assert measuring.setup.browsers.budget is not budget
    assert [measuring.setup.browsers.budget.takes(size, at("10:00")) for size in (2, 1)] == [False, True]


@pytest.mark.parametrize(("shift_us", "direction"), [(-HOUR, "backward"), (HOUR, "forward")])
def test_a_jump_of_the_clock_is_counted_and_kept(inside: Inside, shift_us: int, direction: str) -> None:
    """T20."""

    async def jump() -> None:
        inside.measuring._jumped(ClockJump(at_us=at("10:00"), shift_us=shift_us))
        await inside.measuring.recorder.drain()

    run(jump())
    exposed = inside.service._metrics.exposition("")[0].decode()
    assert f'monitor_clock_jumps_total{{direction="{direction}"}} 1.0' in exposed
    with inside.database.read() as tx:
        kept = events.last(tx, "clock-jump")
    assert kept is not None
    assert kept.data == {"shift_us": shift_us, "location": "lokaal"}


def test_slots_before_a_sample_of_a_clock_that_was_ahead_are_still_to_be_run(inside: Inside) -> None:
    """T20: measured ten years ahead before the clock was set, no slot of these ten years would ever be due."""
    with inside.database.begin() as tx:
        for slot_us in (at("09:59"), at("10:00") + 10 * 366 * 24 * HOUR):
            samples.add(tx, a_sample(".", slot_us, "startpagina"))
    done, used, _ = inside.measuring._before()
    assert (done, used) == ({"startpagina": at("09:59")}, {"startpagina": at("10:00") + 10 * 366 * 24 * HOUR})


def test_systemd_hears_nothing_more_of_a_schedule_that_stands_still(inside: Inside, tmp_path: Path) -> None:
    """T31: a minute without a move, and the watchdog is left to bark."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        inside.service._supervisor = Supervisor({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        inside.monotonic_us = 60 * SECOND
        run(inside.service._alive())
        assert systemd.recv(100) == b"WATCHDOG=1"
        inside.monotonic_us = 61 * SECOND
        run(inside.service._alive())
        with pytest.raises(BlockingIOError):
            systemd.recv(100)


async def _due(measuring: Measuring) -> None:
    await measuring._look_what_rests()
    await measuring._start(measuring.checks[0], at("10:00"))
    await measuring.recorder.drain()


def _gauge(service: Service, name: str) -> str:
    exposed = service._metrics.exposition("")[0].decode()
    return next(line.rpartition(" ")[2] for line in exposed.splitlines() if line.startswith(name))


def test_while_the_stop_file_is_there_no_run_begins_and_page_and_metrics_say_so(inside: Inside, tmp_path: Path) -> None:
    inside.measuring.rests.configured(tmp_path / "STOP")
    (tmp_path / "STOP").touch()
    run(_due(inside.measuring))
    with inside.database.read() as tx:
        [missed] = events.read(tx, 0, at("11:00"), kinds=("missed-slots",))
    assert (missed.check_id, missed.data["cause"], missed.data["count"]) == ("startpagina", "stop-file", 1)
    assert _gauge(inside.service, "monitor_stop_file_present") == "1.0"
    assert "stopbestand" in inside.service._shown().notice[0]


def test_a_paused_check_is_told_as_missed_and_page_and_metrics_say_so(inside: Inside) -> None:
    with inside.database.begin() as tx:
        pause(tx, ["startpagina"], until_us=at("11:00"), by="an", why="Verhuis", now_us=at("10:00"))
    run(_due(inside.measuring))
    with inside.database.read() as tx:
        [missed] = events.read(tx, 0, at("11:00"), kinds=("missed-slots",))
    assert (missed.check_id, missed.data["cause"]) == ("startpagina", "paused")
    assert _gauge(inside.service, 'journey_paused{journey="startpagina"}') == "1.0"
    nl, en = inside.service._shown().notice
    assert nl.endswith("is gepauzeerd tot 2026-11-23 12:00: Verhuis.")
    assert en.endswith("is paused until 2026-11-23 12:00: Verhuis.")
    with inside.database.begin() as tx:
        resume(tx, (), by="an", why="klaar", now_us=at("10:00"))
    run(inside.measuring._look_what_rests())
    assert _gauge(inside.service, 'journey_paused{journey="startpagina"}') == "0.0"


def test_a_reload_keeps_the_secrets_of_what_it_leaves_as_it_was(inside: Inside) -> None:
    """T44: a renamed secret of a section that only a start changes."""
    before = dict(with_authority(inside.service._loaded).secrets)
    inside.service.take_over(replace(inside.service._loaded, secrets={"nieuw": "w"}))
    assert inside.service._loaded.secrets == {**before, "nieuw": "w"}


def test_a_configuration_that_cannot_be_used_after_all_is_refused_with_what_is_wrong(inside: Inside) -> None:
    """T44: it must not end the process."""
    loaded = inside.service._loaded
    broken = loaded.config.model_copy(update={"courtesy": None, "incidents": None, "references": None})
    with (
        pytest.raises(ConfigError, match="cannot be taken into use"),
        or_refused(Path("config.toml"), "cannot be taken into use"),
    ):
        inside.service.take_over(replace(loaded, config=broken))
    assert inside.service._loaded is loaded


def test_a_file_that_cannot_even_be_looked_for_is_a_wrong_configuration(tmp_path: Path) -> None:
    """T44."""
    place = a_place(tmp_path, journeys=("startpagina",), more=f'[[contract]]\nfile = "{"x" * 300}.toml"\n')
    with (
        pytest.raises(ConfigError, match=r"config.toml:1:1: cannot be read: .*File name too long"),
        or_refused(place.config, "cannot be read"),
    ):
        load(place.config)


def care_after(inside: Inside, rung: list[bool]) -> Aftercare:
    return Aftercare(
        loaded=lambda: inside.service._loaded,
        alerting=Alerting,
        months={},
        database=inside.database,
        in_store=directly,
        clock=inside.service._clock,
        metrics=inside.service._metrics,
        wake=lambda: rung.append(True),
    )


def test_an_outage_that_is_found_after_its_check_was_taken_out_ends_all_the_same(inside: Inside) -> None:
    """Its run was under way when that happened; nothing else would ever see its end."""
    found = Finding(check=INDIENEN, sample=a_sample("X", at("10:00")), alerting=Alerting())
    save(inside.database, found, now_us=at("10:00"))
    rung: list[bool] = []
    aftercare = care_after(inside, rung)
    run(aftercare.follow_up())
    with inside.database.read() as tx:
        assert [one.until_us for one in incidents.read(tx)] == [at("10:00")]
    run(aftercare.follow_up())
    assert rung == [True]


def test_at_a_start_what_is_followed_no_longer_ends_and_the_metrics_learn_what_is_open(inside: Inside) -> None:
    home = inside.service._loaded.config.checks[0]
    for check in (home, INDIENEN):
        found = Finding(check=check, sample=a_sample("X", at("10:00"), check.id), alerting=Alerting())
        save(inside.database, found, now_us=at("10:00"))
    run(care_after(inside, []).begin())
    exposed = inside.service._metrics.exposition("")[0].decode()
    assert f'journey_incident_open{{journey="{home.id}"}} 1.0' in exposed
    assert INDIENEN.id not in exposed


def test_a_check_that_a_reload_puts_in_shadow_is_shown_without_an_incident(inside: Inside) -> None:
    loaded = inside.service._loaded
    [home] = loaded.config.journey
    found = Finding(check=home, sample=a_sample("X", at("10:00"), home.id), alerting=Alerting())
    save(inside.database, found, now_us=at("10:00"))
    rung: list[bool] = []
    aftercare = care_after(inside, rung)
    run(aftercare.begin())
    shadow = home.model_copy(update={"shadow": True})
    inside.service._loaded = replace(loaded, config=loaded.config.model_copy(update={"journey": (shadow,)}))
    run(aftercare.abandon())
    assert rung == [True]
    assert f'journey_incident_open{{journey="{home.id}"}} 0.0' in inside.service._metrics.exposition("")[0].decode()


def with_authority(loaded: Loaded) -> Loaded:
    """The same, with the file of authorities that it names for mail."""
    assert loaded.config.mail.ca_file is not None
    ca = loaded.path(loaded.config.mail.ca_file)
    ca.parent.mkdir(parents=True)
    authority(ca.parent, ca.name)
    return loaded


def test_mails_follow_a_reload(inside: Inside) -> None:
    """A portal that was renamed is called by its new name in what is written from then on."""
    loaded = with_authority(inside.service._loaded)
    renamed = loaded.config.portal.model_copy(update={"name": "Ander loket"})
    inside.service.take_over(replace(loaded, config=loaded.config.model_copy(update={"portal": renamed})))
    with inside.database.begin() as tx:
        outbox.add(tx, messages_to_try((OPS,), asked_us=at("10:00")), now_us=at("10:00"))
        message = leaving.claim(tx, now_us=at("10:00"), owner="hier", lease_us=SECOND, hold_us=SECOND)
    assert message is not None
    assert "[Ander loket]" in inside.service._write(message, at("10:00"), None).subject


def test_for_an_hour_after_a_jump_of_the_clock_nothing_is_written_down_for_good(inside: Inside) -> None:
    """T20: a day that was sealed by a clock that was ahead cannot be sealed again."""

    async def jump() -> None:
        inside.measuring._jumped(ClockJump(at_us=at("10:00"), shift_us=3 * DAY))
        await inside.measuring.recorder.drain()

    assert inside.measuring.clock_is_steady
    run(jump())
    inside.monotonic_us = HOUR - 1
    assert not inside.measuring.clock_is_steady
    inside.monotonic_us = HOUR
    assert inside.measuring.clock_is_steady
