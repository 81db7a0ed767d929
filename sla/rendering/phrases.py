"""What a contract says, in a reader's words: windows, rules, amounts, figures and promises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from babel.dates import get_day_names, get_month_names

from sla.assessment import Assessment, Availability, ClauseResult, Text, Totals, Verdict
from sla.commitment import CountsTime, Weighted
from sla.contract import (
    AvailabilityClause,
    Clause,
    CoverageClause,
    OutageCountClause,
    OutageDurationClause,
    ResponseTimeClause,
    Version,
)
from sla.contract_text import DAYS, Blackout, Budget, DueRule, Notice, Recurrence, WeeklySpan
from sla.period import local_date
from sla.promise_clauses import CaseClause, DeliveryClause, MaintenanceClause, PromiseClause, ReleaseClause
from sla.rendering.sanction_phrases import SanctionPhrases

FORMULA_KEYS = ("point", "lowest", "highest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One value of a formula: what it is worth, and the same with its numbers filled in."""

    name: str
    top: str
    bottom: str
    ratio: str
    percent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases(SanctionPhrases):
    """Sentences about one assessment in one language.

    Attributes:
        titles: per journey its name in Dutch and English; a journey without one goes by its id.
    """

    assessment: Assessment
    titles: Mapping[str, tuple[str, str]]

    # --- the contract's own terms ----------------------------------------------------------------------------------

    def journey(self, journey: str) -> str:
        nl, en = self.titles.get(journey, (journey, journey))
        return Text(nl=nl, en=en).in_(self.words.language)

    def journeys(self, scope: tuple[str, ...]) -> str:
        return ", ".join(self.journey(name) for name in scope) if scope else self.words("coverage.all")

    def weekly(self, span: WeeklySpan) -> str:
        """`mon-fri 07:30-19:00` as `ma–vr 07:30–19:00`."""
        short = get_day_names("abbreviated", locale=self.numbers.locale)
        names = {code: short[index].rstrip(".") for index, code in enumerate(DAYS)}
        days, _, hours = span.text.partition(" ")
        days = re.sub("|".join(DAYS), lambda found: names[found[0]], days)
        return f"{days.replace('-', '–')} {hours.replace('-', '–')}"

    def window(self, version: Version, name: str | None) -> str:
        """The hours of a window; day and night where a clause has none."""
        if name is None:
            return self.words("working.always")
        window = version.windows[name]
        if window.weekly is None:
            inner = version.windows[str(window.outside)]
            return self.words("working.outside", window=f"{window.outside} ({self._hours(inner.weekly or ())})")
        hours = self._hours(window.weekly)
        holidays = self.words(f"working.holidays_{window.holidays}")
        return f"{hours}; {holidays}" if window.weekly else hours

    def _hours(self, spans: tuple[WeeklySpan, ...]) -> str:
        return ", ".join(self.weekly(span) for span in spans) if spans else self.words("working.no_time")

    def recurrence(self, every: Recurrence) -> str:
        return self.words(f"unit.{every.unit}", days=every.days)

    def notice(self, notice: Notice) -> str:
        return self.words(f"unit.{notice.unit.replace(' ', '_')}", count=notice.count)

    def budget(self, budget: Budget) -> str:
        return self.words(
            "unit.per", length=self.numbers.duration(budget.length_us), unit=self.words(f"unit.{budget.unit}")
        )

    def blackout(self, blackout: Blackout) -> str:
        if blackout.last_days:
            return self.words("unit.last_days", count=blackout.last_days)
        months = get_month_names("wide", locale=self.numbers.locale)
        first, last = (f"{day} {months[month]}" for month, day in (blackout.first, blackout.last))
        return first if first == last else self.words("unit.from_to", first=first, last=last)

    def due(self, rule: DueRule) -> str:
        """`monthly, 5th working day` in the reader's words."""
        if rule.unit == "week":
            return self.words("promise.weekly" if rule.every == 1 else "promise.weeks", count=rule.every)
        which = self.words("promise.nth_working" if rule.working else "promise.nth", nth=rule.nth)
        return self.words(f"promise.each_{rule.unit}", day=which)

    def _release(self, clause: ReleaseClause) -> str:
        told = []
        if clause.notice is not None:
            told.append(self.words("promise.ahead", notice=self.notice(clause.notice)))
        if clause.window is not None:
            told.append(self.words("promise.not_inside", window=clause.window))
        return ", ".join(told)

    def maintenance_rules(self, version: Version) -> tuple[str, ...]:
        """What the contract allows of maintenance, one rule a sentence; empty where it excludes none."""
        rules = version.maintenance
        if rules is None:
            return ()
        told = []
        if rules.notice is not None:
            told.append(self.words("decisions.rule_notice", notice=self.notice(rules.notice)))
        if rules.allowed is not None:
            told.append(self.words("decisions.rule_allowed", hours=self._hours(rules.allowed)))
        if rules.budget is not None:
            told.append(self.words("decisions.rule_budget", budget=self.budget(rules.budget)))
        if rules.blackout:
            days = ", ".join(self.blackout(days) for days in rules.blackout)
            told.append(self.words("decisions.rule_blackout", days=days))
        return tuple(told)

    def counting_rules(self, clause: Clause) -> tuple[str, ...]:
        """How samples became outages in this clause; empty for clauses that do not count time."""
        if not isinstance(clause, CountsTime):
            return ()
        told = []
        if isinstance(clause.combine, Weighted):
            weights = ", ".join(f"{self.journey(j)} {w}" for j, w in clause.combine.weighted.items())
            told.append(self.words("working.combined_weighted", weights=weights))
        elif len(clause.scope) > 1:
            told.append(self.words(f"working.combined_{clause.combine}"))
        told.append(self.words("working.confirmed", count=clause.confirm_after))
        told.append(self.words(f"working.boundary_{clause.boundary}"))
        told.append(self.words(f"working.degraded_{clause.degraded}"))
        return tuple(told)

    def name(self, clause: Clause) -> str:
        """What a clause is about, in a few words: `Beschikbaarheid, Indienen`."""
        if isinstance(clause, DeliveryClause):
            return f"{self.words('kind.delivery')}, {clause.document}"
        told = f"{self.words(f'kind.{clause.kind}')}, {self.journeys(clause.scope)}"
        if isinstance(clause, CaseClause):
            told += f" ({clause.priority})"
        if isinstance(clause, ResponseTimeClause) and clause.step:
            told += f" ({self.words('working.step').lower()} {clause.step})"
        return told

    def anchor(self, result: ClauseResult) -> str:
        """A fragment that is one result's own, also where a clause was assessed piecewise."""
        index = next(i for i, each in enumerate(self.assessment.clauses) if each is result)
        return f"c{index + 1}"

    def in_grace(self, result: ClauseResult) -> bool:
        """Whether a part of the clause's period lies in the stabilisation period of its version."""
        until = result.version.grace_until
        return until is not None and local_date(result.period.start_us, self.assessment.contract.timezone) <= until

    def share(self, part_us: int, whole_us: int) -> str:
        """Part of a whole as a cut percentage; nothing of nothing is no share."""
        return self.numbers.percent(Fraction(part_us, whole_us), least=4) if whole_us else "–"

    # --- promises and figures --------------------------------------------------------------------------------------

    def promise(self, clause: Clause) -> str:
        """What was agreed, as a bound: `minstens 99,3 %`."""
        match clause:
            case AvailabilityClause() | CoverageClause():
                return self.words("verdict.at_least", value=self.numbers.norm_percent(clause.target))
            case OutageCountClause():
                return self.words("verdict.at_most", value=self.numbers.decimal(clause.limit))
            case ResponseTimeClause():
                value = f"{self.numbers.duration(clause.limit)} (p{clause.percentile})"
                return self.words("verdict.at_most", value=value)
            case OutageDurationClause() | CaseClause():
                return self.words("verdict.at_most", value=self.numbers.duration(clause.limit))
            case MaintenanceClause():
                return self.words("promise.as_agreed")
            case ReleaseClause():
                return self._release(clause)
            case DeliveryClause():
                return self.words("promise.on_time", due=self.due(clause.due))

    def figure(self, result: ClauseResult) -> str:
        """The measured figure, cut to its own side of the norm; `niet gemeten` where there is none."""
        clause, measured = result.clause, result.measured
        if isinstance(clause, PromiseClause) and not result.cases:
            return self.words(f"promise.none_{clause.kind}")
        if measured is None:
            return self.words("frame.not_measured")
        match clause:
            case AvailabilityClause() | CoverageClause():
                return self.numbers.percent(Fraction(measured), clause.target, least=clause.decimals)
            case OutageCountClause():
                return self.numbers.decimal(int(measured))
            case ResponseTimeClause():
                return self.numbers.response(int(measured))
            case MaintenanceClause() | ReleaseClause() | DeliveryClause():
                return self.words("promise.broken", count=int(measured), total=len(result.cases))
            case _:
                return self.numbers.duration(int(measured))

    def margin(self, result: ClauseResult) -> str | None:
        """`tussen … en …` where unmeasured time leaves room; None where the figure is sure."""
        found = result.availability
        if found is None or found.lowest is None or found.highest is None or found.lowest == found.highest:
            return None
        target = result.target if isinstance(result.target, Fraction) else None
        lowest, highest = (
            self.numbers.percent(value, target, least=result.clause.decimals) for value in (found.lowest, found.highest)
        )
        return None if lowest == highest else self.words("verdict.between", lowest=lowest, highest=highest)

    def is_withheld(self, result: ClauseResult) -> bool:
        """Whether the figure alone would decide, and something else (coverage, a period that goes on) keeps it open."""
        found, target = result.availability, result.target
        if result.verdict is not Verdict.UNDECIDED or found is None or not isinstance(target, Fraction):
            return False
        if found.lowest is None or found.highest is None:
            return False
        return found.lowest >= target or found.highest < target

    def versus(self, result: ClauseResult) -> str:
        """How the figure stands to the norm, in one sentence; empty where nothing was measured."""
        found, target = result.availability, result.target
        if found is None or found.lowest is None or found.highest is None or not isinstance(target, Fraction):
            return ""
        kind = "withheld" if self.is_withheld(result) else result.verdict.value
        least = result.clause.decimals
        return self.words(
            f"working.versus_{kind}",
            lowest=self.numbers.percent(found.lowest, target, least=least),
            highest=self.numbers.percent(found.highest, target, least=least),
            target=self.numbers.norm_percent(target),
        )

    def is_indication(self, result: ClauseResult) -> bool:
        """Whether a miss proves nothing yet: of a best-efforts obligation the authority must prove fault."""
        return result.verdict is Verdict.MISSED and result.clause.obligation == "best-efforts"

    def obligation(self, result: ClauseResult) -> str:
        kind = result.clause.obligation.replace("-", "_")
        return self.words(f"obligation.{kind}_{result.verdict.value}")

    def formula(self, result: ClauseResult) -> tuple[Term, ...]:
        """Point, lowest and highest availability with the numbers filled in.

        Empty where the figures do not follow from the classes (a weighted mean): then no formula is pretended.
        """
        clause, totals, found = result.clause, result.totals, result.availability
        if not isinstance(clause, AvailabilityClause) or totals is None or found is None:
            return ()
        parts = formula_parts(clause, totals)
        if not agrees(parts, found):
            return ()
        return tuple(
            self._term(key, top, bottom, clause)
            for key, (top, bottom) in zip(FORMULA_KEYS, parts, strict=True)
            if key == "point" or found.lowest != found.highest
        )

    def _term(self, key: str, top: tuple[int, ...], bottom: tuple[int, ...], clause: AvailabilityClause) -> Term:
        exact = Fraction(sum(top), sum(bottom))
        decimals = max(6, clause.decimals + 4)
        return Term(
            name=self.words(f"working.formula_{key}"),
            top=self._sum(top),
            bottom=self._sum(bottom),
            ratio=self.numbers.ratio(exact, decimals) + ("" if (exact * 10**decimals).denominator == 1 else "…"),
            percent=self.numbers.percent(exact, clause.target, least=clause.decimals),
        )

    def _sum(self, parts: tuple[int, ...]) -> str:
        text = self.numbers.seconds(parts[0])
        for part in parts[1:]:
            text += f" {'−' if part < 0 else '+'} {self.numbers.seconds(abs(part))}"
        return text

    def failure(self, code: str) -> str:
        """`http-status submit` as `foutcode van de server, in stap submit`."""
        kind, _, step = code.partition(" ")
        told = self.words.of("failure", kind)
        return self.words("failure.in_step", failure=told, step=step) if step else told


Sum = tuple[int, ...]


def formula_parts(clause: AvailabilityClause, totals: Totals) -> tuple[tuple[Sum, Sum], ...]:
    """Numerator and denominator of point, lowest and highest, as terms in microseconds; empty without measured time.

    Time that the clause counts as down for being degraded is in `down_us` already.
    """
    good: Sum = (totals.up_us, totals.degraded_us)
    measured: Sum = (*good, totals.down_us)
    if not sum(measured):
        return ()
    if clause.formula == "of-service-time":
        whole: Sum = (totals.service_us,)
        return (((totals.service_us, -totals.down_us), whole),) * 3
    everything: Sum = (*measured, totals.unmeasured_us)
    return ((good, measured), (good, everything), ((*good, totals.unmeasured_us), everything))


def agrees(parts: tuple[tuple[Sum, Sum], ...], found: Availability) -> bool:
    """Whether the formula yields exactly the figures that were assessed."""
    exact = (found.point, found.lowest, found.highest)
    return len(parts) == len(exact) and all(
        figure is not None and Fraction(sum(top), sum(bottom)) == figure
        for (top, bottom), figure in zip(parts, exact, strict=True)
    )
