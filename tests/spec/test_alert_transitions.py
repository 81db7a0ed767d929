"""The whole table: where a check stands, whether maintenance mutes it, what the next run finds, restarted or not.

The mail that the next run causes: `O` that it broke, `R` that it works again, `-` none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.store import ledger
from monitor.store.database import Database
from sla.ledger import Entry
from tests.heart import INDIENEN, Office, at
from tests.new_store import new_store

MARKS = ".~xX?"
CHECKS = {mark: INDIENEN.model_copy(update={"id": f"reis-{number}"}) for number, mark in enumerate(MARKS)}
LETTERS = {"STORING": "O", "HERSTELD": "R"}
#: What was lived until 10:04 with two failures to open and two good runs to close; whether under maintenance.
STANDS = {
    "well": (".", False),
    "one failure": ("x", False),
    "down and told": ("xx", False),
    "down and muted": ("xx", True),
    "told, one good run": ("xx.", False),
    "muted, one good run": ("xx.", True),
}
#: What runs that find `.`, `~`, `x`, `X` and `?` cause at 10:04.
UNMUTED = {
    "well": "---O-",
    "one failure": "--OO-",
    "down and told": "-----",
    "down and muted": "--OOO",
    "told, one good run": "RR---",
    "muted, one good run": "--OO-",
}
MUTED = {stands: "RR---" if stands == "told, one good run" else "-----" for stands in STANDS}


@contextmanager
def standing(tmp_path: Path, stands: str, *, muted_then: bool) -> Iterator[Office]:
    """A check for each mark, all of which stand there at 10:04."""
    picture, muted = STANDS[stands]
    office = Office(database=new_store(tmp_path / "now.db"))
    stretches = [("10:00", "10:04")] * muted + [("10:04", "10:30")] * muted_then
    with office.database.begin() as tx:
        for start, end in stretches:
            works = Entry(kind="maintenance", recorded_us=1, by="a", reason="b", from_us=at(start), until_us=at(end))
            ledger.append(tx, works)
    try:
        for check in CHECKS.values():
            office.live(picture, check, start=f"10:0{4 - len(picture)}")
        yield office
    finally:
        office.database.close()


def restarted(office: Office) -> None:
    office.database.close()
    office.database = Database.open(office.database.url, durable=False)


def caused(office: Office, mark: str) -> str:
    office.sent.clear()
    office.live(mark, CHECKS[mark], start="10:04")
    return "".join(LETTERS[word] for word in office.words()) or "-"


@pytest.mark.parametrize("restart", [False, True], ids=["goes on", "restarted"])
@pytest.mark.parametrize("muted_then", [False, True], ids=["no maintenance", "maintenance"])
@pytest.mark.parametrize("stands", STANDS)
def test_what_the_next_run_causes(tmp_path: Path, stands: str, muted_then: bool, restart: bool) -> None:
    """T12."""
    with standing(tmp_path, stands, muted_then=muted_then) as office:
        if restart:
            restarted(office)
        assert "".join(caused(office, mark) for mark in MARKS) == (MUTED if muted_then else UNMUTED)[stands]


@pytest.mark.parametrize("mark", ["x", "?"])
def test_a_restart_never_forgets_that_somebody_waits_for_the_recovery(tmp_path: Path, mark: str) -> None:
    """T12: down and told, maintenance, whatever the first run after a restart finds, and then it works again."""
    with standing(tmp_path, "down and told", muted_then=True) as office:
        restarted(office)
        assert caused(office, mark) == "-"
        office.live("..", CHECKS[mark])
        assert office.words() == ["HERSTELD"]
