"""What other systems would have said of the same measurements, so that a supplier's own figure can be reconciled.

Round the clock, without anything of the contract: no service hours, no confirmation, no quorum, no exclusions decided
afterwards. Every result counts at once, and each location is a monitor of its own. Maintenance that was announced is a
downtime in those that know downtimes, whether or not the contract grants it. Between two results the last state holds,
however long nothing was checked.

Where each rule comes from (files of `tests/cases/data`):
    Icinga: `icingadb.json`, its `semantics` and cases.
    Nagios: `nagios.json`: its cases tell which second has which state. Its percentage of known time follows from them.
    Uptime Kuma: `uptime_kuma.json`, its `semantics` and cases.
    Upptime: `upptime.json` and `upptime_shares.json`: histories, with the minutes and shares their users were told.
    Zabbix: its authors publish no case with figures. The definition is that of `sla.getsli` in its manual (uptime and
        downtime, each less the excluded downtimes); that the last state holds where there is no result is our reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sla.assessment import Assessment, JourneyTimeline, Text
from sla.interchange import ratio_text
from sla.intervals import EMPTY, IntervalSet, Span
from sla.measurements import Outcome, SampleIn, SpanIn, union

_UPPTIME_FORGIVES_US = 15 * 60 * 1_000_000
_DAY_US = 86_400 * 1_000_000

Held = Mapping[Outcome, IntervalSet]
"""Per state the time in which it was the last one known; disjoint. Time in none of them is before the first result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerFigure:
    """What one other system would have said of one journey.

    Attributes:
        location: the location whose results these are; empty where they name none.
        ratio: exact, in [0, 1]; None where the peer would have no figure.
        ours: our own figure of the journey round the clock, all locations together, by the rule of the first clause
            about it; not a clause's, for it knows no service hours. None where nothing was measured.
        why: why the two may differ.
    """

    peer: str
    journey: str
    location: str
    ratio: Fraction | None
    ours: Fraction | None
    why: Text


def compare(
    found: Assessment, *, samples: Iterable[SampleIn] = (), spans: Iterable[SpanIn] = ()
) -> tuple[PeerFigure, ...]:
    """The figures of five other systems per journey of the contract and location, over the assessment's period.

    Args:
        found: what `sla.assess.assess` said of the same samples and spans; as it, we do not know what came after its
            `as_of_us`.
        samples: ascending within each journey and location.
    """
    names = found.contract.journeys()
    known = found.as_of_us
    sampled: dict[tuple[str, str], list[SampleIn]] = {}
    for sample in samples:
        if sample.journey in names and (known is None or sample.due_us <= known):
            sampled.setdefault((sample.journey, sample.location), []).append(sample)
    settled: dict[str, list[SpanIn]] = {}
    for span in spans:
        if span.journey in names and (known is None or span.start_us < known):
            settled.setdefault(span.journey, []).append(span)
    ours = {t.journey: _ours(t) for t in found.timelines}
    figures = []
    for journey in names:
        downtimes = IntervalSet.of(
            w.claimed for w in found.windows if w.kind == "maintenance" and (not w.scope or journey in w.scope)
        )
        for location in sorted(at for name, at in sampled if name == journey) or [""]:
            results = sampled.get((journey, location), [])
            stretches = sorted(settled.get(journey, ()), key=lambda s: s.start_us)
            held = held_states(
                [
                    *((s.due_us, s.outcome) for s in results),
                    *((s.start_us, s.state) for s in stretches if s.state != "unmeasured"),
                ],
                until_us=found.period.end_us,
            )
            counted = uptime_kuma(results, downtimes, found.period)
            said: tuple[tuple[str, Fraction | None, Text], ...] = (
                ("Zabbix", zabbix(held, downtimes, found.period), _ZABBIX),
                ("Icinga", icinga(held, downtimes, found.period), _ICINGA),
                ("Nagios", nagios(held, found.period), _NAGIOS),
                ("Uptime Kuma", None if stretches else counted, _NO_CHECKS if stretches else _KUMA),
                ("Upptime", upptime(held, found.period), _UPPTIME),
            )
            figures += [
                PeerFigure(peer=peer, journey=journey, location=location, ratio=ratio, ours=ours.get(journey), why=why)
                for peer, ratio, why in said
            ]
    return tuple(figures)


def held_states(results: Sequence[tuple[int, Outcome]], *, until_us: int) -> Held:
    """Args: results: (instant in microseconds, state), ascending; each holds until the next, the last to `until_us`."""
    changes = [r for i, r in enumerate(results) if i == 0 or r[1] != results[i - 1][1]]
    ends = [at for at, _ in changes[1:]]
    if results:
        ends.append(max(until_us, results[-1][0]))
    per_state: dict[Outcome, list[Span]] = {}
    for (start, state), end in zip(changes, ends, strict=True):
        per_state.setdefault(state, []).append(Span(start_us=start, end_us=end))
    return {state: IntervalSet.of(stretches) for state, stretches in per_state.items()}


def icinga(held: Held, downtimes: IntervalSet, period: Span) -> Fraction | None:
    """As of a service: critical and unknown are problems, a warning is none.

    A problem inside a downtime does not count, and the downtime stays in the denominator. Time before the first state
    leaves it. Without any history: all of it good.
    """
    whole = IntervalSet.of((period,))
    known = union(held.values()) & whole
    if not any(held.values()):
        return Fraction(1)
    problem = (_bad(held) & whole) - downtimes
    return _share(known.length_us - problem.length_us, known.length_us)


def nagios(held: Held, period: Span) -> Fraction | None:
    """Time OK as a share of the time whose state is known; warning and unknown are states of their own, and not OK.

    A downtime changes nothing: time in it keeps its state.
    """
    whole = IntervalSet.of((period,))
    known = union(held.values()) & whole
    return _share((held.get("up", EMPTY) & whole).length_us, known.length_us)


def zabbix(held: Held, downtimes: IntervalSet, period: Span) -> Fraction | None:
    """Time OK over time OK and not OK, both less the excluded downtimes; where no problem is known, it is OK.

    A result that could not be judged neither opens a problem nor closes one.
    """
    down: list[Span] = []
    for start, end, state in sorted((s.start_us, s.end_us, state) for state, t in held.items() for s in t.spans):
        if state == "down" or (state == "unknown" and down and down[-1].end_us == start):
            down.append(Span(start_us=start, end_us=end))
    counted = IntervalSet.of((period,)) - downtimes
    bad = IntervalSet.of(down) & counted
    return _share(counted.length_us - bad.length_us, counted.length_us)


def uptime_kuma(results: Sequence[SampleIn], downtimes: IntervalSet, period: Span) -> Fraction:
    """Checks that were up over all checks; time does not matter.

    Each retry before a slot's last run was pending, which counts as down. Checks in a maintenance count nowhere.
    Without a check in the period its last bucket stands, here the last day (UTC) with checks before it; and 0 without
    any.
    """
    due = IntervalSet.of((period,)) - downtimes
    inside = [s for s in results if period.start_us <= s.due_us < period.end_us]
    if not inside:
        before = [s for s in results if s.due_us < period.start_us]
        if not before:
            return Fraction(0)
        day = before[-1].due_us // _DAY_US
        inside = [s for s in before if s.due_us // _DAY_US == day]
        due = IntervalSet.of((Span(start_us=day * _DAY_US, end_us=(day + 1) * _DAY_US),)) - downtimes
    counted, k = [], 0
    for sample in inside:
        while k < len(due.spans) and due.spans[k].end_us <= sample.due_us:
            k += 1
        if k < len(due.spans) and due.spans[k].start_us <= sample.due_us:
            counted.append(sample)
    runs = sum(s.attempts for s in counted)
    return Fraction(sum(s.outcome in ("up", "degraded") for s in counted), runs) if runs else Fraction(0)


def upptime(held: Held, period: Span) -> Fraction | None:
    """Wall time since the first check, less the outages of at least 15 minutes; it knows up and down only."""
    whole = IntervalSet.of((period,))
    known = union(held.values()) & whole
    told = IntervalSet.of(s for s in _bad(held).spans if s.length_us >= _UPPTIME_FORGIVES_US) & whole
    return _share(known.length_us - told.length_us, known.length_us)


def comparison_json(figures: Iterable[PeerFigure]) -> list[dict[str, Any]]:
    """As `compare` in the published shape of an assessment; the reasons in both languages."""
    return [
        {
            "peer": f.peer,
            "journey": f.journey,
            "location": f.location or None,
            "ratio": ratio_text(f.ratio),
            "ours": ratio_text(f.ours),
            "why": {"nl": f.why.nl, "en": f.why.en},
        }
        for f in figures
    ]


def _ours(timeline: JourneyTimeline) -> Fraction | None:
    good = sum(s.length_us for s, state in timeline.spans if state in ("up", "degraded"))
    bad = sum(s.length_us for s, state in timeline.spans if state == "down")
    return _share(good, good + bad)


def _bad(held: Held) -> IntervalSet:
    return held.get("down", EMPTY) | held.get("unknown", EMPTY)


def _share(part_us: int, whole_us: int) -> Fraction | None:
    return Fraction(part_us, whole_us) if whole_us else None


_ZABBIX = Text(
    nl="Zabbix neemt elke aangekondigde onderhoudstijd weg, ook als het contract ze weigert, en laat de laatste "
    "toestand gelden waar niet gemeten is; bij ons is dat niet-gemeten tijd.",
    en="Zabbix leaves out every announced maintenance, also what the contract refuses, and lets the last state hold "
    "where nothing was measured; to us that is unmeasured time.",
)
_ICINGA = Text(
    nl="Icinga telt onderhoud mee als goede tijd, een meting zonder uitslag als storing, en laat de laatste toestand "
    "gelden waar niet gemeten is; bij ons valt uitgesloten en niet-gemeten tijd uit de noemer.",
    en="Icinga counts maintenance as good time, a check without a verdict as a problem, and lets the last state hold "
    "where nothing was measured; we take excluded and unmeasured time out of the denominator.",
)
_NAGIOS = Text(
    nl="Nagios telt alleen de toestand OK als goed: een waarschuwing (bij ons verminderde werking), een meting zonder "
    "uitslag en een storing tijdens onderhoud tellen er als niet-OK.",
    en="Nagios takes only the state OK as good: a warning (degraded, to us), a check without a verdict and an outage "
    "during maintenance all count as not OK.",
)
_KUMA = Text(
    nl="Uptime Kuma telt metingen en geen tijd: elke mislukte of herhaalde meting weegt even zwaar, ook als ze niet "
    "bevestigd werd, en zonder metingen blijft het laatste cijfer staan.",
    en="Uptime Kuma counts checks, not time: every failed or repeated check weighs the same, confirmed or not, and "
    "without checks its last figure stays.",
)
_NO_CHECKS = Text(
    nl="Uptime Kuma telt metingen; deze gegevens zijn tijdvakken met een vaste toestand, waarin geen metingen te "
    "tellen zijn.",
    en="Uptime Kuma counts checks; these measurements are settled stretches of time, which have no checks to count.",
)
_UPPTIME = Text(
    nl="Upptime laat storingen van minder dan 15 minuten weg en deelt door alle kloktijd sinds de eerste meting, "
    "onderhoud en niet-gemeten tijd inbegrepen.",
    en="Upptime leaves out outages of less than 15 minutes and divides by all wall time since the first check, "
    "maintenance and unmeasured time included.",
)
