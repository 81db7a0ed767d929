"""The commands from findings to decision: what each step needs, what it refuses, and when the exit code is bad news."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.store import ledger
from monitor.store.database import Database
from tests.procedures import drafted
from tests.running_service import a_place

Run = Callable[..., tuple[int, str, str]]
SENT = ("findings", "sent", "1", "--to-whom", "Voorbeeld NV", "--means", "aangetekend nr. 12", "--by", "An")
DEFENCE = ("findings", "defence", "1", "--position", "contested", "--by", "An", "--document", "brief 7")
DECIDE = ("findings", "decide", "1", "--outcome", "vermaning", "--reason", "eerste maal", "--by", "An")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command where one draft of findings stands in the ledger: exit code, standard output, standard error."""
    a_place(tmp_path)
    monkeypatch.chdir(tmp_path)
    main(["ledger", "list"])
    [store] = tmp_path.rglob("*.db")
    database = Database.open(f"sqlite:///{store}")
    with database.begin() as tx:
        ledger.append(tx, drafted("2026-01-02", number="PV-2025-12-v1", clause="B1"))
    database.close()
    capsys.readouterr()

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        return code, *capsys.readouterr()

    return command


def listed(run: Run) -> tuple[int, str]:
    code, out, _ = run("findings", "list", "--json")
    [found] = json.loads(out)
    return code, found["stage"]


def test_a_draft_has_no_term_and_is_no_bad_news(run: Run) -> None:
    assert listed(run) == (0, "drafted")
    assert "No term is running" in run("findings", "deadlines")[2]


def test_a_term_that_passed_without_a_defence_is_bad_news_until_somebody_decides(run: Run) -> None:
    code, _, said = run(*SENT, "--on", "2026-01-05")
    assert (code, "up to and including 2026-01-20" in said) == (0, True)
    assert listed(run) == (1, "silent")
    assert run("findings", "deadlines")[0] == 1
    assert run(*DECIDE)[0] == 0
    assert listed(run) == (0, "decided")


def test_a_defence_in_time_is_told_by_the_day_it_was_posted(run: Run) -> None:
    run(*SENT, "--on", "2026-01-05")
    assert run(*DEFENCE, "--on", "2026-01-20")[0] == 0
    assert listed(run) == (0, "answered")


def test_a_defence_after_the_term_is_late(run: Run) -> None:
    run(*SENT, "--on", "2026-01-05")
    assert "answered-late" in (run(*DEFENCE, "--on", "2026-01-21"), listed(run))[1]


@pytest.mark.parametrize(
    ("first", "command", "said"),
    [
        pytest.param((), (*DEFENCE, "--on", "2026-01-20"), "were not sent yet", id="a defence before the dispatch"),
        pytest.param((), (*DECIDE, "--amount-eur", "100"), "No amount can be decided", id="an amount unheard"),
        pytest.param((), (*SENT, "--on", "2126-01-05"), "is still to come", id="a day to come"),
        pytest.param((), (*SENT, "--on", "5 januari"), "is no day", id="no day"),
        pytest.param((), ("findings", "sent", "9", *SENT[3:], "--on", "2026-01-05"), "no findings 9", id="no findings"),
        pytest.param(
            (*SENT, "--on", "2026-01-05"), (*SENT, "--on", "2026-01-06"), "were sent already, on 05-01-2026", id="twice"
        ),
        pytest.param(
            (*SENT, "--on", "2026-01-05"), (*DEFENCE, "--on", "2026-01-04"), "before the day of dispatch", id="too soon"
        ),
    ],
)
def test_a_step_out_of_order_is_refused_and_recorded_nowhere(
    run: Run, first: tuple[str, ...], command: tuple[str, ...], said: str
) -> None:
    if first:
        run(*first)
    before = run("ledger", "list", "--json")[1]
    code, out, err = run(*command)
    assert (code in (2, 4), out) == (True, "")
    assert said in err
    assert run("ledger", "list", "--json")[1] == before


def test_what_was_never_measured_has_neither_a_dossier_nor_findings(run: Run) -> None:
    code, _, said = run("outage", "indienen-20270304T1012Z")
    assert (code, 'no outage "indienen-20270304T1012Z"' in said) == (4, True)
    code, _, said = run("findings", "draft", "--period", "2026-13")
    assert (code, "2026-13" in said) == (2, True)
