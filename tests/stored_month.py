"""A store with a month of one sample an hour, for tests of what is computed from it. Times are Brussels time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from monitor.assessing import note_intervals
from monitor.config import ContractSource, LoadedContract
from monitor.reporting import ReportJob
from monitor.store import events, samples
from monitor.store.database import Database
from monitor.store.events import Event
from sla.contract import Contract
from sla.period import parse_period
from tests.agreements import BRUSSELS, HOUR, at, clause, contract
from tests.heart import INDIENEN, a_sample

HOURLY = INDIENEN.model_copy(update={"interval": HOUR})
AGREED = contract(clause(window="altijd", target="0.99"))
OCTOBER = parse_period("2026-10", BRUSSELS)
IN_NOVEMBER = at("2026-11-02 06:00")


def fill(
    database: Database,
    *,
    marks: Mapping[str, str] | None = None,
    without: Iterable[tuple[str, str]] = (),
    check_id: str = "indienen",
    location: str = "lokaal",
) -> None:
    """October 2026: up at every hour, but for `marks` (`{"2026-10-05 10:00": "X"}`) and the spans in `without`."""
    marked = {at(time): mark for time, mark in (marks or {}).items()}
    empty = [(at(start), at(end)) for start, end in without]
    with database.begin() as tx:
        note_intervals(tx, (HOURLY.model_copy(update={"id": check_id}),), OCTOBER.start_us)
        for slot_us in range(OCTOBER.start_us, OCTOBER.end_us, HOUR):
            if not any(start <= slot_us < end for start, end in empty):
                sample = a_sample(marked.get(slot_us, "."), slot_us, check_id, location=location)
                samples.add(tx, replace(sample, run_id=str(slot_us)))


def missed(
    database: Database,
    start: str,
    end: str,
    *,
    cause: str = "off",
    check_id: str = "indienen",
    location: str | None = None,
) -> None:
    """Slots told as missed; `location` None as before there were several."""
    data: dict[str, str | int | bool | None] = {"from_us": at(start), "until_us": at(end), "cause": cause}
    if location is not None:
        data["location"] = location
    with database.begin() as tx:
        events.add(tx, Event(at_us=at(end), kind="missed-slots", check_id=check_id, data=data))


def job(database: Database, directory: Path, *, agreed: Contract = AGREED, period: str = "2026-10") -> ReportJob:
    return ReportJob(
        database_url=str(database.engine.url),
        contract=agreed,
        period=period,
        portal="Voorbeeldloket",
        titles={"indienen": ("Aanvraag indienen", "Submit an application")},
        location="lokaal",
        software="Loketwacht 1.2.3",
        config_sha256="c0ffee" + "0" * 58,
        contact="sla@example.be",
        directory=directory,
        now_us=IN_NOVEMBER,
    )


def loaded_contract(agreed: Contract = AGREED, *, automatic: bool = True) -> LoadedContract:
    source = ContractSource(file="contract.toml", automatic_reports=automatic)
    return LoadedContract(contract=agreed, source=source, path=Path("contract.toml"), sha256="0" * 64)
