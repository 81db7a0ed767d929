"""How long reacting or restoring took, case by case, on a clock that the window, excluded time and pauses stop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sla.assessment import Case, Text, Verdict, WindowDecision
from sla.cases import CaseFile, about_outage, began_us, notifications
from sla.clauses.cases import together
from sla.clauses.finding import Beyond, Finding, NamedOutage, Shortfall
from sla.exclusions import excluded
from sla.intervals import EMPTY, IntervalSet, Span
from sla.ledger import Sealed
from sla.promise_clauses import CaseClause, ReactionTimeClause
from sla.service_hours import service_time
from sla.time_classes import Piece
from sla.wording import length, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What ran and what did not, of one case.

    Attributes:
        file: what the ledger says of it.
        journeys: whose excluded time stops the clock.
        outage: the measured outage it is about; None where there is none.
        start_us: of the case.
        sure_us: until then it certainly lasted.
        over_us: by then it was certainly over; None where that is not known.
        runs: the time counted, as if it lasted until `over_us`, or `sure_us` where that is None.
        unmeasured: the part of it that is not held against the supplier.
    """

    file: CaseFile
    journeys: tuple[str, ...]
    outage: NamedOutage | None
    start_us: int
    sure_us: int
    over_us: int | None
    window: IntervalSet
    excluded: IntervalSet
    unmeasured: IntervalSet

    @property
    def whole(self) -> IntervalSet:
        end = self.sure_us if self.over_us is None else max(self.sure_us, self.over_us)
        return IntervalSet.of((Span(start_us=self.start_us, end_us=end),))

    @property
    def runs(self) -> IntervalSet:
        return (self.whole & self.window) - self.excluded - self.file.paused()

    @property
    def certain(self) -> IntervalSet:
        """The time that certainly counts."""
        return (self.runs & IntervalSet.of((Span(start_us=self.start_us, end_us=self.sure_us),))) - self.unmeasured


def judge(
    clause: CaseClause,
    piece: Piece,
    outages: Sequence[NamedOutage],
    entries: Sequence[Sealed],
    decisions: Sequence[WindowDecision],
    as_of_us: int | None,
) -> Finding:
    """Args: outages: of the clause's scope; decisions: also those after the period, for cases that run on."""
    found = list(clocks(clause, piece, outages, entries, decisions, as_of_us))
    cases = tuple(_case(clause, piece, clock) for clock in found)
    missed = [(case, clock) for case, clock in zip(cases, found, strict=True) if case.verdict is Verdict.MISSED]
    graced = [(case, clock) for case, clock in missed if not _holds(piece.grace, clock.start_us)]
    longest = max((case.least_us or 0 for case in cases), default=None)
    answer, why = together(cases, piece, as_of_us)
    about = {clock.outage.id: clock for clock in found if clock.outage is not None}
    return Finding(
        verdict=answer,
        figures=(_figure(clause, len(cases), longest),),
        why=why,
        target=clause.limit,
        measured=longest,
        counted={name: us for name, clock in about.items() if (us := clock.certain.length_us)},
        sanctioned={clock.outage.id: case.least_us or 0 for case, clock in graced if clock.outage is not None},
        shortfall=Shortfall(
            beyond=tuple(
                Beyond(
                    limit=clause.limit,
                    figure=case.least_us or 0,
                    is_time=True,
                    outage=case.id if clock.outage is None else clock.outage.id,
                )
                for case, clock in graced
            )
        ),
        cases=cases,
        failures={clock.outage.id: clock.certain for _, clock in graced if clock.outage is not None},
    )


def clocks(
    clause: CaseClause,
    piece: Piece,
    outages: Sequence[NamedOutage],
    entries: Sequence[Sealed],
    decisions: Sequence[WindowDecision],
    as_of_us: int | None,
) -> Iterator[Clock]:
    """The cases that began in the piece. A case belongs to the period it began in, also where it ends after it."""
    measured = {o.id: o for o in outages}
    if clause.start == "confirmation":
        for outage in outages:
            file = about_outage(outage.id, entries, as_of_us)
            other = file.notified is not None and file.notified.entry.data.get("priority") != clause.priority
            if not other and _holds(_whole(piece), outage.raw.known_from_us):
                yield _clock(clause, piece, file, outage, outage.raw.known_from_us, decisions, as_of_us)
        return
    told: set[str] = set()
    for file in notifications(entries, as_of_us):
        assert file.notified is not None
        entry = file.notified.entry
        ours = not entry.scope or set(entry.scope) & set(clause.scope)
        if entry.data.get("priority") != clause.priority or not ours or (file.outage and file.outage in told):
            continue
        told.add(file.outage)  # told again of the same outage: still one case, since the first time
        if _holds(_whole(piece), began_us(file.notified)):
            outage_of = measured.get(file.outage)
            yield _clock(clause, piece, file, outage_of, began_us(file.notified), decisions, as_of_us)


def _clock(
    clause: CaseClause,
    piece: Piece,
    file: CaseFile,
    outage: NamedOutage | None,
    start_us: int,
    decisions: Sequence[WindowDecision],
    as_of_us: int | None,
) -> Clock:
    ends = [us for us in (file.restored_us(),) if us is not None]
    if isinstance(clause, ReactionTimeClause):
        # What is restored needs no reaction any more.
        ends += [us for us in (file.reacted_us(),) if us is not None]
    now_us = piece.span.end_us if as_of_us is None else min(as_of_us, piece.span.end_us)
    told_us = min(ends, default=None)
    sure_us, over_us = (now_us, None) if told_us is None else (told_us, told_us)
    by_measurement = False
    if outage is not None:
        good_us, bad_us = outage.raw.first_good_us, outage.raw.last_bad_us
        by_measurement = told_us is None or bad_us < told_us
        sure_us = bad_us if told_us is None else min(told_us, bad_us)
        over_us = good_us if told_us is None else min(told_us, told_us if good_us is None else good_us)
    sure_us = max(start_us, sure_us)
    over_us = None if over_us is None else max(start_us, over_us)
    whole = Span(start_us=start_us, end_us=max(sure_us, over_us or 0, start_us + 1))
    if outage is not None:
        journeys: tuple[str, ...] = (outage.journey,)
    else:
        scope = file.notified.entry.scope if file.notified is not None else ()
        journeys = tuple(j for j in clause.scope if not scope or j in scope)
    unmeasured = EMPTY
    if outage is not None and (by_measurement or clause.start == "confirmation"):
        unmeasured = IntervalSet.of((whole,)) - piece.journeys[outage.journey].track.measured
    return Clock(
        file=file,
        journeys=journeys,
        outage=outage,
        start_us=start_us,
        sure_us=sure_us,
        over_us=over_us,
        window=service_time(piece.version, clause.window, whole, piece.timezone),
        excluded=IntervalSet.of(s for j in journeys for s in excluded(j, decisions).spans),
        unmeasured=unmeasured,
    )


def _whole(piece: Piece) -> IntervalSet:
    return IntervalSet.of((piece.span,))


def _holds(found: IntervalSet, at_us: int) -> bool:
    return any(s.start_us <= at_us < s.end_us for s in found.spans)


# --- in words ------------------------------------------------------------------------------------------------------


def _case(clause: CaseClause, piece: Piece, clock: Clock) -> Case:
    least, most = clock.certain.length_us, None if clock.over_us is None else clock.runs.length_us
    if least > clause.limit:
        answer = Verdict.MISSED
    else:
        answer = Verdict.MET if most is not None and most <= clause.limit else Verdict.UNDECIDED
    notified = clock.file.notified
    name = clock.outage.id if clock.outage is not None else ""
    if notified is not None and clause.start == "notification":
        about = Text(nl=f"Melding nr. {notified.seq}", en=f"Notification no. {notified.seq}")
    else:
        about = Text(nl=f"Storing {name}", en=f"Outage {name}")
    return Case(
        id=name if clause.start == "confirmation" or notified is None else f"#{notified.seq}",
        about=about,
        verdict=answer,
        entries=clock.file.entries,
        from_us=clock.start_us,
        until_us=clock.over_us,
        least_us=least,
        most_us=most,
        reasons=(
            *_course(clause, clock, piece.timezone),
            *_stops(clock, piece.timezone),
            _outcome(clause, answer, least, most),
        ),
    )


def _course(clause: CaseClause, clock: Clock, timezone: str) -> tuple[Text, ...]:
    began = moment(clock.start_us, timezone)
    first = (
        Text(nl=f"Gemeld op {began}.", en=f"Notified on {began}.")
        if clause.start == "notification"
        else Text(nl=f"Door de meting bevestigd op {began}.", en=f"Confirmed by measurement on {began}.")
    )
    return first, _end(clause, clock, timezone)


def _end(clause: CaseClause, clock: Clock, timezone: str) -> Text:
    file = clock.file
    reacted, restored = file.reacted_us(), file.restored_us()
    is_reaction = isinstance(clause, ReactionTimeClause)
    if clock.over_us is None:
        if clock.outage is not None:
            last = moment(clock.sure_us, timezone)
            return Text(
                nl=f"Nog geen goede meting; zeker tot de laatste mislukte meting op {last}.",
                en=f"No good sample yet; certainly until the last failed sample on {last}.",
            )
        until = moment(clock.sure_us, timezone)
        what = ("Geen reactie", "No reaction") if is_reaction else ("Geen herstel", "No restoration")
        return Text(nl=f"{what[0]} in het register tot {until}.", en=f"{what[1]} in the ledger until {until}.")
    over = moment(clock.over_us, timezone)
    if is_reaction and reacted is not None and max(reacted, clock.start_us) == clock.over_us:
        seq = file.reactions[0].seq
        return Text(nl=f"Reactie op {over} (nr. {seq}).", en=f"Reaction on {over} (no. {seq}).")
    if restored is not None and max(restored, clock.start_us) == clock.over_us:
        seq = file.restorations[0].seq
        end = Text(nl=f"Hersteld op {over} (nr. {seq}).", en=f"Restored on {over} (no. {seq}).")
    else:
        sure = moment(clock.sure_us, timezone)
        end = Text(
            nl=f"Hersteld volgens de meting, tussen {sure} (laatste mislukte) en {over} (eerste goede).",
            en=f"Restored by measurement, between {sure} (last failed sample) and {over} (first good one).",
        )
    if is_reaction:
        return Text(
            nl=f"{end.nl} Wat hersteld is, vraagt geen reactie meer.",
            en=f"{end.en} What is restored needs no reaction any more.",
        )
    return end


def _stops(clock: Clock, timezone: str) -> Iterator[Text]:
    """What the clock did not count, each stretch of time once."""
    left = clock.whole
    for taken, nl, en in (
        (left - clock.window, "buiten het venster", "outside the window"),
        ((left & clock.window) & clock.excluded, "uitgesloten", "excluded"),
    ):
        if taken:
            size = length(taken.length_us)
            yield Text(nl=f"De klok stond {size.nl} stil: {nl}.", en=f"The clock stood still for {size.en}: {en}.")
    counted = (left & clock.window) - clock.excluded
    for pause in clock.file.pauses:
        until = pause.entry.until_us
        span = Span(start_us=began_us(pause), end_us=clock.whole.spans[-1].end_us if until is None else until)
        if clock.whole and (taken := counted & IntervalSet.of((span,))):
            size, since = length(taken.length_us), moment(span.start_us, timezone)
            yield Text(
                nl=f"Pauze nr. {pause.seq} vanaf {since}, {size.nl}: {pause.entry.reason}",
                en=f"Pause no. {pause.seq} since {since}, {size.en}: {pause.entry.reason}",
            )
            counted -= IntervalSet.of((span,))
    if blind := counted & clock.unmeasured:
        size = length(blind.length_us)
        yield Text(
            nl=f"{size.nl} is niet gemeten en telt niet tegen de dienstverlener.",
            en=f"{size.en} was not measured and is not held against the supplier.",
        )


def _outcome(clause: CaseClause, answer: Verdict, least: int, most: int | None) -> Text:
    limit, ran = length(clause.limit), length(least)
    if answer is Verdict.MISSED:
        over = length(least - clause.limit)
        return Text(
            nl=f"De klok liep zeker {ran.nl}, {over.nl} boven de norm van {limit.nl}.",
            en=f"The clock certainly ran for {ran.en}, {over.en} beyond the limit of {limit.en}.",
        )
    if answer is Verdict.MET and most is not None:
        upto = length(most)
        return Text(
            nl=f"De klok liep hoogstens {upto.nl}, binnen de norm van {limit.nl}.",
            en=f"The clock ran for {upto.en} at most, within the limit of {limit.en}.",
        )
    if most is None:
        return Text(
            nl=f"De klok liep tot dan zeker {ran.nl}; de norm is {limit.nl}. De rest is niet bekend.",
            en=f"Until then the clock certainly ran for {ran.en}; the limit is {limit.en}. The rest is not known.",
        )
    upto = length(most)
    return Text(
        nl=f"De klok liep tussen {ran.nl} en {upto.nl}; de norm van {limit.nl} ligt daartussen.",
        en=f"The clock ran between {ran.en} and {upto.en}; the limit of {limit.en} lies in between.",
    )


def _figure(clause: CaseClause, count: int, longest: int | None) -> Text:
    is_reaction = isinstance(clause, ReactionTimeClause)
    if longest is None:
        if clause.start == "confirmation":
            return Text(
                nl=f"Geen bevestigde storing met prioriteit {clause.priority} in deze periode.",
                en=f"No confirmed outage of priority {clause.priority} in this period.",
            )
        return Text(
            nl=f"Geen melding met prioriteit {clause.priority} in deze periode.",
            en=f"No notification of priority {clause.priority} in this period.",
        )
    was, limit = length(longest), length(clause.limit)
    nl, en = ("reactietijd", "reaction time") if is_reaction else ("hersteltijd", "restore time")
    cases = ("geval", "case") if count == 1 else ("gevallen", "cases")
    return Text(
        nl=f"{count} {cases[0]} met prioriteit {clause.priority}; de langste {nl} was zeker {was.nl}, "
        f"norm hoogstens {limit.nl}.",
        en=f"{count} {cases[1]} of priority {clause.priority}; the longest {en} was certainly {was.en}, "
        f"at most {limit.en} was promised.",
    )
