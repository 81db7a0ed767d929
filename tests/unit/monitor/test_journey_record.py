"""`loketwacht journey record`: what it prints, where it writes, what it refuses."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from monitor.cli import main


def an_archive(folder: Path) -> Path:
    entry = {
        "request": {"method": "GET", "url": "https://loket.example/", "headers": []},
        "response": {
            "status": 200,
            "headers": [],
            "content": {"mimeType": "text/html", "text": "<title>Loket</title>"},
        },
        "time": 40,
    }
    path = folder / "bezoek.har"
    path.write_text(json.dumps({"log": {"entries": [entry]}}), encoding="utf-8")
    return path


def test_a_journey_is_printed_or_written_to_a_new_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive, made = str(an_archive(tmp_path)), tmp_path / "reis.toml"
    assert main(["journey", "record", archive, "--id", "start", "--title", "Startpagina"]) == 0
    printed = capsys.readouterr().out
    assert tomllib.loads(printed)["journey"][0]["title"] == {"nl": "Startpagina", "en": "Startpagina"}
    assert main(["journey", "record", archive, "--id", "start", "--output", str(made)]) == 0
    assert tomllib.loads(made.read_text(encoding="utf-8"))["journey"][0]["id"] == "start"


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "reis.toml"
    made.write_text("# van mij", encoding="utf-8")
    assert main(["journey", "record", str(an_archive(tmp_path)), "--output", str(made)]) == 2
    assert made.read_text(encoding="utf-8") == "# van mij"
    assert "Name a new file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["nergens.har"], 3, "cannot be read"),
        (["bezoek.har", "--id", "Geen Id"], 2, "No journey can be made of it"),
        (["bezoek.har", "--base-url", "https://elders.example"], 3, "holds no request to https://elders.example"),
        (["half.har"], 3, "not all of it"),
    ],
)
def test_what_cannot_be_made_into_a_journey_is_refused_and_says_why(
    arguments: list[str],
    code: int,
    why: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = an_archive(tmp_path).read_text(encoding="utf-8")
    (tmp_path / "half.har").write_text(whole[: len(whole) // 2], encoding="utf-8")
    assert main(["journey", "record", *arguments]) == code
    assert why in capsys.readouterr().err.replace("\n", " ")
