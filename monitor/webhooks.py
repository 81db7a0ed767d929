"""Programs elsewhere that are told what people are told: JSON, signed, at least once, from the same outbox.

Signed as Standard Webhooks does it: HMAC-SHA256 over `id.timestamp.body`. The id stays the same however often a message
is tried, so that whoever receives it can drop doubles; the timestamp is that of the attempt, so that what somebody
recorded cannot be sent again later. docs/webhooks.md tells receivers all of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor import outbound
from monitor.clock import Clock
from monitor.mail_message import Answer, Receipt
from monitor.mail_text import House, page_of
from monitor.news import (
    BudgetNews,
    CertificateNews,
    ConfigNews,
    DegradedNews,
    FlappingNews,
    IncidentNews,
    MaintenanceNews,
    News,
    OwnNews,
    Paused,
    ReportNews,
    SignatureNews,
    TroubleNews,
    UndeliveredNews,
)
from monitor.outward_settings import signing_key
from monitor.recipients import Language
from monitor.store.leaving import ToSend
from probes.checks import Title
from probes.sample import Failure
from sla.effect import Effect
from sla.interchange import seconds
from sla.ledger import Sealed
from sla.period import instant_text

#: Of the body. A member that is added keeps it; one that changes or goes raises it.
VERSION = 1
_SECOND_US = 1_000_000
_NO_MORE = 550  # refused for good: whoever configured it took it away


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where a webhook is and how it is signed.

    Attributes:
        url: with its secrets; `called` is what may be shown of it.
        key: the secret as it was configured.
    """

    url: str
    called: str
    key: str
    timeout_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What a webhook is told: to which address of the outbox, under which id, in which bytes."""

    address: str
    id: str
    body: bytes


def webhook_composer(house: House) -> Callable[[ToSend, int, Sealed | None], Telling]:
    """Writes for `monitor.delivery`."""

    def compose(message: ToSend, now_us: int, head: Sealed | None) -> Telling:
        body = json.dumps(body_of(message, house, now_us=now_us, head=head), ensure_ascii=False, separators=(",", ":"))
        return Telling(address=message.ready[0], id=message.id, body=body.encode())

    return compose


def webhook_sender(
    webhooks: Callable[[], Mapping[str, Webhook]], clock: Clock
) -> Callable[[Telling], Awaitable[Receipt]]:
    """Posts to the webhook that a telling is for; only an answer of the 200s says that it was taken.

    Args:
        webhooks: those of the configuration in force, by address in the outbox.
    """

    async def send(telling: Telling) -> Receipt:
        webhook = webhooks().get(telling.address)
        if webhook is None:
            return _receipt(telling, _NO_MORE, "there is no such webhook in the configuration any more")
        at_s = clock.now_us() // _SECOND_US
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Loketwacht",
            "webhook-id": telling.id,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signature(webhook.key, telling.id, at_s, telling.body),
        }
        try:
            answer = await outbound.post(
                webhook.url, telling.body, headers=headers, timeout_us=webhook.timeout_us, called=webhook.called
            )
        except outbound.OutboundError as error:
            return _receipt(telling, 0, str(error))
        if 200 <= answer.status < 300:
            return _receipt(telling, answer.status, "taken")
        return _receipt(telling, 0, f"{webhook.called} answered with status {answer.status}")

    return send


def signature(secret: str, message_id: str, at_s: int, body: bytes) -> str:
    """The header `webhook-signature`: `v1,` and the HMAC-SHA256 over id, timestamp and body in base64."""
    signed = b".".join((message_id.encode(), str(at_s).encode(), body))
    return "v1," + base64.b64encode(hmac.new(signing_key(secret), signed, hashlib.sha256).digest()).decode()


def body_of(message: ToSend, house: House, *, now_us: int, head: Sealed | None) -> dict[str, Any]:
    """The body as docs/webhook-v1.schema.json describes it."""
    pages = {language: _page(message, house, language, now_us, head) for language in ("nl", "en")}
    return {
        "version": VERSION,
        "id": message.id,
        "thread": message.root or message.id,
        "type": message.kind.value,
        "created_at": instant_text(message.created_us),
        "portal": house.portal,
        "text": {
            language: {"headline": page.headline, "sentences": list(page.sentences)} for language, page in pages.items()
        },
        "link": pages["nl"].link[1] if pages["nl"].link else None,
        "data": _data(message.news),
    }


def _page(message: ToSend, house: House, language: Language, now_us: int, head: Sealed | None) -> Any:
    return page_of(replace(message, language=language), house, now_us=now_us, head=head)


def _data(news: News) -> dict[str, Any]:
    match news:
        case IncidentNews():
            return {
                "incident": news.incident_id,
                "journey": news.check_id,
                "title": _both(news.title),
                "step": _both(news.step) if news.step else None,
                "since": instant_text(news.since_us),
                "confirmed": instant_text(news.confirmed_us),
                "until": instant_text(news.until_us) if news.until_us is not None else None,
                "failure": _failure(news.failure),
                "severity": news.severity.value if news.severity else None,
                "cause": news.cause.value if news.cause else None,
                "cause_confirmed": news.confirmed_by is not None,
                "attached": [_both(title) for title in news.attached],
                "effects": [_effect(effect) for effect in news.effects],
                "last_seen": instant_text(news.unseen.last_bad_us) if news.unseen else None,
                "paused": _paused(news.unseen.paused) if news.unseen and news.unseen.paused else None,
            }
        case FlappingNews():
            return {
                "journey": news.check_id,
                "title": _both(news.title),
                "since": instant_text(news.since_us),
                "until": instant_text(news.until_us) if news.until_us is not None else None,
                "down_since": instant_text(news.down_since_us) if news.down_since_us is not None else None,
            }
        case DegradedNews():
            return {
                "journey": news.check_id,
                "title": _both(news.title),
                "step": _both(news.step) if news.step else None,
                "since": instant_text(news.since_us),
                "until": instant_text(news.until_us) if news.until_us is not None else None,
                "failure": _failure(news.failure),
            }
        case OwnNews():
            return {
                "incident": news.incident_id,
                "journeys": [_both(title) for title in news.checks],
                "since": instant_text(news.since_us),
                "until": instant_text(news.until_us) if news.until_us is not None else None,
                "failure": _failure(news.failure),
            }
        case CertificateNews():
            return {
                "journey": news.check_id,
                "host": news.host,
                "not_after": instant_text(news.not_after_us),
                "fingerprint_sha256": news.fingerprint_sha256,
                "role": news.role,
            }
        case ConfigNews():
            return {"mistakes": [{"file": one.file, "line": one.line, "key": one.key} for one in news.mistakes]}
        case SignatureNews():
            until = instant_text(news.until_us) if news.until_us is not None else None
            return {"by": news.by, "name": news.name, "why": news.why, "setting": news.setting or None, "until": until}
        case UndeliveredNews():
            return {"reader": news.reader, "about": news.about.value if news.about else None, "refused": news.refused}
        case TroubleNews():
            return {
                "trouble": news.what.value,
                "subjects": list(news.subjects),
                "found": news.said,
                "since": instant_text(news.since_us),
                "until": instant_text(news.until_us) if news.until_us is not None else None,
            }
        case BudgetNews():
            return {
                "contract": news.contract,
                "clause": news.clause,
                "since": instant_text(news.from_us),
                "until": instant_text(news.until_us),
                "threshold": news.threshold,
                "rolling_days": news.rolling_days or None,
                "allowed_seconds": seconds(news.allowed_us),
                "spent_seconds": seconds(news.spent_us),
                "best_efforts": news.best_efforts,
                "enough_measured": news.enough_measured,
            }
        case MaintenanceNews():
            return {
                "entry": news.entry,
                "since": instant_text(news.from_us),
                "until": instant_text(news.until_us),
                "titles": [_both(title) for title in news.titles],
                "by": news.by,
                "cancelled": news.cancelled_by is not None,
                "failing": [_both(title) for title in news.failing],
            }
        case ReportNews():
            return {"contract": news.contract, "period": news.period, "number": news.number}
        case _:
            # What people are told stands in `text` for every type; these have nothing further for programs.
            return {}


def _effect(effect: Effect) -> dict[str, Any]:
    """An instant that lies before the outage is told as null, with `missed_before`."""
    later_us = effect.sanctionable_us or None
    return {
        "contract": effect.contract,
        "clause": effect.clause,
        "best_efforts": effect.best_efforts,
        "enough_measured": effect.enough_measured,
        "missed_before": effect.sanctionable_us == 0,
        "sanctionable": instant_text(later_us) if later_us is not None else None,
        "next_step": instant_text(effect.step_us) if effect.step_us is not None else None,
        "left_seconds": seconds(effect.left_us) if effect.left_us is not None else None,
        "left_is_weighted": effect.weighted,
        "period": f"rolling {effect.days} days" if effect.unit == "rolling" else effect.unit,
        "longest_seconds": seconds(effect.longest_us) if effect.longest_us is not None else None,
        "reached": instant_text(effect.reached_us) if effect.reached_us is not None else None,
        "outages_allowed": effect.allowed,
        "outage_number": effect.number,
        "counts": instant_text(effect.counts_us) if effect.counts_us is not None else None,
    }


def _paused(paused: Paused) -> dict[str, str]:
    return {
        "since": instant_text(paused.since_us),
        "until": instant_text(paused.until_us),
        "by": paused.by,
        "why": paused.why,
    }


def _both(title: Title) -> dict[str, str]:
    return {"nl": title.nl, "en": title.en}


def _failure(failure: Failure) -> dict[str, str | None]:
    return {
        "reason": failure.kind.value,
        "step": failure.step,
        "subject": failure.subject,
        "expected": failure.expected,
        "found": failure.found,
    }


def _receipt(telling: Telling, code: int, text: str) -> Receipt:
    return Receipt(answers=(Answer(address=telling.address, code=code, text=text[:300]),))
