"""`journey test`: one journey again and again, and where its time goes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.cli.journey import rows, walked
from monitor.simulation import Simulation
from probes.sample import Failure, FailureKind, Outcome, Phases, Sample, StepOutcome, StepResult
from tests.running_service import a_place
from tests.time_machine import MONDAY

BROKEN = Failure(kind=FailureKind.HTTP_STATUS, step="open", subject="status", expected="200", found="500")


def a_run(duration_us: int, *, failure: Failure | None = None) -> Sample:
    step = StepResult(
        step="open",
        outcome=StepOutcome.FAILED if failure else StepOutcome.OK,
        duration_us=duration_us,
        phases=Phases(processing_us=duration_us // 2),
    )
    later = StepResult(step="later", outcome=StepOutcome.SKIPPED)
    return Sample(
        check_id="start",
        location="hier",
        slot_us=MONDAY,
        started_us=MONDAY,
        duration_us=duration_us,
        outcome=Outcome.DOWN if failure else Outcome.UP,
        run_id="r",
        failure=failure,
        steps=(step, later),
    )


def test_the_least_the_middle_and_the_most_time_of_each_step_and_phase() -> None:
    assert rows([a_run(2_000), a_run(10_000), a_run(4_000)]) == (
        ("journey", "all of it", "3", "2.0", "4.0", "10.0"),
        ("open", "all of it", "3", "2.0", "4.0", "10.0"),
        ("", "wait", "3", "1.0", "2.0", "5.0"),
    )


@pytest.mark.parametrize(("until_failure", "runs", "seconds"), [(False, 5, 8), (True, 3, 4)])
def test_a_pause_lies_between_runs_and_a_failure_may_end_them(until_failure: bool, runs: int, seconds: int) -> None:
    simulation = Simulation(start_us=MONDAY, seed=1)
    told: list[int] = []

    async def once() -> Sample:
        return a_run(1_000, failure=BROKEN if len(told) == 2 else None)

    walk = walked(
        once,
        times=5,
        until_failure=until_failure,
        pause_us=2_000_000,
        told=lambda number, _: told.append(number),
    )
    samples = simulation.run(walk)
    assert (len(samples), told[-1], simulation.clock.now_us() - MONDAY) == (runs, runs, seconds * 1_000_000)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("startpagina", "--times", "1"), 1, "1 down"),
        (("bestaat-niet",), 2, "There is no journey bestaat-niet"),
        (("startpagina", "--times", "1000"), 2, "from 1 to 200"),
        (("startpagina", "--pause", "10ms"), 2, "at least 1s"),
    ],
)
def test_a_portal_that_is_not_there_and_wrong_words(
    words: tuple[str, ...],
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = a_place(tmp_path, journeys=("startpagina",))
    text = place.config.read_text(encoding="utf-8")
    place.config.write_text(re.sub(r"\nca_file = .*", "", text), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(("journey", "test", *words)) == code
    assert told in capsys.readouterr().err
