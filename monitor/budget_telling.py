"""Allowed downtime that is spent: told once for each threshold, clause and period, from what was assessed so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.alerts import first_messages, in_message_id
from monitor.month import Forecast
from monitor.news import BudgetNews, Kind, Outgoing
from monitor.recipients import Addressee
from monitor.store import outbox
from monitor.store.database import Transaction
from probes.checks import Title
from sla.assessment import Text
from sla.budget import DowntimeBudget, step_told
from sla.period import local_date
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

    Where several thresholds were crossed at once, only the tightest is told; and where an exclusion gave some downtime
    back, a wider one is not told after it.
    """
    queued: list[str] = []
    for one in forecasts:
        threshold = crossed(one.outlook.budget, thresholds)
        if threshold is None or not one.outlook.measured_us:
            continue
        about = _about(contract, timezone, one)
        said = outbox.last_said(tx, about)
        if said is not None and isinstance(said[1], BudgetNews) and said[1].threshold >= threshold:
            continue
        queued += outbox.add(tx, _messages(contract, timezone, one, threshold, about, recipients), now_us=now_us)
    return tuple(queued)


def _about(contract: str, timezone: str, one: Forecast) -> str:
    """What all messages about one clause, version and period share."""
    result = one.outlook.budget.result
    begins = local_date(one.whole.start_us, timezone)
    return f"budget.{in_message_id(contract)}.{in_message_id(result.clause.id)}.{result.version.number}.{begins}"


def _messages(
    contract: str, timezone: str, one: Forecast, threshold: int, about: str, recipients: Sequence[Addressee]
) -> tuple[Outgoing, ...]:
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
        gone_us=one.outlook.gone_us,
        measured=cut(one.coverage, 2) if one.coverage is not None else "0.00",
        enough_measured=least is None or (one.coverage is not None and one.coverage >= least),
    )
    readers = [reader for reader in recipients if reader.wants("agreements")]
    return first_messages(f"{about}.{threshold}", Kind.BUDGET, news, readers, about=about)


def _title(text: Text) -> Title:
    return Title(nl=text.nl, en=text.en)
