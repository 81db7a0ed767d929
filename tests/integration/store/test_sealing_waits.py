"""A day is sealed once everybody who measured in it could say so; what comes after that does not join it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from monitor import sealing
from monitor.check_run import Finding, Recorder, save
from monitor.metrics import Metrics
from monitor.spooling import Spooling
from monitor.store import events, ledger, outposts, samples
from monitor.store.database import Database, directly
from monitor.store.outposts import Presence
from monitor.store.spool import Spool
from probes.sample import Sample
from tests.heart import DAY, HOUR, INDIENEN, MINUTE, Office, a_sample, at, run

GENT = "gent"
BEGUN = at("10:00") - at("10:00") % DAY
ENDED = BEGUN + DAY


def heard(database: Database, seen_us: int) -> None:
    with database.begin() as tx:
        outposts.note(tx, Presence(location=GENT, seen_us=seen_us, version="1", config_sha256="0"))


def measured(office: Office, *slots_us: int) -> None:
    for slot_us in slots_us:
        save(office.database, found(office, a_sample(".", slot_us)), now_us=slot_us)


def found(office: Office, sample: Sample) -> Finding:
    return Finding(check=INDIENEN, sample=sample, alerting=office.alerting)


def due(database: Database, now_us: int, *awaited: str) -> list[int]:
    with database.read() as tx:
        return list(sealing.days_due(tx, now_us, awaited))


def sealed(office: Office, now_us: int) -> None:
    with office.database.begin() as tx:
        sealing.record(tx, [sealing.day_digest(tx, BEGUN, [(INDIENEN.id, "lokaal")])], now_us=now_us)


def outpost(office: Office) -> Recorder:
    return Recorder(
        database=office.database, in_store=directly, clock=office.clock, observer=office.told, hands_in=True
    )


def test_a_day_waits_for_an_outpost_that_was_not_heard_of_since_it_settled(office: Office) -> None:
    measured(office, at("10:00"))
    now_us = ENDED + 5 * HOUR
    heard(office.database, ENDED + HOUR - MINUTE)
    assert due(office.database, now_us) == [BEGUN]
    assert due(office.database, now_us, GENT) == []
    heard(office.database, ENDED + HOUR)
    assert due(office.database, now_us, GENT) == [BEGUN]


def test_nobody_waits_for_an_outpost_that_never_was_there(office: Office) -> None:
    measured(office, at("10:00"))
    assert due(office.database, ENDED + 5 * HOUR, GENT) == [BEGUN]


@pytest.mark.parametrize(("hours", "days"), [(48, [BEGUN]), (71, [BEGUN]), (72, [BEGUN, ENDED])])
def test_after_two_days_it_is_not_waited_for_any_longer(office: Office, hours: int, days: list[int]) -> None:
    measured(office, at("10:00"))
    heard(office.database, at("10:00"))
    assert due(office.database, ENDED + 48 * HOUR - 1, GENT) == []
    assert due(office.database, ENDED + hours * HOUR, GENT) == days


def test_what_came_in_while_the_day_waited_is_sealed_with_it(office: Office) -> None:
    measured(office, at("10:00"))
    office.now_us = ENDED + 5 * HOUR
    run(outpost(office).record(found(office, a_sample(".", at("23:59"), location=GENT))))
    with office.database.read() as tx:
        digest = sealing.day_digest(tx, BEGUN, [(INDIENEN.id, "lokaal"), (INDIENEN.id, GENT)])
    assert set(digest.sets) == {"indienen lokaal", "indienen gent"}


def recorded(office: Office, folder: Path, *late: Sample) -> None:
    for sample in late:
        run(outpost(office).record(found(office, sample)))


def taken_back(office: Office, folder: Path, *late: Sample) -> None:
    """They waited on the outpost's own disk, and it has started anew."""
    with closing(Spool(folder / "waiting-gent.db")) as spool:
        spool.change(dict(enumerate(late)), ())
        metrics = Metrics(version="1", started_us=0)
        spooling = Spooling(spool, outpost(office), in_spool=directly, metrics=metrics)
        run(spooling.take_back({INDIENEN.id: INDIENEN}, lambda: office.alerting))
        assert spool.read() == ((), 0)


@pytest.mark.parametrize("come", [recorded, taken_back])
def test_what_comes_after_the_seal_does_not_join_it_and_is_told_as_missed(
    office: Office, tmp_path: Path, come: Callable[..., None]
) -> None:
    measured(office, at("10:00"))
    office.now_us = ENDED + 49 * HOUR
    sealed(office, office.now_us)
    late, newer = a_sample("X", at("23:59"), location=GENT), a_sample(".", office.now_us - MINUTE, location=GENT)
    come(office, tmp_path, late, newer)
    with office.database.read() as tx:
        assert sealing.first_difference(tx, tuple(ledger.read(tx))) is None
        assert samples.read(tx, INDIENEN.id, GENT, late.slot_us) is None
        assert samples.read(tx, INDIENEN.id, GENT, newer.slot_us) is not None
        [missed] = events.read(tx, 0, office.now_us + 1, kinds=("missed-slots",))
    assert missed.check_id == INDIENEN.id
    assert missed.data == {
        "from_us": late.slot_us,
        "until_us": late.slot_us + INDIENEN.interval,
        "count": 1,
        "cause": "sealed",
        "location": GENT,
    }
    assert office.told.lost == 1


def test_a_sample_that_is_sealed_already_and_comes_again_is_not_missed(office: Office) -> None:
    measured(office, at("10:00"))
    office.now_us = ENDED + 2 * HOUR
    sealed(office, office.now_us)
    run(office.recorder().record(found(office, a_sample(".", at("10:00")))))
    with office.database.read() as tx:
        assert list(events.read(tx, 0, office.now_us + 1, kinds=("missed-slots",))) == []
    assert office.told.lost == 0
