"""What `config check` says of a configuration that is right and unwise; and of references that are silent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from monitor import config
from monitor.advice import advice, silent_references
from monitor.cli import main
from tests.heart import run
from tests.running_service import Place, a_place
from tests.scripted_server import ScriptedServer, answer, pages, setup

GONE = "http://127.0.0.1:1/"


def unwise(folder: Path, table: str, **changes: Any) -> tuple[str, ...]:
    settings = config.load(a_place(folder, journeys=("startpagina",)).config).config
    changed = getattr(settings, table).model_copy(update=changes)
    return advice(settings.model_copy(update={table: changed}))


def test_the_example_is_wise_but_for_the_names_it_cannot_have(tmp_path: Path) -> None:
    [names] = unwise(tmp_path, "references")
    assert names.startswith("[references] has no names")


def test_without_references_every_failure_is_the_portal_s_and_that_is_said(tmp_path: Path) -> None:
    """T2."""
    said = unwise(tmp_path, "references", urls=(), names=("loket.example",))
    assert [one.partition(":")[0] for one in said] == ["[references] has no urls"]


@pytest.mark.parametrize(("host", "told"), [("::1", 0), ("localhost", 0), ("0.0.0.0", 1), ("monitor.example", 1)])
def test_figures_that_other_machines_may_read_are_mentioned(tmp_path: Path, host: str, told: int) -> None:
    said = unwise(tmp_path, "metrics", host=host)
    assert sum(one.startswith("[metrics] listens on") for one in said) == told


def silent(tmp_path: Path, *, alive: int, dead: int) -> list[str]:
    """Which of so many references are said to be silent, `there` being one that answers."""

    async def go() -> list[str]:
        async with ScriptedServer(pages({"/": answer("ja")})) as server:
            there = tuple(f"http://127.0.0.1:{server.port}/?{number}" for number in range(alive))
            settings = config.load(a_place(tmp_path, journeys=("startpagina",)).config).config
            references = settings.references.model_copy(update={"urls": (*there, *(GONE,) * dead)})
            found = await silent_references(
                settings.model_copy(update={"references": references}), setup("http://127.0.0.1:1")
            )
            return ["there" if url in there else url for url in found]

    return run(go())


def test_a_reference_that_is_silent_while_others_answer_is_named(tmp_path: Path) -> None:
    """T2: it makes every outage our own once it has company."""
    assert silent(tmp_path, alive=2, dead=1) == [GONE]


def test_where_all_are_silent_our_own_way_out_is_closed_and_none_is_to_blame(tmp_path: Path) -> None:
    assert silent(tmp_path, alive=0, dead=3) == []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return a_place(tmp_path, journeys=("startpagina",))


def test_config_check_asks_the_references_and_is_content_all_the_same(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    async def alive() -> int:
        async with ScriptedServer(pages({"/": answer("ja")})) as server:
            text = place.config.read_text(encoding="utf-8")
            first = text.partition('urls = ["')[2].partition('"')[0]
            place.config.write_text(text.replace(first, f"http://127.0.0.1:{server.port}/"), encoding="utf-8")
            return await asyncio.to_thread(main, ["config", "check", "--config", str(place.config)])

    assert run(alive()) == 0
    assert capsys.readouterr().err.count("does not answer, though others do") == 2
