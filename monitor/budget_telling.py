"""Allowed downtime that is spent: told once for each threshold, clause and period, from what was assessed so far.

A rolling period gives downtime back: a threshold that it fell below is told again when it is crossed anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.alerts import first_messages, in_message_id
from monitor.month import Forecast
from monitor.news import BudgetNews, Kind, Outgoing
from monitor.recipients import Addressee
from monitor.store import incidents, outbox
from monitor.store.database import Transaction
from probes.checks import Title
from sla.assessment import Text
from sla.budget import DowntimeBudget, step_told
from sla.period import SECOND_US, local_date
from sla.wording import cut


def crossed(budget: DowntimeBudget, thresholds: Iterable[int]) -> int | None:
    """The tightest threshold, in percent of what is allowed, that was reached; None where none was."""
    if not budget.spent_us:
        return None
    return max((t for t in thresholds if budget.spent_us * 100 >= t * budget.allowed_us), default=None)


def tell_budgets(
    tx: Transaction,
    contract: str,
    timezone: str,
    forecasts: Sequence[Forecast],
    thresholds: Sequence[int],
    recipients: Sequence[Addressee],
    *,
    now_us: int,
) -> tuple[str, ...]:
    """Queue what is news about a contract's budgets; the ids of what was queued.

    Where several thresholds were crossed at once, only the tightest is told. In a calendar period a wider one is not
    told after it, though an exclusion gave some downtime back; in a rolling one each is told whenever it is crossed.
    """
    queued: list[str] = []
    for one in forecasts:
        threshold = crossed(one.outlook.budget, thresholds) or 0
        about, rolls = _about(contract, timezone, one), bool(_rolling_days(one))
        told = incidents.load_threshold(tx, about) if rolls else _told(tx, about)
        if rolls and threshold < told:
            incidents.save_threshold(tx, about, threshold)
        # In a calendar period the same threshold is told on to those who receive it only since.
        if threshold < (told + 1 if rolls else max(told, 1)) or not one.outlook.measured_us:
            continue
        messages = _messages(contract, timezone, one, threshold, about, recipients, now_us)
        added = outbox.add(tx, messages, now_us=now_us)
        if rolls and added:
            incidents.save_threshold(tx, about, threshold)
        queued += added
    return tuple(queued)


def _told(tx: Transaction, about: str) -> int:
    """The tightest threshold that was told of a calendar period; 0: none."""
    said = outbox.last_said(tx, about)
    return said[1].threshold if said is not None and isinstance(said[1], BudgetNews) else 0


def _rolling_days(one: Forecast) -> int:
    return one.outlook.budget.result.clause.period.days


def _about(contract: str, timezone: str, one: Forecast) -> str:
    """What all messages about one clause, version and period share."""
    result, days = one.outlook.budget.result, _rolling_days(one)
    period = f"rolling-{days}" if days else str(local_date(one.whole.start_us, timezone))
    return f"budget.{in_message_id(contract)}.{in_message_id(result.clause.id)}.{result.version.number}.{period}"


def _messages(
    contract: str,
    timezone: str,
    one: Forecast,
    threshold: int,
    about: str,
    recipients: Sequence[Addressee],
    now_us: int,
) -> tuple[Outgoing, ...]:
    days, outlook = _rolling_days(one), one.outlook
    result, least = one.outlook.budget.result, one.outlook.budget.result.version.minimum_coverage
    news = BudgetNews(
        contract=contract,
        clause=result.clause.id,
        text=result.clause.text,
        timezone=timezone,
        from_us=result.period.start_us,
        until_us=result.period.end_us,
        threshold=threshold,
        allowed_us=one.outlook.budget.allowed_us,
        spent_us=one.outlook.budget.spent_us,
        best_efforts=result.clause.obligation == "best-efforts",
        step=_title(step_told(one.outlook)),
        # Of a period that moves on, no pace says when all is gone: as much may be given back meanwhile.
        gone_us=outlook.gone_us if outlook.is_gone or not days else None,
        measured=cut(one.coverage, 2) if one.coverage is not None else "0.00",
        enough_measured=least is None or (one.coverage is not None and one.coverage >= least),
        rolling_days=days,
        eases_us=one.eases_us,
    )
    readers = [reader for reader in recipients if reader.wants("agreements")]
    thread = f"{about}.{threshold}.{now_us // SECOND_US}" if days else f"{about}.{threshold}"
    return first_messages(thread, Kind.BUDGET, news, readers, about=about)


def _title(text: Text) -> Title:
    return Title(nl=text.nl, en=text.en)
