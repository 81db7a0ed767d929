"""A monitor and an outpost, each a process of its own, on one store: one outage, one mail, whoever is away."""

from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from monitor.cli.output import Exit
from monitor.store import handed_in, incidents, samples
from monitor.store.database import Database
from monitor.store.spool import Spool
from probes.sample import Sample
from tests.running_service import Place, a_place, loketwacht, outposted, practising, running, until

NOTED = re.compile(r'alert_deliveries_total\{channel="mail",result="delivered"\} [1-9]')
_TWO = """
[[outpost]]
location = "gent"

[outpost.metrics]
port = 0
"""


def test_two_locations_agree_on_an_outage_and_measure_on_while_the_monitor_is_away(tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",), every="6s", deadline="5s", more=_TWO)
    config = place.config.read_text(encoding="utf-8")
    place.config.write_text(config.replace("[incidents]", "[incidents]\nquorum = 2", 1), encoding="utf-8")
    assert "quorum = 2" in place.config.read_text(encoding="utf-8")
    with practising(place), running(place, name="first") as service, outposted(place, "gent"):
        until(lambda: "gent" in service.page(), seconds=120, what="the page names the outpost")
        until(lambda: newest(place, "gent") and newest(place, "lokaal"), seconds=120, what="both have measured")
        service.break_it(fault="status-500", path="/", seconds=300)
        until(lambda: service.mails("STORING"), seconds=120, what="the outage is mailed")
        [mail] = service.mails("STORING")
        assert "gent, lokaal" in mail["text"]
        # Killed before the delivery is noted, the mail would be sent again once its lease has run out.
        until(lambda: NOTED.search(service.exposition()), seconds=120, what="its delivery is noted")
        service.end(signal.SIGKILL)
        measured = newest(place, "gent")
        until(lambda: newest(place, "gent") > measured, seconds=120, what="the outpost measures on")
        with running(place, name="second") as again:
            again.mend()
            until(lambda: again.mails("HERSTELD"), seconds=120, what="the recovery is mailed")
            until(lambda: left(place) == 0, seconds=120, what="all that was handed in is heard")
            assert len(again.mails("STORING")) == 1
    database = Database.open(f"sqlite:///{place.database}", migrate=False)
    with database.read() as tx:
        [incident] = incidents.read(tx, check_id="startpagina")
        assert incident.until_us is not None
    database.close()


def test_what_an_outpost_found_while_the_store_was_away_outlives_its_being_killed(tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",), every="2s", deadline="1500ms", more=_TWO)
    with practising(place):
        with running(place):  # it makes the store
            pass
        with outposted(place, "gent") as killed:
            until(lambda: newest(place, "gent"), seconds=40, what="the outpost measures")
            with closing(sqlite3.connect(place.database, isolation_level=None, timeout=20)) as holder:
                holder.execute("BEGIN IMMEDIATE")
                spool = place.database.with_name("waiting-gent.db")
                first = until(lambda: _waiting(spool), seconds=40, what="what it finds is kept on its own disk")
                # What was put there before the last is there for sure, whenever the process ends.
                until(lambda: _waiting(spool) > first, seconds=40, what="and what it finds next")
                killed.send_signal(signal.SIGKILL)
                killed.wait(timeout=20)
                holder.execute("ROLLBACK")
        with closing(Spool(spool)) as left_behind:
            kept = {(one.check_id, one.slot_us) for one in left_behind.read()[0] if isinstance(one, Sample)}
        assert len(kept) > 0
        assert not kept & _stored(place)
        with outposted(place, "gent"):
            until(lambda: kept <= _stored(place), seconds=40, what="it is stored")


def _stored(place: Place) -> set[tuple[str, int]]:
    """Check and slot of every sample of the outpost that the store has."""
    with closing(sqlite3.connect(place.database, timeout=20)) as connection:
        return set(connection.execute("SELECT check_id, slot_us FROM sample WHERE location = 'gent'"))


def _waiting(spool: Path) -> int:
    """How many samples and events stand in it, past the lock of the process that has it."""
    try:
        with closing(sqlite3.connect(f"{spool.as_uri()}?immutable=1", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM waiting").fetchone()[0])
    except sqlite3.DatabaseError:  # not there yet, or read while it was written
        return 0


def test_an_outpost_that_nobody_configured_is_refused_with_the_way_to_mend_it(tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",), more=_TWO)
    refused = loketwacht(place, "outpost", "aalst")
    assert refused.returncode == Exit.FAILED
    assert 'has no [[outpost]] with location = "aalst" (it has: gent)' in refused.stderr


def newest(place: Place, location: str) -> int:
    """Slot of the newest sample of a location; 0 where it has none."""
    database = Database.open(f"sqlite:///{place.database}", migrate=False)
    try:
        with database.read() as tx:
            found = samples.last(tx, ["startpagina"], location)
        return found["startpagina"].slot_us if found else 0
    finally:
        database.close()


def left(place: Place) -> int:
    database = Database.open(f"sqlite:///{place.database}", migrate=False)
    try:
        with database.read() as tx:
            return handed_in.count(tx)
    finally:
        database.close()


def test_an_outpost_before_the_monitor_made_the_store_says_what_to_start_first(tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",), more=_TWO)
    with practising(place):  # whose certificates the configuration names
        refused = loketwacht(place, "outpost", "gent")
    assert refused.returncode == Exit.FAILED
    assert "The monitor makes it right when it starts" in refused.stderr


def test_a_file_needs_no_roles_and_says_so(tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",), more=_TWO)
    refused = loketwacht(place, "db", "grants", "gent", "--role", "outpost_gent")
    assert (refused.returncode, refused.stdout) == (Exit.FAILED, "")
    assert "The store is a file of SQLite" in refused.stderr
