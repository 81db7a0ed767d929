"""A year of an agreement, for tests: measurements by the hour and the ledger as it grew, the same every time.

2027 in Brussels: both changes of the clock fall in an outage; maintenance is announced in time and too late; a third
party fails with the portal and is measured by a check of its own; the monitor is off for a day; the contract is amended
in the middle of June; one claim is refused, another accepted after the report was issued, which is then restated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sla.intervals import Span
from sla.period import calendar_span, instant_text
from tests.agreements import BRUSSELS, HOUR, at

YEAR = 2027
DISPUTED = "2027-05"
MONTHS = tuple(f"{YEAR}-{month:02}" for month in range(1, 13))

CONTRACT = """\
contract = "JAAR-2027"
authority = "Voorbeeldbestuur"
supplier = "Voorbeeld NV"
timezone = "Europe/Brussels"

[[version]]
number = 1
valid_from = 2027-01-01
valid_until = 2027-06-14
monthly_fee = "100000.00"
holidays = [2027-01-01, 2027-03-29]

[version.windows.dienst]
weekly = ["mon-fri 07:00-19:00"]
holidays = "closed"

[version.maintenance]
notice = "5 working days"
allowed = ["sun 06:00-12:00"]
budget = "8h per month"

[[version.clause]]
id = "B1"
kind = "availability"
scope = ["indienen"]
window = "dienst"
target = "0.99"
sanction = { scale = "per-unit", unit = "0.001", amount = "1% of monthly-fee", maximum = "10% of monthly-fee" }

[[version.clause]]
id = "B2"
kind = "availability"
scope = ["indienen"]
target = "0.98"
boundary = "observed"

[[version.clause]]
id = "D1"
kind = "outage-duration"
scope = ["indienen"]
window = "dienst"
limit = "2h"
sanction = { scale = "per-unit", unit = "1h", amount = "EUR 250" }
"""
# The amendment: from 15 June on more is promised. All else stays.
CONTRACT += (
    CONTRACT[CONTRACT.index("[[version]]") :]
    .replace("number = 1", "number = 2")
    .replace("valid_from = 2027-01-01\nvalid_until = 2027-06-14", "valid_from = 2027-06-15\nvalid_until = 2027-12-31")
    .replace('target = "0.99"', 'target = "0.995"')
)

#: (from, to) on the wall clock in which every run failed. The clock changes on 28 March and 31 October.
DOWN = {
    "indienen": (
        (at("2027-02-14 07:00"), at("2027-02-14 10:00")),
        (at("2027-03-28 00:00"), at("2027-03-28 05:00")),
        (at("2027-04-11 07:00"), at("2027-04-11 10:00")),
        (at("2027-05-12 10:00"), at("2027-05-12 14:00")),
        (at("2027-06-14 17:00"), at("2027-06-15 09:00")),
        (at("2027-09-08 09:00"), at("2027-09-08 13:00")),
        (at("2027-10-31 01:00"), at("2027-10-31 05:00")),
    ),
    "aanmelden": ((at("2027-05-12 10:00"), at("2027-05-12 13:00")),),
}
MONITOR_OFF = (at("2027-08-04 09:00"), at("2027-08-04 17:00"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One file of entries as somebody handed it in.

    Attributes:
        name: by which others of this story point at its last entry.
        answers: the entry that its last one supersedes.
    """

    name: str
    recorded_us: int
    records: tuple[dict[str, Any], ...]
    answers: str = ""

    def lines(self, numbers: dict[str, int]) -> list[dict[str, Any]]:
        """To import, with the number the ledger gave to what it answers."""
        answered = {"supersedes_recorded": str(numbers[self.answers])} if self.answers else {}
        *first, last = ({"recorded_at": instant_text(self.recorded_us), **record} for record in self.records)
        return [*first, last | answered]


def _entry(kind: str, by: str, reason: str, times: str = "", **data: str) -> dict[str, Any]:
    start, _, end = times.partition("/")
    record: dict[str, Any] = {"kind": kind, "by": by, "reason": reason, **data}
    record |= {"from": instant_text(at(start))} if start else {}
    record |= {"to": instant_text(at(end))} if end else {}
    return record | ({"scope": ["indienen"]} if kind.startswith(("maintenance", "exclusion")) else {})


def _told(name: str, when: str, *records: dict[str, Any], answers: str = "") -> Told:
    return Told(name=name, recorded_us=at(when), records=records, answers=answers)


SUPPLIER, OFFICIAL = "An Peeters (Voorbeeld NV)", "Jan Janssens (Voorbeeldbestuur)"
_THIRD_PARTY = {"times": "2027-05-12 10:00/2027-05-12 14:00", "ground": "third-party", "dependency": "aanmelden"}
_STORM = {"times": "2027-09-08 09:00/2027-09-08 13:00", "ground": "force-majeure"}
LEDGER = (
    _told("in time", "2027-02-01 09:00",
          _entry("maintenance", SUPPLIER, "databank bijwerken", "2027-02-14 06:00/2027-02-14 11:00")),
    _told("late", "2027-04-09 16:00",
          _entry("maintenance", SUPPLIER, "zoekindex herbouwen", "2027-04-11 06:00/2027-04-11 11:00")),
    _told("third party", "2027-05-20 10:00",
          _entry("exclusion-claimed", SUPPLIER, "aanmelddienst onbeschikbaar", **_THIRD_PARTY)),
    _told("defence", "2027-06-16 10:00",
          _entry("findings-drafted", OFFICIAL, "B1 en D1 in mei", period=DISPUTED),
          _entry("findings-sent", OFFICIAL, "aangetekend", "2027-06-04 09:00", findings="1"),
          _entry("defence", SUPPLIER, "de aanmelddienst lag eruit", "2027-06-15 09:00", findings="2",
                 position="contested")),
    _told("accepted", "2027-06-21 10:00",
          _entry("exclusion-accepted", OFFICIAL, "eigen meting van de aanmelddienst", **_THIRD_PARTY),
          answers="third party"),
    _told("decision", "2027-06-21 11:00",
          _entry("decision", OFFICIAL, "deels aanvaard", "2027-05-01 00:00/2027-06-01 00:00", outcome="verminderd")),
    _told("storm", "2027-09-20 10:00", _entry("exclusion-claimed", SUPPLIER, "onweer", **_STORM)),
    _told("refused", "2027-09-27 10:00", _entry("exclusion-refused", OFFICIAL, "geen melding van het KMI", **_STORM),
          answers="storm"),
)  # fmt: skip
RESTATED_US = at("2027-06-22 09:00")


def issued_us(month: str) -> int:
    """When its report is drawn up: the second day of the next month, at six."""
    year, number = (int(part) for part in month.split("-"))
    return calendar_span("month", date(year, number, 1), BRUSSELS).end_us + 30 * HOUR


def measured(month: str) -> Span:
    """What its import brings: days are sealed by UTC, so the months of the measurements are too."""
    year, number = (int(part) for part in month.split("-"))
    found = calendar_span("month", date(year, number, 1), "UTC")
    # The year itself begins an hour earlier, in Brussels.
    return Span(start_us=found.start_us - HOUR, end_us=found.end_us) if number == 1 else found


def measurements(month: str) -> Iterator[dict[str, Any]]:
    """One sample an hour, as lines to import; the third party's own check runs in May alone."""
    period = measured(month)
    for journey, failures in DOWN.items():
        if journey == "aanmelden" and month != DISPUTED:
            continue
        for index, due_us in enumerate(range(period.start_us, period.end_us, HOUR)):
            if MONITOR_OFF[0] <= due_us < MONITOR_OFF[1]:
                continue
            is_down = any(start <= due_us < end for start, end in failures)
            yield {
                "journey": journey,
                "due": instant_text(due_us),
                "interval_s": 3600,
                "outcome": "down" if is_down else "up",
                "duration_ms": 900 + index * 7919 % 1000,
                **({"failure": "http-status", "attempts": 2} if is_down else {}),
            }
