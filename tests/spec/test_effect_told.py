"""What the mails of an outage say of contracts: from the last assessment in memory, and nothing where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from monitor.incidents import IncidentRule
from monitor.recipients import Recipient
from sla.assess import worked_out
from sla.budget import outlooks
from sla.effect import Standing, standings
from tests.agreements import all_up_but, clause, contract, span
from tests.agreements import at as brussels
from tests.heart import HOUR, INZAGE, OPS, Office, at
from tests.new_store import new_store

NOVEMBER = span("2026-11-01 00:00", "2026-12-01 00:00")
PER_TENTH = {"scale": "per-unit", "unit": "0.001", "amount": "EUR 100"}


def assessed(moment: str = "2026-11-23 11:00", **more: object) -> tuple[Standing, ...]:
    """All was well until that moment, and 99.9 % is promised: 43.2 minutes may be lost."""
    agreed = contract(clause(**{"target": "0.999", "sanction": PER_TENTH} | more))
    worked = worked_out(agreed, period=NOVEMBER, spans=all_up_but(span("2026-11-01 00:00", moment)))
    return standings(
        worked, outlooks(worked, now_us=brussels(moment)), now_us=brussels(moment), unit="month", coverage=Fraction(1)
    )


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database, standings=assessed())
    database.close()


def test_the_first_mail_says_when_it_becomes_sanctionable_and_what_is_left(office: Office) -> None:
    """Broken at 10:00, told at 10:01 (UTC): 43.2 minutes after its beginning, of which one has passed."""
    office.live("xx")
    assert (
        "Wordt sanctioneerbaar om 11:43 als dit aanhoudt (bepaling B1); deze maand rest nog 42 min 12 s toegelaten "
        "uitval." in office.sent[0].text
    )


def test_a_reminder_says_since_when_it_is(office: Office) -> None:
    office.live("xx")
    office.standings = ()
    office.now_us = at("11:01")
    office.standings = tuple(replace(one, assessed_us=at("11:00")) for one in assessed())
    office.live("x")
    assert "Sanctioneerbaar sinds 11:43 (bepaling B1)" in office.sent[1].text
    assert "deze maand al 17 min 48 s meer uitval dan toegelaten." in office.sent[1].text


def test_so_does_an_escalation(office: Office) -> None:
    office.recipients = (OPS, Recipient(address="chef@example.be", after="10m"))
    office.live("x" * 13)
    assert "ESCALATIE" in office.subjects[1]
    assert "Wordt sanctioneerbaar om 11:43" in office.sent[1].text


def test_a_recovery_says_nothing_of_it_any_more(office: Office) -> None:
    office.live("xx..")
    assert "sanctioneerbaar" not in office.sent[1].text
    assert "toegelaten uitval" not in office.sent[1].text


def test_a_journey_that_no_clause_speaks_of_says_nothing(office: Office) -> None:
    office.live("xx", INZAGE)
    assert "bepaling" not in office.sent[0].text


def test_before_the_first_assessment_nothing_is_said(office: Office) -> None:
    office.standings = ()
    office.live("xx")
    assert "sanctioneerbaar" not in office.sent[0].text


def test_figures_of_more_than_an_hour_ago_are_not_reckoned_on_from(office: Office) -> None:
    office.live("xx", start="11:00")
    assert "sanctioneerbaar" not in office.sent[0].text
    assert office.now_us - at("10:00") > HOUR


def test_best_efforts_are_named_as_such(office: Office) -> None:
    office.standings = assessed(obligation="best-efforts")
    office.live("xx")
    assert "Bepaling B1: deze maand rest nog 42 min 12 s toegelaten uitval (middelenverbintenis," in office.sent[0].text
    assert "Wordt sanctioneerbaar" not in office.sent[0].text


def test_the_mail_leaves_whatever_is_wrong_with_the_figures(office: Office) -> None:
    office.standings = ("no standing at all",)  # type: ignore[assignment]
    office.rule = IncidentRule(open_after=1)
    office.live("x")
    assert office.words() == ["STORING"]
