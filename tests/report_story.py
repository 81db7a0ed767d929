"""A month worth reading, for tests of the report: October 2026 in Brussels, with the night that lasts an hour longer.

A sanctionable outage, one outside service hours, maintenance announced in time and too late, a third party's failure,
an hour in which the monitor was off, an outage in the repeated hour, a slow week, a clause that cannot be judged.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

from sla.assess import assess
from sla.contract import parse_contract
from sla.history import history
from sla.intervals import Span
from sla.ledger import Entry, Sealed, seal
from sla.measurements import SampleIn
from sla.period import instant_text, parse_instant, parse_period
from sla.report import Gap, Report, draw_up, response_series

SECOND = 1_000_000
MINUTE = 60 * SECOND
STEP = 5 * MINUTE
CONFIG_SHA256 = "c0ffee" + "0" * 58

CONTRACT = """
contract = "VOORBEELD-2026-01"
authority = "Voorbeeldbestuur"
supplier = "Voorbeeld NV"

[[version]]
number = 1
valid_from = 2026-01-01
valid_until = 2026-12-31
monthly_fee = "100000.00"
contract_value = "1200000.00"
minimum_coverage = "0.99"
holidays = [2026-11-02, 2026-11-11]
cap = { per_period = "10% of monthly-fee" }

[version.windows.dienst]
weekly = ["mon-fri 07:30-19:00"]
holidays = "closed"
[version.windows.inzage]
weekly = ["mon-sun 07:00-23:00"]
[version.windows.buiten]
outside = "dienst"

[version.maintenance]
notice = "5 working days"
allowed = ["wed 20:00-24:00", "sun 06:00-12:00"]
budget = "8h per month"
blackout = ["month-end 2 days", "12-20..12-31"]

[[version.clause]]
id = "B1"
kind = "availability"
article = "art. 4.2"
text = "De toepassing is tijdens de dienstvensters minstens 99,3 % beschikbaar om een aanvraag in te dienen."
scope = ["indienen"]
window = "dienst"
target = "0.993"
sanction = { scale = "per-unit", unit = "0.001", amount = "1% of monthly-fee", maximum = "5% of monthly-fee" }

[[version.clause]]
id = "B2"
kind = "availability"
article = "art. 4.3"
text = "Buiten de dienstvensters is indienen minstens 95 % beschikbaar."
scope = ["indienen"]
window = "buiten"
target = "0.95"
sanction = { scale = "per-unit", unit = "0.01", amount = "0.5% of monthly-fee" }

[[version.clause]]
id = "B4"
kind = "availability"
article = "art. 4.4"
text = "Het raadplegen van dossiers is elke dag van 7 tot 23 uur minstens 99,0 % beschikbaar."
scope = ["inzage"]
window = "inzage"
target = "0.99"
[version.clause.sanction]
scale = "bands"
bands = [{ below = "0.99", amount = "EUR 250" }, { below = "0.97", amount = "EUR 1000" }]

[[version.clause]]
id = "B5"
kind = "availability"
article = "art. 4.5"
text = "De webservice voor lokale besturen is tijdens de dienstvensters minstens 99,8 % beschikbaar."
scope = ["webservice"]
window = "dienst"
target = "0.998"
sanction = { scale = "per-unit", unit = "0.001", amount = "1% of monthly-fee" }

[[version.clause]]
id = "D1"
kind = "outage-duration"
article = "art. 5.1"
text = "Geen enkele storing van indienen duurt tijdens de dienstvensters langer dan vier uur."
scope = ["indienen"]
window = "dienst"
limit = "4h"
sanction = { scale = "per-unit", unit = "1h", amount = "EUR 250" }

[[version.clause]]
id = "P1"
kind = "response-time"
article = "art. 6.1"
text = "Een aanvraag indienen duurt in 95 op 100 gevallen hoogstens 10 seconden."
scope = ["indienen"]
percentile = "95"
limit = "10s"
window = "dienst"
obligation = "best-efforts"
"""

TITLES: Mapping[str, tuple[str, str]] = {
    "indienen": ("Ondertekenen en indienen", "Sign and submit"),
    "inzage": ("Dossiers raadplegen", "Consult cases"),
    "webservice": ("Webservice lokale besturen", "Web service for local authorities"),
    "aanmelden": ("Aanmelden", "Log in"),
}

#: journey -> spans of failure on the wall clock, with what was seen.
FAILURES: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "indienen": (
        ("2026-10-12T10:30:00+02:00", "2026-10-12T12:45:00+02:00", "http-status ondertekenen"),
        ("2026-10-17T22:00:00+02:00", "2026-10-17T23:30:00+02:00", "timeout indienen"),
        ("2026-10-20T11:40:00+02:00", "2026-10-20T14:40:00+02:00", "redirect aanmelden"),
        ("2026-10-29T09:15:00+01:00", "2026-10-29T09:20:00+01:00", "assertion ontvangstbewijs"),
    ),
    "inzage": (
        ("2026-10-14T20:00:00+02:00", "2026-10-14T22:00:00+02:00", "http-status zoeken"),
        ("2026-10-21T20:00:00+02:00", "2026-10-21T22:30:00+02:00", "http-status zoeken"),
        ("2026-10-25T02:40:00+02:00", "2026-10-25T02:20:00+01:00", "connect zoeken"),
    ),
    "webservice": (("2026-10-06T08:00:00+02:00", "2026-10-06T08:20:00+02:00", "body dossier"),),
    "aanmelden": (("2026-10-20T11:40:00+02:00", "2026-10-20T14:30:00+02:00", "timeout aanmelden"),),
}
MONITOR_OFF = ("2026-10-08T14:00:00+02:00", "2026-10-08T15:00:00+02:00")
SLOW_WEEK = ("2026-10-26T00:00:00+01:00", "2026-10-31T00:00:00+01:00")


def samples_of(journey: str, period: Span) -> Iterator[SampleIn]:
    """One a slot of five minutes; two attempts where it failed, one failure that did not return in every thousandth."""
    failures = [(parse_instant(a), parse_instant(b), kind) for a, b, kind in FAILURES[journey]]
    off = tuple(parse_instant(edge) for edge in MONITOR_OFF)
    slow = tuple(parse_instant(edge) for edge in SLOW_WEEK)
    for index, due_us in enumerate(range(period.start_us, period.end_us, STEP)):
        if off[0] <= due_us < off[1]:
            continue
        kind = next((kind for start, end, kind in failures if start <= due_us < end), "")
        if kind:
            attempts = 1 if kind.startswith("assertion") else 2
            yield SampleIn(
                journey=journey, due_us=due_us, interval_us=STEP, outcome="down", failure=kind, attempts=attempts
            )
            continue
        crawl = journey == "indienen" and slow[0] <= due_us < slow[1]
        spread = index * 7919 % 1000
        duration_us = (2_400_000 + spread * 9_600) if crawl else (1_100_000 + spread * 1_900)
        outcome = "degraded" if crawl and spread > 900 else "up"
        yield SampleIn(
            journey=journey, due_us=due_us, interval_us=STEP, outcome=outcome, duration_us=duration_us,
            failure="slow ondertekenen" if outcome == "degraded" else "",
        )  # fmt: skip


def ledger() -> tuple[Sealed, ...]:
    return seal(
        (
            Entry(
                kind="maintenance",
                recorded_us=parse_instant("2026-10-01T09:12:00+02:00"),
                by="An Peeters (Voorbeeld NV)",
                reason="databank bijwerken",
                from_us=parse_instant("2026-10-14T20:00:00+02:00"),
                until_us=parse_instant("2026-10-14T22:00:00+02:00"),
                scope=("inzage",),
            ),
            Entry(
                kind="maintenance",
                recorded_us=parse_instant("2026-10-20T16:05:00+02:00"),
                by="An Peeters (Voorbeeld NV)",
                reason="zoekindex herbouwen",
                from_us=parse_instant("2026-10-21T20:00:00+02:00"),
                until_us=parse_instant("2026-10-21T23:00:00+02:00"),
                scope=("inzage",),
            ),
            Entry(
                kind="exclusion",
                recorded_us=parse_instant("2026-10-27T10:00:00+01:00"),
                by="Jan Janssens (Voorbeeldbestuur)",
                reason="federale aanmelddienst onbeschikbaar",
                from_us=parse_instant("2026-10-20T11:30:00+02:00"),
                until_us=parse_instant("2026-10-20T15:00:00+02:00"),
                scope=("indienen",),
                data={"ground": "third-party", "dependency": "aanmelden", "status": "accepted"},
            ),
        )
    )


#: What the reports on the months before said of B1: lowest, point and highest; the month without was not measured.
BEFORE: Mapping[str, tuple[str, str, str] | None] = {
    "2026-02": ("0.9991", "0.9991", "0.9991"),
    "2026-03": ("0.9874", "0.987412345678", "0.9875"),
    "2026-04": None,
    "2026-05": ("0.9912", "0.9981", "0.9999"),
    "2026-06": ("1.000000000000", "1.000000000000", "1.000000000000"),
    "2026-07": ("0.99299999", "0.99299999", "0.99299999"),
    "2026-08": ("0.9956", "0.9956", "0.9956"),
}
GONE = "2026-09"


def earlier_ledger() -> tuple[Sealed, ...]:
    """Every month from February was reported, two of them twice; January never, and before it there was no contract."""
    months = ["2026-02", "2026-03", *BEFORE, GONE]
    data = [
        {"contract": "VOORBEELD-2026-01", "period": month, "number": str(months[:i].count(month) + 1)}
        for i, month in enumerate(months)
    ]
    entries = (
        Entry(kind="report", recorded_us=i, by="An", reason="maandrapport", data={**one, "sha256": sha256_of(**one)})
        for i, one in enumerate(data)
    )
    return seal(entries)


def sha256_of(*, period: str, number: str, contract: str = "") -> str:
    return (period + number).replace("-", "").ljust(64, "0")


def earlier_reports() -> dict[str, Mapping[str, Any]]:
    """What `sla.history` looks at of each report; the one on September is gone."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, ratios in BEFORE.items():
        month = parse_period(name, "Europe/Brussels")
        lowest, point, highest = ratios or (None, None, None)
        verdict = "undecided"
        if lowest is not None and highest is not None and not lowest < "0.993" <= highest:
            verdict = "met" if lowest >= "0.993" else "missed"
        clause = {
            "id": "B1", "kind": "availability", "target": "0.993", "verdict": verdict,
            "period": {"from": instant_text(month.start_us), "to": instant_text(month.end_us)},
            "availability": {"lowest": lowest, "point": point, "highest": highest},
        }  # fmt: skip
        number = "2" if name in ("2026-02", "2026-03") else "1"
        found[sha256_of(period=name, number=number)] = {"report": {"provisional": False}, "clauses": [clause]}
    return found


@cache
def report(*, minimum_coverage: str = "0.99", as_of: str | None = None) -> Report:
    """Drawn up on the second of November, from the samples of the whole month or of what was known by `as_of`."""
    text = CONTRACT.replace('minimum_coverage = "0.99"', f'minimum_coverage = "{minimum_coverage}"')
    agreement = parse_contract(tomllib.loads(text, parse_float=Decimal))
    period = parse_period("2026-10", agreement.timezone)
    samples = {journey: tuple(samples_of(journey, period)) for journey in TITLES}
    assessment = assess(
        agreement,
        period=period,
        samples=(s for found in samples.values() for s in found),
        ledger=ledger(),
        as_of_us=None if as_of is None else parse_instant(as_of),
    )
    series = [
        response_series(
            journey,
            [(s.due_us, s.duration_us) for s in samples[journey] if s.duration_us is not None],
            timezone=agreement.timezone,
            limit_us=10 * SECOND if journey == "indienen" else None,
        )
        for journey in agreement.journeys()
    ]
    drawn_up = draw_up(
        assessment,
        number="R-2026-10-v1",
        issued_us=parse_instant("2026-11-02T06:00:00+01:00"),
        portal_name="Omgevingsloket (voorbeeld)",
        titles=TITLES,
        gaps=[Gap(start_us=parse_instant(MONITOR_OFF[0]), end_us=parse_instant(MONITOR_OFF[1]), cause="monitor-off")],
        responses=[found for found in series if found is not None],
        software="Loketwacht 0.1.0",
        config_sha256=CONFIG_SHA256,
        legal_basis=("KB van 14 januari 2013, artikelen 44 tot 46",),
        contact="sla@voorbeeldbestuur.example",
    )
    told = history(assessment, ledger(), {}, number=drawn_up.number, is_provisional=drawn_up.is_provisional)
    return replace(drawn_up, history=told)


@cache
def report_with_history() -> Report:
    """The same, once the months before had been reported."""
    found = report()
    told = history(
        found.assessment, earlier_ledger(), earlier_reports(), number=found.number, is_provisional=found.is_provisional
    )
    return replace(found, history=told)
