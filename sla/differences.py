"""What a restated report says otherwise than the one before it: figure by figure, and who or what brought it about.

Both sides are reports as they were issued, in their JSON: what readers were told is compared, not what the present
program would have said. A line is one figure; its difference is exact.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from sla.commitment import COUNTS
from sla.contract import Contract
from sla.ledger import Sealed
from sla.period import instant_text, parse_instant

About = Literal["clause", "outage", "decision", "coverage", "total", "response", "blips"]
#: How a value is to be read; what can be counted has a difference.
Unit = Literal["verdict", "answer", "presence", "instant", "seconds", "ratio", "euros", "number", "text"]
Value = str | int | float | bool | None

MEASUREMENTS, CONTRACT, SOFTWARE, LEDGER = "measurements", "contract", "software", "ledger"
THERE = "there"

#: Entries that prove or report something and never decide a figure.
NEVER_DECIDES = frozenset({"samples-digest", "report"})

_SKIPPED = frozenset({"id", "kind", "version", "period", "scope", "obligation", "reasons", "outages"})
_UNITS: Mapping[str, Unit] = {
    "verdict": "verdict", "sanctionable": "answer", "amount_eur": "euros", "count": "number", "within": "ratio",
    "lowest": "ratio", "point": "ratio", "highest": "ratio", "coverage": "ratio", "first_bad": "instant",
    "last_good": "instant", "last_bad": "instant", "first_good": "instant", "p50_s": "seconds", "p95_s": "seconds",
    "slowest_s": "seconds",
}  # fmt: skip
_COUNTED: Mapping[str, Unit] = {"ratio": "ratio", "time": "seconds", "number": "number"}
_OF_KIND: Mapping[str, Unit] = {kind: _COUNTED[counts] for kind, counts in COUNTS.items()} | {"coverage": "ratio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure that is not what it was.

    Attributes:
        id: of the clause or outage; the number of the ledger entry of a decision; the journey (and step) of response
            times; empty for the whole report.
        part: the contract version and period of a clause, as `1 2027-04-01T00:00:00+02:00/2027-05-01T…`; else empty.
        what: the figure, as in the report's JSON: `verdict`, `seconds.down`, `counted_seconds`; `there` for something
            that only one of the two reports has.
        before, after: as the two reports have them; None where there was no such figure.
        difference: after less before, in the unit; None where there is nothing to subtract.
        causes: keys of `Cause`, in the order in which they took effect.
    """

    about: About
    id: str
    part: str
    what: str
    unit: Unit
    before: Value
    after: Value
    causes: tuple[str, ...] = ()

    @property
    def difference(self) -> Decimal | None:
        if self.unit not in ("seconds", "ratio", "euros", "number") or self.before is None or self.after is None:
            return None
        return Decimal(str(self.after)) - Decimal(str(self.before))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What brought lines about.

    Attributes:
        key: `entry-14` for an entry of the ledger, else `measurements`, `contract`, `software` or `ledger` (entries
            that only together change something).
        before, after: of measurements up to when they were taken into account, of the contract its SHA-256, of software
            its name and version; empty for entries.
        entry: number in the ledger, with its kind, author, reason, and when it was recorded; 0 where it is none.
        changes: whether any line goes back to it.
    """

    key: str
    before: str = ""
    after: str = ""
    entry: int = 0
    kind: str = ""
    by: str = ""
    reason: str = ""
    recorded_at: str = ""
    changes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A restated report against the one before it.

    Attributes:
        previous: number of the report before; `previous_sha256` of its JSON as issued.
        previous_issued_at, previous_head: when, and the last entry of the ledger it knew (empty for none).
        recomputed: the file of the report before is gone, and its figures were computed again as of its day.
        lines: empty where nothing changed.
        causes: also decisions of the period, recorded in between, that changed no figure.
    """

    previous: str
    previous_sha256: str
    previous_issued_at: str
    previous_head: str
    recomputed: bool
    lines: tuple[Line, ...]
    causes: tuple[Cause, ...]


def contract_sha256(contract: Contract) -> str:
    """Of what the contract's file and calendars say, however they are laid out."""
    said = contract.model_dump(exclude_unset=True)
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


# --- figures of one report -----------------------------------------------------------------------------------------

_Key = tuple[About, str, str, str]


@dataclass(frozen=True, slots=True)
class _Figure:
    unit: Unit
    value: Value


_PRESENT = _Figure(unit="presence", value=True)


def figures(stated: Mapping[str, Any]) -> dict[tuple[About, str, str, str], _Figure]:
    """Every figure of a report's JSON by (about, id, part, what), in the order in which the report tells them."""
    found: dict[_Key, _Figure] = {}
    for clause in stated["clauses"]:
        period = clause["period"]
        part = f"{clause['version']} {period['from']}/{period['to']}"
        found["clause", clause["id"], part, THERE] = _PRESENT
        for what, value in _flat({key: clause[key] for key in clause if key not in _SKIPPED}):
            found["clause", clause["id"], part, what] = _Figure(_unit(what, value, clause["kind"]), value)
    for outage in stated["outages"]:
        found["outage", outage["id"], "", THERE] = _PRESENT
        told = {key: outage[key] for key in outage if key not in {*_SKIPPED, "journey", "failures"}}
        told.pop("counted_by_clause", None)  # the clauses' own seconds say so
        for what, value in _flat(told):
            found["outage", outage["id"], "", what] = _Figure(_unit(what, value, ""), value)
    for window in stated["windows"]:
        found["decision", str(window["entry"]), "", THERE] = _PRESENT
        for what in ("granted", "refused"):
            length_us = sum(parse_instant(s["to"]) - parse_instant(s["from"]) for s in window[what])
            seconds = length_us // 1_000_000 if length_us % 1_000_000 == 0 else float(Decimal(length_us) / 1_000_000)
            found["decision", str(window["entry"]), "", what] = _Figure("seconds", seconds)
    found["blips", "", "", "count"] = _Figure("number", len(stated["blips"]))
    for series in stated["report"]["response_times"]:
        name = series["journey"] + (f" {series['step']}" if series["step"] else "")
        for what in ("count", "p50_s", "p95_s", "slowest_s"):
            found["response", name, "", what] = _Figure(_UNITS[what], series[what])
    found["coverage", "", "", "coverage"] = _Figure("ratio", stated["coverage"])
    found["total", "", "", "amount_eur"] = _Figure("euros", stated["sanction"]["amount_eur"])
    return found


def _flat(record: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Value]]:
    """Single values by their path; lists tell what single values say too, and are left out."""
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")
        elif value is None or isinstance(value, str | int | float):
            yield f"{path}{key}", value


def _unit(what: str, value: Value, kind: str) -> Unit:
    first, _, last = what.rpartition(".")
    if (known := _UNITS.get(last)) is not None:
        return known
    if last in ("target", "measured"):
        return _OF_KIND.get(kind, "number" if _is_number(value) else "text")
    if first.startswith("seconds") or last.endswith("seconds"):
        return "seconds"
    if isinstance(value, bool):
        return "answer"
    return "number" if _is_number(value) else "text"


def _is_number(value: Value) -> bool:
    if isinstance(value, str):
        return value.replace(".", "", 1).removeprefix("-").isdecimal()
    return isinstance(value, int | float)


# --- two reports side by side --------------------------------------------------------------------------------------

#: Of a clause, outage or decision that only one of the two reports has.
_TOLD_OF_ONE_SIDE = frozenset(
    {THERE, "verdict", "counted_seconds", "sanctionable", "amount_eur", "sanction.amount_eur", "granted"}
)


def lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Line, ...]:
    """The figures in which two reports differ; of what only one of them has, the chief ones."""
    old, new = figures(before), figures(after)
    found = []
    for key in dict.fromkeys((*new, *old)):
        about, id_, part, what = key
        one, other = old.get(key), new.get(key)
        if one is not None and other is not None and one.value == other.value:
            continue
        here = (about, id_, part, THERE)
        if (here in old) != (here in new) and what not in _TOLD_OF_ONE_SIDE:
            continue
        unit = (other or one or _Figure("text", None)).unit
        found.append(
            Line(
                about=about, id=id_, part=part, what=what, unit=unit,
                before=False if one is None and what == THERE else one.value if one else None,
                after=False if other is None and what == THERE else other.value if other else None,
            )
        )  # fmt: skip
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A report's JSON with one more of the causes at work than the step before it."""

    causes: tuple[str, ...]
    stated: Mapping[str, Any]


def attributed(before: Mapping[str, Any], steps: Sequence[Step], after: Mapping[str, Any]) -> tuple[Line, ...]:
    """The lines between two reports, each with the causes at whose step it changed.

    Args:
        steps: in the order in which the causes took effect; whatever the last one leaves unexplained is the ledger's.
    """
    because: dict[_Key, list[str]] = {}
    earlier = before
    for step in (*steps, Step(causes=(LEDGER,), stated=after)):
        for line in lines(earlier, step.stated):
            because.setdefault(_key(line), []).extend(step.causes)
        earlier = step.stated
    return tuple(
        replace(line, causes=tuple(dict.fromkeys(because.get(_key(line), ())))) for line in lines(before, after)
    )


def _key(line: Line) -> _Key:
    return line.about, line.id, line.part, line.what


def entry_key(seq: int) -> str:
    return f"entry-{seq}"


def about_entry(sealed: Sealed, timezone: str, *, changes: bool) -> Cause:
    """An entry of the ledger as a cause: who, when, why."""
    entry = sealed.entry
    return Cause(
        key=entry_key(sealed.seq), entry=sealed.seq, kind=entry.kind, by=entry.by, reason=entry.reason,
        recorded_at=instant_text(entry.recorded_us, timezone), changes=changes,
    )  # fmt: skip


def besides_the_ledger(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Cause, ...]:
    """What else than the ledger is not as it was: the contract, the program, how far measurements were known.

    Measurements are named where the report before was provisional, or where more or fewer of them count now;
    `sla.recompute` names them too where nothing else can explain a figure.
    """
    was, now = before["report"], after["report"]
    found = []
    if was.get("contract_sha256") != now.get("contract_sha256"):
        then, since = was.get("contract_sha256") or "", now.get("contract_sha256") or ""
        found.append(Cause(key=CONTRACT, before=then, after=since))
    if was["software"] != now["software"]:
        found.append(Cause(key=SOFTWARE, before=was["software"], after=now["software"]))
    measured = [{(one["journey"], one["step"]): one["count"] for one in side["response_times"]} for side in (was, now)]
    if was["provisional"] or measured[0] != measured[1]:
        found.append(measurements(before, after))
    return tuple(found)


def measurements(before: Mapping[str, Any], after: Mapping[str, Any]) -> Cause:
    return Cause(key=MEASUREMENTS, before=before["report"]["data_until"], after=after["report"]["data_until"])


# --- as plain data -------------------------------------------------------------------------------------------------


def changes_json(found: Changes) -> dict[str, Any]:
    """For programs; the same in every language, as people's own words are not translated."""
    return {
        "previous": {
            "number": found.previous,
            "sha256": found.previous_sha256,
            "issued_at": found.previous_issued_at,
            "ledger_head": found.previous_head or None,
            "recomputed": found.recomputed,
        },
        "changed": bool(found.lines),
        "lines": [
            {
                "about": line.about,
                "id": line.id,
                "part": line.part,
                "what": line.what,
                "unit": line.unit,
                "before": line.before,
                "after": line.after,
                "difference": _difference(line),
                "causes": list(line.causes),
            }
            for line in found.lines
        ],
        "causes": [_cause(cause) for cause in found.causes],
    }


def _difference(line: Line) -> str | int | float | None:
    """In the shape of its two sides: seconds and numbers as numbers, ratios and money as text."""
    difference = line.difference
    if difference is None:
        return None
    if isinstance(line.after, str):
        return f"{difference:f}"
    return int(difference) if difference == int(difference) else float(difference)


def _cause(cause: Cause) -> dict[str, Any]:
    if not cause.entry:
        return {"key": cause.key, "before": cause.before, "after": cause.after, "changes": cause.changes}
    return {
        "key": cause.key,
        "entry": cause.entry,
        "kind": cause.kind,
        "by": cause.by,
        "recorded_at": cause.recorded_at,
        "reason": cause.reason,
        "changes": cause.changes,
    }


def read_changes(stated: Mapping[str, Any]) -> Changes:
    """The changes in a report's JSON, at its key `report.changes`. Raises KeyError where it is a first issue."""
    record = stated["report"]["changes"]
    if record is None:
        raise KeyError("changes")
    return Changes(
        previous=record["previous"]["number"],
        previous_sha256=record["previous"]["sha256"],
        previous_issued_at=record["previous"]["issued_at"],
        previous_head=record["previous"]["ledger_head"] or "",
        recomputed=record["previous"]["recomputed"],
        lines=tuple(
            Line(
                about=one["about"], id=one["id"], part=one["part"], what=one["what"], unit=one["unit"],
                before=one["before"], after=one["after"], causes=tuple(one["causes"]),
            )
            for one in record["lines"]
        ),
        causes=tuple(Cause(**one) for one in record["causes"]),
    )  # fmt: skip


def grouped(found: Iterable[Line]) -> tuple[tuple[tuple[About, str, str], tuple[Line, ...]], ...]:
    """Lines by what they are about, in their order."""
    groups: dict[tuple[About, str, str], list[Line]] = {}
    for line in found:
        groups.setdefault((line.about, line.id, line.part), []).append(line)
    return tuple((about, tuple(several)) for about, several in groups.items())
