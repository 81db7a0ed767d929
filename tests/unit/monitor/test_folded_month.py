"""What is assessed from folded days is what is assessed from the samples; `verify` tells of a day that was altered."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from monitor.assessing import assess_stored, stored_samples
from monitor.store import days
from monitor.store.database import Database
from sla.assess import assess
from sla.contract import Contract
from tests.agreements import HOUR, clause, contract
from tests.stored_month import AGREED, OCTOBER, fill

TIMED = contract(
    clause(window="altijd", target="0.99"),
    {"id": "P", "kind": "response-time", "scope": ["indienen"], "percentile": "95", "limit": "1500ms"},
)


def a_mixed_month(database: Database) -> None:
    marks = {"2026-10-05 10:00": "X", "2026-10-05 11:00": "x", "2026-10-12 03:00": "~", "2026-10-25 02:00": "?"}
    fill(database, marks=marks, without=[("2026-10-07 08:00", "2026-10-07 16:00")])


@pytest.mark.parametrize("agreed", [AGREED, TIMED], ids=["time", "response-times"])
@pytest.mark.parametrize("until_us", [None, OCTOBER.start_us + 100 * HOUR], ids=["whole", "so-far"])
def test_folded_days_give_the_assessment_that_the_samples_give(
    database: Database, agreed: Contract, until_us: int | None
) -> None:
    a_mixed_month(database)
    days.fold(database, until_us=OCTOBER.end_us)
    with database.read() as tx:
        folded = assess_stored(tx, agreed, OCTOBER, until_us=until_us, ready_made=True)
        samples = stored_samples(tx, agreed, OCTOBER, (), until_us=until_us)
        assert folded == assess(agreed, period=OCTOBER, samples=samples)


def test_an_altered_day_is_found_and_no_report_rests_on_it(database: Database) -> None:
    a_mixed_month(database)
    days.fold(database, until_us=OCTOBER.end_us)
    with database.begin() as tx:
        before = assess_stored(tx, AGREED, OCTOBER)
        tx.execute(sa.text("UPDATE sample_day SET runs = replace(runs, '\"down\"', '\"up\"')"))
        assert assess_stored(tx, AGREED, OCTOBER, ready_made=True) != before
        assert assess_stored(tx, AGREED, OCTOBER) == before
        assert days.first_difference(tx) is not None
