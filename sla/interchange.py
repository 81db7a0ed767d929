"""Measurements and ledgers as text, and an assessment as plain data: how other programs and archives talk to us.

Readers collect every problem with its line number instead of stopping at the first; nothing is half read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from sla.assessment import Assessment, Availability, Case, ClauseResult, OutageResult, Sanction, Totals
from sla.ledger import Entry, Sealed, first_broken, seal
from sla.lines import LineError, instant_in, number_of, records_of, text_in
from sla.lines import Problem as Problem
from sla.lines import seconds as seconds
from sla.measured_lines import Measurements as Measurements
from sla.measured_lines import read_measurements as read_measurements
from sla.measured_lines import sample_json as sample_json
from sla.period import instant_text
from sla.promise_clauses import PromiseClause

_ENTRY_KEYS = {"kind", "from", "to", "recorded_at", "scope", "by", "reason", "supersedes"}
_SEAL_KEYS = {"seq", "previous", "hash"}
_STATUSES = ("accepted", "claimed", "refused", "withdrawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """`lines` has the line of each entry in the file it was read from."""

    entries: tuple[Sealed, ...] = ()
    problems: tuple[Problem, ...] = ()
    lines: tuple[int, ...] = ()


# --- ledger --------------------------------------------------------------------------------------------------------


def read_ledger(lines: Iterable[str], name: str) -> Ledger:
    """Entries from JSON Lines or CSV. `supersedes` is the number of an entry: its place in the file, from 1.

    Lines that carry `seq`, `previous` and `hash` are checked as a chain; others are sealed in the order they stand.
    """
    problems: list[Problem] = []
    entries: list[Entry] = []
    places: list[int] = []
    sealed: list[tuple[Sealed, int]] = []
    for number, record in records_of(lines, name, problems):
        try:
            entry = _entry(record)
            if entry.supersedes is not None and not 1 <= entry.supersedes <= len(entries):
                raise LineError(f'"supersedes" is {entry.supersedes}, but an entry corrects an earlier one')
            if record.keys() >= _SEAL_KEYS:
                seq = int(number_of(record["seq"], "seq"))
                seals = Sealed(
                    seq=seq, entry=entry, previous=text_in(record, "previous", ""), hash=text_in(record, "hash")
                )
                sealed.append((seals, number))
        except (LineError, ValueError) as error:
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
        raise LineError('"scope" is no list of journeys')
    kind = text_in(record, "kind")
    for key in ("from", "to"):
        if kind in ("maintenance", "exclusion") and record.get(key) is None:
            raise LineError(f'is {kind}, so it needs "{key}"')
    supersedes = record.get("supersedes")
    data = {
        str(key): value if isinstance(value, str) else json.dumps(value, default=str)
        for key, value in record.items()
        if key not in _ENTRY_KEYS | _SEAL_KEYS and value is not None
    }
    if kind == "exclusion" and data.get("status", "accepted") not in _STATUSES:
        raise LineError(f'"status" is "{data["status"]}"; write one of {", ".join(_STATUSES)}')
    if kind == "decision" and "amount_eur" in data:
        number_of(data["amount_eur"], "amount_eur")
    return Entry(
        kind=kind,
        recorded_us=instant_in(record, "recorded_at"),
        by=text_in(record, "by"),
        reason=text_in(record, "reason"),
        from_us=None if record.get("from") is None else instant_in(record, "from"),
        until_us=None if record.get("to") is None else instant_in(record, "to"),
        scope=tuple(scope),
        data=data,
        supersedes=None if supersedes is None else int(number_of(supersedes, "supersedes")),
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
