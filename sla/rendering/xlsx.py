"""A report as a workbook: every figure a number, and beside each one that decided the formula that gives it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sla.assessment import ClauseResult, OutageResult, Totals, Verdict, WindowDecision
from sla.commitment import COUNTS
from sla.contract import AvailabilityClause, CoverageClause
from sla.period import local_datetime, zone
from sla.rendering import figures
from sla.rendering.numbers import Language, Numbers
from sla.rendering.phrases import Phrases, agrees, formula_parts
from sla.rendering.words import Words
from sla.rendering.workbook import (
    Cell,
    Column,
    Facts,
    Instant,
    Length,
    Live,
    Properties,
    Ratio,
    Table,
    Tone,
    Toned,
    write,
)
from sla.report import Report

CLASSES = ("up", "degraded", "down", "excluded", "unmeasured")
TONES: dict[Verdict, Tone] = {Verdict.MET: "good", Verdict.MISSED: "bad", Verdict.UNDECIDED: "open"}
#: As far as a spreadsheet's numbers may stray from the exact ones: of ratios, and of seconds taken from its dates.
RATIO_SLACK, SECOND_SLACK, CENT_SLACK = "0.000000000001", "0.001", "0.001"


def render(report: Report, language: Language = "nl") -> bytes:
    """The workbook in Dutch or English. The same report gives the same bytes."""
    words = Words(language)
    numbers = Numbers(language=language, zone=zone(report.timezone))
    say = Phrases(assessment=report.assessment, titles=report.titles, words=words, numbers=numbers)
    sheets = _Sheets(report=report, words=words, numbers=numbers, say=say)
    tables = (
        sheets.verdicts(),
        sheets.working(),
        sheets.outages(),
        sheets.decisions(),
        sheets.days(),
        sheets.sanctions(),
        sheets.sanction_lines(),
        sheets.response(),
    )
    contract = report.assessment.contract
    properties = Properties(
        title=f"{words('report.kind')} {report.number}",
        subject=f"{contract.contract}, {numbers.period(report.period.start_us, report.period.end_us)}",
        author=report.software,
        company=contract.authority,
        comments=f"{words('integrity.ledger_head')}: {report.assessment.ledger_head or words('integrity.ledger_none')}",
        created=local_datetime(report.issued_us, "UTC").replace(tzinfo=None),
        footer=f"{report.number} · {contract.contract}",
    )
    return write((sheets.summary(tables), *tables, sheets.definitions()), properties)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheets:
    report: Report
    words: Words
    numbers: Numbers
    say: Phrases

    # --- small words -------------------------------------------------------------------------------------------------

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

    # --- sheets ------------------------------------------------------------------------------------------------------

    def summary(self, tables: Sequence[Table]) -> Facts:
        report, n, contract = self.report, self.numbers, self.report.assessment.contract
        t = self.words
        coverage = report.assessment.coverage
        pairs: list[tuple[str, Cell]] = [
            (t("frame.number"), report.number),
            *([("", t("frame.replaces", number=report.replaces))] if report.replaces else []),
            (t("frame.period"), n.period(report.period.start_us, report.period.end_us)),
            (t("frame.contract"), contract.contract),
            (t("frame.authority"), contract.authority),
            (t("frame.supplier"), contract.supplier),
            (t("frame.issued"), self.local(report.issued_us)),
            (t("integrity.data_until"), self.local(report.data_until_us)),
            ("", ""),
            *self._counts(),
            (t("lead.key_coverage"), t("frame.not_measured") if coverage is None else self._coverage(coverage)),
            (f"{t('sanction.total')} (EUR)", report.assessment.total.amount_eur),
            ("", t("lead.decision")),
            *([(t("lead.provisional_title"), self._provisional())] if report.is_provisional else []),
            *([("", t("lead.short_title"))] if report.has_short_coverage else []),
            ("", ""),
            (self.w("check"), self._all_checks(tables)),
            ("", self.about("live", "cut")),
            ("", ""),
            (t("integrity.ledger_head"), report.assessment.ledger_head or t("integrity.ledger_none")),
            (t("integrity.software"), report.software),
            (t("integrity.config"), report.config_sha256),
            *((t("method.notes"), note.in_(t.language)) for note in report.assessment.notes),
        ]
        return Facts(
            name=self.w("summary"),
            title=f"{t('report.kind')}: {report.portal_name}",
            about=self.about("times"),
            pairs=pairs,
        )

    def _counts(self) -> Iterator[tuple[str, Cell]]:
        for verdict in Verdict:
            yield self.words(f"verdict.{verdict.value}"), len(self.report.with_verdict(verdict))
        yield self.words("lead.key_outages"), len(self.report.sanctionable_outages)

    def _coverage(self, coverage: Fraction) -> Ratio:
        return Ratio(coverage, self.report.minimum_coverage)

    def _provisional(self) -> str:
        return self.words("lead.provisional", until=self.numbers.instant(self.report.data_until_us))

    def _all_checks(self, tables: Sequence[Table]) -> Live:
        """Whether any check of the workbook differs, by counting that word in the columns of checks."""
        counts = []
        for table in tables:
            for index in range(len(table.columns)):
                if table.rows and any(_is_check(row[index]) for row in table.rows):
                    letters = _letters(index)
                    counts.append(f"COUNTIF('{table.name}'!${letters}:${letters},\"{self.w('differs')}\")")
        agreed, differ = self.w("all_agree"), self.w("some_differ")
        return Live(f'=IF({"+".join(counts) or 0}=0,"{agreed}","{differ}")', Toned(agreed, "good"))

    def verdicts(self) -> Table:
        columns = (
            self.column("id", 10),
            self.column("about", 38, wrap=True),
            self.column("article", 12),
            self.column("kind_of_obligation", 44, wrap=True),
            self.column("version", 9),
            self.column("from", 20),
            self.column("until", 20),
            self.column("promised", 24, wrap=True),
            self.column("measured", 22, wrap=True),
            self.column("margin", 28, wrap=True),
            self.column("verdict", 20),
            self.column("promised_number", 14),
            self.column("measured_number", 16),
            self.column("unit", 11),
            self.column("amount", 16, sums=True),
            self.column("reasons", 70, wrap=True),
        )
        return Table(
            name=self.w("verdicts"),
            table="Oordelen",
            title=self.words("verdict.caption"),
            about=self.about("times", "proposal", "cut"),
            columns=columns,
            rows=[self._verdict(result) for result in self.report.assessment.clauses],
            empty=self.w("no_clauses"),
            sum_title=self.w("sum"),
        )

    def _verdict(self, result: ClauseResult) -> tuple[Cell, ...]:
        promised, measured, unit = self._as_numbers(result)
        return (
            result.clause.id,
            self.say.name(result.clause),
            result.clause.article,
            self.say.obligation(result),
            result.version.number,
            self.local(result.period.start_us),
            self.local(result.period.end_us),
            self.say.promise(result.clause),
            self.say.figure(result),
            self.say.margin(result) or "",
            Toned(self.words(f"verdict.{result.verdict.value}"), TONES[result.verdict]),
            promised,
            measured,
            self.w(f"unit_{unit}"),
            result.sanction.amount_eur,
            self.reasons(result.reasons),
        )

    def _as_numbers(self, result: ClauseResult) -> tuple[Cell, Cell, str]:
        target, measured = result.target, result.measured
        if isinstance(target, Fraction):
            shown = None if measured is None else Ratio(Fraction(measured), target, result.clause.decimals)
            return Ratio(target, target, 0), shown, "ratio"
        if COUNTS.get(result.clause.kind) == "number":
            return target, None if measured is None else int(measured), "number"
        return (
            None if target is None else Length(target),
            None if measured is None else Length(int(measured)),
            "seconds",
        )

    def working(self) -> Table:
        columns = [
            self.column("id", 10),
            self.column("about", 38, wrap=True),
            self.column("version", 9),
            self.column("from", 20),
            self.column("until", 20),
            *(self.column(key, 16) for key in ("service", *CLASSES)),
            self.column("identity", 16),
            self.column("target", 12),
        ]
        for key in ("lowest", "point", "highest"):
            title = self.w(key)
            columns += [
                self.column(f"{key}_live", 18, title=f"{title}: {self.w('formula')}"),
                self.column(f"{key}_decided", 18, title=f"{title}: {self.w('decided')}"),
                self.column(f"{key}_check", 12, title=f"{title}: {self.w('checked')}"),
            ]
        columns += [self.column("fraction", 34), self.column("verdict", 20)]
        rows = [self._worked(result) for result in self.report.assessment.clauses if result.totals is not None]
        return Table(
            name=self.w("working"),
            table="Berekening",
            title=self.words("working.title"),
            about=self.about("times", "live", "cut"),
            columns=columns,
            rows=rows,
            empty=self.w("no_clauses"),
        )

    def _worked(self, result: ClauseResult) -> tuple[Cell, ...]:
        totals = result.totals
        assert totals is not None
        lengths = (Length(totals.service_us), *(Length(getattr(totals, f"{name}_us")) for name in CLASSES))
        sums = "+".join(f"{{{name}}}" for name in CLASSES)
        yes, no = self.w("agrees"), self.w("differs")
        identity = Live(f'=IF(ABS({{service}}-({sums}))<{SECOND_SLACK},"{yes}","{no}")', Toned(yes, "good"))
        ratios: list[Cell] = []
        formulas = _formulas(result, totals)
        target = result.target if isinstance(result.target, Fraction) else None
        for key, exact in _exact(result):
            formula = formulas.get(key)
            value = None if exact is None else Ratio(exact, target, result.clause.decimals)
            if formula is None or value is None:
                ratios += [None, value, None]
            else:
                ratios += [Live(formula, value), value, self.checked(f"{key}_live", f"{key}_decided", RATIO_SLACK)]
        point = dict(_exact(result))["point"]
        return (
            result.clause.id,
            self.say.name(result.clause),
            result.version.number,
            self.local(result.period.start_us),
            self.local(result.period.end_us),
            *lengths,
            identity,
            None if target is None else Ratio(target, target, 0),
            *ratios,
            "" if point is None else f"{point.numerator} / {point.denominator}",
            Toned(self.words(f"verdict.{result.verdict.value}"), TONES[result.verdict]),
        )

    def outages(self) -> Table:
        ids = list(dict.fromkeys(result.clause.id for result in self.report.assessment.clauses if result.totals))
        columns = (
            self.column("number", 6),
            self.column("journey", 28, wrap=True),
            self.column("outage_id", 30),
            *(self.column(key, 20) for key in ("last_good", "first_bad", "last_bad", "first_good")),
            *(self.column(key, 20) for key in ("first_bad_utc", "last_bad_utc", "first_good_utc")),
            self.column("certain_live", 13, title=f"{self.w('certain')}: {self.w('formula')}", sums=True),
            self.column("certain_decided", 13, title=f"{self.w('certain')}: {self.w('decided')}", sums=True),
            self.column("certain_check", 11, title=f"{self.w('certain')}: {self.w('checked')}"),
            self.column("observed_live", 14, title=f"{self.w('observed')}: {self.w('formula')}", sums=True),
            self.column("observed_decided", 14, title=f"{self.w('observed')}: {self.w('decided')}", sums=True),
            self.column("observed_check", 14, title=f"{self.w('observed')}: {self.w('checked')}"),
            *(
                self.column(f"counted{i}", 13, title=self.w("counted", id=name), sums=True)
                for i, name in enumerate(ids)
            ),
            self.column("excluded", 13, sums=True),
            self.column("outside", 14, sums=True),
            self.column("failure", 36, wrap=True),
            self.column("sanctionable", 15),
            self.column("share", 16, sums=True),
            self.column("reasons", 70, wrap=True),
        )
        ordered = sorted(
            self.report.assessment.outages, key=lambda outage: (outage.first_bad_us, outage.journey, outage.id)
        )
        return Table(
            name=self.w("outages"),
            table="Storingen",
            title=self.words("outages.title"),
            about=self.about("times", "proposal"),
            columns=columns,
            rows=[self._outage(number, outage, ids) for number, outage in enumerate(ordered, start=1)],
            empty=self.w("no_outages"),
            sum_title=self.w("sum"),
            frozen=2,
        )

    def _outage(self, number: int, outage: OutageResult, ids: Sequence[str]) -> tuple[Cell, ...]:
        def utc(at_us: int | None) -> Cell:
            return None if at_us is None else Instant(at_us, "UTC")

        certain = Length(outage.last_bad_us - outage.first_bad_us)
        # Taken from the columns in UTC: wall clocks cannot be subtracted.
        seconds = "=ROUND(({%s}-{first_bad_utc})*86400,3)"
        observed: tuple[Cell, ...] = (None, None, None)
        if outage.first_good_us is not None:
            length = Length(outage.first_good_us - outage.first_bad_us)
            check = self.checked("observed_live", "observed_decided", SECOND_SLACK)
            observed = (Live(seconds % "first_good_utc", length), length, check)
        return (
            number,
            self.say.journey(outage.journey),
            outage.id,
            *(
                self.local(at_us)
                for at_us in (outage.last_good_us, outage.first_bad_us, outage.last_bad_us, outage.first_good_us)
            ),
            *(utc(at_us) for at_us in (outage.first_bad_us, outage.last_bad_us, outage.first_good_us)),
            Live(seconds % "last_bad_utc", certain),
            certain,
            self.checked("certain_live", "certain_decided", SECOND_SLACK),
            *observed,
            *(Length(outage.counted.get(name, 0)) for name in ids),
            Length(outage.excluded_us),
            Length(outage.outside_service_us),
            ", ".join(self.say.failure(code) for code in outage.failures),
            Toned(self.w("yes"), "bad") if outage.sanctionable else self.w("no"),
            outage.amount_eur,
            self.reasons(outage.reasons),
        )

    def decisions(self) -> Table:
        columns = (
            self.column("entry", 12),
            self.column("what", 20),
            self.column("ground", 22, wrap=True),
            self.column("answer", 15),
            self.column("from", 20),
            self.column("until", 20),
            self.column("from_utc", 20),
            self.column("until_utc", 20),
            self.column("length_live", 13, title=f"{self.w('length')}: {self.w('formula')}"),
            self.column("length_decided", 13, title=f"{self.w('length')}: {self.w('decided')}"),
            self.column("length_check", 11, title=f"{self.w('length')}: {self.w('checked')}"),
            self.column("scope", 30, wrap=True),
            self.column("by", 28, wrap=True),
            self.column("recorded", 20),
            self.column("reason", 40, wrap=True),
            self.column("reasons", 70, wrap=True),
        )
        return Table(
            name=self.w("decisions"),
            table="Uitsluitingen",
            title=self.words("decisions.title"),
            about=self.about("times"),
            columns=columns,
            rows=[row for decision in self.report.assessment.windows for row in self._decided(decision)],
            empty=self.w("no_decisions"),
            frozen=2,
        )

    def _decided(self, decision: WindowDecision) -> Iterator[tuple[Cell, ...]]:
        """One row for each span that was granted or refused; the whole claim where it had no effect."""
        spans = [
            *((span, "granted") for span in decision.granted),
            *((span, "refused") for span in decision.refused),
        ] or [(decision.claimed, "idle")]
        for span, answer in sorted(spans, key=lambda found: found[0].start_us):
            length = Length(span.end_us - span.start_us)
            yield (
                decision.entry,
                self.words.of("decisions", decision.kind),
                self.words.of("ground", decision.ground) if decision.ground else "",
                self.words(f"decisions.{answer}"),
                self.local(span.start_us),
                self.local(span.end_us),
                Instant(span.start_us, "UTC"),
                Instant(span.end_us, "UTC"),
                Live("=ROUND(({until_utc}-{from_utc})*86400,3)", length),
                length,
                self.checked("length_live", "length_decided", SECOND_SLACK),
                self.say.journeys(decision.scope),
                decision.by,
                self.local(decision.recorded_us),
                decision.reason,
                self.reasons(decision.reasons),
            )

    def days(self) -> Table:
        columns = (
            self.column("id", 10),
            self.column("journey", 30, wrap=True),
            self.column("day", 17),
            *(self.column(key, 16, sums=True) for key in ("service", *CLASSES)),
            self.column("live", 20, title=f"{self.w('availability')}: {self.w('formula')}"),
            self.column("decided", 20, title=f"{self.w('availability')}: {self.w('decided')}"),
            self.column("check", 18, title=f"{self.w('availability')}: {self.w('checked')}"),
        )
        rows = [
            self._day(drawn, day)
            for drawn in figures.calendars(self.report)
            for week in drawn.weeks
            for day in week
            if day is not None
        ]
        return Table(
            name=self.w("days"),
            table="PerDag",
            title=self.words("calendar.title"),
            about=self.about("times", "cut"),
            columns=columns,
            rows=rows,
            empty=self.w("no_days"),
            sum_title=self.w("sum"),
            frozen=3,
        )

    def _day(self, drawn: figures.Calendar, day: figures.Day) -> tuple[Cell, ...]:
        clause = drawn.result.clause
        good = "{up}"
        if not isinstance(clause, AvailabilityClause) or clause.degraded == "up":
            good = "({up}+{degraded})"
        found: tuple[Cell, ...] = (None, None, None)
        if day.availability is not None:
            target = drawn.result.target if isinstance(drawn.result.target, Fraction) else None
            value = Ratio(day.availability, target, clause.decimals)
            check = self.checked("live", "decided", RATIO_SLACK)
            found = (Live(f"={good}/({{up}}+{{degraded}}+{{down}})", value), value, check)
        return (
            clause.id,
            self.say.journey(drawn.journey),
            day.day,
            Length(day.service_us),
            *(Length(getattr(day, f"{name}_us")) for name in CLASSES),
            *found,
        )

    def sanctions(self) -> Table:
        total = self.report.assessment.total
        yes, no = self.w("agrees"), self.w("differs")
        rows: list[tuple[Cell, ...]] = [
            (line.text.in_(self.words.language), line.amount_eur, None, None) for line in total.lines
        ]
        check = f'=IF(ABS(SUM({{column:line_amount}})-{{decided}})<{CENT_SLACK},"{yes}","{no}")'
        return Table(
            name=self.w("sanctions"),
            table="Sancties",
            title=self.words("sanction.all"),
            about=self.about("proposal"),
            columns=(
                self.column("line", 90, wrap=True),
                self.column("line_amount", 18, sums=True),
                self.column("decided", 18, title=f"{self.words('sanction.total')}: {self.w('decided')}"),
                self.column("checked", 14),
            ),
            rows=rows,
            empty=self.w("no_sanctions"),
            sum_title=self.words("sanction.total"),
            above={"decided": total.amount_eur, "checked": Live(check, Toned(yes, "good"))},
        )

    def sanction_lines(self) -> Table:
        rows = [
            (
                f"{result.clause.id} ({self.say.anchor(result)})",
                result.version.number,
                self.local(result.period.start_us),
                self.local(result.period.end_us),
                line.text.in_(self.words.language),
                line.amount_eur,
                Live("=SUMIF({column:id},{id},{column:line_amount})", result.sanction.amount_eur),
                result.sanction.amount_eur,
                self.checked("clause_sum", "decided", CENT_SLACK),
            )
            for result in self.report.assessment.clauses
            for line in result.sanction.lines
        ]
        return Table(
            name=self.w("sanction_lines"),
            table="SanctiesPerNorm",
            title=self.w("sanction_lines"),
            about=self.about("times", "proposal", "live"),
            columns=(
                self.column("id", 14),
                self.column("version", 9),
                self.column("from", 20),
                self.column("until", 20),
                self.column("line", 90, wrap=True),
                self.column("line_amount", 16),
                self.column("clause_sum", 16, title=f"{self.w('clause_sum')}: {self.w('formula')}"),
                self.column("decided", 16, title=f"{self.w('clause_sum')}: {self.w('decided')}"),
                self.column("checked", 12),
            ),
            rows=rows,
            empty=self.w("no_sanctions"),
        )

    def response(self) -> Table:
        rows = [
            (
                self.say.journey(series.journey),
                series.step or self.words("working.whole_journey"),
                series.count,
                Length(series.p50_us),
                Length(series.p95_us),
                Length(series.slowest_us),
                None if series.limit_us is None else Length(series.limit_us),
            )
            for series in self.report.responses
        ]
        return Table(
            name=self.w("response"),
            table="Responstijden",
            title=self.words("response.caption"),
            about=self.about("times"),
            columns=(
                self.column("journey", 34, wrap=True),
                self.column("step", 24),
                *(self.column(key, 18) for key in ("samples", "p50", "p95", "slowest", "limit")),
            ),
            rows=rows,
            empty=self.w("no_response"),
        )

    def definitions(self) -> Facts:
        t, names = self.words, ("service_time", "outage", "available", "excluded", "unmeasured", "verdict", "edges")
        pairs: list[tuple[str, Cell]] = [
            (t(f"definitions.{name}"), t(f"definitions.{name}_text", zone=self.report.timezone))
            for name in (*names, "obligation", "proposal")
        ]
        method = ("samples", "own", "integers", "identity", "precedence", "kindest")
        pairs += [(t("method.title") if index == 0 else "", t(f"method.{name}")) for index, name in enumerate(method)]
        return Facts(name=self.w("definitions"), title=t("definitions.title"), about=self.about("times"), pairs=pairs)


def _formulas(result: ClauseResult, totals: Totals) -> dict[str, str]:
    """The formulas of point, lowest and highest; none where the figures do not follow from the sums of the classes."""
    clause, found = result.clause, result.availability
    if isinstance(clause, CoverageClause):
        known = totals.service_us - totals.excluded_us
        if not known or result.measured != Fraction(known - totals.unmeasured_us, known):
            return {}
        return {"point": "=({service}-{excluded}-{unmeasured})/({service}-{excluded})"}
    if not isinstance(clause, AvailabilityClause) or found is None or not agrees(formula_parts(clause, totals), found):
        return {}
    if clause.formula == "of-service-time":
        return dict.fromkeys(("lowest", "point", "highest"), "=({service}-{down})/{service}")
    everything = "({up}+{degraded}+{down}+{unmeasured})"
    return {
        "lowest": f"=({{up}}+{{degraded}})/{everything}",
        "point": "=({up}+{degraded})/({up}+{degraded}+{down})",
        "highest": f"=({{up}}+{{degraded}}+{{unmeasured}})/{everything}",
    }


def _exact(result: ClauseResult) -> tuple[tuple[str, Fraction | None], ...]:
    """Lowest, point and highest as they were decided with."""
    found = result.availability
    if found is None:
        is_ratio = isinstance(result.target, Fraction) and result.measured is not None
        return (("lowest", None), ("point", Fraction(result.measured or 0) if is_ratio else None), ("highest", None))
    return (("lowest", found.lowest), ("point", found.point), ("highest", found.highest))


def _is_check(cell: Cell) -> bool:
    return isinstance(cell, Live) and isinstance(cell.value, Toned)


def _letters(column: int) -> str:
    """The letters of a column: A, …, Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
