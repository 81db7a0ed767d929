"""Checks that give no sample any more are told: once, however many, and once when all are measured again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.check_run import Alerting, note_stopped
from monitor.clock import Clock
from monitor.incidents import MONITOR
from monitor.stillness import Stillness
from probes.checks import Check
from tests.heart import INDIENEN, INZAGE, MINUTE, OPS, SECOND, TWO_OF_EACH, Office
from tests.new_store import new_store

FORTY = tuple(INDIENEN.model_copy(update={"id": f"reis-{number}"}) for number in range(40))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database)
    database.close()


def tell(office: Office, checks: tuple[Check, ...]) -> None:
    alerting = Alerting(rule=TWO_OF_EACH, recipients=(OPS,), titles={check.id: check.title for check in checks})
    note_stopped(office.database, checks, alerting, location="lokaal", now_us=office.now_us)
    office.deliver()


def test_forty_checks_that_stand_still_are_one_mail(office: Office) -> None:
    """T45: and they stay one however long it lasts, also after a restart, which remembers nothing but the store."""
    for _ in range(5):
        tell(office, FORTY)
        office.now_us += MINUTE
    assert office.words() == ["MONITOR"]
    assert [incident.partition("-")[0] for incident in office.open_incidents()] == [MONITOR]
    assert "De monitor kon zelf niet meten (geen meting gedurende drie intervallen)." in office.sent[0].text


def test_it_is_over_when_each_was_measured_again(office: Office) -> None:
    tell(office, (INDIENEN, INZAGE))
    office.live(".", INDIENEN)
    assert len(office.open_incidents()) == 1
    office.live(".", INZAGE)
    assert office.open_incidents() == []
    assert office.words() == ["MONITOR", "MONITOR"]


def test_a_check_is_still_after_three_intervals_without_a_word() -> None:
    now = [0]
    stillness = Stillness(Clock(now_us=lambda: 0, monotonic_us=lambda: now[0], new_id=lambda: "0"))
    assert stillness.still((INDIENEN, INZAGE)) == ()
    now[0] = 2 * MINUTE
    stillness.heard("inzage")
    now[0] = 3 * MINUTE + 20 * SECOND
    assert stillness.still((INDIENEN, INZAGE)) == ()
    now[0] += 1
    assert stillness.still((INDIENEN, INZAGE)) == (INDIENEN,)
    stillness.heard("indienen")
    assert stillness.still((INDIENEN, INZAGE)) == ()
