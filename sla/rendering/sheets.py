"""What every workbook of ours is made of: its words, its checks, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from sla.assessment import Verdict
from sla.period import local_datetime, zone
from sla.rendering.numbers import Language, Numbers
from sla.rendering.phrases import Phrases
from sla.rendering.words import Words
from sla.rendering.workbook import Cell, Column, Instant, Live, Properties, Table, Tone, Toned, letters
from sla.report import Report

CLASSES = ("up", "degraded", "down", "excluded", "unmeasured")
TONES: dict[Verdict, Tone] = {Verdict.MET: "good", Verdict.MISSED: "bad", Verdict.UNDECIDED: "open"}
#: As far as a spreadsheet's numbers may stray from the exact ones: of ratios, and of seconds taken from its dates.
RATIO_SLACK, SECOND_SLACK, CENT_SLACK = "0.000000000001", "0.001", "0.001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheets:
    """Sheets on one assessment in one language.

    Attributes:
        money: whether amounts are shown; a document of facts shows none.
    """

    report: Report
    words: Words
    numbers: Numbers
    say: Phrases
    money: bool = True

    @classmethod
    def of(cls, report: Report, language: Language, *, money: bool = True) -> Self:
        words, numbers = Words(language), Numbers(language=language, zone=zone(report.timezone))
        say = Phrases(assessment=report.assessment, titles=report.titles, words=words, numbers=numbers)
        return cls(report=report, words=words, numbers=numbers, say=say, money=money)

    def properties(self, kind: str) -> Properties:
        """What the file says of itself; `kind` is the document's name in words."""
        report, n = self.report, self.numbers
        contract, head = report.assessment.contract, report.assessment.ledger_head
        return Properties(
            title=f"{kind} {report.number}",
            subject=f"{contract.contract}, {n.period(report.period.start_us, report.period.end_us)}",
            author=report.software,
            company=contract.authority,
            comments=f"{self.words('integrity.ledger_head')}: {head or self.words('integrity.ledger_none')}",
            created=local_datetime(report.issued_us, "UTC").replace(tzinfo=None),
            footer=f"{report.number} · {contract.contract}",
        )

    def frame(self) -> list[tuple[str, Cell]]:
        """Number, period, parties and dates, as every document begins."""
        report, n, t = self.report, self.numbers, self.words
        contract = report.assessment.contract
        return [
            (t("frame.number"), report.number),
            *([("", t("frame.replaces", number=report.replaces))] if report.replaces else []),
            (t("frame.period"), n.period(report.period.start_us, report.period.end_us)),
            (t("frame.contract"), contract.contract),
            (t("frame.authority"), contract.authority),
            (t("frame.supplier"), contract.supplier),
            (t("frame.issued"), self.local(report.issued_us)),
            (t("integrity.data_until"), self.local(report.data_until_us)),
            ("", ""),
        ]

    def closing(self, tables: Sequence[Table], *about: str) -> list[tuple[str, Cell]]:
        """Whether all formulas of these tables agree, and what the figures rest on."""
        report, t = self.report, self.words
        return [
            ("", ""),
            (self.w("check"), self.all_checks(tables)),
            ("", self.about("live", *about)),
            ("", ""),
            (t("integrity.ledger_head"), report.assessment.ledger_head or t("integrity.ledger_none")),
            (t("integrity.software"), report.software),
            (t("integrity.config"), report.config_sha256),
            *((t("method.notes"), note.in_(t.language)) for note in report.assessment.notes),
        ]

    def w(self, key: str, **values: object) -> str:
        return self.words(f"sheet.{key}", **values)

    def column(self, key: str, width: int = 14, *, title: str = "", wrap: bool = False, sums: bool = False) -> Column:
        return Column(key=key, title=title or self.w(key), width=width, wrap=wrap, sums=sums)

    def local(self, at_us: int | None) -> Cell:
        return None if at_us is None else Instant(at_us, self.report.timezone)

    def about(self, *keys: str) -> str:
        return " ".join(self.w(key, zone=self.report.timezone) for key in keys)

    def checked(self, formula: str, decided: str, slack: str) -> Live:
        yes, no = self.w("agrees"), self.w("differs")
        return Live(f'=IF(ABS({{{formula}}}-{{{decided}}})<{slack},"{yes}","{no}")', Toned(yes, "good"))

    def reasons(self, texts: Iterable[object]) -> str:
        return " ".join(getattr(text, self.words.language) for text in texts)

    def all_checks(self, tables: Sequence[Table]) -> Live:
        """Whether any check of the workbook differs, by counting that word in the columns of checks."""
        counts = []
        for table in tables:
            for index in range(len(table.columns)):
                if table.rows and any(_is_check(row[index]) for row in table.rows):
                    place = letters(index)
                    counts.append(f"COUNTIF('{table.name}'!${place}:${place},\"{self.w('differs')}\")")
        agreed, differ = self.w("all_agree"), self.w("some_differ")
        return Live(f'=IF({"+".join(counts) or 0}=0,"{agreed}","{differ}")', Toned(agreed, "good"))


def _is_check(cell: Cell) -> bool:
    return isinstance(cell, Live) and isinstance(cell.value, Toned)
