"""`report`, a decision, `report` again, and `report-difference`: both versions side by side."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from monitor.cli import main
from tests.new_store import new_store
from tests.running_service import a_place
from tests.stored_month import fill

CONTRACT = """
contract = "PROEF"
authority = "Voorbeeldbestuur"
supplier = "Voorbeeld NV"

[[version]]
number = 1
valid_from = 2026-01-01
valid_until = 2026-12-31
[[version.clause]]
id = "B1"
kind = "availability"
scope = ["indienen"]
target = "0.999"
sanction = { scale = "fixed", amount = "EUR 100" }
"""
STORM = ("--from", "2026-10-05T10:00:00+02:00", "--until", "2026-10-05T13:00:00+02:00", "--scope", "indienen")


@pytest.fixture
def config(tmp_path: Path) -> str:
    place = a_place(tmp_path)
    place.config.write_text(re.sub(r"\nca_file = .*", "", place.config.read_text(encoding="utf-8")), encoding="utf-8")
    (tmp_path / "contract.toml").write_text(CONTRACT, encoding="utf-8")
    database = new_store(place.database)
    fill(database, marks={"2026-10-05 10:00": "X", "2026-10-05 11:00": "X"})
    database.close()
    return str(place.config)


def test_a_restated_report_is_told_beside_the_one_before(config: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "2026-10", "--config", config]) == 1
    assert main(["report-difference", "2026-10", "--config", config]) == 4
    assert "nothing before it" in capfd.readouterr().err.replace("\n", " ")
    decided = ("--by", "An", "--reason", "storm", "--ground", "force-majeure", "--evidence", "brief 12")
    assert main(["ledger", "add", "exclusion", *STORM, *decided, "--config", config]) == 0
    assert main(["report", "2026-10", "--config", config]) == 0
    capfd.readouterr()
    assert main(["report-difference", "2026-10", "--lang", "en", "--config", config]) == 0
    said = capfd.readouterr().err.replace("\N{NO-BREAK SPACE}", " ")
    for words in ("R-2026-10-v1", "R-2026-10-v2", "EUR 100.00", "EUR 0.00", "exclusion by An"):
        assert words in said
    assert main(["report-difference", "2026-10", "--config", config, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert {line["what"] for line in found["lines"] if line["id"] == "B1"} >= {"verdict", "seconds.down"}
