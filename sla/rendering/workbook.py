"""A spreadsheet of titled tables: values as numbers, formulas beside them, and no text that becomes a formula.

What it writes depends on its arguments alone: the same cells give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from sla.period import local_datetime
from sla.rendering.numbers import cut, percent_decimals

SECOND_US = 1_000_000
#: A spreadsheet counts days from here.
DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - of a wall clock, as spreadsheets have it
#: Excel holds hardly more text in a cell.
LONGEST = 32_000
#: A spreadsheet shows fifteen digits of a number.
MOST_DECIMALS = 13
LINE_HEIGHT = 15
#: Characters beside each other that a sheet of A3 still shows large enough to read.
A_PAGE = 280
HEADER = 3  # row of the headings: above them the title, a remark, and the sums

Tone = Literal["good", "bad", "open"]
TONES: dict[Tone, dict[str, str]] = {
    "good": {"font_color": "#1B5E20"},
    "bad": {"font_color": "#8B0000"},
    "open": {"font_color": "#6B4E00"},
}


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio shown as a percentage with so many decimals that rounding shows the same digits as cutting would."""

    value: Fraction
    norm: Fraction | None = None
    least: int = 2


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time in microseconds, shown in seconds."""

    us: int


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant on the wall clock of a zone. Only those of UTC may be subtracted."""

    at_us: int
    zone: str


@dataclass(frozen=True, slots=True)
class Live:
    """A formula with the value it has when written.

    Attributes:
        formula: `{key}` is the cell of its own row in that column, `{column:key}` the whole column of the table.
        value: shown by whoever does not calculate; its type says how it looks.
    """

    formula: str
    value: Cell


@dataclass(frozen=True, slots=True)
class Toned:
    """A word with a colour beside its meaning, never instead of it."""

    text: str
    tone: Tone


Cell = str | int | date | Decimal | Ratio | Length | Instant | Live | Toned | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        key: what formulas call it.
        width: in characters.
        sums: whether a live sum stands above it.
    """

    key: str
    title: str
    width: int = 14
    wrap: bool = False
    sums: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A sheet with one table.

    Attributes:
        name: of the sheet.
        table: the name by which formulas elsewhere can use it.
        about: a remark under the title.
        empty: the sentence that stands there in place of no rows.
        sum_title: in the first column beside the sums; without it there are none.
        frozen: how many columns stay when scrolling.
        above: further cells in the row of the sums, by key of the column they stand over.
    """

    name: str
    table: str
    title: str
    about: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: str = ""
    sum_title: str = ""
    frozen: int = 1
    above: Mapping[str, Cell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A sheet of two columns: what, and its value; a blank row where a pair is empty."""

    name: str
    title: str
    about: str
    pairs: Sequence[tuple[str, Cell]]
    widths: tuple[int, int] = (42, 96)


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What the document says of itself. `created` is wall-clock time in UTC."""

    title: str
    subject: str
    author: str
    company: str
    comments: str
    created: datetime
    footer: str


def percent_places(ratio: Ratio) -> int:
    """The fewest decimals, from those of the norm on, at which rounding a percentage shows what cutting it shows."""
    least = percent_decimals(ratio.value, ratio.norm, least=ratio.least)
    percent = ratio.value * 100
    for places in range(least, MOST_DECIMALS):
        if percent - Fraction(cut(percent, places)) < Fraction(1, 2 * 10**places):
            return places
    return MOST_DECIMALS


def letters(column: int) -> str:
    """The letters of a column, counted from 0: A, …, Z, AA."""
    return str(xl_col_to_name(column))


def whole(table: Table, key: str) -> str:
    """The cells of a column for formulas on other sheets; an empty cell where the table has no rows."""
    place = next(index for index, column in enumerate(table.columns) if column.key == key)
    first, last = HEADER + 1, HEADER + max(1, len(table.rows))
    return f"'{table.name}'!{_fixed(first, place)}:{_fixed(last, place)}"


def serial(at_us: int, zone: str) -> float:
    """The wall clock's time as a spreadsheet counts it: days since the end of 1899, the time of day as a fraction."""
    wall = local_datetime(at_us, zone).replace(tzinfo=None)
    return (wall - DAY_ZERO) / timedelta(days=1)


def write(sheets: Iterable[Table | Facts], properties: Properties) -> bytes:
    """The workbook."""
    body = io.BytesIO()
    book = Workbook(
        body,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    book.set_properties(
        {
            "title": properties.title,
            "subject": properties.subject,
            "author": properties.author,
            "company": properties.company,
            "comments": properties.comments,
            "created": properties.created,
        }
    )
    formats = _Formats(book)
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        page.set_landscape()
        page.set_paper(8)  # A3
        width = sum(column.width for column in sheet.columns) if isinstance(sheet, Table) else sum(sheet.widths)
        page.fit_to_pages(-(-width // A_PAGE), 0)
        page.set_footer(f"&L{properties.footer.replace('&', '&&')}&R&P / &N")
        page.hide_gridlines(2)
        page.write_string(0, 0, sheet.title, formats.title)
        page.write_string(1, 0, sheet.about, formats.about)
        if isinstance(sheet, Table):
            _table(page, sheet, formats)
        else:
            _facts(page, sheet, formats)
    book.close()
    return body.getvalue()


class _Formats:
    """Each look once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[str, Format] = {}
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.about = book.add_format({"italic": True, "font_color": "#555555"})
        self.header = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.label = book.add_format({"bold": True, "valign": "top", "text_wrap": True})

    def look(self, pattern: str, *, bold: bool = False, wrap: bool = False, **more: str | int) -> Format:
        about = {"num_format": pattern, "bold": bold, "text_wrap": wrap, "valign": "top", **more}
        return self._made.setdefault(repr(about), self._book.add_format(about))


def _facts(page: Worksheet, sheet: Facts, formats: _Formats) -> None:
    for column, width in enumerate(sheet.widths):
        page.set_column(column, column, width)
    for row, (label, cell) in enumerate(sheet.pairs, start=HEADER):
        page.set_row(row, LINE_HEIGHT * max(_lines(label, sheet.widths[0]), _lines(cell, sheet.widths[1])))
        page.write_string(row, 0, label, formats.label)
        _cell(page, row, 1, cell, formats, wrap=True, align="left")


def _table(page: Worksheet, sheet: Table, formats: _Formats) -> None:
    for index, column in enumerate(sheet.columns):
        page.set_column(index, index, column.width)
    if not sheet.rows:
        page.write_string(HEADER, 0, sheet.empty)
        return
    first, last = HEADER + 1, HEADER + len(sheet.rows)
    places = {column.key: index for index, column in enumerate(sheet.columns)}
    whole = {f"column:{key}": f"{_fixed(first, index)}:{_fixed(last, index)}" for key, index in places.items()}
    page.add_table(
        HEADER,
        0,
        last,
        len(sheet.columns) - 1,
        {
            "name": sheet.table,
            "style": "Table Style Light 9",
            "columns": [{"header": column.title, "header_format": formats.header} for column in sheet.columns],
        },
    )
    page.set_row(HEADER, LINE_HEIGHT * max(_lines(column.title, column.width - 3) for column in sheet.columns))
    page.freeze_panes(first, sheet.frozen)
    page.repeat_rows(HEADER)
    page.repeat_columns(0, sheet.frozen - 1)
    for row, cells in enumerate(sheet.rows, start=first):
        here = whole | {key: xl_rowcol_to_cell(row, index) for key, index in places.items()}
        wrapped = [_lines(cell, column.width) for column, cell in zip(sheet.columns, cells, strict=True) if column.wrap]
        page.set_row(row, LINE_HEIGHT * max(wrapped, default=1))
        for index, (column, cell) in enumerate(zip(sheet.columns, cells, strict=True)):
            _cell(page, row, index, cell, formats, wrap=column.wrap, names=here)
    if sheet.sum_title:
        _sums(page, sheet, formats, whole)


def _lines(cell: Cell, width: int) -> int:
    """How many lines a text takes in a column so wide: not every program finds that out by itself."""
    return min(-(-len(cell) * 11 // (width * 10)), 25) or 1 if isinstance(cell, str) else 1


def _fixed(row: int, column: int) -> str:
    return xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)


def _sums(page: Worksheet, sheet: Table, formats: _Formats, whole: Mapping[str, str]) -> None:
    """Above the headings, where they stay in sight."""
    row = HEADER - 1
    page.write_string(row, 0, sheet.sum_title, formats.label)
    here = {**whole, **{column.key: xl_rowcol_to_cell(row, index) for index, column in enumerate(sheet.columns)}}
    for index, column in enumerate(sheet.columns):
        if column.sums:
            live = Live(f"=SUM({{column:{column.key}}})", _sum([cells[index] for cells in sheet.rows]))
            _cell(page, row, index, live, formats, bold=True, names=here)
        elif column.key in sheet.above:
            _cell(page, row, index, sheet.above[column.key], formats, bold=True, names=here)


def _sum(cells: Sequence[Cell]) -> Cell:
    values = [cell.value if isinstance(cell, Live) else cell for cell in cells]
    if any(isinstance(value, Length) for value in values):
        return Length(sum(value.us for value in values if isinstance(value, Length)))
    if any(isinstance(value, Decimal) for value in values):
        return sum((value for value in values if isinstance(value, Decimal)), Decimal(0))
    return sum(value for value in values if isinstance(value, int))


def _cell(
    page: Worksheet,
    row: int,
    column: int,
    cell: Cell,
    formats: _Formats,
    *,
    wrap: bool = False,
    bold: bool = False,
    align: str = "",
    names: Mapping[str, str] | None = None,
) -> None:
    shown = cell.value if isinstance(cell, Live) else cell
    value, pattern = _value(shown)
    more: dict[str, str | int] = {"align": align} if align else {}
    if isinstance(shown, Toned):
        more |= TONES[shown.tone]
        more.setdefault("align", "center")
    elif isinstance(value, str) and not align and not bold:
        # A number ends where its neighbour begins; without it the two would touch.
        more |= {"align": "left", "indent": 1}
    made = formats.look(pattern, bold=bold, wrap=wrap and isinstance(value, str), **more)
    if isinstance(cell, Live):
        page.write_formula(row, column, _filled(cell.formula, names or {}), made, value)
    elif value is None:
        page.write_blank(row, column, None, made)
    elif isinstance(value, str):
        page.write_string(row, column, value[:LONGEST], made)
    else:
        page.write_number(row, column, value, made)


def _filled(formula: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\{([a-z0-9_:]+)\}", lambda found: names[found[1]], formula)


def _value(cell: Cell) -> tuple[str | int | float | None, str]:
    """What stands in the cell, and the pattern it is shown by."""
    match cell:
        case None:
            return None, "General"
        case Toned():
            return cell.text, "@"
        case str():
            return cell, "@"
        case int():
            return cell, "#,##0"
        case Decimal():
            return float(cell), "#,##0.00"
        case Ratio():
            places = percent_places(cell)
            return float(cell.value), "0." + "0" * places + "%" if places else "0%"
        case Length():
            return _seconds(cell.us)
        case Instant():
            fine = "" if cell.at_us % SECOND_US == 0 else ".000"
            return serial(cell.at_us, cell.zone), f"dd/mm/yyyy hh:mm:ss{fine}"
        case date():
            wall = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - a day has no zone
            return (wall - DAY_ZERO) // timedelta(days=1), "ddd dd/mm/yyyy"
        case Live():
            raise TypeError("what a formula gives is a value, no formula")


def _seconds(length_us: int) -> tuple[int | float, str]:
    whole, rest = divmod(length_us, SECOND_US)
    if not rest:
        return whole, "#,##0"
    return length_us / SECOND_US, "#,##0." + "0" * len(f"{rest:06d}".rstrip("0"))
