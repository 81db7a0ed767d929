"""Tables as CSV that a spreadsheet only ever shows: no cell of ours is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

#: A cell that begins so is calculated by a spreadsheet; an apostrophe before it makes it text.
_CALCULATED = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(text: str) -> str:
    """The text as a spreadsheet will show it and not calculate it."""
    return f"'{text}" if text.startswith(_CALCULATED) else text


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str | int | float | None]]) -> bytes:
    """UTF-8 with a comma between and a line break after; None is an empty cell. Same rows, same bytes."""
    into = io.StringIO()
    writer = csv.writer(into, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(["" if v is None else harmless(v) if isinstance(v, str) else v for v in row])
    return into.getvalue().encode()
