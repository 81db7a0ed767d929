"""What a restated report changes, in the words and figures of people: for the report's page and for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sla.differences import CONTRACT, LEDGER, MEASUREMENTS, Cause, Changes, Line, Value, grouped
from sla.period import parse_instant
from sla.rendering.numbers import MOST_DECIMALS, NO_BREAK_SPACE, Numbers, cut
from sla.rendering.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure: its name, both its values, the difference where there is one, and what brought it about."""

    what: str
    before: str
    after: str
    difference: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The figures of one clause, outage or decision.

    Attributes:
        part: contract version and period of a clause; empty for others.
    """

    title: str
    part: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything there is to say of the changes.

    Attributes:
        causes: one sentence each.
    """

    previous: str
    recomputed: bool
    groups: tuple[Group, ...]
    causes: tuple[str, ...]


def told(found: Changes, words: Words, numbers: Numbers, titles: Mapping[str, tuple[str, str]]) -> Told:
    """The changes in the language of the words.

    Args:
        titles: per journey its name in Dutch and English.
    """
    groups = []
    for (about, id_, part), lines in grouped(found.lines):
        about_it = _title(about, id_, words, titles)
        rows = tuple(_row(line, words, numbers) for line in lines if not _said_already(line, lines))
        groups.append(Group(title=about_it, part=_part(part, words, numbers), rows=rows))
    return Told(
        previous=found.previous,
        recomputed=found.recomputed,
        groups=tuple(groups),
        causes=tuple(_cause(cause, words, numbers) for cause in found.causes),
    )


def _said_already(line: Line, beside: tuple[Line, ...]) -> bool:
    """What was measured of an availability clause is its point, which has a line of its own."""
    return line.what == "measured" and any(
        other.what == "availability.point" and (other.before, other.after) == (line.before, line.after)
        for other in beside
    )


def _title(about: str, id_: str, words: Words, titles: Mapping[str, tuple[str, str]]) -> str:
    if about == "response":
        journey, _, step = id_.partition(" ")
        both = titles.get(journey, (journey, journey))
        id_ = both[1 if words.language == "en" else 0] + (f", {step}" if step else "")
    return words(f"changes.about_{about}", id=id_)


def _part(part: str, words: Words, numbers: Numbers) -> str:
    if not part:
        return ""
    version, _, period = part.partition(" ")
    start, end = (parse_instant(text) for text in period.split("/"))
    return words("changes.part", version=version, period=numbers.period(start, end))


def _row(line: Line, words: Words, numbers: Numbers) -> Row:
    before, after = _pair(line, words, numbers)
    return Row(
        what=words.of("changed", line.what),
        before=before,
        after=after,
        difference=_difference(line, words, numbers),
        why=", ".join(_short(key, words) for key in line.causes),
    )


def _pair(line: Line, words: Words, numbers: Numbers) -> tuple[str, str]:
    if line.unit == "ratio" and line.before is not None and line.after is not None:
        one, other = Fraction(str(line.before)), Fraction(str(line.after))
        least = next((d for d in range(2, MOST_DECIMALS) if cut(one * 100, d) != cut(other * 100, d)), MOST_DECIMALS)
        return numbers.percent(one, least=least), numbers.percent(other, least=least)
    return _value(line, line.before, words, numbers), _value(line, line.after, words, numbers)


def _value(line: Line, value: Value, words: Words, numbers: Numbers) -> str:
    if value is None:
        return words("changes.none")
    match line.unit:
        case "verdict":
            return words.of("verdict", str(value))
        case "answer" | "presence":
            return words("changes.yes") if value else words("changes.no")
        case "instant":
            return numbers.instant(parse_instant(str(value)))
        case "seconds":
            length_us = _microseconds(Decimal(str(value)))
            return numbers.seconds(length_us) if line.about == "response" else numbers.duration(length_us)
        case "ratio":
            return numbers.percent(Fraction(str(value)))
        case "euros":
            return numbers.euros(Decimal(str(value)))
        case "number":
            return _plain(Decimal(str(value)), numbers)
        case _:
            return str(value)


def _difference(line: Line, words: Words, numbers: Numbers) -> str:
    difference = line.difference
    if difference is None:
        return ""
    sign = "−" if difference < 0 else "+"
    size = abs(difference)
    match line.unit:
        case "seconds":
            length_us = _microseconds(size)
            text = numbers.seconds(length_us) if line.about == "response" else numbers.duration(length_us)
        case "ratio":
            points = Fraction(size) * 100
            decimals = next((d for d in range(2, MOST_DECIMALS) if cut(points, d)), MOST_DECIMALS)
            text = f"{numbers.decimal(cut(points, decimals), decimals)}{NO_BREAK_SPACE}{words('changes.points')}"
        case "euros":
            text = numbers.euros(size)
        case _:
            text = _plain(size, numbers)
    return sign + text


def _plain(value: Decimal, numbers: Numbers) -> str:
    exponent = value.normalize().as_tuple().exponent
    return numbers.decimal(value, max(0, -exponent) if isinstance(exponent, int) else 0)


def _microseconds(seconds: Decimal) -> int:
    return int(seconds * 1_000_000)


def _short(key: str, words: Words) -> str:
    kind, dash, number = key.partition("-")
    return words("changes.entry_short", number=number) if dash and kind == "entry" else words(f"changes.{key}_short")


def _cause(cause: Cause, words: Words, numbers: Numbers) -> str:
    if cause.entry:
        text = words(
            "changes.entry",
            number=cause.entry,
            kind=words.of("ledger_kind", cause.kind),
            by=cause.by,
            when=numbers.to_the_second(parse_instant(cause.recorded_at)),
            reason=cause.reason,
        )
    elif cause.key == MEASUREMENTS:
        before, after = (numbers.instant(parse_instant(text)) for text in (cause.before, cause.after))
        text = words("changes.measurements", before=before, after=after)
    elif cause.key in (CONTRACT, LEDGER):
        text = words(f"changes.{cause.key}")
    else:
        text = words(f"changes.{cause.key}", before=cause.before, after=cause.after)
    return text if cause.changes else f"{text} {words('changes.without_effect')}"
