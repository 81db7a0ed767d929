"""A draft of findings (proces-verbaal van vaststelling): facts only, for a person to read, complete, sign and send.

The program never sends it and never decides. What cannot carry a sanction is refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sla.assessment import Assessment, ClauseResult, OutageResult, Verdict, WindowDecision
from sla.contract import CoverageClause
from sla.intervals import IntervalSet
from sla.report import Report


class FindingsRefused(ValueError):  # noqa: N818 - the house names a refusal by what happened
    """No findings can be drafted on this; the message says why, clause by clause, and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseFinding:
    """One clause that was not met, with the outages that count in it.

    Attributes:
        outages: in order of their start; empty for a clause that does not count time.
        on_its_own: whether the miss is presumed the supplier's fault; False for best efforts, where the authority must
            prove it.
    """

    result: ClauseResult
    outages: tuple[OutageResult, ...]

    @property
    def on_its_own(self) -> bool:
        return self.result.clause.obligation == "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything a draft of findings says. Two equal ones give the same bytes in every form.

    Attributes:
        report: number, dates, contract and names, as every document has them; its assessment is the period's.
        about: outages that were chosen; empty where all that count in the clauses are meant.
        kept_out: outages of the same journeys that are not held against the supplier, or only in part.
        decisions: announcements and exclusions in the period that touch a journey of these clauses.
    """

    report: Report
    clauses: tuple[ClauseFinding, ...]
    about: tuple[str, ...]
    kept_out: tuple[OutageResult, ...]
    decisions: tuple[WindowDecision, ...]

    @property
    def outages(self) -> tuple[OutageResult, ...]:
        """Every outage in it, once, by its start."""
        found = {o.id: o for clause in self.clauses for o in clause.outages}
        return tuple(sorted(found.values(), key=lambda o: (o.first_bad_us, o.id)))

    @property
    def has_best_efforts(self) -> bool:
        return any(not clause.on_its_own for clause in self.clauses)

    @property
    def clause_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(clause.result.clause.id for clause in self.clauses))


def draw_up(
    report: Report,
    *,
    clauses: Sequence[str] = (),
    outages: Sequence[str] = (),
    best_efforts_too: bool = False,
) -> Findings:
    """The draft on a period's assessment.

    Args:
        report: on the period; it lends the draft its number, dates and names.
        clauses: ids; empty takes every clause that was missed and can carry a sanction.
        outages: ids of outages to speak of; empty takes all that count.
        best_efforts_too: clauses of best efforts are let in, with the words that fault must be proven.

    Raises:
        FindingsRefused: the period is not over, a name is unknown, or a clause was not missed or cannot carry findings.
    """
    assessment = report.assessment
    if report.is_provisional:
        raise FindingsRefused("the period is not over yet; findings need what is final. Draft them when it is over")
    chosen = _chosen(assessment, clauses, best_efforts_too=best_efforts_too)
    known = {o.id: o for o in assessment.outages}
    for name in outages:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise FindingsRefused(f'there is no outage "{name}" in this period; there are: {listed}')
    found = tuple(
        ClauseFinding(
            result=result,
            outages=tuple(
                o
                for o in sorted(assessment.outages, key=lambda o: (o.first_bad_us, o.id))
                if o.id in result.outages and result.clause.id in o.counted and (not outages or o.id in outages)
            ),
        )
        for result in chosen
    )
    for name in outages:
        if not any(name == o.id for one in found for o in one.outages):
            ids = ", ".join(one.result.clause.id for one in found)
            why = " ".join(reason.en for reason in known[name].reasons)
            raise FindingsRefused(f'outage "{name}" counts in none of the clauses {ids}: {why}')
    journeys = {journey for one in found for journey in one.result.clause.scope}
    held = {o.id for one in found for o in one.outages}
    presumed = {o.id for one in found if one.on_its_own for o in one.outages}
    return Findings(
        report=report,
        clauses=found,
        about=tuple(outages),
        kept_out=tuple(
            o
            for o in sorted(assessment.outages, key=lambda o: (o.first_bad_us, o.id))
            if o.journey in journeys
            and (o.id not in held or o.excluded_us or (o.id in presumed and not o.sanctionable))
        ),
        decisions=tuple(
            d
            for d in assessment.windows
            if (not d.scope or journeys & set(d.scope))
            and IntervalSet.of((d.claimed,)) & IntervalSet.of((assessment.period,))
        ),
    )


def _chosen(assessment: Assessment, clauses: Sequence[str], *, best_efforts_too: bool) -> tuple[ClauseResult, ...]:
    known = dict.fromkeys(result.clause.id for result in assessment.clauses)
    for name in clauses:
        if name not in known:
            raise FindingsRefused(f'there is no clause "{name}" in this period; there are: {", ".join(known)}')
    problems = []
    chosen = []
    for result in assessment.clauses:
        if clauses and result.clause.id not in clauses:
            continue
        why = _why_not(assessment, result, best_efforts_too=best_efforts_too)
        if why is None:
            chosen.append(result)
        elif clauses:
            problems.append(f"{result.clause.id}: {why}")
    # A clause may stand in two versions; one of them that was missed is enough.
    problems = [p for p in problems if p.partition(":")[0] not in {r.clause.id for r in chosen}]
    if problems:
        raise FindingsRefused("\n".join(problems))
    if not chosen:
        reasons = "\n".join(
            f"{r.clause.id}: {_why_not(assessment, r, best_efforts_too=best_efforts_too)}" for r in assessment.clauses
        )
        raise FindingsRefused(f"there is nothing to find against the supplier in this period:\n{reasons}")
    return tuple(chosen)


def _why_not(assessment: Assessment, result: ClauseResult, *, best_efforts_too: bool) -> str | None:
    """Why no findings can rest on a clause; None where they can."""
    clause = result.clause
    if isinstance(clause, CoverageClause):
        return "coverage is our own promise, not the supplier's"
    if result.verdict is Verdict.MET:
        return "it was met; only a clause that was missed can be found against the supplier"
    if result.verdict is Verdict.UNDECIDED:
        return "it is undecided, so it was not found to be missed: " + " ".join(r.en for r in result.reasons)
    if clause.obligation == "best-efforts":
        if best_efforts_too:
            return None
        return (
            "it is a best-efforts obligation: a miss is an indication, and fault must be proven with other facts; "
            "--best-efforts-too drafts it with those words"
        )
    if not result.sanctionable:
        return "it was missed but cannot carry a sanction: " + " ".join(r.en for r in result.reasons)
    counting = [o for o in assessment.outages if o.id in result.outages and clause.id in o.counted]
    if counting and not any(o.sanctionable for o in counting):
        return "none of its outages is held against the supplier: " + " ".join(
            dict.fromkeys(reason.en for o in counting for reason in o.reasons)
        )
    return None
