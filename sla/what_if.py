"""What claims would change: the same period assessed before and after them. Nothing is stored, nothing is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from sla.assess import Worked, journeys_needed, worked_out
from sla.assessment import Assessment, ClauseResult, Span, Text, Verdict
from sla.clauses.finding import NamedOutage
from sla.contract import AvailabilityClause, Contract, CoverageClause, OutageCountClause
from sla.corrections import Correction
from sla.interchange import ratio_text
from sla.ledger import Entry, Sealed, in_force, seal
from sla.measurements import SampleIn, SampleRun, SpanIn, State
from sla.period import instant_text
from sla.promise_clauses import DeliveryClause, MaintenanceClause, ReleaseClause
from sla.wording import euros, length, percent, stretch

_BY = "what-if"


class ClaimRefusedError(ValueError):
    """A claim that speaks of nothing that is there. The message says what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Measurements as `sla.assess.assess` takes them."""

    samples: Iterable[SampleIn | SampleRun] = ()
    spans: Iterable[SpanIn] = ()


#: Gives the measurements that a contract with this ledger needs; asked once for each assessment.
Read = Callable[[Contract, Sequence[Sealed]], Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraExclusion:
    """An exclusion as if it had been decided.

    Attributes:
        scope: journeys; empty means all.
        ground: `force-majeure`, `third-party` or `authority`.
        dependency: with a third party, the journey whose own downtime limits it.
    """

    span: Span
    scope: tuple[str, ...] = ()
    ground: str = ""
    dependency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedClaim:
    """An exclusion in the ledger, claimed or refused until now, as if it had been accepted."""

    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedOutage:
    """A measured outage as if it had been otherwise.

    Attributes:
        outage: its id in the assessment.
        span: as if it had run over this instead; None leaves its place to `state`.
        state: what its time was, where `span` is None; unmeasured time inside it stays unmeasured.
    """

    outage: str
    span: Span | None = None
    state: State = "up"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherContract:
    """Another contract in the place of the one in force."""

    contract: Contract


Claim = ExtraExclusion | AcceptedClaim | CorrectedOutage | Correction | OtherContract


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One clause before and after; None on the side where there is no such clause, version and period."""

    clause: str
    before: ClauseResult | None
    after: ClauseResult | None

    @property
    def differs(self) -> bool:
        return self.before is None or self.after is None or _core(self.before) != _core(self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both assessments, and clause by clause what the claims change.

    Attributes:
        claims: what was supposed, one sentence each.
        remarks: why a supposed exclusion does not, or not wholly, exclude what it asks for.
    """

    before: Assessment
    after: Assessment
    claims: tuple[Text, ...]
    changes: tuple[Change, ...]
    remarks: tuple[Text, ...]

    @property
    def differs(self) -> bool:
        return any(change.differs for change in self.changes)


def what_if(
    contract: Contract,
    *,
    period: Span,
    claims: Sequence[Claim],
    read: Read,
    ledger: Sequence[Sealed] = (),
    as_of_us: int | None = None,
) -> Comparison:
    """The effect of claims on percentage, verdict and amount, before anybody decides on them.

    Args:
        claims: taken together, in their order.
        read: measurements; a contract or an exclusion may need other journeys than before.
        ledger, as_of_us, period: as of `sla.assess.worked_out`, with its errors.

    Raises:
        ClaimRefusedError: a claim names an outage or an entry that is not there.
    """
    before = _assessed(contract, period, read, ledger, as_of_us, ())
    other, corrections = contract, []
    told: list[Text] = []
    timezone = contract.timezone
    supposed = tuple(ledger)
    for claim in claims:
        match claim:
            case ExtraExclusion():
                supposed = _with(supposed, _exclusion(claim, supposed, as_of_us))
            case AcceptedClaim():
                supposed = _with(supposed, _accepted(claim, supposed, as_of_us))
            case CorrectedOutage():
                corrections += _of_outage(claim, before)
            case Correction():
                if claim.journey not in (looked_at := journeys_needed(contract, supposed)):
                    known = ", ".join(looked_at)
                    raise ClaimRefusedError(f'the contract speaks of no journey "{claim.journey}"; known: {known}')
                corrections.append(claim)
            case OtherContract():
                other = claim.contract
        told.append(_told(claim, timezone))
    after = _assessed(other, period, read, supposed, as_of_us, corrections)
    return Comparison(
        before=before.assessment,
        after=after.assessment,
        claims=tuple(told),
        changes=_changes(before.assessment.clauses, after.assessment.clauses),
        remarks=tuple(
            reason
            for decision in after.assessment.windows
            if decision.refused and decision.entry > (ledger[-1].seq if ledger else 0)
            for reason in decision.reasons
        ),
    )


def _assessed(
    contract: Contract,
    period: Span,
    read: Read,
    ledger: Sequence[Sealed],
    as_of_us: int | None,
    corrections: Sequence[Correction],
) -> Worked:
    measured = read(contract, ledger)
    return worked_out(
        contract,
        period=period,
        samples=measured.samples,
        spans=measured.spans,
        ledger=ledger,
        as_of_us=as_of_us,
        corrections=corrections,
    )


# --- claims --------------------------------------------------------------------------------------------------------


def _with(ledger: Sequence[Sealed], entry: Entry) -> tuple[Sealed, ...]:
    return (*ledger, *seal([entry], after=ledger[-1] if ledger else None))


def _now_us(ledger: Sequence[Sealed], as_of_us: int | None) -> int:
    """An instant at which the supposed entry is known in any case."""
    return as_of_us if as_of_us is not None else max((s.entry.recorded_us for s in ledger), default=0)


def _exclusion(claim: ExtraExclusion, ledger: Sequence[Sealed], as_of_us: int | None) -> Entry:
    data = {"ground": claim.ground, "dependency": claim.dependency}
    return Entry(
        kind="exclusion",
        recorded_us=_now_us(ledger, as_of_us),
        by=_BY,
        reason=_BY,
        from_us=claim.span.start_us,
        until_us=claim.span.end_us,
        scope=claim.scope,
        data={key: value for key, value in data.items() if value},
    )


def _accepted(claim: AcceptedClaim, ledger: Sequence[Sealed], as_of_us: int | None) -> Entry:
    claimed = {s.seq: s.entry for s in in_force(ledger) if s.entry.kind.startswith("exclusion")}
    if claim.entry not in claimed:
        known = ", ".join(map(str, claimed)) or "none"
        raise ClaimRefusedError(f"entry {claim.entry} is no exclusion in force; exclusions in the ledger: {known}")
    entry = _whole(claimed[claim.entry], {s.seq: s.entry for s in ledger})
    if entry.from_us is None or entry.until_us is None:
        raise ClaimRefusedError(f"entry {claim.entry} names no time that it would exclude")
    return replace(
        entry,
        kind="exclusion",
        recorded_us=_now_us(ledger, as_of_us),
        data={**entry.data, "status": "accepted"},
        supersedes=claim.entry,
    )


def _whole(entry: Entry, by_seq: Mapping[int, Entry]) -> Entry:
    """An answer to a claim with the times, scope and data it leaves out taken from the claim."""
    while entry.from_us is None and (claim := by_seq.get(entry.supersedes or 0)) is not None:
        entry = replace(
            entry,
            from_us=claim.from_us,
            until_us=claim.until_us,
            scope=entry.scope or claim.scope,
            data={**claim.data, **entry.data},
            supersedes=claim.supersedes,
        )
    return entry


def _of_outage(claim: CorrectedOutage, before: Worked) -> list[Correction]:
    found: dict[str, NamedOutage] = {o.id: o for outages in before.outages.values() for o in outages}
    shown = {o.id for o in before.assessment.outages}
    if claim.outage not in shown:
        raise ClaimRefusedError(f'there is no outage "{claim.outage}" in this period; {_known(claim.outage, shown)}')
    outage = found[claim.outage]
    whole = outage.raw.span("widest")
    place = Span(start_us=whole.start_us, end_us=max(whole.end_us, outage.raw.first_bad_us + 1))
    if claim.span is None:
        return [Correction(journey=outage.journey, span=place, state=claim.state, measured_only=True)]
    return [
        Correction(journey=outage.journey, span=place, state="up", measured_only=True),
        Correction(journey=outage.journey, span=claim.span, state="down"),
    ]


_SHOWN = 10


def _known(outage: str, shown: Iterable[str]) -> str:
    """Some ids that could have been meant, those of the same journey first."""
    journey = outage.rpartition("-")[0]
    found = sorted(shown, key=lambda name: (not name.startswith(f"{journey}-"), name))
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"outages: {', '.join(found[:_SHOWN]) or 'none'}{more}"


_STATE = {
    "up": Text(nl="beschikbaar", en="up"),
    "degraded": Text(nl="verstoord", en="degraded"),
    "down": Text(nl="onbeschikbaar", en="down"),
    "unmeasured": Text(nl="niet gemeten", en="unmeasured"),
}


def _told(claim: Claim, timezone: str) -> Text:
    match claim:
        case ExtraExclusion():
            when = stretch(claim.span.start_us, claim.span.end_us, timezone)
            scope_nl, scope_en = (", ".join(claim.scope),) * 2 if claim.scope else ("alle reizen", "all journeys")
            ground = f" ({claim.ground})" if claim.ground else ""
            only = Text(nl="", en="")
            if claim.dependency:
                only = Text(
                    nl=f", voor zover {claim.dependency} zelf uitviel",
                    en=f", as far as {claim.dependency} was down itself",
                )
            return Text(
                nl=f"Uitgesloten voor {scope_nl}{ground}: {when.nl}{only.nl}.",
                en=f"Excluded for {scope_en}{ground}: {when.en}{only.en}.",
            )
        case AcceptedClaim():
            return Text(nl=f"Uitsluiting nr. {claim.entry} aanvaard.", en=f"Exclusion no. {claim.entry} accepted.")
        case CorrectedOutage():
            if claim.span is None:
                state = _STATE[claim.state]
                return Text(
                    nl=f"Storing {claim.outage} telt als {state.nl}.", en=f"Outage {claim.outage} counts as {state.en}."
                )
            when = stretch(claim.span.start_us, claim.span.end_us, timezone)
            return Text(
                nl=f"Storing {claim.outage} duurde van {when.nl}.", en=f"Outage {claim.outage} lasted from {when.en}."
            )
        case Correction():
            when, state = stretch(claim.span.start_us, claim.span.end_us, timezone), _STATE[claim.state]
            return Text(
                nl=f"{claim.journey} was {state.nl} van {when.nl}.",
                en=f"{claim.journey} was {state.en} from {when.en}.",
            )
        case OtherContract():
            name = claim.contract.contract
            return Text(nl=f"Contract {name} in de plaats.", en=f"Contract {name} in its place.")


# --- before and after ----------------------------------------------------------------------------------------------


def _core(result: ClauseResult) -> tuple[object, ...]:
    return (
        result.measured,
        result.availability,
        result.verdict,
        result.sanction.amount_eur,
        result.target,
        result.totals,
    )


def _changes(before: Sequence[ClauseResult], after: Sequence[ClauseResult]) -> tuple[Change, ...]:
    """Clauses side by side: by id and period, and where a clause came more than once, in their order."""

    def keyed(results: Sequence[ClauseResult]) -> dict[tuple[str, int], ClauseResult]:
        found: dict[tuple[str, int], ClauseResult] = {}
        for result in results:
            number = sum(id_ == result.clause.id for id_, _ in found)
            found[result.clause.id, number] = result
        return found

    old, new = keyed(before), keyed(after)
    return tuple(Change(clause=key[0], before=old.get(key), after=new.get(key)) for key in dict.fromkeys((*old, *new)))


VERDICTS = {
    Verdict.MET: Text(nl="gehaald", en="met"),
    Verdict.MISSED: Text(nl="niet gehaald", en="missed"),
    Verdict.UNDECIDED: Text(nl="niet te beoordelen", en="undecided"),
}


def figure(result: ClauseResult | None) -> Text:
    """What a clause was judged by, in words: a percentage with its cut decimals, a length of time, or a number."""
    if result is None:
        return Text(nl="-", en="-")
    if result.measured is None:
        return Text(nl="niet gemeten", en="unmeasured")
    if isinstance(result.clause, AvailabilityClause | CoverageClause):
        return percent(Fraction(result.measured), result.clause.decimals)
    if isinstance(result.clause, OutageCountClause | MaintenanceClause | ReleaseClause | DeliveryClause):
        return Text(nl=str(result.measured), en=str(result.measured))
    return length(int(result.measured))


def verdict(result: ClauseResult | None) -> Text:
    return Text(nl="-", en="-") if result is None else VERDICTS[result.verdict]


def amount(result: ClauseResult | None) -> Text:
    return Text(nl="-", en="-") if result is None else euros(result.sanction.amount_eur)


def comparison_json(found: Comparison, language: Literal["nl", "en"] = "nl") -> dict[str, Any]:
    """A comparison for programs: ratios as decimal strings, money as strings, sentences in one language."""
    return {
        "contract": {"before": found.before.contract.contract, "after": found.after.contract.contract},
        "claims": [claim.in_(language) for claim in found.claims],
        "remarks": [remark.in_(language) for remark in found.remarks],
        "clauses": [
            {
                "id": c.clause,
                "differs": c.differs,
                "before": _side(c.before, found.before.contract.timezone, language),
                "after": _side(c.after, found.after.contract.timezone, language),
            }
            for c in found.changes
        ],
        "amount_eur": {
            "before": _money(found.before.total.amount_eur),
            "after": _money(found.after.total.amount_eur),
            "difference": _money(found.after.total.amount_eur - found.before.total.amount_eur),
        },
        "stored": False,
    }


def _money(value: Decimal) -> str:
    return f"{value:.2f}"


def _side(result: ClauseResult | None, zone: str, language: str) -> dict[str, Any] | None:
    if result is None:
        return None
    bounds = result.availability
    return {
        "version": result.version.number,
        "period": {"from": instant_text(result.period.start_us, zone), "to": instant_text(result.period.end_us, zone)},
        "availability": None
        if bounds is None
        else {
            "lowest": ratio_text(bounds.lowest),
            "point": ratio_text(bounds.point),
            "highest": ratio_text(bounds.highest),
        },
        "figure": figure(result).in_(language),
        "verdict": result.verdict.value,
        "amount_eur": _money(result.sanction.amount_eur),
        "reasons": [r.in_(language) for r in result.reasons],
    }
