"""A monitor killed in the middle of an outage goes on where it was: nothing forgotten, nothing said twice."""

from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from monitor.cli.output import Exit
from monitor.clock import wall_us
from monitor.schedule import grid
from monitor.store import events, incidents, samples
from monitor.store.database import Database
from tests.running_service import Place, Running, a_place, loketwacht, practising, running, until

EVERY_US = 6_000_000
FOR_EVER_US = 2**62
NOTED = re.compile(r'alert_deliveries_total\{channel="mail",result="delivered"\} [1-9]')


def test_an_outage_outlives_the_monitor_that_was_killed(tmp_path: Path) -> None:
    """T3, T10, T11, T29."""
    place = a_place(tmp_path, journeys=("startpagina",), every="6s", deadline="5s")
    with practising(place):
        with running(place, name="first") as service:
            until(lambda: "startpagina" in service.up(), seconds=120, what="the front page is up")
            service.break_it(fault="status-500", path="/", seconds=300)
            until(lambda: service.mails("STORING"), seconds=120, what="the outage is mailed")
            # Killed before the delivery is noted, the mail would be sent again once its lease has run out.
            until(lambda: NOTED.search(service.exposition()), seconds=120, what="its delivery is noted")
            service.end(signal.SIGKILL)
        before = stored(place)
        assert len(before["open"]) == 1
        until(lambda: wall_us() > before["slots"][-1] + 3 * EVERY_US, seconds=60, what="two slots have gone by")
        with running(place, name="second") as service:
            until(lambda: stored(place)["samples"] > before["samples"] + 1, seconds=120, what="two more samples")
            assert len(service.mails("STORING")) == 1
            assert service.series("journey_incident_open")["startpagina"] == 1
            assert stored(place)["open"] == before["open"]
            service.mend()
            until(lambda: service.mails("HERSTELD"), seconds=120, what="the recovery is mailed")
            until(lambda: stored(place)["open"] == [], seconds=60, what="the incident is closed")
            assert service.series("journey_missed_runs_total")["startpagina"] >= 1
            service.end()
            assert (len(service.mails("STORING")), len(service.mails("HERSTELD"))) == (1, 1)
    what_was_missed_is_on_record(place)


def test_a_portal_ends_with_the_monitor_that_started_it_also_where_that_was_killed(tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",))
    with running(place, "--practice", name="first") as service:
        service.end(signal.SIGKILL)
        until(lambda: not listens(service), seconds=60, what="the portal is gone")
    with running(place, "--practice", name="second") as service:
        until(lambda: "startpagina" in service.up(), seconds=120, what="its ports are free again")


def test_nothing_is_left_of_a_monitor_that_was_killed(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    with running(place, "--practice", name="only") as service:
        # The practice portal, the process that assesses months, and multiprocessing's own tracker.
        until(lambda: len(children(service)) >= 3, seconds=120, what="its processes have started")
        started = children(service)
        service.end(signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid in started), seconds=60, what="its processes are gone")


def children(service: Running) -> list[str]:
    pid = service.process.pid
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def listens(service: Running) -> bool:
    try:
        return service.client.get(service.place.portal).is_success
    except httpx.TransportError:
        return False


def what_was_missed_is_on_record(place: Place) -> None:
    after = stored(place)
    assert {slot % EVERY_US for slot in after["slots"]} == {grid("startpagina", EVERY_US).phase_us}
    [missed] = [event.data for event in after["missed"] if event.data["cause"] == "off"]
    from_us, until_us = int(missed["from_us"]), int(missed["until_us"])
    assert not any(from_us <= slot < until_us for slot in after["slots"])
    assert missed["count"] == len(range(from_us, until_us, EVERY_US))
    assert max(slot for slot in after["slots"] if slot < from_us) == from_us - EVERY_US


def stored(place: Place) -> dict[str, Any]:
    database = Database.open(f"sqlite:///{place.database}", migrate=False)
    try:
        with database.read() as tx:
            slots = [m.slot_us for m in samples.stream(tx, ("startpagina",), 0, FOR_EVER_US)]
            return {
                "samples": len(slots),
                "slots": slots,
                "open": [incident.id for incident in incidents.read(tx, only_open=True)],
                "missed": list(events.read(tx, 0, FOR_EVER_US, kinds=("missed-slots",))),
            }
    finally:
        database.close()


def test_no_backup_takes_the_place_of_a_store_that_a_running_monitor_can_no_longer_read(tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",), every="2s", deadline="1500ms")
    with practising(place), running(place):
        assert loketwacht(place, "db", "backup", "copy.db").returncode == Exit.FINE
        with closing(sqlite3.connect(place.database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with place.database.open("r+b") as file:
            file.write(b"\xff" * 100)
        refused = loketwacht(place, "db", "restore", "copy.db")
        assert "Stop the monitor first" in refused.stderr
        assert refused.returncode == Exit.FAILED
    restored = loketwacht(place, "db", "restore", "copy.db")
    assert restored.returncode == Exit.FINE, restored.stderr
