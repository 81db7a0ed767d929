"""What the service tells, as metrics that Prometheus reads. `monitor.catalogue` says which metrics there are.

A check that is no longer configured has no series any more (T46).
"""

from __future__ import annotations

import platform
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from time import sleep

from monitor import month_gauges, sample_gauges
from monitor.exposition import Family, Labels, Text, media_type
from monitor.mail_signing import Signatures
from monitor.observer import Delivered
from monitor.probe_page import families_of
from monitor.series import Series, seconds
from monitor.unsigned import usable
from probes.checks import Check
from probes.sample import Outcome, Sample, StepOutcome
from sla.assessment import Assessment
from sla.budget import DowntimeBudget

#: By which ways news leaves.
CHANNELS = ("mail", "webhook", "alertmanager")

#: So many samples are told between two rests.
_SETTLED_AT_ONCE = 10
#: Between two pieces of a page the writer rests so long: whoever waits for the interpreter gets it, and not only after
#: the five milliseconds for which a busy thread may keep it.
_REST_S = 0.0001


class Metrics:
    """The newest value of every metric. Told by the service, read by Prometheus; safe to read from another thread."""

    def __init__(self, *, version: str, started_us: int, on_incident: Callable[[], None] = lambda: None) -> None:
        self._on_incident = on_incident
        self._series = series = Series()
        # Many figures only one place of the service knows; it names the metric itself.
        self.set, self.add, self.drop = series.set, series.add, series.drop
        # The newest sample of each check, where nobody read its gauges yet: many are replaced before anybody does.
        self._untold: dict[Labels, Sample] = {}
        self._settling = threading.Lock()
        self._paused: Mapping[str, bool] = {}
        self._text = Text()
        self._writing = threading.Lock()
        self.set("monitor_build_info", 1, version, platform.python_version())
        self.set("monitor_start_timestamp_seconds", seconds(started_us))
        for name in (
            "monitor_db_errors_total",
            "monitor_samples_waiting",
            "monitor_samples_waiting_bytes",
            "monitor_samples_spooled",
            "monitor_samples_lost_total",
            "monitor_evidence_given_up_total",
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

    # -- what the service tells --------------------------------------------------------------------------------------

    def configured(self, checks: Sequence[Check], *, location: str, sha256: str, now_us: int) -> None:
        """A configuration came into force. Series of checks that are gone end here; counters of the others go on."""
        kept = {check.id for check in checks}
        with self._settling:
            for gone in [key for key in self._untold if key[0] not in kept]:
                del self._untold[gone]
        self._series.end("journey", kept)
        self._paused = {}
        self.drop(("monitor_config_info", "journey_info"))
        for check in checks:
            self.set("journey_info", 1, check.id, check.title.nl, check.kind)
            self.set("journey_interval_seconds", seconds(check.interval), check.id)
            self.set("probe_timeout_seconds", seconds(check.deadline), check.id, location)
            for outcome in Outcome:
                self.add("journey_runs_total", 0, check.id, location, outcome.value)
            self.add("journey_blips_total", 0, check.id, location)
            self.add("journey_incident_open", 0, check.id)
            self.set("journey_shadow", float(check.shadow), check.id)
        self.set("monitor_config_info", 1, sha256)
        self.reloaded(ok=True, now_us=now_us)

    def keep_only(self, *, contracts: Iterable[str], references: Iterable[str], names: Iterable[str] = ()) -> None:
        """Series of contracts and reference targets that are no longer in force end here, as those of checks do."""
        self._series.end("contract", set(contracts))
        self._series.end("reference", set(references))
        self._series.end("name", set(names))

    def reloaded(self, *, ok: bool, now_us: int) -> None:
        self.set("monitor_config_last_reload_successful", float(ok))
        if ok:
            self.set("monitor_config_last_reload_success_timestamp_seconds", seconds(now_us))

    def sample(self, sample: Sample) -> None:
        """A run ended and its sample is stored. That of a check that is no more configured tells nothing."""
        if not self.known(sample.check_id):
            return
        self.newest(sample)
        self._count(sample, (sample.check_id, sample.location))

    def newest(self, sample: Sample) -> None:
        """Tell this sample as the newest of its check without counting it: it was counted when it was measured."""
        key = (sample.check_id, sample.location)
        before = self._untold.get(key)
        if before is not None and not sample_gauges.says_as_much(sample, before):
            self._settle(key)
        self._untold[key] = sample

    def _settle(self, key: Labels) -> None:
        """Tell what nobody read yet of a check at one place; one thread at a time, so that the newest is told last."""
        with self._settling:
            sample = self._untold.pop(key, None)
            if sample is not None:
                sample_gauges.tell(self._series, sample, key)

    def _settle_all(self) -> None:
        for number, key in enumerate(list(self._untold)):
            if number % _SETTLED_AT_ONCE == 0:
                sleep(_REST_S)
            self._settle(key)

    def _count(self, sample: Sample, key: Labels) -> None:
        observe = self._series.observe
        self.add("journey_runs_total", 1, *key, sample.outcome.value)
        if sample.blip is not None:
            self.add("journey_blips_total", 1, *key)
        if sample.failure is not None and sample.outcome is Outcome.DOWN:
            self.add("journey_failures_total", 1, *key, sample.failure.step or "", sample.failure.kind.value)
        told, at_us = sample.run_id, sample.started_us
        if sample.outcome in (Outcome.UP, Outcome.DEGRADED):
            observe("journey_duration_seconds", seconds(sample.duration_us), *key, run_id=told, at_us=at_us)
        for step in sample.steps:
            if step.outcome not in (StepOutcome.SKIPPED, StepOutcome.FAILED):
                took = seconds(step.duration_us)
                observe("journey_step_duration_seconds", took, *key, step.step, run_id=told, at_us=at_us)

    def incident(self, check_id: str, since_us: int | None) -> None:
        """An incident is open since then; None: none is."""
        self.set("journey_incident_open", float(since_us is not None), check_id)
        self.drop(("journey_incident_start_timestamp_seconds",), check_id)
        if since_us is not None:
            self.set("journey_incident_start_timestamp_seconds", seconds(since_us), check_id)
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

    def samples_waiting(self, waiting: int, waiting_bytes: int) -> None:
        self.set("monitor_samples_waiting", waiting)
        self.set("monitor_samples_waiting_bytes", waiting_bytes)

    def evidence_given_up(self, samples: int) -> None:
        self.add("monitor_evidence_given_up_total", samples)

    def samples_lost(self, lost: int) -> None:
        self.add("monitor_samples_lost_total", lost)

    def mail_servers(self, names: Iterable[str]) -> None:
        """Count from nothing what these mail servers say; they come in the order in which they are asked."""
        for turn, name in enumerate(names, 1):
            self.set("alert_mail_server_turn", turn, name)
            for result in ("taken", "later", "refused", "failed"):
                self.add("alert_mail_server_answers_total", 0, name, result)

    def signatures(self, signatures: Signatures, *, now_us: int) -> None:
        """By what mails can be signed now, and until when."""
        for by, can in usable(signatures, now_us).items():
            self.set("alert_mail_signature_usable", can, by)
        if signatures.smime is not None:
            self.set("alert_mail_certificate_expiry_timestamp_seconds", seconds(signatures.smime.until_us))

    def mail_server(self, server: str, code: int) -> None:
        result = {2: "taken", 4: "later", 5: "refused"}.get(code // 100, "failed")
        self.add("alert_mail_server_answers_total", 1, server, result)

    def delivered(self, result: Delivered, *, now_us: int, channel: str = "mail") -> None:
        self.add("alert_deliveries_total", 1, channel, result)
        if result == "delivered":
            self.set("alert_last_delivery_timestamp_seconds", seconds(now_us), channel)

    def outbox(
        self, *, pending: int, oldest_us: int | None, now_us: int, held: int = 0, aside: int = 0, channel: str = "mail"
    ) -> None:
        self.set("alert_outbox_pending", float(pending), channel)
        self.set("alert_outbox_held", float(held), channel)
        self.set("alert_outbox_set_aside", float(aside), channel)
        self.set(
            "alert_outbox_oldest_pending_seconds",
            0.0 if oldest_us is None else seconds(max(0, now_us - oldest_us)),
            channel,
        )

    def sla(self, assessment: Assessment, budgets: Iterable[DowntimeBudget], *, now_us: int) -> None:
        """The running month was assessed again."""
        month_gauges.tell(self._series, assessment, budgets, now_us=now_us)

    # -- what Prometheus reads ---------------------------------------------------------------------------------------

    def families(self) -> Iterator[Family]:
        """Every metric as it stands now, the newest sample of every check told."""
        self._settle_all()
        return self._series.families()

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
        return self._series.has("journey_info", check_id)

    def probe(self, check_id: str, accept: str) -> tuple[bytes, str] | None:
        """The newest result of one check as blackbox_exporter tells it, and its media type; None before its first run.

        Measures nothing.
        """
        for key in [key for key in list(self._untold) if key[0] == check_id]:
            self._settle(key)
        families = families_of(self._series.beginning_with(check_id))
        if not families:
            return None
        kind = media_type(accept)
        return "".join(Text().pieces(families, kind)).encode(), kind
