"""Workbooks of the documents beside the monthly report: overview, two-weekly update, dossier and findings.

Each has the values as they were decided and, beside them, the formulas that give them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from sla.assessment import ClauseResult, Verdict
from sla.contract import AvailabilityClause
from sla.dossier import ClauseShare, Dossier
from sla.findings import Findings
from sla.overview import ClauseRow, Overview, decided
from sla.rendering.dossier import CLASSES as COUNTED
from sla.rendering.dossier import Why
from sla.rendering.numbers import Language
from sla.rendering.sheets import CENT_SLACK, CLASSES, RATIO_SLACK, SECOND_SLACK
from sla.rendering.workbook import Cell, Facts, Instant, Length, Live, Ratio, Table, Toned, whole, write
from sla.rendering.xlsx import ReportSheets
from sla.update import Standing, Update

MEASURED = ("up", "degraded", "down")
LENGTH_UTC = "=ROUND(({until_utc}-{from_utc})*86400,3)"


def overview(found: Overview, language: Language = "nl") -> bytes:
    """Every clause period by period, and over the whole quarter or year."""
    sheets = _Periods.of(found.report, language)
    verdicts, working = sheets.verdicts(), sheets.working()
    tables = (
        sheets.per_clause(found.rows, verdicts, working),
        verdicts,
        working,
        sheets.outages(),
        sheets.decisions(),
        sheets.sanctions(),
        sheets.sanction_lines(),
        sheets.findings(found),
    )
    kind = sheets.words(f"overview.{found.kind}")
    return write((sheets.summary(kind, tables), *tables, sheets.definitions()), sheets.properties(kind))


def update(found: Update, language: Language = "nl") -> bytes:
    """Where every clause stands, with what is left of its allowed unavailability, and the outages of the fortnight."""
    results = tuple(one.result for one in found.standings)
    about = replace(
        found.report, assessment=replace(found.report.assessment, clauses=results, outages=found.outages, windows=())
    )
    sheets = _Periods.of(about, language)
    # No sheet of verdicts: the figures of a whole month do not follow from the outages of one fortnight.
    tables = (sheets.budgets(found.standings), sheets.working(), sheets.outages())
    kind = sheets.words("update.kind")
    facts = Facts(
        name=sheets.w("summary"),
        title=f"{kind}: {found.report.portal_name}",
        about=sheets.about("times"),
        pairs=[*sheets.frame(), *sheets.closing(tables, "cut")],
    )
    return write((facts, *tables, sheets.definitions()), sheets.properties(kind))


def dossier(found: Dossier, language: Language = "nl") -> bytes:
    """The outage's edges, and per clause every stretch of it with sums that give what was counted."""
    report = found.report
    only = replace(report, assessment=replace(report.assessment, outages=(found.outage,), windows=found.decisions))
    sheets = _Counting.of(only, language)
    stretches = sheets.stretches(found)
    tables = (sheets.shares(found, stretches), stretches, sheets.outages(), sheets.samples(found), sheets.decisions())
    kind = sheets.words("dossier.kind").rstrip(":")
    facts = Facts(
        name=sheets.w("summary"),
        title=f"{kind}: {report.portal_name}",
        about=sheets.about("times"),
        pairs=[
            *sheets.frame(),
            (sheets.words("dossier.outage"), found.outage.id),
            (sheets.w("journey"), sheets.say.journey(found.outage.journey)),
            (sheets.w("sanctionable"), sheets.w("yes" if found.outage.sanctionable else "no")),
            (sheets.w("reasons"), sheets.reasons(found.outage.reasons)),
            *sheets.closing(tables),
        ],
    )
    return write((facts, *tables, sheets.definitions()), sheets.properties(kind))


def findings(found: Findings, language: Language = "nl") -> bytes:
    """The clauses that were not met, their formula with its numbers, and the outages that count. No amounts: facts."""
    report = found.report
    only = replace(
        report,
        assessment=replace(
            report.assessment,
            clauses=tuple(one.result for one in found.clauses),
            outages=tuple({o.id: o for o in (*found.outages, *found.kept_out)}.values()),
            windows=found.decisions,
        ),
    )
    sheets = ReportSheets.of(only, language, money=False)
    tables = (sheets.verdicts(), sheets.working(), sheets.outages(), sheets.decisions())
    kind = sheets.words("findings.kind").rstrip(",")
    facts = Facts(
        name=sheets.w("summary"),
        title=f"{kind}: {report.portal_name}",
        about=sheets.about("times", "no_amounts"),
        pairs=[*sheets.frame(), *sheets.closing(tables, "cut")],
    )
    return write((facts, *tables, sheets.definitions()), sheets.properties(kind))


# --- over a period -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Periods(ReportSheets):
    """What several periods say together."""

    def per_clause(self, rows: Sequence[ClauseRow], verdicts: Table, working: Table) -> Table:
        """Every clause over the whole quarter or year: verdicts counted, classes summed, proposals summed."""
        said, summed = whole(verdicts, "id"), whole(working, "id")
        answer, amount = whole(verdicts, "verdict"), whole(verdicts, "amount")
        columns = (
            self.column("id", 10),
            self.column("about", 38, wrap=True),
            self.column("periods", 12),
            *(self.column(v.value, 14, title=self.words(f"verdict.{v.value}"), sums=True) for v in Verdict),
            self.column("counts_check", 12, title=f"{self.w('periods')}: {self.w('checked')}"),
            *(self.column(key, 16) for key in ("service", *CLASSES)),
            self.column("seconds_check", 14, title=f"{self.w('service')}: {self.w('checked')}"),
            self.column("live", 18, title=f"{self.w('availability')}: {self.w('formula')}"),
            self.column("decided", 18, title=f"{self.w('availability')}: {self.w('from_exact')}"),
            self.column("check", 16, title=f"{self.w('availability')}: {self.w('checked')}"),
            self.column("proposals", 16, title=f"{self.w('amount')}: {self.w('formula')}", sums=True),
            self.column("proposed", 16, title=f"{self.w('amount')}: {self.w('decided')}", sums=True),
            self.column("proposed_check", 12, title=f"{self.w('amount')}: {self.w('checked')}"),
        )
        yes, no = self.w("agrees"), self.w("differs")
        cells = []
        for row in rows:
            totals = [result.totals for result in row.results if result.totals is not None]
            sums = {key: sum(getattr(one, f"{key}_us") for one in totals) for key in ("service", *CLASSES)}
            classes = "+".join(f"{{{name}}}" for name in CLASSES)
            proposed = sum((result.sanction.amount_eur for result in row.results), Decimal(0))
            identity = Live(f'=IF(ABS({{service}}-({classes}))<{SECOND_SLACK},"{yes}","{no}")', Toned(yes, "good"))
            counted = "+".join(f"{{{v.value}}}" for v in Verdict)
            cells.append(
                (
                    row.id,
                    self.say.name(row.clause),
                    Live(f"=COUNTIF({said},{{id}})", len(row.results)),
                    *(
                        Live(f'=COUNTIFS({said},{{id}},{answer},"{self.words(f"verdict.{v.value}")}")', row.count(v))
                        for v in Verdict
                    ),
                    Live(f'=IF({{periods}}={counted},"{yes}","{no}")', Toned(yes, "good")),
                    *(
                        Live(f"=SUMIF({summed},{{id}},{whole(working, key)})", Length(us)) if totals else None
                        for key, us in sums.items()
                    ),
                    identity if totals else None,
                    *self._over_all(row.results, sums),
                    Live(f"=SUMIF({said},{{id}},{amount})", proposed),
                    proposed,
                    self.checked("proposals", "proposed", CENT_SLACK),
                )
            )
        return Table(
            name=self.w("per_clause"),
            table="PerNorm",
            title=self.w("per_clause"),
            about=self.about("times", "no_verdict", "before_caps"),
            columns=columns,
            rows=cells,
            empty=self.w("no_clauses"),
            sum_title=self.w("sum"),
        )

    def _over_all(self, results: Sequence[ClauseResult], sums: dict[str, int]) -> tuple[Cell, ...]:
        """The share of the measured time of all periods together; it decides nothing."""
        known = sum(sums[key] for key in MEASURED)
        clauses = [result.clause for result in results]
        if not known or not all(isinstance(one, AvailabilityClause) and one.formula == "measured" for one in clauses):
            return None, None, None
        # A weighted mean over journeys does not follow from the classes of all of them together.
        if any(isinstance(one, AvailabilityClause) and not isinstance(one.combine, str) for one in clauses):
            return None, None, None
        value = Ratio(Fraction(sums["up"] + sums["degraded"], known))
        return (
            Live("=({up}+{degraded})/({up}+{degraded}+{down})", value),
            value,
            self.checked("live", "decided", RATIO_SLACK),
        )

    def findings(self, found: Overview) -> Table:
        return Table(
            name=self.w("findings"),
            table="Vaststellingen",
            title=self.words("overview.decided"),
            about=self.about("people_decide"),
            columns=(
                self.column("findings", 24),
                self.column("period", 14),
                self.column("clauses", 20, wrap=True),
                self.column("stands", 60, wrap=True),
                self.column("decided_amount", 20, sums=True),
            ),
            rows=[
                (
                    one.document or self.words("overview.entry", number=one.number),
                    one.period,
                    ", ".join(one.clauses),
                    one.told.in_(self.words.language),
                    decided(one),
                )
                for one in found.procedures
            ],
            empty=self.words("overview.no_procedures"),
            sum_title=self.w("sum"),
        )

    def budgets(self, standings: Sequence[Standing]) -> Table:
        rows = []
        for one in standings:
            allowed: tuple[Cell, ...] = (None, None, None, None, None)
            if one.budget is not None:
                budget = one.budget
                allowed = (
                    Length(budget.allowed_us),
                    Length(budget.allowed_us - budget.left_us),
                    Live("={allowed}-{used}", Length(budget.left_us)),
                    Length(budget.left_us),
                    self.checked("left_live", "left", SECOND_SLACK),
                )
            rows.append(
                (
                    one.result.clause.id,
                    self.say.name(one.result.clause),
                    self.say.promise(one.result.clause),
                    self.say.figure(one.result),
                    self.words(f"verdict.{one.result.verdict.value}"),
                    *allowed,
                    self.reasons(one.result.reasons),
                )
            )
        return Table(
            name=self.w("standing"),
            table="Stand",
            title=self.w("standing"),
            about=self.about("times", "live"),
            columns=(
                self.column("id", 10),
                self.column("about", 38, wrap=True),
                self.column("promised", 24, wrap=True),
                self.column("measured", 24, wrap=True),
                self.column("verdict", 20),
                self.column("allowed", 16),
                self.column("used", 16),
                self.column("left_live", 16, title=f"{self.w('left')}: {self.w('formula')}"),
                self.column("left", 16, title=f"{self.w('left')}: {self.w('decided')}"),
                self.column("left_check", 14, title=f"{self.w('left')}: {self.w('checked')}"),
                self.column("reasons", 70, wrap=True),
            ),
            rows=rows,
            empty=self.w("no_clauses"),
        )


# --- one outage ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counting(ReportSheets):
    """How the time of one outage counts."""

    def key(self, share: ClauseShare) -> str:
        """A clause in one period under one version."""
        result = share.result
        return f"{result.clause.id} · v{result.version.number} · {self.numbers.local(result.period.start_us):%d/%m/%Y}"

    def shares(self, found: Dossier, stretches: Table) -> Table:
        key, counted, lengths = (whole(stretches, name) for name in ("share_key", "counted_as", "length_decided"))
        rows = []
        for share in found.shares:
            each = {name: share.length_us(name) for name in COUNTED}
            check: tuple[Cell, Cell] = (None, self.w("counted_else"))
            if share.known_here and share.counted_us == each["down"]:
                check = (self.checked("class_down", "counted_here", SECOND_SLACK), "")
            parts = "+".join(f"{{class_{name}}}" for name in COUNTED)
            total = Length(sum(each.values()))
            rows.append(
                (
                    self.key(share),
                    self.say.name(share.result.clause),
                    *(
                        Live(
                            f'=SUMIFS({lengths},{key},{{share_key}},{counted},"{self.words.of("counted", name)}")',
                            Length(us),
                        )
                        for name, us in each.items()
                    ),
                    Live(f"={parts}", total),
                    Length(share.counted_us),
                    *check,
                    Length(share.sanctioned_us),
                )
            )
        return Table(
            name=self.w("shares"),
            table="PerNorm",
            title=self.words("dossier.counting"),
            about=self.about("times", "live"),
            columns=(
                self.column("share_key", 30),
                self.column("about", 38, wrap=True),
                *(self.column(f"class_{name}", 16, title=f"{self.words.of('counted', name)} (s)") for name in COUNTED),
                self.column("together", 16),
                self.column("counted_here", 18),
                self.column("counted_check", 16),
                self.column("remark", 40, wrap=True),
                self.column("for_sanction", 18),
            ),
            rows=rows,
            empty=self.words("dossier.counting_none"),
        )

    def stretches(self, found: Dossier) -> Table:
        why = Why(words=self.words)
        rows = [
            (
                self.key(share),
                self.local(stretch.span.start_us),
                self.local(stretch.span.end_us),
                Instant(stretch.span.start_us, "UTC"),
                Instant(stretch.span.end_us, "UTC"),
                self.words.of("counted", stretch.counted),
                Live(LENGTH_UTC, Length(stretch.span.length_us)),
                Length(stretch.span.length_us),
                self.checked("length_live", "length_decided", SECOND_SLACK),
                why(stretch, share),
            )
            for share in found.shares
            for stretch in share.stretches
        ]
        return Table(
            name=self.w("stretches"),
            table="Stukken",
            title=self.w("stretches"),
            about=self.about("times", "live"),
            columns=(
                self.column("share_key", 30),
                *(self.column(name, 20) for name in ("from", "until", "from_utc", "until_utc")),
                self.column("counted_as", 22),
                self.column("length_live", 13, title=f"{self.w('length')}: {self.w('formula')}"),
                self.column("length_decided", 13, title=f"{self.w('length')}: {self.w('decided')}"),
                self.column("length_check", 12, title=f"{self.w('length')}: {self.w('checked')}"),
                self.column("why", 70, wrap=True),
            ),
            rows=rows,
            empty=self.words("dossier.counting_none"),
        )

    def samples(self, found: Dossier) -> Table:
        return Table(
            name=self.w("samples_sheet"),
            table="Metingen",
            title=self.words("dossier.samples"),
            about=self.about("times"),
            columns=(
                self.column("place", 18),
                self.column("due", 20),
                self.column("outcome", 16),
                self.column("duration", 14),
                self.column("attempts", 12, sums=True),
                self.column("failure", 60, wrap=True),
            ),
            rows=[
                (
                    run.location,
                    self.local(run.due_us),
                    self.words.of("counted", run.outcome),
                    Length(run.duration_us),
                    run.attempts,
                    "" if run.told is None else run.told.in_(self.words.language),
                )
                for run in found.runs
            ],
            sum_title=self.w("sum"),
        )
