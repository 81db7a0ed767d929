"""What a mail says of an incident's effect on contracts: when it becomes sanctionable, and what is left."""

from __future__ import annotations

from dashboards.formatting import clock_time, day, length, local
from monitor.mail_text.page import House
from monitor.recipients import Language
from sla.effect import Effect

_PERIODS: dict[str, tuple[str, str]] = {
    "month": ("deze maand", "this month"),
    "quarter": ("dit kwartaal", "this quarter"),
    "year": ("dit jaar", "this year"),
}
#: Clauses that a mail names one by one.
_MOST = 4


def effect_lines(effects: tuple[Effect, ...], house: House, language: Language, *, now_us: int) -> tuple[str, ...]:
    """One sentence for each clause, the most pressing first; none where nothing is known."""
    several = len({effect.contract for effect in effects}) > 1
    return tuple(_line(effect, house, language, now_us, named=several) for effect in effects[:_MOST])


def _line(effect: Effect, house: House, language: Language, now_us: int, *, named: bool) -> str:
    nl = language == "nl"
    clause = f"bepaling {effect.clause}" if nl else f"clause {effect.clause}"
    if named:
        clause += f" ({effect.contract})"
    parts = [part for part in (_sanctionable(effect, clause, house, language, now_us),) if part]
    if effect.step_us is not None and effect.step_us > now_us:
        at = _soon(effect.step_us, house, language, now_us)
        parts.append(f"volgende sanctietrap {at}" if nl else f"next sanction step {at}")
    if effect.left_us is not None:
        parts.append(_left(effect, effect.left_us, language))
    text = "; ".join(parts)
    if not _says_which(effect):
        text = f"{clause}: {text}"
    if effect.best_efforts:
        text += " (middelenverbintenis, geen automatische sanctie)" if nl else " (best efforts, no automatic sanction)"
    if not effect.enough_measured:
        text += (
            "; voorlopig niet te beoordelen, want er is te weinig gemeten"
            if nl
            else "; undecided so far, for too little was measured"
        )
    return f"{text[0].upper()}{text[1:]}."


def _says_which(effect: Effect) -> bool:
    return effect.sanctionable_us is not None


def _sanctionable(effect: Effect, clause: str, house: House, language: Language, now_us: int) -> str:
    nl, at_us = language == "nl", effect.sanctionable_us
    period = _PERIODS[effect.unit][0 if nl else 1]
    if at_us is None:
        return ""
    if at_us == 0:
        return (
            f"{clause} was {period} al vóór deze storing niet gehaald"
            if nl
            else f"{clause} had been missed {period} before this outage"
        )
    if at_us <= now_us:
        at = (
            clock_time(at_us, house.timezone)
            if _same_day(at_us, now_us, house)
            else _day_and_time(at_us, house, language)
        )
        return f"sanctioneerbaar sinds {at} ({clause})" if nl else f"sanctionable since {at} ({clause})"
    at = _soon(at_us, house, language, now_us)
    return (
        f"wordt sanctioneerbaar {at} als dit aanhoudt ({clause})"
        if nl
        else f"becomes sanctionable {at} if this goes on ({clause})"
    )


def _left(effect: Effect, left_us: int, language: Language) -> str:
    nl = language == "nl"
    period, size = _PERIODS[effect.unit][0 if nl else 1], length(abs(left_us), language, days=False)
    if left_us >= 0:
        return f"{period} rest nog {size} toegelaten uitval" if nl else f"{size} of allowed downtime left {period}"
    return f"{period} al {size} meer uitval dan toegelaten" if nl else f"{size} more downtime {period} than allowed"


def _soon(at_us: int, house: House, language: Language, now_us: int) -> str:
    if _same_day(at_us, now_us, house):
        return f"{'om' if language == 'nl' else 'at'} {clock_time(at_us, house.timezone)}"
    return f"{'op' if language == 'nl' else 'on'} {_day_and_time(at_us, house, language)}"


def _day_and_time(at_us: int, house: House, language: Language) -> str:
    on = day(local(at_us, house.timezone).date(), language, year=False)
    return f"{on} {'om' if language == 'nl' else 'at'} {clock_time(at_us, house.timezone)}"


def _same_day(one_us: int, other_us: int, house: House) -> bool:
    return local(one_us, house.timezone).date() == local(other_us, house.timezone).date()
