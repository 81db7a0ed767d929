"""What a run makes is announced before, told after, and told again when it is gone; or taken away on its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from probes.checks import Journey
from probes.created import Announced, Made, Note, NotMade, NotNoted, Unclear, Undone
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from probes.undo import undo
from tests.scripted_server import Script, ScriptedServer, answer, journey, pages, setup, step

LIST: dict[str, Any] = {"what": "project", "id": "{{ nr }}", "undo": ["binnen", "weg"]}
GOOD = {"/": answer("in"), "/maak": answer("<b>OMV_1</b>"), "/weg/OMV_1": answer("ingetrokken")}


def a_journey(**creates: Any) -> Journey:
    making = step("/maak", name="maken", method="POST", capture={"nr": {"css": "b"}}, creates=LIST | creates)
    gone = step("/weg/{{ nr }}", name="weg", always=True, expect={"text": "ingetrokken"})
    return journey(step("/", name="binnen", login=True), making, gone)


def lived(script: Script, what: Journey, *, refuse: bool = False) -> tuple[Sample, list[Note], list[str]]:
    """The sample, what was told on the way, and every path that was asked."""
    notes: list[Note] = []

    async def keep(note: Note) -> None:
        if refuse:
            raise NotNoted("the list of created objects cannot be written")
        notes.append(note)

    async def go() -> tuple[Sample, list[str]]:
        async with ScriptedServer(script) as server:
            way = replace(setup(f"http://127.0.0.1:{server.port}"), created=keep)
            sample = await run(what, slot_us=0, location="hier", setup=way)
            return sample, [request.target for request in server.requests]

    sample, asked = asyncio.run(go())
    return sample, notes, asked


def test_what_is_made_is_announced_before_and_told_gone_after() -> None:
    sample, notes, _ = lived(pages(GOOD), a_journey())
    assert sample.outcome is Outcome.UP
    first, *others = notes
    assert isinstance(first, Announced)
    assert (first.key, first.what, first.patience_us) == ("run-0.maken", "project", 20_000_000)
    assert others == [
        Made(key="run-0.maken", name="OMV_1", values=(("nr", "OMV_1"),)),
        Undone(key="run-0.maken"),
    ]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, "stuk", Unclear(key="run-0.maken")),
        (
            422,
            "<b>OMV_1</b> bestaat al, maar zo niet",
            Made(key="run-0.maken", name="OMV_1", values=(("nr", "OMV_1"),)),
        ),
        (403, "verboden", NotMade(key="run-0.maken")),
        (500, "<b>OMV_1</b> en toch een fout", Made(key="run-0.maken", name="OMV_1", values=(("nr", "OMV_1"),))),
    ],
)
def test_what_a_failed_step_leaves_is_told_as_far_as_it_is_known(status: int, body: str, told: Note) -> None:
    sample, notes, _ = lived(pages(GOOD | {"/maak": answer(body, status=status)}), a_journey())
    assert (sample.outcome, notes[1]) == (Outcome.DOWN, told)


def test_a_clean_up_that_fails_tells_nothing_so_that_it_stays_on_the_list() -> None:
    sample, notes, _ = lived(pages(GOOD | {"/weg/OMV_1": answer("lukt niet")}), a_journey())
    assert sample.outcome is Outcome.UP
    assert [type(note) for note in notes] == [Announced, Made]


def test_nothing_is_made_where_it_cannot_be_put_on_the_list() -> None:
    sample, _, asked = lived(pages(GOOD), a_journey(), refuse=True)
    assert sample.failure is not None
    assert (sample.outcome, sample.failure.kind) == (Outcome.UNKNOWN, FailureKind.MONITOR)
    assert asked == ["/"]


def lived_with_a_slow_list(script: Script, *, waits_us: int) -> Sample:
    """A run whose every note takes so long to be written, on a clock that is moved instead of waited for."""
    late_us = 0

    async def keep(_: Note) -> None:
        nonlocal late_us
        late_us += waits_us

    async def go() -> Sample:
        async with ScriptedServer(script) as server:
            way = setup(f"http://127.0.0.1:{server.port}")
            real = way.monotonic_us
            way = replace(way, created=keep, monotonic_us=lambda: real() + late_us)
            return await run(a_journey(), slot_us=0, location="hier", setup=way)

    return asyncio.run(go())


def test_what_is_waited_for_our_own_list_is_no_time_of_the_portal() -> None:
    """Three notes of six seconds: a supplier would be charged with eighteen."""
    sample = lived_with_a_slow_list(pages(GOOD), waits_us=6_000_000)
    assert sample.outcome is Outcome.UP
    assert sample.duration_us < 3_000_000


@pytest.mark.parametrize(("waits_us", "outcome"), [(6_000_000, Outcome.UNKNOWN), (1_000, Outcome.DOWN)])
def test_a_failure_after_we_kept_the_visitor_waiting_proves_nothing(waits_us: int, outcome: Outcome) -> None:
    sample = lived_with_a_slow_list(
        pages(GOOD | {"/maak": answer("uw sessie is verlopen", status=403)}), waits_us=waits_us
    )
    assert sample.outcome is outcome
    assert (sample.failure is not None and sample.failure.subject == "store") is (outcome is Outcome.UNKNOWN)


def test_a_failure_from_before_we_kept_the_visitor_waiting_stays_what_it_is() -> None:
    sample = lived_with_a_slow_list(pages(GOOD | {"/": answer("stuk", status=500)}), waits_us=6_000_000)
    assert sample.outcome is Outcome.DOWN


def taken_away(script: Script, what: Journey, values: tuple[tuple[str, str], ...]) -> tuple[bool, list[str]]:
    async def go() -> tuple[bool, list[str]]:
        async with ScriptedServer(script) as server:
            way = setup(f"http://127.0.0.1:{server.port}")
            failure, _ = await undo(what, "maken", run_id="run-7", run_time="", values=values, setup=way)
            return failure is None, [request.target for request in server.requests]

    return asyncio.run(go())


def test_what_is_left_is_taken_away_by_its_own_steps_and_nothing_is_made_anew() -> None:
    assert taken_away(pages(GOOD), a_journey(), (("nr", "OMV_1"),)) == (True, ["/", "/weg/OMV_1"])


@pytest.mark.parametrize(("gone", "over"), [([], False), ([404, 410], True)])
def test_what_is_not_there_any_more_is_gone_where_the_journey_says_so(gone: list[int], over: bool) -> None:
    script = pages(GOOD | {"/weg/OMV_1": answer("onbekend", status=410)})
    assert taken_away(script, a_journey(gone=gone), (("nr", "OMV_1"),))[0] is over


@pytest.mark.parametrize(
    ("creates", "message"),
    [
        ({"undo": ["weg", "ergens"]}, 'with a step "ergens", which there is not'),
        ({"undo": ["weg", "binnen"]}, 'with "binnen" last; that step needs always = true'),
    ],
)
def test_a_journey_that_could_not_take_away_what_it_makes_is_refused(creates: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        a_journey(**creates)
