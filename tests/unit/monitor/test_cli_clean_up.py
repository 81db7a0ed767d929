"""`loketwacht cleanup`: what is left at the portal, and accounts that rest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.created import Brake, Stage, Thing
from monitor.store import created, events
from monitor.store.database import Database
from tests.new_store import new_store

ORPHAN = Thing(
    id="run-1.maken",
    check_id="indienen",
    step="maken",
    what="project",
    run_id="run-1",
    run_time="2026-11-24T12:00:00Z",
    created_us=1_700_000_000_000_000,
    due_us=1_700_000_000_000_000,
    stage=Stage.MADE,
    name="OMV_1",
    tries=3,
    trouble="it stays",
)
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
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG)
    opened = new_store(tmp_path / "var" / "loketwacht.db")
    with opened.begin() as tx:
        created.add(tx, ORPHAN)
        created.add(tx, replace(ORPHAN, id="run-2.maken", stage=Stage.GONE, settled_us=1))
    opened.close()
    return opened


def test_what_is_left_is_listed_and_is_bad_news(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("cleanup", "list", "--json")) == 1
    [thing] = json.loads(capsys.readouterr().out)["objects"]
    assert (thing["id"], thing["name"], thing["state"], thing["tries"]) == ("run-1.maken", "OMV_1", "orphan", 3)
    assert main(("cleanup", "list", "--all")) == 1
    assert "run-2.maken" in capsys.readouterr().err


def test_what_a_person_settled_is_fine_and_is_kept_with_the_reason(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("cleanup", "confirm", "run-1.maken", "--by", "an", "--why", "zelf ingetrokken")) == 0
    assert main(("cleanup", "list")) == 0
    capsys.readouterr()
    main(("cleanup", "list", "--all", "--json"))
    by_id = {thing["id"]: thing for thing in json.loads(capsys.readouterr().out)["objects"]}
    settled = by_id["run-1.maken"]
    assert (settled["state"], settled["by"], settled["why"]) == ("settled", "an", "zelf ingetrokken")


@pytest.mark.parametrize("name", ["run-2.maken", "run-9.maken"])
def test_what_is_not_open_cannot_be_settled(database: Database, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("cleanup", "confirm", name, "--by", "an", "--why", "x")) == 4
    assert name in capsys.readouterr().err


def test_what_cannot_be_taken_away_now_is_told(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("cleanup", "retry")) == 1
    assert "the journey that made it is no longer configured" in capsys.readouterr().err


def test_an_account_that_rests_is_named_and_can_be_resumed(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("cleanup", "resume", "burger_token", "--by", "an", "--why", "wachtwoord vernieuwd")) == 4
    with database.begin() as tx:
        created.save_brake(tx, Brake(account="burger_token", refused=3, paused_until_us=9_000_000_000_000_000))
    capsys.readouterr()
    main(("cleanup", "list"))
    assert "Nobody logs in as burger_token before" in capsys.readouterr().err
    assert main(("cleanup", "resume", "burger_token", "--by", "an", "--why", "wachtwoord vernieuwd")) == 0
    with database.read() as tx:
        assert created.brake(tx, "burger_token") == Brake(account="burger_token")
        assert events.last(tx, "login-resumed") is not None
    database.close()
