"""Every release was announced in time, and none lay inside the window."""

from __future__ import annotations

from collections.abc import Sequence

from sla.assessment import Case, Text, Verdict, WindowDecision
from sla.cases import began_us
from sla.clauses.cases import together
from sla.clauses.finding import Beyond, Finding, Shortfall
from sla.exclusions import excluded
from sla.intervals import IntervalSet, Span
from sla.ledger import Sealed, in_force
from sla.maintenance import latest_announcement
from sla.promise_clauses import ReleaseClause
from sla.service_hours import service_time
from sla.time_classes import Piece
from sla.wording import agreed, moment


def judge(
    clause: ReleaseClause,
    piece: Piece,
    entries: Sequence[Sealed],
    decisions: Sequence[WindowDecision],
    as_of_us: int | None,
) -> Finding:
    cases = tuple(_case(clause, piece, s, entries, decisions) for s in releases(clause, piece, entries))
    broken = [c for c in cases if c.verdict is Verdict.MISSED]
    sure = [c for c in broken if not any(s.start_us <= c.from_us < s.end_us for s in piece.grace.spans)]
    answer, why = together(cases, piece, as_of_us)
    return Finding(
        verdict=answer,
        figures=(_figure(len(cases), len(broken)),),
        why=why,
        target=0,
        measured=len(broken),
        shortfall=Shortfall(beyond=(Beyond(limit=0, figure=len(sure), is_time=False),)),
        cases=cases,
    )


def releases(clause: ReleaseClause, piece: Piece, entries: Sequence[Sealed]) -> list[Sealed]:
    """The releases in force that the clause speaks of, in the period in which they are put in place."""
    found = []
    for sealed in in_force(entries):
        entry = sealed.entry
        place = entry.data.get("environment", "")
        if entry.kind != "release" or not piece.span.start_us <= began_us(sealed) < piece.span.end_us:
            continue
        if clause.environment is not None and place not in ("", clause.environment):
            continue
        if not clause.scope or not entry.scope or set(entry.scope) & set(clause.scope):
            found.append(sealed)
    return sorted(found, key=lambda s: (began_us(s), s.seq))


def announced(sealed: Sealed, entries: Sequence[Sealed]) -> Sealed:
    """The entry that first announced a release for the moment it has now; a release that moves is announced anew."""
    by_seq = {s.seq: s for s in entries}
    first = sealed
    while (earlier := by_seq.get(first.entry.supersedes or 0)) is not None and earlier.seq < first.seq:
        if earlier.entry.kind != "release" or began_us(earlier) != began_us(sealed):
            break
        first = earlier
    return first


def _case(
    clause: ReleaseClause,
    piece: Piece,
    sealed: Sealed,
    entries: Sequence[Sealed],
    decisions: Sequence[WindowDecision],
) -> Case:
    start_us, first = began_us(sealed), announced(sealed, entries)
    breaches = [*_late(clause, piece, start_us, first), *_inside(clause, piece, sealed, decisions)]
    version = sealed.entry.data.get("version", "")
    when, told = moment(start_us, piece.timezone), moment(first.entry.recorded_us, piece.timezone)
    return Case(
        id=f"#{sealed.seq}",
        about=Text(nl=f"Release {version} (nr. {sealed.seq})", en=f"Release {version} (no. {sealed.seq})"),
        verdict=Verdict.MISSED if breaches else Verdict.MET,
        entries=tuple(sorted({first.seq, sealed.seq})),
        from_us=start_us,
        until_us=sealed.entry.until_us,
        reasons=(
            Text(
                nl=f"Voorzien voor {when}, aangekondigd op {told} (nr. {first.seq}).",
                en=f"Planned for {when}, announced on {told} (no. {first.seq}).",
            ),
            *(breaches or (Text(nl="Volgens de afspraken.", en="As agreed."),)),
        ),
    )


def _late(clause: ReleaseClause, piece: Piece, start_us: int, first: Sealed) -> list[Text]:
    if clause.notice is None:
        return []
    holidays = piece.version.holidays
    latest = latest_announcement(clause.notice, start_us, timezone=piece.timezone, holidays=holidays)
    if first.entry.recorded_us <= latest:
        return []
    limit, ahead = moment(latest, piece.timezone), agreed(str(clause.notice))
    return [
        Text(
            nl=f"Te laat aangekondigd: met een termijn van {ahead.nl} moest dat uiterlijk op {limit}.",
            en=f"Announced too late: with a notice of {ahead.en} it was due on {limit} at the latest.",
        )
    ]


def _inside(clause: ReleaseClause, piece: Piece, sealed: Sealed, decisions: Sequence[WindowDecision]) -> list[Text]:
    if clause.window is None:
        return []
    start_us = began_us(sealed)
    span = Span(start_us=start_us, end_us=sealed.entry.until_us or start_us + 1)
    open_time = service_time(piece.version, clause.window, span, piece.timezone)
    # Maintenance that was granted is no service time, for any journey the release touches.
    for journey in sealed.entry.scope or clause.scope or _journeys(piece):
        open_time -= excluded(journey, decisions)
    if not open_time & IntervalSet.of((span,)):
        return []
    return [
        Text(
            nl=f'Valt binnen het venster "{clause.window}", waarin geen release mag.',
            en=f'Lies inside the window "{clause.window}", in which no release is allowed.',
        )
    ]


def _journeys(piece: Piece) -> tuple[str, ...]:
    return tuple(sorted({j for c in piece.version.clause for j in c.scope}))


def _figure(count: int, broken: int) -> Text:
    if not count:
        return Text(nl="Geen release in deze periode.", en="No release in this period.")
    return Text(
        nl=f"{count} {'release' if count == 1 else 'releases'}, {broken} niet volgens de afspraken.",
        en=f"{count} {'release' if count == 1 else 'releases'}, {broken} not as agreed.",
    )
