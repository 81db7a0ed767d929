"""Which announced maintenance is excluded: notice, allowed hours, blackout dates and budget, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sla.assessment import Text, WindowDecision
from sla.contract import Contract, Maintenance, Version
from sla.contract_text import Notice
from sla.intervals import EMPTY, IntervalSet, Span
from sla.ledger import Sealed, in_force
from sla.period import calendar_spans, civil_us, day_span, local_date, local_datetime, local_days
from sla.service_hours import version_span, weekly_time, working_day
from sla.wording import agreed, length, moment, stretch

_HOUR_US = 3_600_000_000


def latest_announcement(notice: Notice, start_us: int, *, timezone: str, holidays: Sequence[date]) -> int:
    """The last instant at which work that begins at `start_us` is announced in time.

    Days are counted by the clock or by the calendar, whichever is later; of working days the first one may still be
    used to its end. Both are the readings kindest to the supplier.
    """
    if notice.unit == "hours":
        return start_us - notice.count * _HOUR_US
    start = local_datetime(start_us, timezone)
    if notice.unit == "days":
        second = start.hour * 3600 + start.minute * 60 + start.second
        by_calendar = civil_us(start.date() - timedelta(days=notice.count), second, timezone, closes=True)
        return max(start_us - notice.count * 24 * _HOUR_US, by_calendar + start.microsecond)
    day, left, free = start.date(), notice.count, frozenset(holidays)
    if not left:
        return start_us
    while left:
        day -= timedelta(days=1)
        left -= working_day(day, free)
    return day_span(day, timezone).end_us


def maintenance_decisions(contract: Contract, ledger: Sequence[Sealed], period: Span) -> tuple[WindowDecision, ...]:
    """What becomes of every announcement that touches the period. Earlier ones count too: they spend the budget first.

    Args:
        ledger: the entries that are known, superseded ones included: what a correction keeps of an earlier
            announcement keeps its date.
    """
    by_seq = {s.seq: s for s in ledger}
    spent: dict[tuple[int, int], IntervalSet] = {}
    decisions = []
    announcements = [s for s in in_force(ledger) if s.entry.kind == "maintenance"]
    for sealed in sorted(announcements, key=lambda s: (s.entry.from_us or 0, s.seq)):
        entry = sealed.entry
        if entry.from_us is None or entry.until_us is None:
            continue
        claimed = Span(start_us=entry.from_us, end_us=entry.until_us)
        granted = EMPTY
        reasons: list[Text] = []
        for version in contract.version:
            part = IntervalSet.of((claimed,)) & IntervalSet.of((version_span(version, contract.timezone),))
            if part:
                allowed, why = _allowed(part, _announced(sealed, by_seq), version, contract.timezone, spent)
                granted, reasons = granted | allowed, reasons + why
        inside = IntervalSet.of((claimed,)) & IntervalSet.of((period,))
        if inside:
            decisions.append(
                WindowDecision(
                    entry=sealed.seq,
                    kind="maintenance",
                    claimed=claimed,
                    granted=(granted & inside).spans,
                    refused=(inside - granted).spans,
                    scope=entry.scope,
                    by=entry.by,
                    reason=entry.reason,
                    recorded_us=entry.recorded_us,
                    reasons=tuple(reasons) or (_granted(claimed, contract.timezone),),
                )
            )
    return tuple(decisions)


def _announced(sealed: Sealed, by_seq: dict[int, Sealed]) -> list[tuple[Span, int]]:
    """The parts of an announcement with the instant each was first announced."""
    entry = sealed.entry
    assert entry.from_us is not None
    assert entry.until_us is not None
    whole = IntervalSet.of((Span(start_us=entry.from_us, end_us=entry.until_us),))
    earlier = by_seq.get(entry.supersedes or 0)
    if earlier is None or earlier.entry.kind != "maintenance" or earlier.seq >= sealed.seq:
        return [(s, entry.recorded_us) for s in whole.spans]
    if earlier.entry.from_us is None or earlier.entry.until_us is None:
        return [(s, entry.recorded_us) for s in whole.spans]
    kept = [
        (part, recorded)
        for span, recorded in _announced(earlier, by_seq)
        for part in (IntervalSet.of((span,)) & whole).spans
    ]
    new = whole - IntervalSet.of(part for part, _ in kept)
    return sorted([*kept, *((s, entry.recorded_us) for s in new.spans)], key=lambda p: p[0].start_us)


def _allowed(
    part: IntervalSet,
    announced: list[tuple[Span, int]],
    version: Version,
    timezone: str,
    spent: dict[tuple[int, int], IntervalSet],
) -> tuple[IntervalSet, list[Text]]:
    """What one version allows of one announcement, and why the rest is refused."""
    rules = version.maintenance
    if rules is None:
        return EMPTY, [
            Text(
                nl=f"Versie {version.number} van het contract sluit geen onderhoud uit.",
                en=f"Version {version.number} of the contract excludes no maintenance.",
            )
        ]
    reasons: list[Text] = []
    left = part
    for check in (_by_notice, _by_hours, _by_blackout):
        late, why = check(left, announced, rules, version, timezone)
        left -= late
        if late:
            reasons.append(why)
    if rules.budget is not None and left:
        granted = EMPTY
        for unit in calendar_spans(
            rules.budget.unit, Span(start_us=left.spans[0].start_us, end_us=left.spans[-1].end_us), timezone
        ):
            key = (version.number, unit.start_us)
            before = spent.get(key, EMPTY)
            here = left & IntervalSet.of((unit,))
            taken = _first(here - before, max(0, rules.budget.length_us - before.length_us))
            # Time that another announcement already paid for is counted once.
            granted |= taken | (here & before)
            spent[key] = before | taken
        if over := left - granted:
            size = length(over.length_us)
            reasons.append(
                Text(
                    nl=f"Geweigerd: {size.nl} valt buiten het onderhoudsbudget ({agreed(str(rules.budget)).nl}); "
                    "het vroegste onderhoud gebruikt het budget eerst.",
                    en=f"Refused: {size.en} lies beyond the maintenance budget ({rules.budget}); "
                    "the earliest maintenance spends it first.",
                )
            )
        left = granted
    return left, reasons


def _first(spans: IntervalSet, length_us: int) -> IntervalSet:
    """The earliest so many microseconds of a set."""
    found = []
    for span in spans.spans:
        if length_us <= 0:
            break
        taken = min(span.length_us, length_us)
        found.append(Span(start_us=span.start_us, end_us=span.start_us + taken))
        length_us -= taken
    return IntervalSet.of(found)


def _by_notice(
    left: IntervalSet, announced: list[tuple[Span, int]], rules: Maintenance, version: Version, timezone: str
) -> tuple[IntervalSet, Text]:
    late, words = [], Text(nl="", en="")
    for span, recorded in announced:
        if rules.notice is None:
            continue
        latest = latest_announcement(rules.notice, span.start_us, timezone=timezone, holidays=version.holidays)
        if recorded > latest:
            late.append(span)
            here, limit, ahead = moment(recorded, timezone), moment(latest, timezone), agreed(str(rules.notice))
            words = Text(
                nl=f"Geweigerd: aangekondigd op {here}; met een termijn van {ahead.nl} moest dat uiterlijk op {limit}.",
                en=f"Refused: announced on {here}; with a notice of {ahead.en} it was due on {limit} at the latest.",
            )
    return left & IntervalSet.of(late), words


def _by_hours(
    left: IntervalSet, _announced: list[tuple[Span, int]], rules: Maintenance, _version: Version, timezone: str
) -> tuple[IntervalSet, Text]:
    if rules.allowed is None or not left:
        return EMPTY, Text(nl="", en="")
    whole = Span(start_us=left.spans[0].start_us, end_us=left.spans[-1].end_us)
    outside = left - weekly_time(rules.allowed, whole, timezone)
    size, hours = length(outside.length_us), agreed(", ".join(map(str, rules.allowed)) or "-")
    return outside, Text(
        nl=f"Geweigerd: {size.nl} valt buiten de toegelaten onderhoudsuren ({hours.nl}).",
        en=f"Refused: {size.en} lies outside the hours allowed for maintenance ({hours.en}).",
    )


def _by_blackout(
    left: IntervalSet, _announced: list[tuple[Span, int]], rules: Maintenance, _version: Version, timezone: str
) -> tuple[IntervalSet, Text]:
    days = {
        day for span in left.spans for day in local_days(span, timezone) if any(b.covers(day) for b in rules.blackout)
    }
    dark = left & IntervalSet.of(day_span(day, timezone) for day in days)
    names = sorted({str(b) for b in rules.blackout for s in dark.spans if b.covers(local_date(s.start_us, timezone))})
    size = length(dark.length_us)
    return dark, Text(
        nl=f"Geweigerd: {size.nl} valt op een dag waarop geen onderhoud mag ({agreed(', '.join(names)).nl}).",
        en=f"Refused: {size.en} lies on a day on which no maintenance is allowed ({', '.join(names)}).",
    )


def _granted(span: Span, timezone: str) -> Text:
    when = stretch(span.start_us, span.end_us, timezone)
    return Text(
        nl=f"Aanvaard: tijdig aangekondigd en binnen de afspraken, {when.nl}.",
        en=f"Accepted: announced in time and within what was agreed, {when.en}.",
    )
