"""The newest value of every metric. `monitor.catalogue` says which there are, `monitor.exposition` writes them down.

A check that is no longer configured has no series any more (T46).
"""

from __future__ import annotations

import ipaddress
import platform
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from time import sleep

from monitor.catalogue import BUCKETS, CATALOGUE, Metric
from monitor.exposition import Distribution, Exemplar, Family, Labels, Text, media_type
from monitor.observer import Delivered
from probes.checks import Check
from probes.sample import CertificateFacts, Outcome, Phases, Reached, Sample, StepOutcome, StepResult
from sla.assessment import Assessment
from sla.budget import DowntimeBudget

_BY_NAME = {metric.name: metric for metric in CATALOGUE}
#: What only the newest sample says: dropped before the next one is told, so that nothing stale stays (T46).
_LAST_RUN_ONLY = (
    "probe_failure_info",
    "probe_http_last_modified_timestamp_seconds",
    "probe_tls_version_info",
    "probe_tls_cipher_info",
    "journey_step_success",
    "journey_step_phase_seconds",
    "journey_step_lcp_seconds",
    "probe_dns_answer_rrs",
    "probe_dns_authority_rrs",
    "probe_dns_additional_rrs",
    "probe_dns_serial",
    "probe_dns_answer_ttl_seconds",
    "probe_dns_answer_authenticated",
)
#: Facts about a certificate stay until a newer certificate is seen: an expired one must not vanish (T14).
_CERTIFICATE = (
    "probe_ssl_earliest_cert_expiry",
    "probe_ssl_last_chain_expiry_timestamp_seconds",
    "probe_ssl_last_chain_info",
)
#: By which ways news leaves.
CHANNELS = ("mail", "webhook", "alertmanager")
_PHASES = ("resolve", "connect", "tls", "processing", "transfer")

#: OpenMetrics allows so many characters in the names and values of an exemplar's labels together.
_EXEMPLAR_LENGTH = 128
#: On `/probe` the scraper says which check it asked for; these labels would only repeat it. blackbox_exporter has none.
_NOT_ON_PROBE = ("journey", "location", "step")

#: So many samples are told between two rests.
_SETTLED_AT_ONCE = 10
#: Between two pieces of a page the writer rests so long: whoever waits for the interpreter gets it, and not only after
#: the five milliseconds for which a busy thread may keep it.
_REST_S = 0.0001


@dataclass(slots=True)
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0
    #: By bucket: the newest run that fell into it. OpenMetrics tells it, the classic format has no place for it.
    exemplars: dict[int, Exemplar] = field(default_factory=dict)

    def add(self, value: float, *, run_id: str, at_us: int) -> None:
        bucket = bisect_left(BUCKETS, value)
        self.counts[bucket] += 1
        self.total += value
        if 0 < len(run_id) <= _EXEMPLAR_LENGTH - len("run_id"):
            self.exemplars[bucket] = Exemplar(run_id, value, _seconds(at_us))

    def read(self) -> Distribution:
        return Distribution(tuple(self.counts), self.total, dict(self.exemplars))


def _seconds(us: int) -> float:
    return us / 1_000_000


class Metrics:
    """The newest value of every metric. Told by the service, read by Prometheus; safe to read from another thread."""

    def __init__(self, *, version: str, started_us: int, on_incident: Callable[[], None] = lambda: None) -> None:
        self._on_incident = on_incident
        # By metric and by its first label, so that what concerns one check is found without looking at all the others.
        self._values: dict[str, dict[str, dict[Labels, float]]] = {metric.name: {} for metric in CATALOGUE}
        self._histograms: dict[str, dict[str, dict[Labels, _Histogram]]] = {metric.name: {} for metric in CATALOGUE}
        # The newest sample of each check, where nobody read its gauges yet: many are replaced before anybody does.
        self._untold: dict[Labels, Sample] = {}
        self._settling = threading.Lock()
        self._paused: Mapping[str, bool] = {}
        self._text = Text()
        self._writing = threading.Lock()
        self._lock = threading.Lock()
        self.set("monitor_build_info", 1, version, platform.python_version())
        self.set("monitor_start_timestamp_seconds", _seconds(started_us))
        for name in (
            "monitor_db_errors_total",
            "monitor_samples_waiting",
            "monitor_samples_lost_total",
            "monitor_runs_in_flight",
            "monitor_loop_lag_seconds",
            "monitor_cpu_pressure_ratio",
            "monitor_checks_still",
        ):
            self.set(name, 0)
        for direction in ("forward", "backward"):
            self.set("monitor_clock_jumps_total", 0, direction)
        for verdict in ("own-fault", "target-fault"):
            self.set("monitor_reference_checks_total", 0, verdict)
        for result in ("passed", "failed"):
            self.set("monitor_drills_total", 0, result)
        for result in ("ok", "failed"):
            self.set("monitor_ledger_timestamps_total", 0, result)
            for signal in ("alive", "failing"):
                self.set("monitor_heartbeats_total", 0, signal, result)
        self.set("monitor_heartbeat_last_ok_timestamp_seconds", 0)
        for channel in CHANNELS:
            for result in ("delivered", "retry", "refused", "given-up"):
                self.set("alert_deliveries_total", 0, channel, result)
            self.set("alert_last_delivery_timestamp_seconds", 0, channel)
            if channel != "alertmanager":  # told from what is stored, not from the outbox
                self.outbox(pending=0, oldest_us=None, now_us=0, channel=channel)

    # -- the three ways a value changes ------------------------------------------------------------------------------

    def set(self, name: str, value: float, *labels: str) -> None:
        if len(labels) != len(_BY_NAME[name].labels):
            raise ValueError(f"{name} has the labels {_BY_NAME[name].labels}, not {labels}")
        with self._lock:
            self._values[name].setdefault(_first(labels), {})[labels] = value

    def add(self, name: str, amount: float, *labels: str) -> None:
        with self._lock:
            values = self._values[name].setdefault(_first(labels), {})
            values[labels] = values.get(labels, 0.0) + amount

    def observe(self, name: str, value: float, *labels: str, run_id: str = "", at_us: int = 0) -> None:
        """One more value in a histogram; `run_id` names the run it comes from, empty for none."""
        with self._lock:
            series = self._histograms[name].setdefault(_first(labels), {}).setdefault(labels, _Histogram())
            series.add(value, run_id=run_id, at_us=at_us)

    def drop(self, names: Iterable[str], *first_labels: str) -> None:
        """Forget the series of these metrics whose labels begin like this."""
        with self._lock:
            for name in names:
                if not first_labels:
                    self._values[name].clear()
                    continue
                values = self._values[name].get(first_labels[0], {})
                for labels in [k for k in values if k[: len(first_labels)] == first_labels]:
                    del values[labels]

    def _end(self, label: str, kept: Collection[str]) -> None:
        """Forget the series of every metric whose first label this is, but for these values of it."""
        with self._lock:
            for metric in CATALOGUE:
                if metric.labels[:1] == (label,):
                    for known in (self._values[metric.name], self._histograms[metric.name]):
                        for gone in known.keys() - kept:
                            del known[gone]

    # -- what the service tells --------------------------------------------------------------------------------------

    def configured(self, checks: Sequence[Check], *, location: str, sha256: str, now_us: int) -> None:
        """A configuration came into force. Series of checks that are gone end here; counters of the others go on."""
        kept = {check.id for check in checks}
        with self._settling:
            for gone in [key for key in self._untold if key[0] not in kept]:
                del self._untold[gone]
        self._end("journey", kept)
        self._paused = {}
        self.drop(("monitor_config_info", "journey_info"))
        for check in checks:
            self.set("journey_info", 1, check.id, check.title.nl, check.kind)
            self.set("journey_interval_seconds", _seconds(check.interval), check.id)
            self.set("probe_timeout_seconds", _seconds(check.deadline), check.id, location)
            for outcome in Outcome:
                self.add("journey_runs_total", 0, check.id, location, outcome.value)
            self.add("journey_blips_total", 0, check.id, location)
            self.add("journey_incident_open", 0, check.id)
            self.set("journey_shadow", float(check.shadow), check.id)
        self.set("monitor_config_info", 1, sha256)
        self.reloaded(ok=True, now_us=now_us)

    def keep_only(self, *, contracts: Iterable[str], references: Iterable[str], names: Iterable[str] = ()) -> None:
        """Series of contracts and reference targets that are no longer in force end here, as those of checks do."""
        self._end("contract", set(contracts))
        self._end("reference", set(references))
        self._end("name", set(names))

    def reloaded(self, *, ok: bool, now_us: int) -> None:
        self.set("monitor_config_last_reload_successful", float(ok))
        if ok:
            self.set("monitor_config_last_reload_success_timestamp_seconds", _seconds(now_us))

    def sample(self, sample: Sample) -> None:
        """A run ended and its sample is stored."""
        self.newest(sample)
        self._count(sample, (sample.check_id, sample.location))

    def newest(self, sample: Sample) -> None:
        """Tell this sample as the newest of its check without counting it: it was counted when it was measured."""
        key = (sample.check_id, sample.location)
        before = self._untold.get(key)
        if before is not None and not _says_as_much(sample, before):
            self._settle(key)
        self._untold[key] = sample

    def _settle(self, key: Labels) -> None:
        """Tell what nobody read yet of a check at one place; one thread at a time, so that the newest is told last."""
        with self._settling:
            sample = self._untold.pop(key, None)
            if sample is not None:
                self._tell(sample, key)

    def _settle_all(self) -> None:
        for number, key in enumerate(list(self._untold)):
            if number % _SETTLED_AT_ONCE == 0:
                sleep(_REST_S)
            self._settle(key)

    def _tell(self, sample: Sample, key: Labels) -> None:
        self._state(sample, key)
        self.set("probe_duration_seconds", _seconds(sample.duration_us), *key)
        self.set("journey_last_run_timestamp_seconds", _seconds(sample.started_us), *key)
        self.set("journey_schedule_lag_seconds", _seconds(max(0, sample.started_us - sample.slot_us)), *key)
        if sample.failure is not None:
            self.set("probe_failure_info", 1, *key, sample.failure.step or "", sample.failure.kind.value)
        if sample.certificate is not None:
            self._certificate(sample.certificate, key)
        if sample.reached is not None:
            self._reached(sample.reached, key)
        if sample.steps:
            self._steps(sample, key)

    def _count(self, sample: Sample, key: Labels) -> None:
        self.add("journey_runs_total", 1, *key, sample.outcome.value)
        if sample.blip is not None:
            self.add("journey_blips_total", 1, *key)
        if sample.failure is not None and sample.outcome is Outcome.DOWN:
            self.add("journey_failures_total", 1, *key, sample.failure.step or "", sample.failure.kind.value)
        told, at_us = sample.run_id, sample.started_us
        if sample.outcome in (Outcome.UP, Outcome.DEGRADED):
            self.observe("journey_duration_seconds", _seconds(sample.duration_us), *key, run_id=told, at_us=at_us)
        for step in sample.steps:
            if step.outcome not in (StepOutcome.SKIPPED, StepOutcome.FAILED):
                seconds = _seconds(step.duration_us)
                self.observe("journey_step_duration_seconds", seconds, *key, step.step, run_id=told, at_us=at_us)

    def _state(self, sample: Sample, key: Labels) -> None:
        good = sample.outcome in (Outcome.UP, Outcome.DEGRADED)
        self.drop(_LAST_RUN_ONLY, *key)
        self.set("probe_success", float(good), *key)
        for outcome in Outcome:
            self.set("journey_state", float(sample.outcome is outcome), *key, outcome.value)
        if sample.outcome is not Outcome.UNKNOWN:
            self.set("journey_success", float(good), *key)
        if good:
            self.set("journey_last_success_timestamp_seconds", _seconds(sample.started_us), *key)
        regex = sample.failure is not None and sample.failure.subject.startswith(
            ("text", "regex", "not_text", "banner", "answer")
        )
        self.set("probe_failed_due_to_regex", float(regex), *key)
        json = sample.failure is not None and sample.failure.subject.startswith("json")
        self.set("probe_failed_due_to_cel", float(json), *key)

    def _steps(self, sample: Sample, key: Labels) -> None:
        done = [step for step in sample.steps if step.outcome is not StepOutcome.SKIPPED]
        phases = sum((step.phases for step in done), Phases())
        for phase in _PHASES:
            self.set("probe_http_duration_seconds", _seconds(getattr(phases, f"{phase}_us")), *key, phase)
        self.set("probe_dns_lookup_time_seconds", _seconds(phases.resolve_us), *key)
        self.set("probe_http_redirects", float(sum(max(0, len(step.urls) - 1) for step in done)), *key)
        for step in done:
            self.set("journey_step_success", float(step.outcome is not StepOutcome.FAILED), *key, step.step)
            for phase in _PHASES:
                self.set(
                    "journey_step_phase_seconds", _seconds(getattr(step.phases, f"{phase}_us")), *key, step.step, phase
                )
            if step.lcp_us is not None:
                self.set("journey_step_lcp_seconds", _seconds(step.lcp_us), *key, step.step)
        if done:
            self._last_answer(done[-1], key)

    def _last_answer(self, step: StepResult, key: Labels) -> None:
        self.set("probe_http_status_code", float(step.status), *key)
        self.set("probe_http_content_length", float(step.content_length), *key)
        self.set("probe_http_uncompressed_body_length", float(step.body_bytes), *key)
        self.set("probe_http_ssl", float(step.tls_version != ""), *key)
        self.set("probe_http_version", float(step.http_version or 0), *key)
        self._address(step.address, key)
        if step.last_modified_us is not None:
            self.set("probe_http_last_modified_timestamp_seconds", _seconds(step.last_modified_us), *key)
        if step.tls_version:
            self.set("probe_tls_version_info", 1, *key, step.tls_version)
            self.set("probe_tls_cipher_info", 1, *key, step.tls_cipher)
        if step.certificate_not_after_us is not None:
            self.set("probe_ssl_earliest_cert_expiry", _seconds(step.certificate_not_after_us), *key)

    def _address(self, address: str, key: Labels) -> None:
        self.set("probe_ip_protocol", 0.0 if not address else 6.0 if ":" in address else 4.0, *key)
        self.set("probe_ip_addr_hash", float(_address_hash(address)), *key)

    def _reached(self, reached: Reached, key: Labels) -> None:
        """A name server, port or mail server; blackbox_exporter's names for its DNS and TCP probers."""
        phases, answered = reached.phases, reached.answered
        self._address(reached.address, key)
        self.set("probe_dns_lookup_time_seconds", _seconds(phases.resolve_us), *key)
        if reached.kind != "name":
            return
        asked = {"resolve": phases.resolve_us, "connect": phases.connect_us, "request": phases.processing_us}
        for phase, us in asked.items():
            self.set("probe_dns_duration_seconds", _seconds(us), *key, phase)
        self.set("probe_dns_query_succeeded", float(answered is not None), *key)
        if answered is None:
            return
        self.set("probe_dns_answer_rrs", float(answered.answers), *key)
        self.set("probe_dns_authority_rrs", float(answered.authorities), *key)
        self.set("probe_dns_additional_rrs", float(answered.additionals), *key)
        self.set("probe_dns_answer_authenticated", float(answered.authenticated), *key)
        if answered.ttl_us is not None:
            self.set("probe_dns_answer_ttl_seconds", _seconds(answered.ttl_us), *key)
        if answered.serial is not None:
            self.set("probe_dns_serial", float(answered.serial), *key)

    def _certificate(self, facts: CertificateFacts, key: Labels) -> None:
        self.drop(_CERTIFICATE, *key)
        self.set("probe_ssl_earliest_cert_expiry", _seconds(facts.earliest_not_after_us), *key)
        self.set("probe_ssl_last_chain_expiry_timestamp_seconds", _seconds(facts.not_after_us), *key)
        names = ",".join(facts.names)
        self.set(
            "probe_ssl_last_chain_info",
            1,
            *key,
            facts.fingerprint_sha256,
            facts.subject,
            facts.issuer,
            names,
            facts.serial,
        )
        self.set("probe_tls_version_info", 1, *key, facts.tls_version)
        self.set("probe_tls_cipher_info", 1, *key, facts.cipher)

    def incident(self, check_id: str, since_us: int | None) -> None:
        """An incident is open since then; None: none is."""
        self.set("journey_incident_open", float(since_us is not None), check_id)
        self.drop(("journey_incident_start_timestamp_seconds",), check_id)
        if since_us is not None:
            self.set("journey_incident_start_timestamp_seconds", _seconds(since_us), check_id)
        self._on_incident()

    def cleaned_up(
        self, states: Iterable[tuple[str, str]], *, journeys: Iterable[str], resting: Collection[str]
    ) -> None:
        """What is not confirmed gone, as (journey, state) of each; and which of all journeys rest."""
        counted = Counter(states)
        self.drop(("journey_created_objects_open", "journey_login_paused"))
        for journey in journeys:
            self.set("journey_login_paused", float(journey in resting), journey)
            for state in ("open", "unclear", "orphan"):
                self.set("journey_created_objects_open", counted[journey, state], journey, state)

    def rests(self, *, stopped: bool, paused: Mapping[str, bool]) -> None:
        """Whether the stop file is there, and per check whether somebody paused it."""
        self.set("monitor_stop_file_present", float(stopped))
        if paused == self._paused:
            return  # it is told every two seconds, and hardly ever changes
        self._paused = dict(paused)
        for check_id, rests in paused.items():
            self.set("journey_paused", float(rests), check_id)

    def references_asked(self, *, own_fault: bool) -> None:
        self.add("monitor_reference_checks_total", 1, "own-fault" if own_fault else "target-fault")

    def store_failed(self) -> None:
        self.add("monitor_db_errors_total", 1)

    def samples_waiting(self, waiting: int) -> None:
        self.set("monitor_samples_waiting", waiting)

    def samples_lost(self, lost: int) -> None:
        self.add("monitor_samples_lost_total", lost)

    def mail_servers(self, names: Iterable[str]) -> None:
        """Count from nothing what these mail servers say."""
        for name in names:
            for result in ("taken", "later", "refused", "failed"):
                self.add("alert_mail_server_answers_total", 0, name, result)

    def mail_server(self, server: str, code: int) -> None:
        result = {2: "taken", 4: "later", 5: "refused"}.get(code // 100, "failed")
        self.add("alert_mail_server_answers_total", 1, server, result)

    def delivered(self, result: Delivered, *, now_us: int, channel: str = "mail") -> None:
        self.add("alert_deliveries_total", 1, channel, result)
        if result == "delivered":
            self.set("alert_last_delivery_timestamp_seconds", _seconds(now_us), channel)

    def outbox(self, *, pending: int, oldest_us: int | None, now_us: int, channel: str = "mail") -> None:
        self.set("alert_outbox_pending", float(pending), channel)
        self.set(
            "alert_outbox_oldest_pending_seconds",
            0.0 if oldest_us is None else _seconds(max(0, now_us - oldest_us)),
            channel,
        )

    def sla(self, assessment: Assessment, budgets: Iterable[DowntimeBudget], *, now_us: int) -> None:
        """The running month was assessed again."""
        contract = assessment.contract.contract
        names = ("sla_availability_ratio", "sla_target_ratio", "sla_downtime_seconds", "sla_coverage_ratio")
        self.drop((*names, "sla_budget_seconds", "sla_budget_remaining_seconds"), contract)
        for result in assessment.clauses:
            if result.availability is None or result.totals is None:
                continue
            clause = result.clause.id
            for bound in ("lowest", "point", "highest"):
                ratio = getattr(result.availability, bound)
                if ratio is not None:
                    self.set("sla_availability_ratio", float(ratio), contract, clause, bound)
            for name in ("up", "degraded", "down", "excluded", "unmeasured"):
                self.set("sla_downtime_seconds", _seconds(getattr(result.totals, f"{name}_us")), contract, clause, name)
            if isinstance(result.target, Fraction):
                self.set(
                    "sla_target_ratio",
                    float(result.target),
                    contract,
                    clause,
                    getattr(result.clause, "window", None) or "altijd",
                )
        for budget in budgets:
            self.set("sla_budget_seconds", _seconds(budget.allowed_us), contract, budget.result.clause.id)
            self.set("sla_budget_remaining_seconds", _seconds(budget.left_us), contract, budget.result.clause.id)
        if assessment.coverage is not None:
            self.set("sla_coverage_ratio", float(assessment.coverage), contract)
        self.set("sla_assessed_timestamp_seconds", _seconds(now_us), contract)

    # -- what Prometheus reads ---------------------------------------------------------------------------------------

    def families(self) -> Iterator[Family]:
        """Every metric as it stands now, each read at once; one that has labels and no series is left out."""
        self._settle_all()
        for metric in CATALOGUE:
            with self._lock:
                values = [one for series in self._values[metric.name].values() for one in series.items()]
                histograms = self._histograms[metric.name].values()
                distributions = [(labels, found.read()) for series in histograms for labels, found in series.items()]
            if values or distributions or not metric.labels:
                yield Family(metric, values, distributions)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The metrics in the format the scraper asked for, and its media type.

        Takes a thread of its own, and lets others run between its pieces.
        """
        kind = media_type(accept)
        pieces = []
        with self._writing:
            for piece in self._text.pieces(self.families(), kind):
                pieces.append(piece.encode())
                sleep(_REST_S)
        return b"".join(pieces), kind

    def known(self, check_id: str) -> bool:
        """Whether a check of this name is configured."""
        return check_id in self._values["journey_info"]

    def probe(self, check_id: str, accept: str) -> tuple[bytes, str] | None:
        """The newest result of one check as blackbox_exporter tells it, and its media type; None before its first run.

        Measures nothing. `journey_last_run_timestamp_seconds` comes along, so that the age of the result shows. Of a
        check measured from several places, the newest result is told.
        """
        for key in [key for key in list(self._untold) if key[0] == check_id]:
            self._settle(key)
        with self._lock:
            runs = self._values["journey_last_run_timestamp_seconds"].get(check_id)
            if not runs:
                return None
            newest = max(runs, key=lambda labels: runs[labels])
            families = [
                Family(_on_probe(metric), found)
                for metric in CATALOGUE
                if metric.name.startswith("probe_") or metric.name == "journey_last_run_timestamp_seconds"
                if (found := _without_check(metric, self._values[metric.name].get(check_id, {}), newest))
            ]
        kind = media_type(accept)
        return "".join(Text().pieces(families, kind)).encode(), kind


def _says_as_much(sample: Sample, before: Sample) -> bool:
    """Whether nothing of an earlier sample is left to be told once this one is.

    A run that could not be measured leaves what was known; what a sample has no word about stays as it was.
    """
    return (
        sample.outcome is before.outcome is Outcome.UP
        and [(step.step, step.outcome) for step in sample.steps] == [(step.step, step.outcome) for step in before.steps]
        and (sample.certificate is None) == (before.certificate is None)
        and (sample.reached is None) == (before.reached is None)
        and all(_secured(new) == _secured(old) for new, old in zip(sample.steps, before.steps, strict=True))
    )


def _secured(step: StepResult) -> bool:
    return step.certificate_not_after_us is not None


def _first(labels: Labels) -> str:
    return labels[0] if labels else ""


def _on_probe(metric: Metric) -> Metric:
    return replace(metric, labels=tuple(label for label in metric.labels if label not in _NOT_ON_PROBE))


def _without_check(metric: Metric, values: dict[Labels, float], key: Labels) -> list[tuple[Labels, float]]:
    """The series of one check at one place, without the labels that `/probe` leaves out."""
    kept = [at for at, label in enumerate(metric.labels) if label not in _NOT_ON_PROBE]
    return list(
        {tuple(labels[at] for at in kept): value for labels, value in values.items() if labels[:2] == key}.items()
    )


def _address_hash(address: str) -> int:
    """FNV-1a (32 bits) of an address's bytes, as blackbox_exporter does it: shows that it changed; 0 without one."""
    if not address:
        return 0
    value = 0x811C9DC5
    for byte in ipaddress.ip_address(address.partition("%")[0]).packed:
        value = (value ^ byte) * 0x01000193 % 2**32
    return value
