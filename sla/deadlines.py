"""From findings to decision, step by step, as the ledger tells it: what was sent, until when the supplier may answer.

By art. 44 § 2 of the royal decree of 14 January 2013 a supplier has 15 days from dispatch for its defence; silence
counts as acknowledgement of the facts. Where that leaves room, the reading kindest to the supplier is taken and told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sla.assessment import Text
from sla.contract import Contract
from sla.ledger import Sealed, known
from sla.period import DAY_S, civil_us, local_date
from sla.service_hours import working_day

DEFENCE_DAYS = 15
#: Where the term and its counting come from; shown with every due date.
SOURCE = Text(
    nl="Art. 44, § 2, van het koninklijk besluit van 14 januari 2013: 15 dagen vanaf de verzending; stilzwijgen geldt "
    "als erkenning van de feiten. Te bevestigen: dat dit besluit op deze opdracht van toepassing is.",
    en="Art. 44 § 2 of the royal decree of 14 January 2013: 15 days from dispatch; silence counts as acknowledgement "
    "of the facts. To be confirmed: that this decree applies to this contract.",
)
COUNTING = Text(
    nl="De dag van verzending telt niet mee. Eindigt de termijn op een zaterdag, een zondag of een feestdag van het "
    "contract, dan loopt hij tot het einde van de eerstvolgende werkdag (lezing volgens verordening (EEG, Euratom) "
    "nr. 1182/71, de gunstigste voor de dienstverlener; te bevestigen).",
    en="The day of dispatch does not count. A term that would end on a Saturday, a Sunday or a holiday of the contract "
    "runs to the end of the next working day (read by Regulation (EEC, Euratom) No 1182/71, the reading kindest to the "
    "supplier; to be confirmed).",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Civil time and the days that are no working days, weekends apart."""

    timezone: str
    holidays: frozenset[date] = frozenset()


def calendar_of(contract: Contract) -> Calendar:
    """The contract's own calendar: the holidays of all its versions."""
    return Calendar(
        timezone=contract.timezone, holidays=frozenset(day for version in contract.version for day in version.holidays)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Until when the supplier may answer.

    Attributes:
        dispatched: the day of dispatch.
        fifteenth: the fifteenth day after it.
        day: the last day on which a defence is in time; later than `fifteenth` where that is no working day.
    """

    dispatched: date
    fifteenth: date
    day: date

    @property
    def was_moved(self) -> bool:
        return self.day != self.fifteenth


def defence_due(dispatched: date, calendar: Calendar) -> Due:
    """The last day of the defence after findings that were sent on a day; see `COUNTING`."""
    fifteenth = dispatched + timedelta(days=DEFENCE_DAYS)
    day = fifteenth
    while not working_day(day, calendar.holidays):
        day += timedelta(days=1)
    return Due(dispatched=dispatched, fifteenth=fifteenth, day=day)


class Stage(StrEnum):
    """How far a procedure has come."""

    DRAFTED = "drafted"  # nothing was sent
    AWAITING = "awaiting"  # sent, the supplier may still answer
    ANSWERED = "answered"  # a defence in time; a person decides
    ANSWERED_LATE = "answered-late"  # a defence after the term; a person judges what that means
    SILENT = "silent"  # the term is over without a defence: the facts count as acknowledged
    DECIDED = "decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One draft of findings with everything that followed it.

    Attributes:
        number: of its `findings-drafted` entry; what the commands call it.
        contract: which contract it is about; empty where the entry does not say.
        document: its own number, such as `PV-2026-11-v1`; empty where the entry does not say.
        drafted, sent, defence, decision: entries in force; None where that step was not taken.
        due: None until it was sent.
        days_left: whole days until `due.day`, 0 on the day itself, negative after it; None until it was sent.
    """

    number: int
    contract: str
    document: str
    period: str
    clauses: tuple[str, ...]
    outages: tuple[str, ...]
    drafted: Sealed
    sent: Sealed | None = None
    defence: Sealed | None = None
    decision: Sealed | None = None
    due: Due | None = None
    days_left: int | None = None
    stage: Stage = Stage.DRAFTED

    @property
    def is_overdue(self) -> bool:
        """The term passed without a defence, and nobody has decided: somebody must look at it."""
        return self.stage is Stage.SILENT

    @property
    def position(self) -> str:
        """`accepted` or `contested`; empty without a defence."""
        return "" if self.defence is None else self.defence.entry.data.get("position", "")

    @property
    def told(self) -> Text:
        """Where it stands, in one sentence."""
        return _told(self)


def deadlines(entries: Iterable[Sealed], now_us: int, calendar: Calendar) -> tuple[Procedure, ...]:
    """Every procedure the ledger knows of at `now_us`, oldest first.

    A draft that a later one replaced before it was sent is left out. Entries recorded after `now_us` are not known.
    """
    ledger = known(entries, now_us)
    replaced_by = {s.entry.supersedes: s.seq for s in ledger if s.entry.supersedes is not None}
    standing = [s for s in ledger if s.seq not in replaced_by]
    sent = _by_target([s for s in standing if s.entry.kind == "findings-sent"], "findings")
    today = local_date(now_us, calendar.timezone)
    found = []
    for drafted in (s for s in ledger if s.entry.kind == "findings-drafted"):
        dispatches = sent.get(drafted.seq, ())
        if drafted.seq in replaced_by and not dispatches:
            continue
        found.append(_procedure(drafted, dispatches, standing, replaced_by, today, calendar))
    return tuple(found)


def _procedure(
    drafted: Sealed,
    dispatches: Sequence[Sealed],
    standing: Sequence[Sealed],
    replaced_by: Mapping[int, int],
    today: date,
    calendar: Calendar,
) -> Procedure:
    # Sent twice: the term runs from the later dispatch, the reading kindest to the supplier.
    sent = max(dispatches, key=lambda s: (s.entry.from_us or 0, s.seq), default=None)
    ours = {s.seq for s in dispatches}
    defence = min(
        (s for s in standing if s.entry.kind == "defence" and _target(s, "findings", replaced_by) in ours),
        key=lambda s: (s.entry.from_us or 0, s.seq),
        default=None,
    )
    about = {*ours, drafted.seq}
    answered = set() if defence is None else {defence.seq}
    decision = next(
        (
            s
            for s in reversed(standing)
            if s.entry.kind == "decision"
            and (
                _target(s, "findings", replaced_by) in about
                or _number(s, "findings") in about
                or _target(s, "defence", replaced_by) in answered
            )
        ),
        None,
    )
    due = None
    if sent is not None and sent.entry.from_us is not None:
        due = defence_due(local_date(sent.entry.from_us, calendar.timezone), calendar)
    data = drafted.entry.data
    return Procedure(
        number=drafted.seq,
        contract=data.get("contract", ""),
        document=data.get("number", ""),
        period=data.get("period", ""),
        clauses=_listed(data.get("clause", "")),
        outages=_listed(data.get("outage", "")),
        drafted=drafted,
        sent=sent,
        defence=defence,
        decision=decision,
        due=due,
        days_left=None if due is None else (due.day - today).days,
        stage=_stage(due, defence, decision, today, calendar),
    )


def _stage(due: Due | None, defence: Sealed | None, decision: Sealed | None, today: date, calendar: Calendar) -> Stage:
    if decision is not None:
        return Stage.DECIDED
    if due is None:
        return Stage.DRAFTED
    if defence is not None:
        came_us = defence.entry.from_us or 0
        return Stage.ANSWERED if came_us < end_of(due, calendar) else Stage.ANSWERED_LATE
    return Stage.AWAITING if today <= due.day else Stage.SILENT


def end_of(due: Due, calendar: Calendar) -> int:
    """The first instant at which a defence is late: midnight after the last day, in civil time."""
    return civil_us(due.day, DAY_S, calendar.timezone)


def _by_target(entries: Iterable[Sealed], key: str) -> dict[int, tuple[Sealed, ...]]:
    found: dict[int, tuple[Sealed, ...]] = {}
    for one in entries:
        number = _number(one, key)
        found[number] = (*found.get(number, ()), one)
    return found


def _number(sealed: Sealed, key: str) -> int:
    """The entry number that a data key holds; 0, which no entry has, where it holds none."""
    text = sealed.entry.data.get(key, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _target(sealed: Sealed, key: str, replaced_by: Mapping[int, int]) -> int:
    """The same, or the entry that took the place of the one it points at."""
    number = _number(sealed, key)
    while number in replaced_by:
        number = replaced_by[number]
    return number


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def day_text(day: date) -> str:
    """A civil day as letters write it: `17-12-2026`."""
    return f"{day:%d-%m-%Y}"


def _told(one: Procedure) -> Text:
    if one.due is None and one.stage is Stage.DRAFTED:
        return Text(
            nl="Ontwerp opgesteld, nog niet verzonden; er loopt geen termijn.",
            en="Drafted, not sent yet; no term is running.",
        )
    day = "" if one.due is None else day_text(one.due.day)
    left = abs(one.days_left or 0)
    match one.stage:
        case Stage.AWAITING if not left:
            return Text(
                nl="Verzonden; vandaag is de laatste dag van het verweer.",
                en="Sent; today is the last day of the defence.",
            )
        case Stage.AWAITING:
            days = ("dag" if left == 1 else "dagen"), ("day" if left == 1 else "days")
            return Text(
                nl=f"Verzonden; verweer mogelijk tot en met {day}, nog {left} {days[0]}.",
                en=f"Sent; defence possible up to and including {day}, {left} {days[1]} left.",
            )
        case Stage.SILENT:
            return Text(
                nl=f"Geen verweer tot en met {day}: stilzwijgen geldt als erkenning van de feiten. Een mens beslist.",
                en=f"No defence up to and including {day}: silence counts as acknowledgement of the facts. "
                "A person decides.",
            )
        case Stage.ANSWERED:
            accepted = one.position == "accepted"
            return Text(
                nl=f"Tijdig verweer: feiten {'erkend' if accepted else 'betwist'}. Een mens beslist.",
                en=f"Defence in time: facts {'accepted' if accepted else 'contested'}. A person decides.",
            )
        case Stage.ANSWERED_LATE:
            accepted = one.position == "accepted"
            return Text(
                nl=f"Verweer na {day}: feiten {'erkend' if accepted else 'betwist'}. Een mens beoordeelt het "
                "laattijdige antwoord en beslist.",
                en=f"Defence after {day}: facts {'accepted' if accepted else 'contested'}. A person judges the late "
                "answer and decides.",
            )
        case _:
            return Text(nl="Beslist.", en="Decided.")
