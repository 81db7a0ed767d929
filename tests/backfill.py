"""A day of series for every metric of the catalogue, as OpenMetrics text that promtool turns into blocks.

The story: `aanmelden` works; `indienen` has been down for seven hours and has an open incident; `oud` works by its last
run, but that run is long ago.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from monitor.catalogue import CATALOGUE, Metric

END = 1_741_518_000  # seconds; 9 March 2025, 12:00 in Brussels: past, or Prometheus would refuse what it records
START = END - 26 * 3600
STEP = 60
DOWN_SINCE = END - 7 * 3600
OLD_RUN = END - 5 * 3600
BUCKETS = ("0.1", "0.5", "1.0", "5.0", "+Inf")
SPEED = {"0.1": 1, "0.5": 3, "1.0": 8, "5.0": 10, "+Inf": 10}

VALUES: dict[str, tuple[str, ...]] = {
    "journey": ("aanmelden", "indienen", "oud"),
    "location": ("hier",),
    "phase": ("resolve", "connect", "tls", "processing", "transfer", "request"),
    "step": ("openen", "versturen"),
    "reason": ("http-status",),
    "state": ("up", "degraded", "down", "unknown"),
    "outcome": ("up", "degraded", "down", "unknown"),
    "contract": ("VOORBEELD-2027-01",),
    "clause": ("B1", "B4"),
    "bound": ("lowest", "point", "highest"),
    "class": ("up", "degraded", "down", "excluded", "unmeasured"),
    "reference": ("een", "twee"),
    "direction": ("forward", "backward"),
    "channel": ("mail",),
    "result": (
        *("delivered", "retry", "refused", "given-up", "own-fault", "target-fault"),
        *("taken", "later", "failed", "ok"),
    ),
    "cause": ("overrun", "sleep"),
    "kind": ("journey",),
}


def series(metric: Metric) -> Iterator[dict[str, str]]:
    """Every combination of label values; labels that describe the journey follow from it."""
    for chosen in product(*(VALUES.get(label, ("een",)) for label in metric.labels)):
        labels = dict(zip(metric.labels, chosen, strict=True))
        if "title" in labels:
            labels["title"] = labels["journey"].capitalize()
        if metric.name == "probe_failure_info" and labels["journey"] != "indienen":
            continue
        yield labels


def counted(labels: dict[str, str], t: int) -> float:
    """A counter: one a minute, except that `indienen` has only failed since DOWN_SINCE."""
    until = t
    bad = labels.get("outcome") in ("down", "unknown", "degraded") or "reason" in labels
    if labels.get("journey") == "indienen" and labels.get("outcome") != "unknown":
        if not bad:
            until = min(t, DOWN_SINCE)
        return (
            max(t - DOWN_SINCE, 0) if bad and labels.get("outcome") != "degraded" else 0 if bad else until - START
        ) / 60
    return 0 if labels.get("outcome") in ("down", "unknown", "degraded") else (until - START) / 60


def gauged(name: str, labels: dict[str, str], t: int) -> float:
    down = labels.get("journey") == "indienen" and t >= DOWN_SINCE
    if name == "journey_state":
        return float(labels["state"] == ("down" if down else "up"))
    if name in ("probe_success", "journey_success"):
        return float(not down)
    if name == "journey_incident_open":
        return float(down)
    if name == "journey_incident_start_timestamp_seconds":
        return DOWN_SINCE
    if name == "journey_last_run_timestamp_seconds":
        return min(t, OLD_RUN) if labels["journey"] == "oud" else t - 20
    if name in ("probe_ssl_earliest_cert_expiry", "probe_ssl_last_chain_expiry_timestamp_seconds"):
        return END + 30 * 86_400
    if name.endswith("_timestamp_seconds"):
        return t - 30
    fixed = {
        "journey_interval_seconds": 60,
        "sla_availability_ratio": 0.995,
        "sla_target_ratio": 0.993,
        "sla_budget_seconds": 7200,
        "sla_coverage_ratio": 0.9991,
        "probe_http_status_code": 500 if down else 200,
        "alert_outbox_oldest_pending_seconds": 0,
    }
    if name == "sla_budget_remaining_seconds":
        return 5000 - (t - START) / 100
    return fixed.get(name, 1 if name.endswith("_info") else 0.25)


def lines() -> Iterator[str]:
    """The whole file. promtool wants one series after the other."""
    yield from _of("up", {}, lambda t: 1)
    alert = {"alertname": "JourneyDown", "alertstate": "firing", "severity": "critical", "journey": "indienen"}
    yield from _of("ALERTS", alert, lambda t: 1)
    for metric in CATALOGUE:
        for labels in series(metric):
            if metric.kind == "histogram":
                for le in BUCKETS:
                    yield from _of(metric.name + "_bucket", {**labels, "le": le}, _growing(SPEED[le]))
                yield from _of(metric.name + "_sum", labels, _growing(7))
                yield from _of(metric.name + "_count", labels, _growing(SPEED["+Inf"]))
            elif metric.kind == "counter":
                yield from _of(metric.name, labels, lambda t, labels=labels: counted(labels, t))
            else:
                yield from _of(metric.name, labels, lambda t, n=metric.name, labels=labels: gauged(n, labels, t))
    yield "# EOF\n"


def _growing(speed: int):  # type: ignore[no-untyped-def]
    return lambda t: speed * (t - START) / 60


def _of(name, labels, value):  # type: ignore[no-untyped-def]
    text = ",".join(f'{k}="{v}"' for k, v in {**labels, "job": "loketwacht", "instance": "127.0.0.1:8790"}.items())
    for t in range(START, END + 1, STEP):
        yield f"{name}{{{text}}} {value(t)} {t}\n"
