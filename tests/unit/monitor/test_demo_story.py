"""The story of the demo month fits the practice portal and its journeys."""

import pytest

from monitor import config, demo_story
from monitor.demo import instant_us, prepare
from probes.checks import duration_us
from probes.practice.faults import FaultBoard

NOTES = [happening.note for happening in demo_story.STORY if happening.note is not None]


@pytest.fixture
def journeys(tmp_path):
    loaded = config.load(prepare(tmp_path), environ={})
    return {journey.id: journey for journey in loaded.config.journey}


def test_the_intervals_of_the_story_are_those_of_its_configuration(journeys):
    told = {name: duration_us(demo_story.INTERVALS.get(name, demo_story.OTHERWISE)) for name in journeys}
    assert {name: journey.interval for name, journey in journeys.items()} == told
    assert set(demo_story.INTERVALS) <= set(journeys)


def test_the_notes_speak_of_journeys_that_exist(journeys):
    named = {name for note in NOTES for name in (*note.scope, note.data.get("dependency", "aanmelden"))}
    assert named <= set(journeys)


def test_everything_happens_within_the_demo():
    assert all(demo_story.BEGINS < happening.at < demo_story.ENDS for happening in demo_story.STORY)


def test_the_practice_portal_understands_every_fault_of_the_story():
    board = FaultBoard(lambda: 0)
    for happening in demo_story.STORY:
        for order in happening.faults:
            board.add(order)


def test_the_month_has_the_hour_that_october_repeats():
    midnights = [
        demo_story.BEGINS.replace(month=10, day=1, hour=0, minute=0),
        demo_story.ENDS.replace(hour=0, minute=0),
    ]
    assert instant_us(midnights[1]) - instant_us(midnights[0]) == 745 * 3_600_000_000
