"""Credits and points of contracts that others published: our scales come to their worked amounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sla.measurements import SpanIn
from tests.agreements import clause, contract, judge, only, span
from tests.peers import case_file

DAY = span("2026-11-12 00:00", "2026-11-13 00:00")


@pytest.mark.parametrize("case", case_file("credits")["cases"], ids=lambda c: c["name"])
def test_the_scale_comes_to_their_amount(case: dict[str, Any]):
    up = DAY.start_us + int(DAY.length_us * Decimal(case["actual"]) / 100)
    measured = [
        SpanIn(journey="indienen", start_us=DAY.start_us, end_us=up, state="up"),
        SpanIn(journey="indienen", start_us=up, end_us=DAY.end_us, state="down"),
    ]
    agreed = contract(clause(target=case["target"], sanction=case["sanction"]))
    assert only(judge(agreed, DAY, measured)).sanction.amount_eur == Decimal(case["expected"])
