"""Pauses: who, why and until when are obligatory, and the newest word about a check holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.clock import LIVE
from monitor.pauses import MOST_US, Pause, in_force, pause, resume
from monitor.store.database import Database
from sla.period import instant_text
from tests.new_store import new_store

HOUR = 3_600_000_000
CONFIG = """
[portal]
name = "Loket"
base_url = "http://127.0.0.1:9"
contact = "https://bestuur.example/meting"
[mail]
host = "127.0.0.1"
sender = "loketwacht@bestuur.example"
[[recipient]]
address = "ops@bestuur.example"
[[journey]]
id = "een"
title = { nl = "Een", en = "One" }
interval = "1m"
deadline = "20s"
[[journey.step]]
id = "openen"
path = "/"
expect.status = 200
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = new_store(tmp_path / "pauses.db")
    yield opened
    opened.close()


def _paused(database: Database, now_us: int) -> list[tuple[str | None, int]]:
    with database.read() as tx:
        return [(one.check_id, one.until_us) for one in in_force(tx, now_us)]


def test_a_pause_holds_until_its_end_and_no_longer(database: Database) -> None:
    with database.begin() as tx:
        pause(tx, ["een"], until_us=2 * HOUR, by="an", why="verhuis", now_us=HOUR)
    with database.read() as tx:
        assert in_force(tx, HOUR) == (Pause(check_id="een", since_us=HOUR, until_us=2 * HOUR, by="an", why="verhuis"),)
    assert _paused(database, 2 * HOUR) == []
    assert _paused(database, HOUR - 1) == []


def test_the_newest_word_about_a_check_holds(database: Database) -> None:
    with database.begin() as tx:
        pause(tx, ["een", None], until_us=9 * HOUR, by="an", why="verhuis", now_us=HOUR)
        pause(tx, ["een"], until_us=5 * HOUR, by="an", why="korter", now_us=2 * HOUR)
    assert _paused(database, 3 * HOUR) == [(None, 9 * HOUR), ("een", 5 * HOUR)]
    with database.begin() as tx:
        assert [one.check_id for one in resume(tx, ["een"], by="bo", why="klaar", now_us=3 * HOUR)] == ["een"]
    assert _paused(database, 3 * HOUR) == [(None, 9 * HOUR)]
    with database.begin() as tx:
        resume(tx, (), by="bo", why="klaar", now_us=4 * HOUR)
    assert _paused(database, 4 * HOUR) == []


@pytest.mark.parametrize(
    ("by", "why", "until_us"),
    [(" ", "verhuis", 2 * HOUR), ("an", "", 2 * HOUR), ("an", "verhuis", HOUR), ("an", "verhuis", HOUR + MOST_US + 1)],
    ids=["nobody", "no reason", "over already", "too long"],
)
def test_without_who_why_and_an_end_nothing_is_paused(database: Database, by: str, why: str, until_us: int) -> None:
    with database.begin() as tx, pytest.raises(ValueError, match="a pause"):
        pause(tx, ["een"], until_us=until_us, by=by, why=why, now_us=HOUR)


def test_the_command_line_pauses_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG)
    until = instant_text((LIVE.now_us() // 1_000_000 + 3600) * 1_000_000)
    said = ("--by", "an", "--why", "verhuis")
    assert main(("pause", "een", "--until", until, *said, "--json")) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert (told["check"], told["until"], told["by"], told["why"]) == ("een", until, "an", "verhuis")
    assert main(("pause", "twee", "--until", until, *said)) == 2
    assert 'There is no check "twee"' in capsys.readouterr().err
    assert main(("resume", "een", *said)) == 0
    assert "Nothing is paused." in capsys.readouterr().err
    assert main(("resume", "een", *said)) == 4
    assert main(("pause", "--until", until, "--by", "an")) == 2
