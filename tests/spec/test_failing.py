"""What fails at a moment is told with every outage: kept from mail to mail, and read anew only where it changed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from monitor.failing import Failing
from probes.checks import Journey
from sla.effect import Streak
from tests.asked import asked
from tests.heart import INDIENEN, INZAGE, MINUTE, Office, at
from tests.new_store import new_store

BOTH = (INDIENEN, INZAGE)


@contextmanager
def office() -> Iterator[Office]:
    with tempfile.TemporaryDirectory() as folder:
        database = new_store(Path(folder) / "loketwacht.db")
        yield Office(database=database)
        database.close()


def failing(office: Office, known: Failing) -> dict[str, Streak]:
    with office.database.read() as tx:
        return known.among(tx, {check.id for check in BOTH}, {}, now_us=office.now_us)


def questions(office: Office, known: Failing) -> int:
    """How many the database is asked."""
    with asked(office.database) as found:
        failing(office, known)
    return len(found)


@given(st.lists(st.tuples(st.sampled_from(BOTH), st.sampled_from(".~x?")), max_size=25))
def test_what_is_kept_is_what_would_be_read_anew(samples: list[tuple[Journey, str]]) -> None:
    with office() as here:
        known = Failing()
        for check, mark in samples:
            here.live(mark, check, mail=False)
            assert failing(here, known) == failing(here, Failing())


def test_an_outage_is_dated_from_its_first_failure_after_the_last_good_sample() -> None:
    with office() as here:
        here.live(".xx.xx~x", start="10:00", mail=False)
        slow = Streak(first_bad_us=at("10:04"), last_good_us=at("10:03"))
        assert failing(here, Failing()) == {
            "indienen": Streak(first_bad_us=at("10:07"), last_good_us=at("10:06"), or_slow=slow)
        }


def test_of_several_locations_an_incident_is_dated_as_they_decided_it() -> None:
    with office() as here:
        here.live("xx.x", start="10:00", mail=False)
        with here.database.read() as tx:
            found = Failing().among(tx, {"indienen"}, {"indienen": ("lokaal", "elders")}, now_us=here.now_us)
        assert found == {"indienen": Streak(first_bad_us=at("10:00"))}


def test_what_fails_on_unchanged_is_asked_for_in_one_question() -> None:
    """However many fail at once: each of them is told with all the others."""
    with office() as here:
        known = Failing()
        here.live("xxxx", start="10:00", mail=False)
        here.live("xxxx", INZAGE, mail=False)
        assert questions(here, known) > 1
        here.now_us += MINUTE
        assert questions(here, known) == 1
