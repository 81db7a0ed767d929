"""`check --nagios` as plugin hosts read it: one line, at most one bar, and figures that a program can take apart."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.clock import LIVE
from monitor.config import load
from monitor.store import samples
from monitor.store.database import Database
from probes.sample import Failure, FailureKind, Outcome, Phases, Sample, StepOutcome, StepResult
from tests.heart import a_sample
from tests.running_service import a_place

KNOWN = "startpagina, certificaat, naam-loket, mailserver.\n"
#: A figure of the plugin guidelines: label, value with its unit, and the limits, without trailing white space.
FIGURE = re.compile(r"'[a-z0-9/-]+'=\d+\.\d{3}s;(\d+(\.\d+)?)?;(\d+(\.\d+)?)?;0")


def a_step(name: str, outcome: StepOutcome, duration_us: int) -> StepResult:
    return StepResult(step=name, outcome=outcome, duration_us=duration_us, phases=Phases())


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a plugin host is told of one stored run of `startpagina`, and the code."""
    place = a_place(tmp_path, journeys=("startpagina",))
    place.config.write_text(re.sub(r"\nca_file = .*", "", place.config.read_text()), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def told(**changes: Any) -> tuple[str, int]:
        loaded = load(place.config)
        found: Sample = replace(a_sample(".", LIVE.now_us(), "startpagina"), location="lokaal", **changes)
        database = Database.open(loaded.database_url)
        with database.begin() as tx:
            samples.add(tx, found)
        database.close()
        code = main(["check", "startpagina", "--nagios", "--stored"])
        return capsys.readouterr().out, code

    return told


def test_every_step_that_was_taken_has_its_figure_with_its_own_limits(stored: Any) -> None:
    steps = (
        a_step("startpagina", StepOutcome.OK, 123_456),
        a_step("overgeslagen", StepOutcome.SKIPPED, 0),
    )
    said, code = stored(steps=steps, duration_us=250_000)
    text, _, figures = said.rstrip("\n").partition(" | ")
    assert (text, code) == ("LOKETWACHT OK - startpagina is up", 0)
    # The run against its deadline; the step against its soft limit of 3 s, for it has no hard one.
    assert figures.split(" ") == ["'startpagina'=0.250s;;5;0", "'startpagina/startpagina'=0.123s;3;;0"]
    assert all(FIGURE.fullmatch(figure) for figure in figures.split(" "))


def test_a_bar_or_a_line_break_in_what_was_found_does_not_begin_figures(stored: Any) -> None:
    failure = Failure(kind=FailureKind.ASSERTION, step="openen", subject="text", expected="a|b", found="x\n| 'y'=1s")
    said, code = stored(outcome=Outcome.DOWN, failure=failure)
    text, *figures = said.rstrip("\n").split("|")
    assert (len(said.splitlines()), len(figures), code) == (1, 1, 2)
    assert "a/b" in text
    assert "/ 'y'=1s" in text


def test_a_bar_in_what_was_asked_wrongly_does_not_begin_figures(
    stored: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "a|b", "--nagios"]) == 3
    assert capsys.readouterr().out == "LOKETWACHT UNKNOWN - There is no check a/b. Known: " + KNOWN
