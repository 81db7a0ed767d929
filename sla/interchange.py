"""Measurements and ledgers as text, and an assessment as plain data: how other programs and archives talk to us.

Readers collect every problem with its line number instead of stopping at the first; nothing is half read.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Literal, get_args

from sla.assessment import Assessment, Availability, Case, ClauseResult, OutageResult, Sanction, Totals
from sla.ledger import Entry, Sealed, first_broken, seal
from sla.measurements import Outcome, SampleIn, SpanIn, State
from sla.period import instant_text, parse_instant
from sla.promise_clauses import PromiseClause

_SPAN_KEYS = {"journey", "from", "to", "state"}
_SAMPLE_KEYS = {
    "journey", "due", "interval_s", "outcome", "duration_ms", "location", "failure", "attempts", "steps_ms",
}  # fmt: skip
_ENTRY_KEYS = {"kind", "from", "to", "recorded_at", "scope", "by", "reason", "supersedes"}
_SEAL_KEYS = {"seq", "previous", "hash"}
_STATUSES = ("accepted", "claimed", "refused", "withdrawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a line and how to mend it. `line` counts from 1; 0 speaks of the whole file."""

    name: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.name}:{self.line}: {self.text}" if self.line else f"{self.name}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """Samples ascend by due instant within each journey and location, and spans by start within each journey."""

    samples: tuple[SampleIn, ...] = ()
    spans: tuple[SpanIn, ...] = ()
    problems: tuple[Problem, ...] = ()
    sample_lines: tuple[int, ...] = ()  # of each sample, in the file it was read from


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """`lines` has the line of each entry in the file it was read from."""

    entries: tuple[Sealed, ...] = ()
    problems: tuple[Problem, ...] = ()
    lines: tuple[int, ...] = ()


class _LineError(ValueError):
    """What is wrong with one line."""


# --- lines to fields -----------------------------------------------------------------------------------------------


def _records(lines: Iterable[str], name: str, problems: list[Problem]) -> Iterator[tuple[int, dict[str, Any]]]:
    """JSON Lines, or CSV where the first line does not begin with a brace."""
    numbered = [(i, line) for i, line in enumerate(lines, start=1) if line.strip().lstrip("\ufeff")]
    if not numbered:
        return
    if not numbered[0][1].lstrip("\ufeff \t").startswith("{"):
        yield from _csv_records(numbered, name, problems)
        return
    for number, line in numbered:
        try:
            record = json.loads(line.lstrip("\ufeff"), parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            problems.append(Problem(name=name, line=number, text=f"is no JSON ({error}); write one object a line"))
            continue
        if isinstance(record, dict):
            yield number, record
        else:
            problems.append(Problem(name=name, line=number, text="is no JSON object; write one object a line"))


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no number")


def _csv_records(
    numbered: list[tuple[int, str]], name: str, problems: list[Problem]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Empty cells are left out. A cell holds no line breaks, so that rows and lines are the same thing."""
    header = [h.strip() for h in next(csv.reader([numbered[0][1].lstrip("\ufeff")]))]
    for number, line in numbered[1:]:
        row = next(csv.reader([line]))
        if len(row) != len(header):
            text = f"has {len(row)} columns where the header has {len(header)}; quote commas inside a cell"
            problems.append(Problem(name=name, line=number, text=text))
            continue
        yield number, {key: cell for key, cell in zip(header, row, strict=True) if cell != ""}


def _text(record: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = record.get(key, default)
    if not isinstance(value, str) or (default is None and not value):
        raise _LineError(f'needs "{key}" as text' if key in record or default is None else f'"{key}" is no text')
    return value


def _instant(record: Mapping[str, Any], key: str) -> int:
    try:
        return parse_instant(_text(record, key))
    except _LineError:
        raise
    except ValueError as error:
        raise _LineError(f'"{key}": {error}') from error


def _number(value: object, key: str) -> Decimal:
    if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            pass
        else:
            if number.is_finite() and 0 <= number < 10**12:
                return number
    raise _LineError(f'"{key}" is {value!r}, which is no number of 0 or more')


def _microseconds(record: Mapping[str, Any], key: str, unit_us: int) -> int:
    return round(_number(record.get(key), key) * unit_us)


def _one_of(record: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> str:
    value = record.get(key)
    if value not in choices:
        raise _LineError(f'"{key}" is {value!r}; write one of {", ".join(choices)}')
    return str(value)


def _known_keys(record: Mapping[str, Any], keys: set[str]) -> None:
    unknown = sorted(map(str, record.keys() - keys))
    if unknown:
        raise _LineError(f'has the unknown key "{unknown[0]}"; known are {", ".join(sorted(keys))}')


# --- measurements --------------------------------------------------------------------------------------------------


def read_measurements(lines: Iterable[str], name: str) -> Measurements:
    """Spans and samples from JSON Lines or CSV with the same column names.

    Args:
        name: of the file, for the problems.
    """
    problems: list[Problem] = []
    samples: list[tuple[SampleIn, int]] = []
    spans: list[tuple[SpanIn, int]] = []
    for number, record in _records(lines, name, problems):
        try:
            if "state" in record or "from" in record:
                spans.append((_span(record), number))
            else:
                samples.append((_sample(record), number))
        except _LineError as error:
            problems.append(Problem(name=name, line=number, text=str(error)))
    spans.sort(key=lambda s: (s[0].journey, s[0].start_us))
    samples.sort(key=lambda s: (s[0].due_us, s[0].journey, s[0].location))
    problems += _overlaps(spans, name) + _doubles(samples, name)
    both = {s.journey for s, _ in samples} & {s.journey for s, _ in spans}
    for journey in sorted(both):
        text = f'"{journey}" has both samples and spans; give one of the two'
        problems.append(Problem(name=name, line=0, text=text))
    problems.sort(key=lambda p: p.line)
    return Measurements(
        samples=tuple(s for s, _ in samples),
        spans=tuple(s for s, _ in spans),
        problems=tuple(problems),
        sample_lines=tuple(n for _, n in samples),
    )


def _span(record: Mapping[str, Any]) -> SpanIn:
    _known_keys(record, _SPAN_KEYS)
    start, end = _instant(record, "from"), _instant(record, "to")
    if end <= start:
        raise _LineError("ends before it begins; spans are from (included) to (excluded)")
    state: State = _one_of(record, "state", get_args(State))  # type: ignore[assignment]  # one of its arguments
    return SpanIn(journey=_text(record, "journey"), start_us=start, end_us=end, state=state)


def _sample(record: Mapping[str, Any]) -> SampleIn:
    _known_keys(record, _SAMPLE_KEYS)
    interval = _microseconds(record, "interval_s", 1_000_000)
    if interval <= 0:
        raise _LineError('"interval_s" must be more than 0: a sample speaks for the time to the next one')
    attempts = record.get("attempts", 1)
    if isinstance(attempts, str) and attempts.isdecimal():
        attempts = int(attempts)
    if not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 1:
        raise _LineError('"attempts" is no number of 1 or more')
    steps = record.get("steps_ms", {})
    if not isinstance(steps, dict):
        raise _LineError('"steps_ms" is no object of step and milliseconds')
    outcome: Outcome = _one_of(record, "outcome", get_args(Outcome))  # type: ignore[assignment]  # one of its arguments
    return SampleIn(
        journey=_text(record, "journey"),
        due_us=_instant(record, "due"),
        interval_us=interval,
        outcome=outcome,
        duration_us=None if record.get("duration_ms") is None else _microseconds(record, "duration_ms", 1000),
        location=_text(record, "location", "") if record.get("location") is not None else "",
        failure=_text(record, "failure", "") if record.get("failure") is not None else "",
        attempts=attempts,
        step_durations={step: round(_number(ms, f"steps_ms.{step}") * 1000) for step, ms in steps.items()},
    )


def sample_json(sample: SampleIn) -> dict[str, Any]:
    """A sample as `read_measurements` reads it; what stands at its default is left out."""
    record: dict[str, Any] = {
        "journey": sample.journey,
        "due": instant_text(sample.due_us),
        "interval_s": seconds(sample.interval_us),
        "outcome": sample.outcome,
    }
    if sample.duration_us is not None:
        record["duration_ms"] = _milliseconds(sample.duration_us)
    record |= {k: v for k, v in (("location", sample.location), ("failure", sample.failure)) if v}
    if sample.attempts != 1:
        record["attempts"] = sample.attempts
    if sample.step_durations:
        record["steps_ms"] = {step: _milliseconds(us) for step, us in sorted(sample.step_durations.items())}
    return record


def _milliseconds(us: int) -> int | float:
    return us // 1000 if us % 1000 == 0 else float(Decimal(us) / 1000)


def _overlaps(spans: list[tuple[SpanIn, int]], name: str) -> list[Problem]:
    problems = []
    for (before, line), (after, number) in itertools.pairwise(spans):
        if before.journey == after.journey and after.start_us < before.end_us:
            text = f'overlaps line {line} for "{after.journey}"; every instant has one state'
            problems.append(Problem(name=name, line=number, text=text))
    return problems


def _doubles(samples: list[tuple[SampleIn, int]], name: str) -> list[Problem]:
    problems = []
    for (before, line), (after, number) in itertools.pairwise(samples):
        if (before.due_us, before.journey, before.location) == (after.due_us, after.journey, after.location):
            text = f'is the same slot as line {line} for "{after.journey}"; a slot has one sample per location'
            problems.append(Problem(name=name, line=number, text=text))
    return problems


# --- ledger --------------------------------------------------------------------------------------------------------


def read_ledger(lines: Iterable[str], name: str) -> Ledger:
    """Entries from JSON Lines or CSV. `supersedes` is the number of an entry: its place in the file, from 1.

    Lines that carry `seq`, `previous` and `hash` are checked as a chain; others are sealed in the order they stand.
    """
    problems: list[Problem] = []
    entries: list[Entry] = []
    places: list[int] = []
    sealed: list[tuple[Sealed, int]] = []
    for number, record in _records(lines, name, problems):
        try:
            entry = _entry(record)
            if entry.supersedes is not None and not 1 <= entry.supersedes <= len(entries):
                raise _LineError(f'"supersedes" is {entry.supersedes}, but an entry corrects an earlier one')
            if record.keys() >= _SEAL_KEYS:
                seq = int(_number(record["seq"], "seq"))
                seals = Sealed(seq=seq, entry=entry, previous=_text(record, "previous", ""), hash=_text(record, "hash"))
                sealed.append((seals, number))
        except (_LineError, ValueError) as error:
            problems.append(Problem(name=name, line=number, text=str(error)))
        else:
            entries.append(entry)
            places.append(number)
    if not sealed:
        return Ledger(entries=seal(entries), problems=tuple(problems), lines=tuple(places))
    if len(sealed) != len(entries):
        problems.append(
            Problem(name=name, line=0, text="has entries with and without a hash; a ledger is chained whole")
        )
    chain = tuple(s for s, _ in sealed)
    broken = first_broken(chain)
    if broken is not None:
        line = next(n for s, n in sealed if s is broken)
        text = f"breaks the chain at entry {broken.seq}: it was altered, moved, or an entry before it was dropped"
        problems.append(Problem(name=name, line=line, text=text))
    return Ledger(entries=chain, problems=tuple(problems), lines=tuple(number for _, number in sealed))


def _entry(record: Mapping[str, Any]) -> Entry:
    scope = record.get("scope", [])
    if isinstance(scope, str):
        scope = scope.split()  # CSV: journeys separated by spaces
    if not isinstance(scope, list) or not all(isinstance(s, str) for s in scope):
        raise _LineError('"scope" is no list of journeys')
    kind = _text(record, "kind")
    for key in ("from", "to"):
        if kind in ("maintenance", "exclusion") and record.get(key) is None:
            raise _LineError(f'is {kind}, so it needs "{key}"')
    supersedes = record.get("supersedes")
    data = {
        str(key): value if isinstance(value, str) else json.dumps(value, default=str)
        for key, value in record.items()
        if key not in _ENTRY_KEYS | _SEAL_KEYS and value is not None
    }
    if kind == "exclusion" and data.get("status", "accepted") not in _STATUSES:
        raise _LineError(f'"status" is "{data["status"]}"; write one of {", ".join(_STATUSES)}')
    if kind == "decision" and "amount_eur" in data:
        _number(data["amount_eur"], "amount_eur")
    return Entry(
        kind=kind,
        recorded_us=_instant(record, "recorded_at"),
        by=_text(record, "by"),
        reason=_text(record, "reason"),
        from_us=None if record.get("from") is None else _instant(record, "from"),
        until_us=None if record.get("to") is None else _instant(record, "to"),
        scope=tuple(scope),
        data=data,
        supersedes=None if supersedes is None else int(_number(supersedes, "supersedes")),
    )


def ledger_json(sealed: Sealed) -> dict[str, Any]:
    """A sealed entry as `read_ledger` reads it, chain included."""
    entry = sealed.entry
    record: dict[str, Any] = {"kind": entry.kind, "recorded_at": instant_text(entry.recorded_us)}
    if entry.from_us is not None:
        record["from"] = instant_text(entry.from_us)
    if entry.until_us is not None:
        record["to"] = instant_text(entry.until_us)
    if entry.supersedes is not None:
        record["supersedes"] = entry.supersedes
    record |= {"scope": list(entry.scope), "by": entry.by, "reason": entry.reason, **entry.data}
    return record | {"seq": sealed.seq, "previous": sealed.previous, "hash": sealed.hash}


# --- an assessment as plain data -----------------------------------------------------------------------------------


def assessment_json(found: Assessment, language: Literal["nl", "en"] = "nl") -> dict[str, Any]:
    """An assessment in the published shape (`schemas/assessment.schema.json`), ready for `json.dumps`.

    Seconds are numbers with up to six decimals, ratios decimal strings cut to at least 12 digits, money strings.
    """
    zone = found.contract.timezone
    versions = sorted({c.version.number for c in found.clauses})
    return {
        "contract": found.contract.contract,
        "version": versions[-1] if versions else None,
        "period": _period(found.period.start_us, found.period.end_us, zone),
        "clauses": [_clause(c, zone, language) for c in found.clauses],
        "outages": [_outage(o, zone, language) for o in found.outages],
        "blips": [
            {"journey": b.journey, "due": instant_text(b.due_us, zone), "failure": b.failure} for b in found.blips
        ],
        "windows": [
            {
                "entry": w.entry,
                "kind": w.kind,
                "claimed": _stretch(w.claimed.start_us, w.claimed.end_us, zone),
                "granted": [_stretch(s.start_us, s.end_us, zone) for s in w.granted],
                "refused": [_stretch(s.start_us, s.end_us, zone) for s in w.refused],
                "scope": list(w.scope),
                "by": w.by,
                "reason": w.reason,
                "recorded_at": instant_text(w.recorded_us, zone),
                "reasons": [r.in_(language) for r in w.reasons],
            }
            for w in found.windows
        ],
        "coverage": ratio_text(found.coverage),
        "sanction": _sanction(found.total, language),
        "ledger_head": found.ledger_head or None,
        "as_of": None if found.as_of_us is None else instant_text(found.as_of_us, zone),
        "notes": [n.in_(language) for n in found.notes],
    }


def ratio_text(ratio: Fraction | None) -> str | None:
    """A ratio as a decimal string of at least 12 digits after the point, cut; exact where that is possible."""
    if ratio is None:
        return None
    digits = 12
    while digits < 18 and (ratio * 10**digits).denominator != 1:
        digits += 1
    units = abs(ratio.numerator) * 10**digits // ratio.denominator
    whole, rest = divmod(units, 10**digits)
    return f"{'-' if ratio < 0 else ''}{whole}.{rest:0{digits}d}"


def short_ratio(ratio: Fraction) -> str:
    """A ratio as the contract wrote it, without needless zeros; `0.993`."""
    text = (ratio_text(ratio) or "0").rstrip("0")
    return text + "0" if text.endswith(".") else text


def seconds(us: int) -> int | float:
    """Seconds as a JSON number with up to six decimals: whole ones as integers, others as the nearest float.

    A float holds six decimals exactly enough to print them back up to some 285 years.
    """
    return us // 1_000_000 if us % 1_000_000 == 0 else float(Decimal(us) / 1_000_000)


def _period(start_us: int, end_us: int, zone: str) -> dict[str, str]:
    return {**_stretch(start_us, end_us, zone), "timezone": zone}


def _stretch(start_us: int, end_us: int, zone: str) -> dict[str, str]:
    return {"from": instant_text(start_us, zone), "to": instant_text(end_us, zone)}


def _clause(found: ClauseResult, zone: str, language: str) -> dict[str, Any]:
    clause = found.clause
    record: dict[str, Any] = {
        "id": clause.id,
        "kind": clause.kind,
        "version": found.version.number,
        "period": _period(found.period.start_us, found.period.end_us, zone),
        "scope": list(clause.scope),
        "obligation": clause.obligation,
        "verdict": found.verdict.value,
        "reasons": [r.in_(language) for r in found.reasons],
        "seconds": None if found.totals is None else _seconds(found.totals),
        "availability": None if found.availability is None else _availability(found.availability),
        "target": _figure(found.target),
        "measured": _figure(found.measured),
        "undecided_seconds": seconds(found.undecided_us),
        "sanctionable": found.sanctionable,
        "sanction": _sanction(found.sanction, language),
        "outages": list(found.outages),
    }
    if clause.kind in ("outage-duration", "response-time", "reaction-time", "restore-time"):
        for key in ("target", "measured"):
            value = getattr(found, key)
            record[key] = None if value is None else _seconds_text(int(value))
    if found.points is not None:
        record["points"] = found.points
    if isinstance(clause, PromiseClause):
        record["cases"] = [_case(c, zone, language) for c in found.cases]
    if found.response is not None:
        record["response"] = {
            "count": found.response.count,
            "percentile_seconds": None
            if found.response.percentile_us is None
            else seconds(found.response.percentile_us),
            "limit_seconds": seconds(found.response.limit_us),
            "within": ratio_text(found.response.within),
        }
    return record


def _case(found: Case, zone: str, language: str) -> dict[str, Any]:
    return {
        "id": found.id,
        "about": found.about.in_(language),
        "verdict": found.verdict.value,
        "entries": list(found.entries),
        "from": instant_text(found.from_us, zone),
        "to": None if found.until_us is None else instant_text(found.until_us, zone),
        "least_seconds": None if found.least_us is None else seconds(found.least_us),
        "most_seconds": None if found.most_us is None else seconds(found.most_us),
        "late_days": found.late,
        "reasons": [r.in_(language) for r in found.reasons],
    }


def _figure(value: Fraction | int | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, int):
        return str(value)
    exact = value * 10**18
    return short_ratio(value) if exact.denominator == 1 else ratio_text(value)


def _seconds_text(us: int) -> str:
    whole, rest = divmod(us, 1_000_000)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".") if rest else str(whole)


def _seconds(totals: Totals) -> dict[str, int | float]:
    return {
        "service": seconds(totals.service_us),
        "up": seconds(totals.up_us),
        "degraded": seconds(totals.degraded_us),
        "down": seconds(totals.down_us),
        "excluded": seconds(totals.excluded_us),
        "unmeasured": seconds(totals.unmeasured_us),
    }


def _availability(found: Availability) -> dict[str, str | None]:
    return {
        "lowest": ratio_text(found.lowest),
        "point": ratio_text(found.point),
        "highest": ratio_text(found.highest),
    }


def _sanction(found: Sanction, language: str) -> dict[str, Any]:
    return {
        "amount_eur": f"{found.amount_eur:.2f}",
        "lines": [{"text": line.text.in_(language), "amount_eur": f"{line.amount_eur:.2f}"} for line in found.lines],
    }


def _outage(found: OutageResult, zone: str, language: str) -> dict[str, Any]:
    def at(us: int | None) -> str | None:
        return None if us is None else instant_text(us, zone)

    return {
        "id": found.id,
        "journey": found.journey,
        "start": {"last_good": at(found.last_good_us), "first_bad": at(found.first_bad_us)},
        "end": {"last_bad": at(found.last_bad_us), "first_good": at(found.first_good_us)},
        "counted_seconds": seconds(max(found.counted.values(), default=0)),
        "counted_by_clause": {clause: seconds(us) for clause, us in found.counted.items()},
        "excluded_seconds": seconds(found.excluded_us),
        "outside_service_seconds": seconds(found.outside_service_us),
        "failures": list(found.failures),
        "sanctionable": found.sanctionable,
        "amount_eur": f"{found.amount_eur:.2f}",
        "reasons": [r.in_(language) for r in found.reasons],
    }
