"""The sentences of an explanation, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

from sla.assessment import Text, WindowDecision
from sla.clauses.finding import NamedOutage
from sla.commitment import CountsTime, Weighted
from sla.contract import AvailabilityClause, Clause, ResponseTimeClause, Version
from sla.contract_text import Boundary
from sla.intervals import Span
from sla.measurements import Rule, SampleIn, SpanIn
from sla.period import local_date
from sla.service_hours import weekly_time
from sla.witnesses import Testimony, Witness, failed
from sla.wording import agreed, length, moment, stretch

STATES = {
    "up": Text(nl="beschikbaar", en="up"),
    "degraded": Text(nl="verstoord", en="degraded"),
    "down": Text(nl="onbeschikbaar", en="down"),
    "unknown": Text(nl="niet meetbaar", en="unknown"),
    "excluded": Text(nl="uitgesloten", en="excluded"),
    "unmeasured": Text(nl="niet gemeten", en="unmeasured"),
    "outside": Text(nl="buiten de diensttijd", en="outside service time"),
}
_EDGES: dict[Boundary, Text] = {
    "observed": Text(
        nl="van de eerste mislukte tot de eerste goede meting", en="from the first failed to the first good sample"
    ),
    "certain": Text(nl="van de eerste tot de laatste mislukte meting", en="from the first to the last failed sample"),
    "widest": Text(
        nl="van de laatste goede tot de eerste goede meting", en="from the last good to the first good sample"
    ),
}


def about_version(version: Version, governs: Span, timezone: str) -> Text:
    first, last = local_date(governs.start_us, timezone), local_date(governs.end_us - 1, timezone)
    return Text(
        nl=f"Contractversie {version.number} geldt, van {first:%d-%m-%Y} tot en met {last:%d-%m-%Y}.",
        en=f"Contract version {version.number} is in force, from {first:%d-%m-%Y} up to and including {last:%d-%m-%Y}.",
    )


# --- window --------------------------------------------------------------------------------------------------------


def about_window(version: Version, clause: Clause, at_us: int, timezone: str, *, is_open: bool) -> Text:
    """Which rule of the calendar opens or closes the window."""
    if clause.window is None:
        return Text(
            nl="Deze bepaling heeft geen venster: alle tijd is diensttijd.",
            en="This clause has no window: all time is service time.",
        )
    rule = version.windows[clause.window]
    if rule.outside is None:
        why = _hours(version, clause.window, at_us, timezone)
    else:
        inner = _hours(version, rule.outside, at_us, timezone)
        why = Text(
            nl=f'het omvat alles buiten venster "{rule.outside}", en daarvoor geldt: {inner.nl}',
            en=f'it is all time outside window "{rule.outside}", of which: {inner.en}',
        )
    state = Text(nl="open", en="open") if is_open else Text(nl="gesloten", en="closed")
    return Text(
        nl=f'Venster "{clause.window}" is {state.nl}: {why.nl}.',
        en=f'Window "{clause.window}" is {state.en}: {why.en}.',
    )


def _hours(version: Version, window: str, at_us: int, timezone: str) -> Text:
    rule = version.windows[window]
    day = local_date(at_us, timezone)
    holiday = day in (version.holidays if rule.holiday_dates is None else rule.holiday_dates)
    if holiday and rule.holidays == "closed":
        return Text(
            nl=f"{day:%d-%m-%Y} is een feestdag van het contract", en=f"{day:%d-%m-%Y} is a holiday of the contract"
        )
    here = Span(start_us=at_us, end_us=at_us + 1)
    matching = [w for w in rule.weekly or () if weekly_time((w,), here, timezone)]
    also = Text(nl=", ook op feestdagen", en=", on holidays too") if holiday else Text(nl="", en="")
    if matching:
        words = agreed(str(matching[0]))
        return Text(nl=f"de uren zijn {words.nl}{also.nl}", en=f"the hours are {words.en}{also.en}")
    if not rule.weekly:
        return Text(nl="het heeft geen uren", en="it has no hours")
    words = agreed(", ".join(map(str, rule.weekly)))
    when = moment(at_us, timezone)
    weekday = agreed(("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day.weekday()])
    return Text(nl=f"{weekday.nl} {when} valt buiten {words.nl}", en=f"{weekday.en} {when} lies outside {words.en}")


# --- measurements --------------------------------------------------------------------------------------------------


def about_samples(
    journey: str,
    testimonies: Sequence[Testimony],
    span: SpanIn | None,
    rule: Rule,
    at_us: int,
    timezone: str,
    *,
    measured: bool,
    down: bool,
) -> list[Text]:
    """What was measured of a journey, and what the confirmation rule made of it.

    Args:
        measured, down: what the rule made of all locations together.
    """
    if span is not None:
        when, state = stretch(span.start_us, span.end_us, timezone), STATES[span.state]
        return [
            Text(
                nl=f"{journey}: aangeleverd als {state.nl}, {when.nl}; de staat stond vast, er is niets te bevestigen.",
                en=f"{journey}: handed in as {state.en}, {when.en}; the state was settled, nothing needs confirming.",
            )
        ]
    if not testimonies:
        return [
            Text(
                nl=f"{journey}: er is geen enkele meting die voor dit ogenblik spreekt.",
                en=f"{journey}: no measurement at all speaks for this instant.",
            )
        ]
    reasons = [reason for t in testimonies for reason in _testimony(journey, t, rule, at_us, timezone)]
    if len(testimonies) > 1 or rule.quorum is not None:
        reasons.append(_together(journey, testimonies, rule, measured=measured, down=down))
    return reasons


def _testimony(journey: str, found: Testimony, rule: Rule, at_us: int, timezone: str) -> list[Text]:
    where = f" ({found.location})" if found.location else ""
    last = found.witness
    if last is None:
        first = f": {moment(found.after.sample.due_us, timezone)}" if found.after is not None else ""
        return [
            Text(
                nl=f"{journey}{where}: niet gemeten; de eerste meting kwam pas later{first}.",
                en=f"{journey}{where}: unmeasured; the first sample came later{first}.",
            )
        ]
    said = _said(last, rule, timezone)
    if not last.speaks:
        if last.sample.outcome == "unknown" and at_us < last.until_us:
            why = Text(
                nl="ze spreekt voor niets, want de monitor kon niet eerlijk meten",
                en="it speaks for nothing, because the monitor could not measure honestly",
            )
        else:
            until, hold = moment(last.held_until_us, timezone), rule.hold_intervals
            why = Text(
                nl=f"ze spreekt hoogstens {hold} intervallen, tot {until}, en daarna kwam er geen meting",
                en=f"it speaks for {hold} intervals at most, until {until}, and no sample came after it",
            )
        return [
            Text(
                nl=f"{journey}{where}: niet gemeten. De laatste meting was {said.nl}; {why.nl}.",
                en=f"{journey}{where}: unmeasured. The last sample was {said.en}; {why.en}.",
            )
        ]
    until = moment(last.until_us, timezone)
    reasons = [
        Text(
            nl=f"{journey}{where}: de meting van {said.nl}; ze spreekt tot {until}.",
            en=f"{journey}{where}: the sample of {said.en}; it speaks until {until}.",
        )
    ]
    if failed(last.sample, rule) and rule.quorum is None:
        reasons.append(_confirmation(journey, where, found, rule, timezone))
    elif last.sample.outcome == "degraded" and not rule.degraded_is_down:
        reasons.append(
            Text(
                nl=f"{journey}{where}: verstoord telt in deze bepaling als beschikbaar, op een eigen regel.",
                en=f"{journey}{where}: degraded counts as up in this clause, on a line of its own.",
            )
        )
    elif last.sample.attempts > 1 and last.sample.outcome == "up":
        reasons.append(
            Text(
                nl=f"{journey}{where}: een eerdere poging mislukte, de hermeting niet: een rimpeling, geen storing.",
                en=f"{journey}{where}: an earlier run failed, the re-run did not: a blip, no outage.",
            )
        )
    return reasons


def _said(found: Witness, rule: Rule, timezone: str) -> Text:
    sample = found.sample
    state, when = STATES[sample.outcome], moment(sample.due_us, timezone)
    tries = Text(
        nl="1 poging" if sample.attempts == 1 else f"{sample.attempts} pogingen",
        en="1 attempt" if sample.attempts == 1 else f"{sample.attempts} attempts",
    )
    failure = f", {sample.failure}" if sample.failure else ""
    strict = (
        Text(nl=", wat hier als uitval telt", en=", which counts as down here")
        if sample.outcome == "degraded" and rule.degraded_is_down
        else Text(nl="", en="")
    )
    return Text(
        nl=f"{when}: {state.nl}{strict.nl} ({tries.nl}{failure})",
        en=f"{when}: {state.en}{strict.en} ({tries.en}{failure})",
    )


def _confirmation(journey: str, where: str, found: Testimony, rule: Rule, timezone: str) -> Text:
    assert found.streak is not None
    count, needed = found.streak.failures, rule.confirm_after
    first, last = moment(found.streak.first_us, timezone), moment(found.streak.last_us, timezone)
    nl = f"{count} mislukte {'poging' if count == 1 else 'pogingen'} op rij, van {first} tot {last}"
    en = f"{count} failed {'run' if count == 1 else 'runs'} in a row, from {first} to {last}"
    if count >= needed:
        return Text(
            nl=f"{journey}{where}: bevestigd, {nl}; {needed} volstaan.",
            en=f"{journey}{where}: confirmed, {en}; {needed} are enough.",
        )
    return Text(
        nl=f"{journey}{where}: niet bevestigd, {nl}, en {needed} zijn nodig: een rimpeling, die als beschikbaar telt.",
        en=f"{journey}{where}: not confirmed, {en}, and {needed} are needed: a blip, which counts as up.",
    )


def _together(journey: str, testimonies: Sequence[Testimony], rule: Rule, *, measured: bool, down: bool) -> Text:
    fresh = [t.witness for t in testimonies if t.witness is not None and t.witness.speaks]
    bad = sum(failed(w.sample, rule) for w in fresh)
    state = STATES["down" if down else "up"] if measured else STATES["unmeasured"]
    if rule.quorum is None:
        need = Text(
            nl="onbeschikbaar is een reis waar elk meetpunt dat toen mat dat bevestigt",
            en="a journey is down where every location that measured then confirms it",
        )
    else:
        need = Text(
            nl=f"{rule.quorum} mislukte stemmen maken een reis onbeschikbaar; minder beslissen niets",
            en=f"{rule.quorum} failed votes make a journey down; fewer decide nothing",
        )
    return Text(
        nl=f"{journey}: {bad} van {len(fresh)} meetpunten zagen een fout ({need.nl}). Samen: {state.nl}.",
        en=f"{journey}: {bad} of {len(fresh)} locations saw a failure ({need.en}). Together: {state.en}.",
    )


def about_edges(outage: NamedOutage, boundary: Boundary, at_us: int, timezone: str) -> Text:
    raw = outage.raw
    none = Text(nl="onbekend", en="not known")

    def when(us: int | None) -> Text:
        return none if us is None else Text(nl=moment(us, timezone), en=moment(us, timezone))

    edges = [when(us) for us in (raw.last_good_us, raw.first_bad_us, raw.last_bad_us, raw.first_good_us)]
    counted, how = raw.span(boundary), _EDGES[boundary]
    inside = (
        Text(nl="dit ogenblik ligt daarin", en="this instant lies in it")
        if counted.start_us <= at_us < counted.end_us
        else Text(nl="dit ogenblik ligt daarbuiten", en="this instant lies outside it")
    )
    return Text(
        nl=f"Storing {outage.id}: laatste goede meting {edges[0].nl}, eerste mislukte {edges[1].nl}, laatste mislukte "
        f"{edges[2].nl}, eerste goede {edges[3].nl}. De bepaling telt {how.nl} ({boundary}); {inside.nl}.",
        en=f"Outage {outage.id}: last good sample {edges[0].en}, first failed {edges[1].en}, last failed "
        f"{edges[2].en}, first good {edges[3].en}. The clause counts {how.en} ({boundary}); {inside.en}.",
    )


# --- ledger --------------------------------------------------------------------------------------------------------


def about_claims(decision: WindowDecision, *, granted: bool) -> tuple[Text, ...]:
    if decision.kind == "maintenance":
        what = Text(nl=f"Onderhoud nr. {decision.entry}", en=f"Maintenance no. {decision.entry}")
    else:
        what = Text(nl=f"Uitsluiting nr. {decision.entry}", en=f"Exclusion no. {decision.entry}")
    who = f"{decision.by}: {decision.reason}"
    head = (
        Text(
            nl=f"{what.nl} ({who}) sluit dit ogenblik uit.",
            en=f"{what.en} ({who}) excludes this instant.",
        )
        if granted
        else Text(
            nl=f"{what.nl} ({who}) sluit dit ogenblik niet uit.",
            en=f"{what.en} ({who}) does not exclude this instant.",
        )
    )
    if granted and decision.refused and decision.kind == "maintenance":
        # The reasons of a partly granted announcement tell why the rest of it was refused: another instant's answer.
        return (head,)
    return (head, *(Text(nl=f"{what.nl}: {r.nl}", en=f"{what.en}: {r.en}") for r in decision.reasons))


def about_dependency(
    dependency: str, testimonies: Sequence[Testimony], at_us: int, timezone: str, *, fell: bool
) -> Text:
    last = next((t.witness for t in testimonies if t.witness is not None and t.witness.speaks), None)
    said = _said(last, Rule(), timezone) if last is not None else None
    seen = Text(nl=f" (meting van {said.nl})", en=f" (sample of {said.en})") if said is not None else Text(nl="", en="")
    if fell:
        return Text(
            nl=f"De derde, {dependency}, viel op dat ogenblik zelf ook uit{seen.nl}.",
            en=f"The third party, {dependency}, was down itself at that instant{seen.en}.",
        )
    return Text(
        nl=f"De derde, {dependency}, viel op dat ogenblik niet aantoonbaar uit{seen.nl}.",
        en=f"The third party, {dependency}, was not shown to be down at that instant{seen.en}.",
    )


# --- clause --------------------------------------------------------------------------------------------------------


def about_combination(clause: Clause, journeys: Sequence[tuple[str, str]]) -> list[Text]:
    if len(journeys) == 1 or not isinstance(clause, CountsTime):
        return []
    each_nl = ", ".join(f"{name} {STATES[state].nl}" for name, state in journeys)
    each_en = ", ".join(f"{name} {STATES[state].en}" for name, state in journeys)
    if clause.combine == "all":
        rule = Text(
            nl="onbeschikbaar zijn ze pas samen, en niet gemeten alleen als geen ervan goed bevonden is",
            en="they are down only when all are, and unmeasured only where none was found to be good",
        )
    else:
        rule = Text(
            nl="wat voor een van de reizen geldt, geldt voor de bepaling; uitgesloten gaat voor niet gemeten, dat voor "
            "onbeschikbaar, dat voor verstoord",
            en="what holds for one journey holds for the clause; excluded goes before unmeasured, that before down, "
            "that before degraded",
        )
    found = [
        Text(
            nl=f"De bepaling gaat over {len(journeys)} reizen ({each_nl}): {rule.nl}.",
            en=f"The clause is about {len(journeys)} journeys ({each_en}): {rule.en}.",
        )
    ]
    if isinstance(clause.combine, Weighted):
        found.append(
            Text(
                nl="Haar percentage is een gewogen gemiddelde: elke reis telt daarin met haar eigen klasse en gewicht.",
                en="Its percentage is a weighted mean: each journey counts with its own class and weight.",
            )
        )
    return found


def about_response(clause: ResponseTimeClause, sample: SampleIn, timezone: str, *, inside: bool) -> Text:
    taken = sample.duration_us if clause.step is None else sample.step_durations.get(clause.step)
    when = moment(sample.due_us, timezone)
    if sample.outcome not in ("up", "degraded") or taken is None:
        why = Text(
            nl="telt niet mee: alleen geslaagde metingen hebben een responstijd",
            en="does not count: only successful samples have a response time",
        )
    elif not inside:
        why = Text(
            nl="telt niet mee: ze viel buiten het venster of in uitgesloten tijd",
            en="does not count: it was due outside the window or in excluded time",
        )
    else:
        size, limit = length(taken), length(clause.limit)
        side = Text(nl="binnen", en="within") if taken <= clause.limit else Text(nl="boven", en="beyond")
        why = Text(
            nl=f"telt mee met {size.nl}, {side.nl} de norm van {limit.nl}",
            en=f"counts with {size.en}, {side.en} the limit of {limit.en}",
        )
    return Text(
        nl=f"Deze bepaling telt responstijden, geen tijd: de meting van {when} {why.nl}.",
        en=f"This clause counts response times, not time: the sample of {when} {why.en}.",
    )


def about_formula(clause: Clause, counted: str) -> list[Text]:
    if not isinstance(clause, AvailabilityClause) or counted not in ("excluded", "unmeasured"):
        return []
    if clause.formula == "of-service-time":
        return [
            Text(
                nl="In de formule van deze bepaling (of-service-time) telt zulke tijd als beschikbaar.",
                en="By this clause's formula (of-service-time) such time counts as up.",
            )
        ]
    if counted == "excluded":
        return [
            Text(nl="Uitgesloten tijd valt uit de breuk weg.", en="Excluded time drops out of the fraction."),
        ]
    return [
        Text(
            nl="Niet-gemeten tijd is goed noch slecht: ze verwijdt de grenzen van het percentage.",
            en="Unmeasured time is neither good nor bad: it widens the bounds of the percentage.",
        )
    ]


def about_sanction(clause: Clause, boundary: Boundary, *, sure: bool, grace: bool) -> list[Text]:
    if clause.obligation == "best-efforts":
        return [
            Text(
                nl="Voor een sanctie telt het niet mee: dit is een middelenverbintenis.",
                en="It does not count for a sanction: this is a best-efforts obligation.",
            )
        ]
    if grace:
        return [
            Text(
                nl="Voor een sanctie telt het niet mee: het ligt in de stabilisatieperiode.",
                en="It does not count for a sanction: it lies in the stabilisation period.",
            )
        ]
    how = _EDGES[boundary]
    yes = Text(nl="wel", en="counts") if sure else Text(nl="niet", en="does not count")
    return [
        Text(
            nl=f"Voor een sanctie telt het {yes.nl} mee: daarvoor telt de duur {how.nl} ({boundary}).",
            en=f"It {yes.en} for a sanction, which takes the time {how.en} ({boundary}).",
        )
    ]


def conclusion(clause: Clause, at_us: int, timezone: str, counted: str) -> Text:
    when, state = moment(at_us, timezone), STATES[counted]
    if counted == "outside":
        return Text(
            nl=f"Besluit: {when} ligt {state.nl} van bepaling {clause.id} en telt daarin niet.",
            en=f"Conclusion: {when} lies {state.en} of clause {clause.id} and does not count there.",
        )
    return Text(
        nl=f"Besluit: {when} telt in bepaling {clause.id} als {state.nl}.",
        en=f"Conclusion: {when} counts as {state.en} in clause {clause.id}.",
    )
