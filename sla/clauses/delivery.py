"""A document was delivered by every due time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sla.assessment import Case, Text, Verdict
from sla.cases import began_us
from sla.clauses.cases import together
from sla.clauses.finding import Beyond, Finding, Shortfall
from sla.due_dates import DueDate, due_dates
from sla.intervals import Span
from sla.ledger import Sealed, in_force
from sla.period import local_date
from sla.promise_clauses import DeliveryClause
from sla.service_hours import working_day
from sla.time_classes import Piece
from sla.wording import moment

_AROUND_US = 370 * 86_400_000_000  # more than the longest time from one due date to the next


def judge(clause: DeliveryClause, piece: Piece, entries: Sequence[Sealed], as_of_us: int | None) -> Finding:
    """Each due date of the piece. Without `as_of_us` a document that the ledger does not know was never delivered."""
    holidays = frozenset(piece.version.holidays)
    around = Span(start_us=piece.span.start_us - _AROUND_US, end_us=piece.span.end_us)
    known = due_dates(clause, around, piece.timezone, holidays)
    given = _matched(clause, known, entries, as_of_us)
    ours = due_dates(clause, piece.span, piece.timezone, holidays)
    now_us = piece.span.end_us if as_of_us is None else min(as_of_us, piece.span.end_us)
    late = {d: _late_days(clause, d, given.get(d), now_us, piece.timezone, holidays) for d in ours}
    cases = tuple(_case(d, given.get(d), len(late[d]), now_us, clause, piece.timezone) for d in ours)
    broken = [c for c in cases if c.verdict is Verdict.MISSED]
    sure = [
        (c, late[d])
        for c, d in zip(cases, ours, strict=True)
        if c.verdict is Verdict.MISSED and not any(s.start_us < d.at_us <= s.end_us for s in piece.grace.spans)
    ]
    answer, why = together(cases, piece, as_of_us)
    return Finding(
        verdict=answer,
        figures=(_figure(clause, len(cases), len(broken)),),
        why=why,
        target=0,
        measured=len(broken),
        shortfall=Shortfall(
            beyond=tuple(Beyond(limit=0, figure=len(days), is_time=False, outage=case.id) for case, days in sure),
            late_days=tuple(days for _, days in sure),
        ),
        cases=cases,
    )


def _matched(
    clause: DeliveryClause, known: Sequence[DueDate], entries: Sequence[Sealed], as_of_us: int | None
) -> Mapping[DueDate, Sealed]:
    """Which delivery answers which due date.

    A delivery that names its `due` date or `period` answers that one. Of the others one that came after the due date
    before and by this one's time answers it; what is left answers the latest due date before it that has none.
    """
    delivered = sorted(
        (
            s
            for s in in_force(entries)
            if s.entry.kind == "document-delivered"
            and s.entry.data.get("document") == clause.document
            and (as_of_us is None or began_us(s) <= as_of_us)
        ),
        key=lambda s: (began_us(s), s.seq),
    )
    found: dict[DueDate, Sealed] = {}
    loose = []
    for sealed in delivered:
        named = {sealed.entry.data.get("due", ""), sealed.entry.data.get("period", "")} - {""}
        if not named:
            loose.append(sealed)
            continue
        for due in known:
            if due.day.isoformat() in named or due.period in named:
                found.setdefault(due, sealed)
    left = []
    for sealed in loose:
        before = None
        for due in known:
            if (
                due not in found
                and (before is None or before.at_us <= began_us(sealed))
                and began_us(sealed) <= due.at_us
            ):
                found[due] = sealed
                break
            before = due
        else:
            left.append(sealed)
    for sealed in left:
        open_dues = [d for d in known if d not in found and d.at_us < began_us(sealed)]
        if open_dues:
            found[open_dues[-1]] = sealed
    return found


def _late_days(
    clause: DeliveryClause, due: DueDate, given: Sealed | None, now_us: int, timezone: str, holidays: frozenset[date]
) -> tuple[date, ...]:
    """The local dates, or working days among them, on which it was late; at least one where it was late at all."""
    until_us = now_us if given is None else began_us(given)
    if until_us <= due.at_us:
        return ()
    last = local_date(until_us - 1, timezone)
    # Due in the course of a day, the rest of that day is no day late yet.
    days = [due.day + timedelta(days=i) for i in range(1, (last - due.day).days + 1)]
    counted = [d for d in days if clause.late == "days" or working_day(d, holidays)]
    return tuple(counted) or (last,)


# --- in words ------------------------------------------------------------------------------------------------------


def _case(due: DueDate, given: Sealed | None, late: int, now_us: int, clause: DeliveryClause, timezone: str) -> Case:
    limit = moment(due.at_us, timezone)
    first = Text(nl=f"Uiterlijk op {limit}.", en=f"Due on {limit} at the latest.")
    answer, second = Verdict.MET, None
    size = _size(late, clause)
    if given is not None:
        when = moment(began_us(given), timezone)
        if late:
            answer = Verdict.MISSED
            second = Text(
                nl=f"Geleverd op {when} (nr. {given.seq}), {size.nl} te laat.",
                en=f"Delivered on {when} (no. {given.seq}), {size.en} late.",
            )
        else:
            second = Text(
                nl=f"Geleverd op {when} (nr. {given.seq}), op tijd.",
                en=f"Delivered on {when} (no. {given.seq}), in time.",
            )
    elif now_us > due.at_us:
        until = moment(now_us, timezone)
        answer = Verdict.MISSED
        second = Text(
            nl=f"Niet geleverd: het register kent tot {until} geen levering, {size.nl} te laat.",
            en=f"Not delivered: the ledger knows no delivery until {until}, {size.en} late.",
        )
    else:
        answer = Verdict.UNDECIDED
        second = Text(nl="Nog niet vervallen.", en="Not due yet.")
    return Case(
        id=due.day.isoformat(),
        about=Text(
            nl=f"{clause.document}, vervaldag {due.day:%d-%m-%Y}", en=f"{clause.document}, due {due.day:%d-%m-%Y}"
        ),
        verdict=answer,
        entries=() if given is None else (given.seq,),
        from_us=due.at_us,
        until_us=None if given is None else began_us(given),
        late=late,
        reasons=(first, second),
    )


def _size(late: int, clause: DeliveryClause) -> Text:
    if clause.late == "days":
        return Text(nl=f"{late} {'dag' if late == 1 else 'dagen'}", en=f"{late} {'day' if late == 1 else 'days'}")
    return Text(
        nl=f"{late} {'werkdag' if late == 1 else 'werkdagen'}", en=f"{late} working {'day' if late == 1 else 'days'}"
    )


def _figure(clause: DeliveryClause, count: int, broken: int) -> Text:
    if not count:
        return Text(
            nl=f"{clause.document}: geen vervaldag in deze periode.",
            en=f"{clause.document}: no due date in this period.",
        )
    days, dates = ("vervaldag", "date") if count == 1 else ("vervaldagen", "dates")
    return Text(
        nl=f"{clause.document}: {count} {days}, {broken} niet op tijd geleverd.",
        en=f"{clause.document}: {count} due {dates}, {broken} not delivered in time.",
    )
