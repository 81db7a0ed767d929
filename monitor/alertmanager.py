"""Alerts for Prometheus Alertmanagers (API v2), so that existing routing to chat, pagers and telephones can be used.

Told as Prometheus tells: what fires is sent again and again before it ends by itself (`endsAt`), so an Alertmanager
that was away, or lost its memory, knows all of it soon after; what is over is sent with its end for a quarter of an
hour, and to one that was away also later. Names and labels are those of dashboards/prometheus/alerting_rules.yml, so
the same routes, silences and inhibitions fit; where both arrive, they are one alert.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from dashboards.formatting import length
from monitor import outbound
from monitor.alerts import step_title
from monitor.attached import Dependants, dependants
from monitor.clock import Clock
from monitor.incidents import MONITOR, Incident, IncidentRule
from monitor.judging import severity_kept
from monitor.month import Forecast
from monitor.observer import Observer
from monitor.outward_settings import AlertmanagerSettings, filled, shown
from monitor.recipients import Language
from monitor.severity import LABELS
from monitor.slowness import Slowness
from monitor.store import incidents, outbox, samples
from monitor.store.database import Transaction
from monitor.telling import muted
from probes.checks import CertificateCheck, Check, Title
from probes.sample import Outcome
from probes.sentences import sentence
from sla.budget import step_told
from sla.period import instant_text

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000
#: How long what is over is still sent; and, to an Alertmanager that was away, at most.
_TOLD_OVER_US = 15 * 60 * _SECOND_US
_TOLD_LATE_US = 24 * 3600 * _SECOND_US
_RETRY_US = 10 * _SECOND_US
#: Prometheus gives an alert so many rounds to be sent again before it ends by itself.
_ROUNDS = 4
_CRITICAL_US = 7 * 24 * 3600 * _SECOND_US
_RUNBOOKS = "docs/runbooks.md#"
_PLAIN = IncidentRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert.

    Attributes:
        until_us: None while it fires.
        link: where to look.
    """

    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    since_us: int
    until_us: int | None
    link: str

    def told(self, *, now_us: int, every_us: int) -> dict[str, object]:
        """As the API takes it; while it fires it ends by itself unless it is sent again."""
        until_us = now_us + _ROUNDS * every_us if self.until_us is None else self.until_us
        return {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": instant_text(self.since_us),
            "endsAt": instant_text(until_us),
            "generatorURL": self.link,
        }


def alerts_of(
    tx: Transaction,
    checks: Sequence[Check],
    *,
    location: str,
    settings: AlertmanagerSettings,
    pages_url: str,
    since_us: int,
    now_us: int,
    rule: IncidentRule = _PLAIN,
    behind: Dependants | None = None,
    forecasts: Mapping[str, Sequence[Forecast]] = MappingProxyType({}),
) -> tuple[Alert, ...]:
    """What fires now, and what ended after `since_us`.

    Maintenance and what explains a failure mute an incident as they mute its mail; one that was told goes on. Slowness
    fires from when people are told of it until they are told that it is over.

    Args:
        rule: how bad the outages of which checks are.
        behind: who depends on whom among these checks, where that is known already.
        forecasts: of the running periods, by contract: allowed downtime that is nearly or wholly spent fires too.
    """
    known = {check.id: check for check in checks if not check.shadow}
    found: list[Alert] = []
    behind = dependants(checks) if behind is None else behind
    newest_of: dict[tuple[tuple[str, str], ...], Alert] = {}
    for incident in incidents.read(tx, start_us=since_us):
        check = known.get(incident.check_id)
        if incident.check_id == MONITOR or (check is not None and _counts(tx, incident, check, behind, now_us)):
            # With the same labels it is one alert: the end of an earlier incident would end the one that goes on.
            told = _about_incident(incident, check, rule, settings, pages_url)
            newest_of.setdefault(told.labels, told)
    found.extend(newest_of.values())
    certificates = [check for check in known.values() if isinstance(check, CertificateCheck)]
    newest = samples.last(tx, [check.id for check in certificates], location, before_us=now_us + 1)
    for check in certificates:
        facts = newest[check.id].certificate if check.id in newest else None
        warn_us = max(check.warn, default=0)
        if facts is not None and newest[check.id].outcome is not Outcome.UNKNOWN:
            left_us = facts.earliest_not_after_us - now_us
            if left_us <= warn_us:
                grave = "critical" if left_us < _CRITICAL_US else "warning"
                since = max(0, facts.earliest_not_after_us - (_CRITICAL_US if grave == "critical" else warn_us))
                ends = instant_text(facts.earliest_not_after_us)
                nl = settings.language == "nl"
                summary = (
                    f"Een certificaat van {facts.host} vervalt op {ends}"
                    if nl
                    else f"A certificate of {facts.host} ends on {ends}"
                )
                labels = {"alertname": "CertificateExpiresSoon", "journey": check.id, "severity": grave}
                which = f": {facts.earliest.subject}" if facts.earliest else ""
                notes = {"summary": summary, "description": f"{_in(check.title, settings.language)}{which}"}
                found.append(_alert(labels, notes, since, None, f"{pages_url.rstrip('/')}/", settings))
    found += [_about_slowness(known[name], state, settings, pages_url) for name, state in _slow(tx, known)]
    found += [
        alert
        for contract, those in forecasts.items()
        for one in those
        if (alert := _about_budget(contract, one, settings, pages_url)) is not None
    ]
    return tuple(found)


def _slow(tx: Transaction, known: Mapping[str, Check]) -> Iterator[tuple[str, Slowness]]:
    """The checks that are slow and told to be; while one has an incident, that is the news."""
    down = {one.check_id for one in incidents.read(tx, only_open=True)}
    return ((name, state) for name, state in incidents.slow(tx).items() if name in known and name not in down)


def _about_slowness(check: Check, state: Slowness, settings: AlertmanagerSettings, pages_url: str) -> Alert:
    language, nl = settings.language, settings.language == "nl"
    title = _in(check.title, language)
    labels = {"alertname": "JourneySlow", "journey": check.id, "severity": "warning"}
    step = step_title(check, state.failure.step) if state.failure else None
    what = sentence(state.failure, language, _in(step, language) if step else None) if state.failure else title
    notes = {"summary": f"{title} werkt, maar traag" if nl else f"{title} works, but slowly", "description": what}
    return _alert(labels, notes, state.since_us or 0, None, f"{pages_url.rstrip('/')}/", settings)


def _about_budget(contract: str, one: Forecast, settings: AlertmanagerSettings, pages_url: str) -> Alert | None:
    """As the rules for Prometheus have it: less than a quarter left, or more spent than allowed."""
    budget, nl = one.outlook.budget, settings.language == "nl"
    clause = budget.result.clause.id
    if budget.allowed_us <= 0 or budget.left_us * 4 >= budget.allowed_us:
        return None
    gone = budget.left_us < 0
    labels = {
        "alertname": "ErrorBudgetGone" if gone else "ErrorBudgetLow",
        "severity": "critical" if gone else "warning",
    }
    left = length(abs(budget.left_us), settings.language)
    if gone:
        summary = f"Bepaling {clause}: {left} te veel uitval" if nl else f"Clause {clause}: {left} too much downtime"
    else:
        summary = (
            f"Bepaling {clause}: nog {left} uitval toegelaten" if nl else f"Clause {clause}: {left} of downtime left"
        )
    notes = {"summary": summary, "description": step_told(one.outlook).in_(settings.language)}
    link = f"{pages_url.rstrip('/')}/sla/{quote(contract, safe='')}"
    since_us = one.outlook.gone_us if gone and one.outlook.gone_us is not None else budget.result.period.start_us
    return _alert(labels | {"contract": contract, "clause": clause}, notes, since_us, None, link, settings)


def _counts(tx: Transaction, incident: Incident, check: Check, behind: Dependants, now_us: int) -> bool:
    return outbox.told(tx, incident.id).opened_us is not None or not muted(tx, check, now_us, behind)


def _about_incident(
    incident: Incident, check: Check | None, rule: IncidentRule, settings: AlertmanagerSettings, pages_url: str
) -> Alert:
    language, nl = settings.language, settings.language == "nl"
    link = f"{pages_url.rstrip('/')}/"
    if check is None:
        labels = {"alertname": "MonitorCannotMeasure", "severity": "critical"}
        summary = "De monitor kan niet meten" if nl else "The monitor cannot measure"
        what = sentence(incident.failure, language)
    else:
        bad = severity_kept(incident, rule)
        labels = {"alertname": "JourneyDown", "journey": check.id, "severity": LABELS[bad]}
        title = _in(check.title, language)
        summary = f"{title} werkt niet" if nl else f"{title} is not working"
        step = step_title(check, incident.failure.step)
        what = sentence(incident.failure, language, _in(step, language) if step else None)
        link += f"incident/{incident.id}"
    return _alert(
        labels, {"summary": summary, "description": what}, incident.since_us, incident.until_us, link, settings
    )


def _alert(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    since_us: int,
    until_us: int | None,
    link: str,
    settings: AlertmanagerSettings,
) -> Alert:
    whole = {"team": "loketwacht", **settings.labels, **labels}
    name = labels["alertname"].lower()
    runbook = {"runbook_url": _RUNBOOKS + ("journeyunknown" if name == "monitorcannotmeasure" else name)}
    return Alert(
        labels=tuple(sorted(whole.items())),
        annotations=tuple(sorted({**annotations, **runbook}.items())),
        since_us=since_us,
        until_us=until_us,
        link=link,
    )


def _in(title: Title, language: Language) -> str:
    return title.nl if language == "nl" else title.en


@dataclass(slots=True)
class _Peer:
    """How it stands with one Alertmanager; the instants are monotonic but `taken_us`."""

    due_us: int = 0
    last: tuple[Alert, ...] = ()
    taken_us: int | None = None
    lost: bool = False


class Alertmanagers:
    """Sends what fires to every configured Alertmanager; each is told by itself."""

    def __init__(self, *, clock: Clock, observer: Observer) -> None:
        self._clock = clock
        self._observer = observer
        self._peers: dict[str, _Peer] = {}

    def since_us(self) -> int:
        """From when on what is over must still be told."""
        now_us = self._clock.now_us()
        away = any(peer.taken_us is None or peer.lost for peer in self._peers.values())
        return now_us - (_TOLD_LATE_US if away else _TOLD_OVER_US)

    async def tell(self, alerts: tuple[Alert, ...], settings: AlertmanagerSettings, secrets: Mapping[str, str]) -> None:
        """Tell those whose time has come: something changed, or a round is over. Never raises for what they do."""
        for gone in self._peers.keys() - set(settings.urls):
            del self._peers[gone]
        await asyncio.gather(*(self._tell(url, alerts, settings, secrets) for url in settings.urls))

    async def _tell(
        self, url: str, alerts: tuple[Alert, ...], settings: AlertmanagerSettings, secrets: Mapping[str, str]
    ) -> None:
        peer = self._peers.setdefault(url, _Peer())
        now_us, monotonic_us = self._clock.now_us(), self._clock.monotonic_us()
        if not alerts or (monotonic_us < peer.due_us and (peer.lost or alerts == peer.last)):
            return
        body = json.dumps([one.told(now_us=now_us, every_us=settings.every) for one in alerts]).encode()
        called = shown(url)
        try:
            answer = await outbound.post(
                filled(url, secrets).rstrip("/") + "/api/v2/alerts",
                body,
                headers={"Content-Type": "application/json", "User-Agent": "Loketwacht"},
                timeout_us=settings.timeout,
                called=called,
            )
            error = "" if 200 <= answer.status < 300 else f"{called} answered with status {answer.status}"
        except outbound.OutboundError as failed:
            error = str(failed)
        self._observer.delivered("retry" if error else "delivered", now_us=now_us, channel="alertmanager")
        peer.due_us = monotonic_us + (min(_RETRY_US, settings.every) if error else settings.every)
        if error:
            log.warning("an Alertmanager took nothing", extra={"error": error, "alerts": len(alerts)})
        else:
            peer.last, peer.taken_us = alerts, now_us
        peer.lost = error != ""
