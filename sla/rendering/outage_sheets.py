"""Sheets about what happened: outages with their edges, announcements and exclusions with their answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sla.assessment import OutageResult, WindowDecision
from sla.rendering.sheets import SECOND_SLACK, Sheets
from sla.rendering.workbook import Cell, Instant, Length, Live, Table, Toned


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageSheets(Sheets):
    """The outages and decisions of an assessment."""

    def counted_ids(self) -> Sequence[str]:
        """Clauses that count time, in the order of their columns."""
        return list(dict.fromkeys(result.clause.id for result in self.report.assessment.clauses if result.totals))

    def outages(self) -> Table:
        ids = self.counted_ids()
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
            *([self.column("share", 16, sums=True)] if self.money else []),
            self.column("reasons", 70, wrap=True),
        )
        ordered = sorted(
            self.report.assessment.outages, key=lambda outage: (outage.first_bad_us, outage.journey, outage.id)
        )
        return Table(
            name=self.w("outages"),
            table="Storingen",
            title=self.words("outages.title"),
            about=self.about("times", *(["proposal"] if self.money else [])),
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
            *([outage.amount_eur] if self.money else []),
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
