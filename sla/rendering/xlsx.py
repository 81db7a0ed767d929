"""A report as a workbook: every figure a number, and beside each one that decided the formula that gives it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sla.assessment import ClauseResult, Totals, Verdict
from sla.commitment import COUNTS
from sla.contract import AvailabilityClause, CoverageClause, OutageCountClause, OutageDurationClause, ResponseTimeClause
from sla.rendering import figures
from sla.rendering.numbers import Language
from sla.rendering.outage_sheets import OutageSheets
from sla.rendering.phrases import agrees, formula_parts
from sla.rendering.sheets import CENT_SLACK, CLASSES, RATIO_SLACK, SECOND_SLACK, TONES
from sla.rendering.workbook import SECOND_US, Cell, Facts, Length, Live, Ratio, Table, Toned, whole, write
from sla.report import Report


def render(report: Report, language: Language = "nl") -> bytes:
    """The workbook in Dutch or English. The same report gives the same bytes."""
    sheets = ReportSheets.of(report, language)
    kind = sheets.words("report.kind")
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
    return write((sheets.summary(kind, tables), *tables, sheets.definitions()), sheets.properties(kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSheets(OutageSheets):
    """The verdicts of an assessment with what they rest on."""

    def summary(self, kind: str, tables: Sequence[Table], more: Sequence[tuple[str, Cell]] = ()) -> Facts:
        """How it ended; `more` is what a kind of document adds to it."""
        report, t = self.report, self.words
        coverage = report.assessment.coverage
        pairs: list[tuple[str, Cell]] = [
            *self.frame(),
            *self._counts(),
            (t("lead.key_coverage"), t("frame.not_measured") if coverage is None else self._coverage(coverage)),
            (f"{t('sanction.total')} (EUR)", report.assessment.total.amount_eur),
            ("", t("lead.decision")),
            *more,
            *([(t("lead.provisional_title"), self._provisional())] if report.is_provisional else []),
            *([("", t("lead.short_title"))] if report.has_short_coverage else []),
            *self.closing(tables, "cut"),
        ]
        return Facts(
            name=self.w("summary"), title=f"{kind}: {report.portal_name}", about=self.about("times"), pairs=pairs
        )

    def _counts(self) -> Iterator[tuple[str, Cell]]:
        for verdict in Verdict:
            yield self.words(f"verdict.{verdict.value}"), len(self.report.with_verdict(verdict))
        yield self.words("lead.key_outages"), len(self.report.sanctionable_outages)

    def _coverage(self, coverage: Fraction) -> Ratio:
        return Ratio(coverage, self.report.minimum_coverage)

    def _provisional(self) -> str:
        return self.words("lead.provisional", until=self.numbers.instant(self.report.data_until_us))

    def verdicts(self) -> Table:
        outages = self.outages()
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
            self.column("figure_live", 16, title=f"{self.w('measured')}: {self.w('formula')}"),
            self.column("figure_check", 12, title=f"{self.w('measured')}: {self.w('checked')}"),
            self.column("basis", 40, wrap=True),
            *([self.column("amount", 16, sums=True)] if self.money else []),
            self.column("reasons", 70, wrap=True),
        )
        return Table(
            name=self.w("verdicts"),
            table="Oordelen",
            title=self.words("verdict.caption"),
            about=self.about("times", *(["proposal"] if self.money else []), "cut"),
            columns=columns,
            rows=[self._verdict(result, outages) for result in self.report.assessment.clauses],
            empty=self.w("no_clauses"),
            sum_title=self.w("sum") if self.money else "",
        )

    def _verdict(self, result: ClauseResult, outages: Table) -> tuple[Cell, ...]:
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
            *self._figure(result, measured, outages),
            *([result.sanction.amount_eur] if self.money else []),
            self.reasons(result.reasons),
        )

    def _figure(self, result: ClauseResult, measured: Cell, outages: Table) -> tuple[Cell, Cell, Cell]:
        """What gives the measured number again from the sheet of outages, its check, and what the number rests on."""
        clause, period = result.clause, result.period
        if isinstance(clause, ResponseTimeClause):
            response = result.response
            if response is None or not response.count:
                return None, None, ""
            return None, None, self.w("basis_response", percentile=clause.percentile, count=response.count)
        if isinstance(result.target, Fraction):
            return None, None, self.w("basis_ratio", sheet=self.w("working"))
        if result.cases:
            return None, None, self.w("basis_cases")
        if not isinstance(clause, OutageDurationClause | OutageCountClause) or measured is None:
            return None, None, ""
        lengths = [
            outage.counted.get(clause.id, 0)
            for outage in self.report.assessment.outages
            if period.start_us <= outage.first_bad_us < period.end_us
        ]
        place = next(i for i, name in enumerate(self.counted_ids()) if name == clause.id)
        counted, began = whole(outages, f"counted{place}"), whole(outages, "first_bad")
        inside = f"({began}>={{from}})*({began}<{{until}})"
        alone = sum(other.clause.id == clause.id for other in self.report.assessment.clauses) == 1
        if isinstance(clause, OutageDurationClause):
            given, basis = max(lengths, default=0), self.w("basis_longest", sheet=outages.name, id=clause.id)
            formula = f"=MAX({counted})" if alone else f"=SUMPRODUCT(MAX({inside}*{counted}))"
        else:
            seconds = f"{Fraction(clause.at_least, SECOND_US)}"
            given = sum(us >= clause.at_least for us in lengths)
            basis = self.w("basis_count", sheet=outages.name, id=clause.id, seconds=seconds)
            least = f'COUNTIF({counted},">="&{seconds})'
            formula = f"={least}" if alone else f"=SUMPRODUCT({inside}*({counted}>={seconds}))"
        if given != result.measured:
            # An outage over the border of two periods counts a part in each, and the sheet shows both parts together.
            return None, None, self.w("basis_parts", sheet=outages.name)
        return Live(formula, measured), self.checked("figure_live", "measured_number", SECOND_SLACK), basis

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
