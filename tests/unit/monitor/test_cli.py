"""The command line: exit codes people and programs rely on, JSON on standard output and nothing else there."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.clock import LIVE
from monitor.config import load
from monitor.store import samples
from monitor.store.database import Database
from probes.practice.people import PRACTICE_SECRETS
from tests.heart import a_sample
from tests.running_service import a_place

CONTRACT = """
contract = "PROEF"
authority = "Voorbeeldbestuur"
supplier = "Voorbeeld NV"
timezone = "Europe/Brussels"

[[version]]
number = 1
valid_from = 2026-01-01
valid_until = 2026-12-31
monthly_fee = "100000.00"
[version.windows.altijd]
weekly = ["mon-sun 00:00-24:00"]
holidays = "open"
[[version.clause]]
id = "B1"
kind = "availability"
scope = ["indienen"]
window = "altijd"
period = "month"
target = "0.99"
obligation = "result"
sanction = { scale = "per-unit", unit = "0.01", amount = "EUR 100" }
"""
FROM, UNTIL = "2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration of two checks, whose portal is not there."""
    place = a_place(tmp_path, journeys=("startpagina", "webservice"))
    config = place.config.read_text(encoding="utf-8")
    place.config.write_text(re.sub(r"\nca_file = .*", "", config), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Said:
    """What commands answered."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        code = main(arguments)
        self.out, self.err = self._capsys.readouterr()
        return code

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Iterator[Said]:
    yield Said(capsys)


def measurements(folder: Path, *spans: tuple[str, str, str]) -> Path:
    path = folder / "measurements.jsonl"
    lines = [
        json.dumps({"journey": "indienen", "from": start, "to": end, "state": state}) for start, end, state in spans
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "contract.toml").write_text(CONTRACT, encoding="utf-8")
    return path


ASSESS = ("sla", "assess", "--contract", "contract.toml", "--measurements", "measurements.jsonl", "--period")


# -- exit codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("check",),
        ("check", "bestaat-niet"),
        ("report",),
        ("sla", "assess"),
        ("maintenance", "announce", "--from", "2027-01-01T00:00+01:00"),
        ("maintenance", "announce", "--from", "morgen", "--until", "2027-01-01T00:00Z", "--by", "An", "--reason", "x"),
        ("maintenance", "announce", "--from", "2027-01-02T00:00Z", "--until", "2027-01-01T00:00Z", "--by", "An",
         "--reason", "x"),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)  # fmt: skip
def test_wrong_usage_is_2(folder: Path, said: Said, arguments: tuple[str, ...]) -> None:
    assert said(*arguments) == 2
    assert said.out == ""


@pytest.mark.parametrize(
    "arguments", [("check", "startpagina"), ("config", "check"), ("status",), ("ledger", "list"), ("report", "2026-10")]
)
def test_a_wrong_configuration_is_3_with_its_place(folder: Path, said: Said, arguments: tuple[str, ...]) -> None:
    config = folder / "config.toml"
    config.write_text(config.read_text().replace('name = "Oefenloket"', "name = 3"))
    assert said(*arguments) == 3
    assert said.out == ""
    assert "config.toml:" in said.err
    assert "Traceback" not in said.err


def test_a_configuration_that_is_not_there_is_3(tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said("config", "check") == 3
    assert "config.toml" in said.err


@pytest.mark.parametrize(
    ("period", "code"),
    [("2027-12", 4), ("2026-13", 2), ("../2026", 2), ("2026-10-01T00:00:00Z/2026-10-02T00:00:00Z", 2), ("", 2)],
)
def test_a_report_is_refused_for_what_is_no_month_that_began(
    tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch, period: str, code: int
) -> None:
    a_place(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert said("report", period) == code
    assert said.out == ""
    assert not (tmp_path / "var" / "reports").exists()


def test_a_store_that_cannot_be_opened_is_4(folder: Path, said: Said) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "loketwacht.db").write_text("this is no database, it is a letter to a friend" * 40)
    assert said("status") == 4
    assert "Traceback" not in said.err


def test_the_version_is_told(said: Said) -> None:
    assert said("--version") == 0
    assert said.out.strip() == "0.1.0"


# -- check ----------------------------------------------------------------------------------


def test_a_check_that_is_down_is_1_and_says_why(folder: Path, said: Said) -> None:
    assert said("check", "startpagina") == 1
    assert said.out == ""
    assert "startpagina" in said.err


def test_a_check_as_json_is_alone_on_standard_output(folder: Path, said: Said) -> None:
    assert said("check", "startpagina", "--json") == 1
    [found] = said.json
    assert (found["check"], found["outcome"], found["failure"]["kind"]) == ("startpagina", "down", "connect")
    assert found["failure"]["sentence"].keys() == {"nl", "en"}
    assert said.err == ""


def test_plugin_hosts_read_critical_for_down(folder: Path, said: Said) -> None:
    assert said("check", "startpagina", "webservice", "--nagios") == 2
    [line] = said.out.splitlines()
    assert line.startswith("LOKETWACHT CRITICAL - startpagina: ")
    assert "| 'startpagina'=" in line


def test_a_stored_result_is_told_until_it_is_too_old(folder: Path, said: Said) -> None:
    loaded = load(folder / "config.toml")
    database = Database.open(loaded.database_url)
    with database.begin() as tx:
        slot_us = LIVE.now_us()
        found = a_sample(".", slot_us, "startpagina")
        samples.add(tx, replace(found, location=loaded.config.monitor.location))
    database.close()
    assert said("check", "startpagina", "--nagios", "--stored") == 0
    assert said.out.startswith("LOKETWACHT OK - startpagina is up | 'startpagina'=")
    assert said("check", "startpagina", "--nagios", "--stored", "--max-age", "0s") == 3
    assert said("check", "webservice", "--nagios", "--stored") == 3
    assert said.out == "LOKETWACHT UNKNOWN - webservice has no stored result\n"
    assert said("check", "startpagina", "--nagios", "--stored", "--max-age", "soon") == 3


def test_a_stored_result_from_a_clock_that_was_ahead_is_none(folder: Path, said: Said) -> None:
    """T20: it would never be too old."""
    loaded = load(folder / "config.toml")
    database = Database.open(loaded.database_url)
    with database.begin() as tx:
        found = a_sample(".", LIVE.now_us() + 366 * 86_400_000_000, "startpagina")
        samples.add(tx, replace(found, location=loaded.config.monitor.location))
    database.close()
    assert said("check", "startpagina", "--nagios", "--stored") == 3


@pytest.mark.parametrize("arguments", [(), ("bestaat-niet",), ("--what",)], ids=["none", "unknown", "option"])
def test_plugin_hosts_read_unknown_for_wrong_usage(folder: Path, said: Said, arguments: tuple[str, ...]) -> None:
    assert said("check", *arguments, "--nagios") == 3
    assert said.out.startswith("LOKETWACHT UNKNOWN - ")
    assert len(said.out.splitlines()) == 1


def test_plugin_hosts_read_unknown_for_a_wrong_configuration(folder: Path, said: Said) -> None:
    (folder / "config.toml").write_text("name = ")
    assert said("check", "startpagina", "--nagios") == 3
    assert said.out.startswith("LOKETWACHT UNKNOWN - ")


# -- sla assess ----------------------------------------------------------------------------------


def test_an_agreement_that_was_met_is_0(tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    measurements(tmp_path, (FROM, UNTIL, "up"))
    assert said(*ASSESS, "2026-10", "--json") == 0
    [clause] = said.json["clauses"]
    assert (clause["verdict"], clause["seconds"]["service"], clause["seconds"]["up"]) == ("met", 2_682_000, 2_682_000)


def test_an_agreement_that_was_missed_is_1(tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen hours of 745 are down: 97.98 %, two begun units of 0.01 below 0.99."""
    monkeypatch.chdir(tmp_path)
    down, up = "2026-10-05T00:00:00+02:00", "2026-10-05T15:00:00+02:00"
    measurements(tmp_path, (FROM, down, "up"), (down, up, "down"), (up, UNTIL, "up"))
    assert said(*ASSESS, "2026-10", "--json") == 1
    [clause] = said.json["clauses"]
    assert (clause["verdict"], clause["seconds"]["down"]) == ("missed", 54_000)
    assert clause["sanction"]["amount_eur"] == "200.00"
    assert said(*ASSESS, "2026-10") == 1
    assert said.out == ""
    assert "missed" in said.err


def test_lines_that_cannot_be_read_are_3_each_with_its_number(
    tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = measurements(tmp_path, (FROM, UNTIL, "up"), (UNTIL, FROM, "up"), (FROM, UNTIL, "sideways"))
    path.write_text(path.read_text() + "not json\n")
    assert said(*ASSESS, "2026-10", "--json") == 3
    assert said.out == ""
    assert [f"measurements.jsonl:{number}" in said.err for number in (1, 2, 3, 4)] == [False, True, True, True]


@pytest.mark.parametrize(("period", "code"), [("2026-13", 2), ("soon", 2)])
def test_a_period_that_is_none_is_2(
    tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch, period: str, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    measurements(tmp_path, (FROM, UNTIL, "up"))
    assert said(*ASSESS, period) == code


@pytest.mark.parametrize("broken", ["contract.toml", "measurements.jsonl"])
def test_a_file_that_is_not_there_is_3(
    tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.chdir(tmp_path)
    measurements(tmp_path, (FROM, UNTIL, "up"))
    (tmp_path / broken).unlink()
    assert said(*ASSESS, "2026-10") == 3
    assert broken in said.err


# -- the ledger ----------------------------------------------------------------------------------

ANNOUNCE = ("maintenance", "announce", "--from", "2027-01-05T20:00+01:00", "--until", "2027-01-05T22:00+01:00",
            "--by", "An Peeters", "--reason", "databank bijwerken", "--scope", "startpagina")  # fmt: skip
EXCLUDE = ("ledger", "add", "exclusion", "--from", "2026-10-05T10:00+02:00", "--until", "2026-10-05T11:00+02:00",
           "--by", "Jan", "--reason", "storm", "--evidence", "KMI 2026/10")  # fmt: skip


def test_maintenance_is_announced_listed_and_cancelled(folder: Path, said: Said) -> None:
    assert said(*ANNOUNCE, "--json") == 0
    assert (said.json["seq"], said.json["kind"], said.json["scope"]) == (1, "maintenance", ["startpagina"])
    assert said.json["from"] == "2027-01-05T19:00:00Z"
    assert said("maintenance", "cancel", "1", "--by", "An", "--reason", "uitgesteld", "--json") == 0
    assert said.json["supersedes"] == 1
    assert said("maintenance", "list", "--json") == 0
    assert [entry["kind"] for entry in said.json] == ["maintenance", "maintenance-cancelled"]
    assert said("maintenance", "list") == 0
    assert said.out == ""
    assert "databank bijwerken" in said.err


def test_what_was_not_announced_cannot_be_cancelled(folder: Path, said: Said) -> None:
    assert said("maintenance", "cancel", "7", "--by", "An", "--reason", "x") == 4
    assert "maintenance list" in said.err


def test_what_was_cancelled_is_not_cancelled_again(folder: Path, said: Said) -> None:
    said(*ANNOUNCE)
    cancel = ("maintenance", "cancel", "1", "--by", "An", "--reason", "uitgesteld")
    assert (said(*cancel), said(*cancel)) == (0, 4)
    assert "cancelled already" in said.err


def test_maintenance_of_an_unknown_journey_is_refused(folder: Path, said: Said) -> None:
    assert said(*ANNOUNCE[:-1], "bestaat-niet") == 2
    assert "startpagina" in said.err


def test_an_exclusion_is_recorded_with_its_ground_and_proof(folder: Path, said: Said) -> None:
    assert said(*EXCLUDE, "--ground", "force-majeure", "--json") == 0
    assert (said.json["ground"], said.json["evidence"]) == ("force-majeure", "KMI 2026/10")


def test_an_exclusion_needs_a_ground_that_exists(folder: Path, said: Said) -> None:
    assert said(*EXCLUDE, "--ground", "pech") == 2
    assert "force-majeure, third-party, authority" in said.err


def test_a_third_party_is_named_by_its_check(folder: Path, said: Said) -> None:
    assert said(*EXCLUDE, "--ground", "third-party", "--dependency", "bestaat-niet") == 2
    assert said(*EXCLUDE, "--ground", "third-party", "--dependency", "webservice", "--json") == 0
    assert said.json["dependency"] == "webservice"


def test_a_whole_ledger_holds(folder: Path, said: Said) -> None:
    said(*ANNOUNCE)
    said(*EXCLUDE, "--ground", "authority")
    assert said("verify", "--json") == 0
    assert (said.json["entries"], said.json["first_broken"]) == (2, None)


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE ledger SET reason = 'iets anders' WHERE seq = 2", 2),
        ("UPDATE ledger SET recorded_us = recorded_us - 864000000000 WHERE seq = 1", 1),
        ("DELETE FROM ledger WHERE seq = 2", 3),
        ("DELETE FROM ledger WHERE seq = 1", 2),
    ],
    ids=["altered", "antedated", "dropped", "first dropped"],
)
def test_a_ledger_that_was_tampered_with_is_1_and_names_the_entry(
    folder: Path, said: Said, tampering: str, broken: int
) -> None:
    for _ in range(3):
        said(*ANNOUNCE)
    with sqlite3.connect(folder / "var" / "loketwacht.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(tampering)
    connection.close()
    assert said("verify", "--json") == 1
    assert said.json["first_broken"] == broken
    assert f"from entry {broken} " in said.err


# -- config ----------------------------------------------------------------------------------


def test_a_configuration_that_is_right_is_summed_up(folder: Path, said: Said) -> None:
    assert said("config", "check") == 0
    assert "2 journeys, 1 certificate check, 2 checks of names, ports and mail servers, 2 recipients.\n" in said.err


def test_the_configuration_is_shown_without_any_secret(folder: Path, said: Said) -> None:
    assert said("config", "show") == 0
    assert said.json["portal"]["name"] == "Oefenloket"
    assert [journey["id"] for journey in said.json["journey"]] == ["startpagina", "webservice"]
    assert not any(secret in said.out for secret in PRACTICE_SECRETS.values())


def test_the_schema_of_the_configuration_has_every_table(said: Said) -> None:
    assert said("config", "schema") == 0
    assert said.json["properties"].keys() >= {"portal", "journey", "mail", "recipient", "contract"}


def test_a_new_configuration_is_written_and_right(tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said("config", "init", "here", "--json") == 0
    assert sorted(said.json["written"]) == [
        "here/config.toml",
        "here/probes/practice/journeys.toml",
        "here/sla/example/contract.toml",
    ]
    assert said("config", "check", "--config", "here/config.toml") == 0
    assert "12 journeys" in said.err


def test_a_new_configuration_overwrites_nothing(folder: Path, said: Said) -> None:
    before = (folder / "config.toml").read_bytes()
    assert said("config", "init", ".") == 4
    assert (folder / "config.toml").read_bytes() == before
    assert not (folder / "probes").exists()


# -- looking ----------------------------------------------------------------------------------


def test_what_was_never_measured_is_bad_news(folder: Path, said: Said) -> None:
    assert said("status", "--json") == 1
    assert {found["id"]: found["state"] for found in said.json} == {
        "startpagina": "unknown",
        "webservice": "unknown",
        "certificaat": "unknown",
        "naam-loket": "unknown",
        "mailserver": "unknown",
    }


def test_without_incidents_all_is_fine(folder: Path, said: Said) -> None:
    assert said("incidents", "--json") == 0
    assert said.json == []


def test_a_test_mail_that_finds_no_server_is_bad_news(folder: Path, said: Said) -> None:
    assert said("alert", "test", "--json") == 1
    assert {result["to"] for result in said.json} == {
        "wachtdienst@oefenloket.example",
        "contractbeheer@oefenloket.example",
    }
    assert "sent" not in {result["result"] for result in said.json}


def test_dashboards_are_written_where_they_are_asked(tmp_path: Path, said: Said) -> None:
    assert said("dashboards", "build", str(tmp_path / "grafana")) == 0
    assert {path.name for path in (tmp_path / "grafana").glob("*.json")} >= {"overview.json", "sla.json"}
