"""Every metric once: name, type, labels and help.

Names follow blackbox_exporter where it has one (see docs/metrics.md). Label values come from the configuration and from
closed lists, never from responses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str


_CHECK = ("journey", "location")

CATALOGUE: tuple[Metric, ...] = (
    # The newest sample of a check, in blackbox_exporter's words.
    Metric("probe_success", "gauge", _CHECK, "Whether the last run succeeded (degraded counts as success)."),
    Metric("probe_duration_seconds", "gauge", _CHECK, "Duration of the last run."),
    Metric("probe_timeout_seconds", "gauge", _CHECK, "Total deadline of a run."),
    Metric("probe_dns_lookup_time_seconds", "gauge", _CHECK, "Time spent resolving names in the last run."),
    Metric("probe_ip_protocol", "gauge", _CHECK, "IP protocol of the last answer, 4 or 6; 0 if none came."),
    Metric("probe_ip_addr_hash", "gauge", _CHECK, "Hash of the IP address that answered last (FNV-1a); 0 if none did."),
    Metric(
        "probe_dns_duration_seconds", "gauge", (*_CHECK, "phase"), "Duration of the last question to a name server."
    ),
    Metric("probe_dns_query_succeeded", "gauge", _CHECK, "Whether a name server answered the last question."),
    Metric("probe_dns_answer_rrs", "gauge", _CHECK, "Records in the last answer itself."),
    Metric("probe_dns_authority_rrs", "gauge", _CHECK, "Records about authority in the last answer."),
    Metric("probe_dns_additional_rrs", "gauge", _CHECK, "Additional records in the last answer."),
    Metric("probe_dns_serial", "gauge", _CHECK, "Serial number of the zone; only for questions about SOA."),
    Metric(
        "probe_dns_answer_ttl_seconds", "gauge", _CHECK, "Smallest time to live in the last answer; absent without one."
    ),
    Metric("probe_dns_answer_authenticated", "gauge", _CHECK, "Whether the resolver checked DNSSEC (the AD flag)."),
    Metric(
        "probe_http_duration_seconds",
        "gauge",
        (*_CHECK, "phase"),
        "Duration of the last run by phase, over all steps and redirects.",
    ),
    Metric(
        "probe_http_status_code", "gauge", _CHECK, "HTTP status of the last answer of the last run; 0 if none came."
    ),
    Metric("probe_http_content_length", "gauge", _CHECK, "Announced length of the last answer; -1 if unknown."),
    Metric("probe_http_uncompressed_body_length", "gauge", _CHECK, "Decoded length of the last answer's body."),
    Metric("probe_http_redirects", "gauge", _CHECK, "Redirects followed in the last run."),
    Metric("probe_http_ssl", "gauge", _CHECK, "Whether the last answer came over TLS."),
    Metric("probe_http_version", "gauge", _CHECK, "HTTP version of the last answer; 0 if none came."),
    Metric(
        "probe_http_last_modified_timestamp_seconds", "gauge", _CHECK, "Last-Modified of the last answer that had one."
    ),
    Metric(
        "probe_failed_due_to_cel",
        "gauge",
        _CHECK,
        "Whether the last run failed because of an expression over JSON (here JMESPath, not CEL).",
    ),
    Metric(
        "probe_failed_due_to_regex",
        "gauge",
        _CHECK,
        "Whether the last run failed because of a text or regular expression.",
    ),
    Metric(
        "probe_ssl_earliest_cert_expiry",
        "gauge",
        _CHECK,
        "Earliest end of validity in the chain that was verified, or sent where none was, as Unix time.",
    ),
    Metric(
        "probe_ssl_last_chain_expiry_timestamp_seconds",
        "gauge",
        _CHECK,
        "End of validity of the leaf certificate, as Unix time.",
    ),
    Metric(
        "probe_ssl_last_chain_info",
        "gauge",
        (*_CHECK, "fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"),
        "The leaf certificate.",
    ),
    Metric("probe_tls_version_info", "gauge", (*_CHECK, "version"), "TLS version of the last handshake."),
    Metric("probe_tls_cipher_info", "gauge", (*_CHECK, "cipher"), "TLS cipher of the last handshake."),
    Metric(
        "probe_failure_info", "gauge", (*_CHECK, "step", "reason"), "Why the last run was not up; absent while it is."
    ),
    # Journeys in the house's own words.
    Metric("journey_info", "gauge", ("journey", "title", "kind"), "The configured checks with their Dutch titles."),
    Metric("journey_interval_seconds", "gauge", ("journey",), "From one due instant to the next."),
    Metric("journey_success", "gauge", _CHECK, "Whether the last honest run (not unknown) succeeded."),
    Metric(
        "journey_state",
        "gauge",
        (*_CHECK, "state"),
        "One for the state of the last run: up, degraded, down or unknown.",
    ),
    Metric("journey_runs_total", "counter", (*_CHECK, "outcome"), "Runs by outcome."),
    Metric("journey_failures_total", "counter", (*_CHECK, "step", "reason"), "Failed runs by step and reason."),
    Metric("journey_blips_total", "counter", _CHECK, "First failures that the immediate re-run did not confirm."),
    Metric("journey_duration_seconds", "histogram", _CHECK, "Durations of successful runs."),
    Metric("journey_step_duration_seconds", "histogram", (*_CHECK, "step"), "Durations of successful steps."),
    Metric(
        "journey_step_success",
        "gauge",
        (*_CHECK, "step"),
        "Whether the step succeeded in the last run; absent if skipped.",
    ),
    Metric(
        "journey_step_phase_seconds",
        "gauge",
        (*_CHECK, "step", "phase"),
        "Duration of the step in the last run by phase.",
    ),
    Metric(
        "journey_step_lcp_seconds",
        "gauge",
        (*_CHECK, "step"),
        "Largest Contentful Paint of the page a browser step opened in the last run; absent without a browser.",
    ),
    Metric("journey_last_run_timestamp_seconds", "gauge", _CHECK, "When the last run began."),
    Metric("journey_last_success_timestamp_seconds", "gauge", _CHECK, "When the last successful run began."),
    Metric("journey_schedule_lag_seconds", "gauge", _CHECK, "How late the last run began after its slot."),
    Metric("journey_missed_runs_total", "counter", ("journey", "cause"), "Slots that were not run, by cause."),
    Metric("journey_incident_open", "gauge", ("journey",), "Whether an incident is open."),
    Metric("journey_incident_severity", "gauge", ("journey", "severity"), "1 for the severity of the open incident."),
    Metric("journey_incident_acknowledged", "gauge", ("journey", "by"), "1 where somebody is on the open incident."),
    Metric("journey_flapping", "gauge", ("journey",), "Whether it breaks and recovers again and again."),
    Metric(
        "journey_slow",
        "gauge",
        ("journey",),
        "Whether people were told that it stays slow, and not yet that it is fast.",
    ),
    Metric("journey_paused", "gauge", ("journey",), "Whether somebody paused it: not measured, and said why."),
    Metric("journey_shadow", "gauge", ("journey",), "Whether it is measured in shadow: no incidents, no contract."),
    Metric(
        "journey_created_objects_open",
        "gauge",
        ("journey", "state"),
        "Objects made at the portal that are not confirmed gone, by state: open, unclear or orphan.",
    ),
    Metric("journey_login_paused", "gauge", ("journey",), "Whether the journey rests because its login was refused."),
    Metric(
        "journey_incident_start_timestamp_seconds",
        "gauge",
        ("journey",),
        "When the open incident began; absent without one.",
    ),
    # Month to date, indicative; the contractual figure is the monthly report.
    Metric(
        "sla_availability_ratio",
        "gauge",
        ("contract", "clause", "bound"),
        "Availability of the running month: bound lowest, point or highest.",
    ),
    Metric("sla_target_ratio", "gauge", ("contract", "clause", "window"), "What the contract promises."),
    Metric(
        "sla_downtime_seconds",
        "gauge",
        ("contract", "clause", "class"),
        "Service time of the running month by class: up, degraded, down, excluded, unmeasured.",
    ),
    Metric(
        "sla_budget_seconds",
        "gauge",
        ("contract", "clause"),
        "Downtime the contract allows in the whole running month.",
    ),
    Metric(
        "sla_budget_remaining_seconds",
        "gauge",
        ("contract", "clause"),
        "Downtime still allowed this month; negative once missed.",
    ),
    Metric(
        "sla_coverage_ratio", "gauge", ("contract",), "Share of the running month's service time that was measured."
    ),
    Metric(
        "sla_last_report_timestamp_seconds",
        "gauge",
        ("contract",),
        "When the last monthly report was issued; 0 if never.",
    ),
    Metric("sla_assessed_timestamp_seconds", "gauge", ("contract",), "When the month to date was last assessed."),
    # The monitor itself.
    Metric("monitor_build_info", "gauge", ("version", "python"), "What is running."),
    Metric("monitor_config_info", "gauge", ("sha256",), "Which configuration is in force."),
    Metric(
        "monitor_config_last_reload_successful", "gauge", (), "Whether the last reload of the configuration succeeded."
    ),
    Metric(
        "monitor_config_last_reload_success_timestamp_seconds",
        "gauge",
        (),
        "When the configuration was last taken over.",
    ),
    Metric("monitor_start_timestamp_seconds", "gauge", (), "When this process started."),
    Metric(
        "monitor_scheduler_last_advance_timestamp_seconds",
        "gauge",
        (),
        "When the schedule last moved on; stands still if the scheduler does.",
    ),
    Metric("monitor_loop_lag_seconds", "gauge", (), "Worst lateness of the event loop in the last ten seconds."),
    Metric(
        "monitor_cpu_pressure_ratio",
        "gauge",
        (),
        "Share of the last ten seconds in which something on this machine waited for a processor; 0 where unknown.",
    ),
    Metric("monitor_runs_in_flight", "gauge", (), "Runs under way."),
    Metric(
        "monitor_reference_up", "gauge", ("reference",), "Whether a reference target answered when it was last asked."
    ),
    Metric(
        "monitor_resolver_up",
        "gauge",
        ("name",),
        "Whether our own resolver answered when it was last asked for a name.",
    ),
    Metric(
        "monitor_store_sound",
        "gauge",
        (),
        "Whether the daily check found the store's file whole; absent before the first, and for a server.",
    ),
    Metric("monitor_store_checked_timestamp_seconds", "gauge", (), "When the store's file was last read through."),
    Metric(
        "monitor_store_ahead_seconds",
        "gauge",
        (),
        "How far the newest stored sample lies ahead of the clock; above 0 one of them is, or was, wrong.",
    ),
    Metric(
        "monitor_reference_checks_total",
        "counter",
        ("result",),
        "Times the references were asked after a failure, by verdict: own-fault or target-fault.",
    ),
    Metric(
        "monitor_clock_jumps_total", "counter", ("direction",), "Steps of the wall clock against the monotonic one."
    ),
    Metric(
        "monitor_db_errors_total", "counter", (), "Failed writes to the store; the samples are kept and tried again."
    ),
    Metric(
        "monitor_ledger_timestamps_total",
        "counter",
        ("result",),
        "Times a timestamp of the ledger's head was asked for, by result: ok or failed.",
    ),
    Metric("monitor_outpost_up", "gauge", ("location",), "Whether an outpost was heard of in the last minute."),
    Metric(
        "monitor_outpost_configuration_current",
        "gauge",
        ("location",),
        "Whether an outpost measures by the configuration that the monitor has in force.",
    ),
    Metric("monitor_handed_in_waiting", "gauge", (), "Samples of outposts whose consequences are not drawn yet."),
    Metric("monitor_checks_still", "gauge", (), "Checks that gave no sample for more than three of their intervals."),
    Metric("monitor_stop_file_present", "gauge", (), "Whether the stop file is there: nothing is asked of the portal."),
    Metric("monitor_drills_total", "counter", ("result",), "Drills held, by result: passed or failed."),
    Metric(
        "monitor_drill_last_success_timestamp_seconds",
        "gauge",
        (),
        "When a drill (fault, mail, recovery) last passed; 0 if never, absent where none is configured.",
    ),
    Metric(
        "monitor_heartbeats_total",
        "counter",
        ("signal", "result"),
        "Signs of life sent out, by what they said (alive or failing) and result: ok or failed.",
    ),
    Metric(
        "monitor_heartbeat_last_ok_timestamp_seconds",
        "gauge",
        (),
        "When a sign of life was last taken; 0 if never or where none is sent.",
    ),
    Metric("monitor_samples_waiting", "gauge", (), "Samples held in memory until the store takes them."),
    Metric("monitor_samples_waiting_bytes", "gauge", (), "Bytes of memory that those samples take, as reckoned."),
    Metric(
        "monitor_samples_spooled",
        "gauge",
        (),
        "Those of them that stand on this machine's disk too, and outlive a restart.",
    ),
    Metric(
        "monitor_evidence_given_up_total",
        "counter",
        (),
        "Samples that waited for the store and had to give up their evidence, for want of room.",
    ),
    Metric("monitor_samples_lost_total", "counter", (), "Samples that could not be kept, in spite of everything."),
    Metric("monitor_db_size_bytes", "gauge", (), "Size of the database file; absent for a server database."),
    Metric("alert_outbox_pending", "gauge", ("channel",), "Messages that could leave and have not been taken yet."),
    Metric(
        "alert_outbox_oldest_pending_seconds",
        "gauge",
        ("channel",),
        "For how long the oldest message of those could have left; 0 without one.",
    ),
    Metric(
        "alert_outbox_held",
        "gauge",
        ("channel",),
        "Messages that wait on purpose: for the end of quiet hours, a digest, or the message before them.",
    ),
    Metric(
        "alert_outbox_set_aside",
        "gauge",
        ("channel",),
        "Messages that this version of the program cannot read; tried again when another one starts.",
    ),
    Metric(
        "alert_deliveries_total",
        "counter",
        ("channel", "result"),
        "Delivery attempts per recipient: delivered, retry, refused or given-up.",
    ),
    Metric(
        "alert_mail_server_answers_total",
        "counter",
        ("server", "result"),
        "What each mail server said per recipient it was asked for: taken, later, refused or failed.",
    ),
    Metric(
        "alert_mail_server_turn",
        "gauge",
        ("server",),
        "In which turn each mail server is asked: 1 for the first, which mails should leave by.",
    ),
    Metric(
        "alert_mail_signature_usable",
        "gauge",
        ("signature",),
        "Whether mails can be signed now, by dkim or smime; absent where they are not to be.",
    ),
    Metric(
        "alert_mail_certificate_expiry_timestamp_seconds",
        "gauge",
        (),
        "Until when mails can be signed by S/MIME; absent where they are not.",
    ),
    Metric(
        "alert_last_delivery_timestamp_seconds",
        "gauge",
        ("channel",),
        "When a message was last accepted on the other side; 0 if never.",
    ),
)

#: Upper bounds in seconds; the last bucket is +Inf.
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)
