"""The gauges that tell the newest sample of a check, most of them in blackbox_exporter's words."""

from __future__ import annotations

import ipaddress

from monitor.exposition import Labels
from monitor.series import Series, seconds
from probes.sample import CertificateFacts, Outcome, Phases, Reached, Sample, StepOutcome, StepResult

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
_PHASES = ("resolve", "connect", "tls", "processing", "transfer")


def tell(series: Series, sample: Sample, key: Labels) -> None:
    """Put the gauges of this check, at this place, on what its newest sample says."""
    _state(series, sample, key)
    series.set("probe_duration_seconds", seconds(sample.duration_us), *key)
    series.set("journey_last_run_timestamp_seconds", seconds(sample.started_us), *key)
    series.set("journey_schedule_lag_seconds", seconds(max(0, sample.started_us - sample.slot_us)), *key)
    if sample.failure is not None:
        series.set("probe_failure_info", 1, *key, sample.failure.step or "", sample.failure.kind.value)
    if sample.certificate is not None:
        _certificate(series, sample.certificate, key)
    if sample.reached is not None:
        _reached(series, sample.reached, key)
    if sample.steps:
        _steps(series, sample, key)


def _state(series: Series, sample: Sample, key: Labels) -> None:
    good = sample.outcome in (Outcome.UP, Outcome.DEGRADED)
    series.drop(_LAST_RUN_ONLY, *key)
    series.set("probe_success", float(good), *key)
    for outcome in Outcome:
        series.set("journey_state", float(sample.outcome is outcome), *key, outcome.value)
    if sample.outcome is not Outcome.UNKNOWN:
        series.set("journey_success", float(good), *key)
    if good:
        series.set("journey_last_success_timestamp_seconds", seconds(sample.started_us), *key)
    regex = sample.failure is not None and sample.failure.subject.startswith(
        ("text", "regex", "not_text", "banner", "answer")
    )
    series.set("probe_failed_due_to_regex", float(regex), *key)
    json = sample.failure is not None and sample.failure.subject.startswith("json")
    series.set("probe_failed_due_to_cel", float(json), *key)


def _steps(series: Series, sample: Sample, key: Labels) -> None:
    done = [step for step in sample.steps if step.outcome is not StepOutcome.SKIPPED]
    phases = sum((step.phases for step in done), Phases())
    for phase in _PHASES:
        series.set("probe_http_duration_seconds", seconds(getattr(phases, f"{phase}_us")), *key, phase)
    series.set("probe_dns_lookup_time_seconds", seconds(phases.resolve_us), *key)
    series.set("probe_http_redirects", float(sum(max(0, len(step.urls) - 1) for step in done)), *key)
    for step in done:
        series.set("journey_step_success", float(step.outcome is not StepOutcome.FAILED), *key, step.step)
        for phase in _PHASES:
            series.set(
                "journey_step_phase_seconds", seconds(getattr(step.phases, f"{phase}_us")), *key, step.step, phase
            )
        if step.lcp_us is not None:
            series.set("journey_step_lcp_seconds", seconds(step.lcp_us), *key, step.step)
    if done:
        _last_answer(series, done[-1], key)


def _last_answer(series: Series, step: StepResult, key: Labels) -> None:
    series.set("probe_http_status_code", float(step.status), *key)
    series.set("probe_http_content_length", float(step.content_length), *key)
    series.set("probe_http_uncompressed_body_length", float(step.body_bytes), *key)
    series.set("probe_http_ssl", float(step.tls_version != ""), *key)
    series.set("probe_http_version", float(step.http_version or 0), *key)
    _address(series, step.address, key)
    if step.last_modified_us is not None:
        series.set("probe_http_last_modified_timestamp_seconds", seconds(step.last_modified_us), *key)
    if step.tls_version:
        series.set("probe_tls_version_info", 1, *key, step.tls_version)
        series.set("probe_tls_cipher_info", 1, *key, step.tls_cipher)
    if step.certificate_not_after_us is not None:
        series.set("probe_ssl_earliest_cert_expiry", seconds(step.certificate_not_after_us), *key)


def _address(series: Series, address: str, key: Labels) -> None:
    series.set("probe_ip_protocol", 0.0 if not address else 6.0 if ":" in address else 4.0, *key)
    series.set("probe_ip_addr_hash", float(_address_hash(address)), *key)


def _reached(series: Series, reached: Reached, key: Labels) -> None:
    """A name server, port or mail server; blackbox_exporter's names for its DNS and TCP probers."""
    phases, answered = reached.phases, reached.answered
    _address(series, reached.address, key)
    series.set("probe_dns_lookup_time_seconds", seconds(phases.resolve_us), *key)
    if reached.kind != "name":
        return
    asked = {"resolve": phases.resolve_us, "connect": phases.connect_us, "request": phases.processing_us}
    for phase, us in asked.items():
        series.set("probe_dns_duration_seconds", seconds(us), *key, phase)
    series.set("probe_dns_query_succeeded", float(answered is not None), *key)
    if answered is None:
        return
    series.set("probe_dns_answer_rrs", float(answered.answers), *key)
    series.set("probe_dns_authority_rrs", float(answered.authorities), *key)
    series.set("probe_dns_additional_rrs", float(answered.additionals), *key)
    series.set("probe_dns_answer_authenticated", float(answered.authenticated), *key)
    if answered.ttl_us is not None:
        series.set("probe_dns_answer_ttl_seconds", seconds(answered.ttl_us), *key)
    if answered.serial is not None:
        series.set("probe_dns_serial", float(answered.serial), *key)


def _certificate(series: Series, facts: CertificateFacts, key: Labels) -> None:
    series.drop(_CERTIFICATE, *key)
    series.set("probe_ssl_earliest_cert_expiry", seconds(facts.earliest_not_after_us), *key)
    series.set("probe_ssl_last_chain_expiry_timestamp_seconds", seconds(facts.not_after_us), *key)
    names = ",".join(facts.names)
    series.set(
        "probe_ssl_last_chain_info",
        1,
        *key,
        facts.fingerprint_sha256,
        facts.subject,
        facts.issuer,
        names,
        facts.serial,
    )
    series.set("probe_tls_version_info", 1, *key, facts.tls_version)
    series.set("probe_tls_cipher_info", 1, *key, facts.cipher)


def says_as_much(sample: Sample, before: Sample) -> bool:
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


def _address_hash(address: str) -> int:
    """FNV-1a (32 bits) of an address's bytes, as blackbox_exporter does it: shows that it changed; 0 without one."""
    if not address:
        return 0
    value = 0x811C9DC5
    for byte in ipaddress.ip_address(address.partition("%")[0]).packed:
        value = (value ^ byte) * 0x01000193 % 2**32
    return value
