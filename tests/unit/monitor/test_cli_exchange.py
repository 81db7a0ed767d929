"""Commands that put facts on record, take them in, give them out and prove them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor import sealing
from monitor.cli import main
from monitor.clock import LIVE
from monitor.store.database import Database
from tests.running_service import a_place

Run = Callable[..., tuple[int, str, str]]
CLAIM = ("ledger", "add", "exclusion-claimed", "--by", "Voorbeeld NV", "--reason", "storm", "--from",
         "2026-10-05T10:00+02:00", "--until", "2026-10-05T11:00+02:00", "--data", "ground=force-majeure")  # fmt: skip
RELEASE = '{"kind":"release","recorded_at":"2026-10-01T08:00:00Z","by":"An","reason":"nieuw","version":"2"%s}\n'
SAMPLES = "".join(
    json.dumps({"journey": "startpagina", "due": f"2026-10-05T10:0{i}:00Z", "interval_s": 60, "outcome": "up",
                "duration_ms": 100 + i}) + "\n" for i in range(5)
)  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in a working directory with a configuration: exit code, standard output, standard error."""
    place = a_place(tmp_path, journeys=("startpagina", "webservice"))
    config = place.config.read_text(encoding="utf-8")
    place.config.write_text(re.sub(r"\nca_file = .*", "", config), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        return code, *capsys.readouterr()

    return command


def test_a_claim_is_recorded_and_answered(run: Run) -> None:
    assert run(*CLAIM)[0] == 0
    code, out, _ = run(
        "ledger", "add", "exclusion-accepted", "--by", "An", "--reason", "KMI", "--supersedes", "1", "--json"
    )
    answer = json.loads(out)
    assert (code, answer["from"], answer["ground"]) == (0, "2026-10-05T08:00:00Z", "force-majeure")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("releas",), "is no kind of entry"),
        (("release", "--from", "2026-10-05T10:00:00Z"), 'needs "version"'),
        (("release", "--from", "2026-10-05T10:00:00"), "has no offset"),
        (("release", "--data", "version"), "is no key=value"),
        (("acknowledged", "--data", "incident=1", "--scope", "nergens"), 'no check "nergens"'),
        (("exclusion-refused", "--supersedes", "4"), "which is not there"),
    ],
)
def test_what_is_half_said_is_wrong_usage_and_changes_nothing(run: Run, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run("ledger", "add", *arguments, "--by", "An", "--reason", "x")
    assert (code, out) == (2, "")
    assert said in err
    assert json.loads(run("ledger", "list", "--json")[1]) == []


def test_every_kind_tells_what_it_needs(run: Run) -> None:
    kinds = json.loads(run("ledger", "kinds", "--json")[1])
    assert kinds["defence"]["needs"] == ["findings", "position"]
    assert "defence: what the supplier brings in" in run("ledger", "kinds")[2]


def test_a_ledger_file_comes_in_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    good, bad = RELEASE % ',"from":"2026-10-02T08:00:00Z"', RELEASE % ""
    (tmp_path / "bad.jsonl").write_text(good + bad + "{\n")
    code, _, err = run("import", "ledger", "bad.jsonl")
    assert code == 3
    assert "bad.jsonl:3: is no JSON" in err
    (tmp_path / "half.jsonl").write_text(good + bad)
    code, _, err = run("import", "ledger", "half.jsonl")
    assert (code, err) == (3, "half.jsonl:2: release needs its start (from)\n")
    assert json.loads(run("ledger", "list", "--json")[1]) == []
    (tmp_path / "good.jsonl").write_text(good)
    assert run("import", "ledger", "good.jsonl")[0] == 0
    assert json.loads(run("export", "ledger")[1])["claimed_recorded_at"] == "2026-10-01T08:00:00Z"


def test_samples_come_in_and_go_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(SAMPLES)
    assert json.loads(run("import", "samples", "s.jsonl", "--json")[1]) == {"written": 5, "there": 0}
    assert len(run("export", "samples", "--period", "2026-10")[1].splitlines()) == 5
    assert run("export", "samples", "--period", "2026-09")[1] == ""
    assert run("export", "samples", "--output", "out.jsonl")[1] == ""
    assert json.loads(run("import", "samples", "out.jsonl", "--json")[1]) == {"written": 0, "there": 5}
    assert run("import", "samples", "nowhere.jsonl")[0] == 3


def test_verify_names_the_day_of_an_altered_sample_also_in_a_copy(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(SAMPLES)
    run("import", "samples", "s.jsonl")
    path = tmp_path / "var" / "loketwacht.db"
    due = sealing.digests_due(f"sqlite:///{path}", LIVE.now_us())
    database = Database.open(f"sqlite:///{path}")
    with database.begin() as tx:
        sealing.record(tx, due, now_us=LIVE.now_us())
    database.close()
    assert run("verify")[0] == 0
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TRIGGER sample_no_update")
        raw.execute("UPDATE sample SET duration_us = 1 WHERE slot_us % 60000000 = 0 AND duration_us = 102000")
    raw.close()
    code, out, err = run("verify", "--database", f"sqlite:///{path}", "--json")
    assert code == 1
    assert json.loads(out)["first_difference"]["day"] == "2026-10-05"
    assert "The samples of startpagina lokaal on 2026-10-05 (UTC) are not those of entry 1" in err


def test_verify_names_a_folded_day_that_is_not_what_its_samples_say(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(SAMPLES)
    run("import", "samples", "s.jsonl")
    assert run("db", "rebuild-days")[0] == 0
    assert run("verify")[0] == 0
    with sqlite3.connect(tmp_path / "var" / "loketwacht.db") as raw:
        raw.execute("UPDATE sample_day SET runs = replace(runs, '\"up\"', '\"down\"')")
    raw.close()
    code, out, err = run("verify", "--json")
    assert code == 1
    assert json.loads(out)["first_misfolded"]["location"] == "lokaal"
    assert "The folded day 2026-10-05 (UTC) of startpagina lokaal is not what its samples say" in err
    run("db", "rebuild-days")
    assert run("verify")[0] == 0


def test_evidence_needs_a_report_and_an_archive_is_an_archive(run: Run, tmp_path: Path) -> None:
    code, _, err = run("export", "evidence", "2026-10")
    assert code == 3
    assert "names no contract" in err
    (tmp_path / "x.zip").write_text("no archive")
    assert run("verify", "x.zip")[0] == 3
