"""What Prometheus reads: every fact moves the series it should, and nothing stale stays."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as classic

from monitor.catalogue import BUCKETS, CATALOGUE
from monitor.metrics import Metrics
from probes.sample import (
    Answered,
    CertificateFacts,
    Failure,
    FailureKind,
    Outcome,
    Phases,
    Reached,
    StepOutcome,
    StepResult,
)
from sla.budget import budgets
from tests.agreements import all_up_but, clause, contract, judge, span
from tests.heart import BROKEN, CERTIFICATE, INDIENEN, INZAGE, a_sample, at

NOW = at("10:00")
NOW_S = NOW / 1_000_000
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
FACTS = CertificateFacts(
    host="loket.example",
    not_before_us=0,
    not_after_us=NOW - 1_000_000,
    earliest_not_after_us=NOW - 2_000_000,
    fingerprint_sha256="ab" * 32,
    subject="CN=loket.example",
    issuer="CN=CA",
    serial="01",
    names=("loket.example", "www.loket.example"),
    tls_version="TLSv1.3",
    cipher="TLS_AES_256_GCM_SHA384",
)
STEP = StepResult(
    step="verzenden",
    outcome=StepOutcome.OK,
    duration_us=240_000,
    phases=Phases(resolve_us=1_000, connect_us=2_000, tls_us=3_000, processing_us=200_000, transfer_us=34_000),
    status=200,
    body_bytes=4_321,
    urls=("https://loket.example/", "https://loket.example/loket"),
    address="::1",
    http_version="1.1",
    content_length=4_000,
    last_modified_us=1_700_000_000_000_000,
    tls_version="TLSv1.2",
    tls_cipher="ECDHE",
    certificate_not_after_us=NOW + 5_000_000,
    lcp_us=480_000,
)
NAME = Reached(
    kind="name",
    address="2001:db8::53",
    phases=Phases(processing_us=4_000),
    answered=Answered(code="NOERROR", ttl_us=60_000_000, serial=2_026_112_401, authenticated=True, answers=1),
)


@pytest.fixture
def metrics() -> Metrics:
    told = Metrics(version="1.2.3", started_us=NOW)
    told.configured((INDIENEN, INZAGE, CERTIFICATE), location="lokaal", sha256="c0ffee", now_us=NOW)
    return told


def read(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """A metric's series by their label values in alphabetic order of the labels, without the location."""
    text = metrics.exposition("")[0].decode()
    return {
        tuple(value for label, value in sorted(sample.labels.items()) if label != "location"): sample.value
        for family in classic(text)
        for sample in family.samples
        if sample.name == name
    }


def everything() -> Metrics:
    """Told of one of each kind of fact."""
    metrics = Metrics(version="1.2.3", started_us=NOW)
    metrics.configured((INDIENEN, INZAGE, CERTIFICATE), location="lokaal", sha256="c0ffee", now_us=NOW)
    metrics.sample(replace(a_sample(".", NOW), steps=(STEP,), blip=BROKEN))
    metrics.sample(replace(a_sample("x", NOW, "inzage"), steps=(replace(STEP, outcome=StepOutcome.FAILED),)))
    metrics.sample(replace(a_sample(".", NOW, "certificaat"), certificate=FACTS, reached=NAME))
    metrics.incident("inzage", NOW)
    metrics.references_asked(own_fault=True)
    metrics.cleaned_up((("indienen", "orphan"),), journeys=("indienen", "inzage"), resting=("inzage",))
    metrics.set("journey_incident_severity", 1, "inzage", "major")
    metrics.set("journey_incident_acknowledged", 1, "inzage", "An")
    metrics.set("journey_flapping", 0, "inzage")
    metrics.set("journey_slow", 0, "inzage")
    metrics.rests(stopped=False, paused={"indienen": True})
    metrics.add("journey_missed_runs_total", 3, "inzage", "late")
    metrics.add("monitor_clock_jumps_total", 1, "forward")
    for name in ("monitor_scheduler_last_advance_timestamp_seconds", "monitor_db_size_bytes"):
        metrics.set(name, 1)
    metrics.set("monitor_reference_up", 1, "http://127.0.0.1:1/")
    metrics.set("monitor_resolver_up", 1, "loket.example")
    metrics.set("monitor_outpost_up", 1, "gent")
    metrics.set("monitor_outpost_configuration_current", 1, "gent")
    metrics.set("monitor_handed_in_waiting", 0)
    metrics.set("monitor_store_sound", 1)
    metrics.set("monitor_store_checked_timestamp_seconds", NOW_S)
    metrics.set("monitor_store_ahead_seconds", 0)
    metrics.set("monitor_drill_last_success_timestamp_seconds", NOW_S)
    metrics.set("sla_last_report_timestamp_seconds", 0, "PROEF")
    metrics.delivered("delivered", now_us=NOW)
    metrics.mail_servers(["smtp.example:587"])
    metrics.set("alert_mail_certificate_expiry_timestamp_seconds", NOW_S)
    metrics.set("alert_mail_signature_usable", 1, "dkim")
    month = span("2026-11-02", "2026-11-03")
    found = judge(contract(clause(window="dienst")), month, all_up_but(month))
    metrics.sla(found, budgets(found), now_us=NOW)
    return metrics


def test_every_metric_of_the_catalogue_can_be_reached() -> None:
    metrics = everything()
    told = {family.metric.name for family in metrics.families() if family.values or family.distributions}
    assert {metric.name for metric in CATALOGUE} - told == set()


@pytest.mark.prometheus
def test_promtool_finds_no_fault_in_the_exposition() -> None:
    body, _ = everything().exposition("")
    promtool = shutil.which("promtool")
    assert promtool
    done = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_whoever_asks_for_openmetrics_gets_it() -> None:
    body, kind = everything().exposition(OPENMETRICS)
    assert kind.startswith("application/openmetrics-text")
    told = openmetrics(body.decode())  # type: ignore[no-untyped-call]
    assert {family.name for family in told} >= {"probe_success", "journey_runs"}


def test_whoever_asks_for_nothing_gets_the_classic_text() -> None:
    body, kind = everything().exposition("")
    assert kind.startswith("text/plain")
    assert b"# TYPE journey_runs_total counter\n" in body


def test_a_label_too_few_is_refused(metrics: Metrics) -> None:
    with pytest.raises(ValueError, match="probe_success has the labels"):
        metrics.set("probe_success", 1, "indienen")


# -- samples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mark", "success"), [(".", 1), ("~", 1), ("x", 0), ("?", 0)])
def test_slow_counts_as_success_and_unknown_does_not(metrics: Metrics, mark: str, success: float) -> None:
    metrics.sample(a_sample(mark, NOW))
    assert read(metrics, "probe_success") == {("indienen",): success}


def test_an_unknown_run_leaves_the_last_honest_answer(metrics: Metrics) -> None:
    metrics.sample(a_sample(".", NOW))
    metrics.sample(a_sample("?", NOW + 60_000_000))
    assert read(metrics, "journey_success") == {("indienen",): 1}
    assert read(metrics, "journey_last_success_timestamp_seconds") == {("indienen",): NOW_S + 0.001}
    assert read(metrics, "journey_last_run_timestamp_seconds") == {("indienen",): NOW_S + 60.001}


def test_exactly_one_state_is_one(metrics: Metrics) -> None:
    metrics.sample(a_sample("~", NOW))
    states = read(metrics, "journey_state")
    assert {state for (_, state), value in states.items() if value == 1} == {"degraded"}
    assert len(states) == len(Outcome)


def test_runs_are_counted_by_outcome_from_zero(metrics: Metrics) -> None:
    assert set(read(metrics, "journey_runs_total").values()) == {0}
    for mark in "..x":
        metrics.sample(a_sample(mark, NOW))
    counts = read(metrics, "journey_runs_total")
    assert (counts["indienen", "up"], counts["indienen", "down"], counts["inzage", "up"]) == (2, 1, 0)


def test_a_failure_is_named_while_it_lasts_and_counted_for_ever(metrics: Metrics) -> None:
    metrics.sample(a_sample("x", NOW))
    assert read(metrics, "probe_failure_info") == {("indienen", "http-status", "verzenden"): 1}
    metrics.sample(a_sample(".", NOW))
    assert read(metrics, "probe_failure_info") == {}
    assert read(metrics, "journey_failures_total") == {("indienen", "http-status", "verzenden"): 1}


def test_a_fault_of_our_own_is_no_failure_of_the_journey(metrics: Metrics) -> None:
    metrics.sample(a_sample("?", NOW))
    assert read(metrics, "probe_failure_info") == {("indienen", "reference", ""): 1}
    assert read(metrics, "journey_failures_total") == {}


def test_a_failure_that_did_not_return_is_a_blip(metrics: Metrics) -> None:
    metrics.sample(replace(a_sample(".", NOW), blip=BROKEN))
    assert read(metrics, "journey_blips_total") == {("certificaat",): 0, ("indienen",): 1, ("inzage",): 0}


@pytest.mark.parametrize(("subject", "value"), [("text", 1), ("not_text", 1), ("regex ^a", 1), ("status", 0)])
def test_a_missing_text_is_told_as_blackbox_exporter_tells_it(metrics: Metrics, subject: str, value: float) -> None:
    failure = Failure(kind=FailureKind.ASSERTION, step="verzenden", subject=subject)
    metrics.sample(replace(a_sample("x", NOW), failure=failure))
    assert read(metrics, "probe_failed_due_to_regex") == {("indienen",): value}


@pytest.mark.parametrize(("subject", "value"), [("json totalPages", 1), ("regex ^a", 0)])
def test_a_failing_json_expression_has_a_name_of_its_own(metrics: Metrics, subject: str, value: float) -> None:
    failure = Failure(kind=FailureKind.ASSERTION, step="verzenden", subject=subject)
    metrics.sample(replace(a_sample("x", NOW), failure=failure))
    assert read(metrics, "probe_failed_due_to_cel") == {("indienen",): value}


def test_another_address_shows_as_another_hash(metrics: Metrics) -> None:
    # The bytes of this address spell "foob", whose FNV-1a is published with the algorithm.
    metrics.sample(replace(a_sample(".", NOW), steps=(replace(STEP, address="102.111.111.98"),)))
    assert read(metrics, "probe_ip_addr_hash") == {("indienen",): 0x3F5076EF}


def test_the_phases_of_all_steps_are_summed(metrics: Metrics) -> None:
    metrics.sample(replace(a_sample(".", NOW), steps=(STEP, replace(STEP, step="nog-een"))))
    assert read(metrics, "probe_http_duration_seconds") == {
        ("indienen", "resolve"): 0.002,
        ("indienen", "connect"): 0.004,
        ("indienen", "tls"): 0.006,
        ("indienen", "processing"): 0.4,
        ("indienen", "transfer"): 0.068,
    }
    assert read(metrics, "probe_dns_lookup_time_seconds") == {("indienen",): 0.002}
    assert read(metrics, "probe_http_redirects") == {("indienen",): 2}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("probe_http_status_code", 200),
        ("probe_http_content_length", 4000),
        ("probe_http_uncompressed_body_length", 4321),
        ("probe_http_ssl", 1),
        ("probe_http_version", 1.1),
        ("probe_ip_protocol", 6),
        ("probe_http_last_modified_timestamp_seconds", 1_700_000_000),
        ("probe_ssl_earliest_cert_expiry", NOW_S + 5),
        ("probe_duration_seconds", 0.25),
        ("journey_schedule_lag_seconds", 0.001),
    ],
)
def test_the_last_answer_is_described(metrics: Metrics, name: str, value: float) -> None:
    metrics.sample(replace(a_sample(".", NOW), steps=(STEP,)))
    assert read(metrics, name)[("indienen",)] == pytest.approx(value)


def test_a_skipped_step_has_no_success(metrics: Metrics) -> None:
    failed = replace(STEP, outcome=StepOutcome.FAILED)
    metrics.sample(replace(a_sample(".", NOW), steps=(STEP, replace(STEP, step="nog-een"))))
    skipped = StepResult(step="nog-een", outcome=StepOutcome.SKIPPED)
    metrics.sample(replace(a_sample("x", NOW), steps=(failed, skipped)))
    assert read(metrics, "journey_step_success") == {("indienen", "verzenden"): 0}
    assert {key[2] for key in read(metrics, "journey_step_phase_seconds")} == {"verzenden"}


def test_durations_of_successes_only_fill_the_buckets(metrics: Metrics) -> None:
    for mark in "..x?":
        metrics.sample(replace(a_sample(mark, NOW), steps=(STEP,)))
    assert read(metrics, "journey_duration_seconds_count") == {("indienen",): 2}
    assert read(metrics, "journey_duration_seconds_sum") == {("indienen",): 0.5}
    buckets = read(metrics, "journey_duration_seconds_bucket")
    assert (buckets["indienen", "0.1"], buckets["indienen", "0.25"], buckets["indienen", "+Inf"]) == (0, 2, 2)
    assert len(buckets) == len(BUCKETS) + 1


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_nobody_can_tell_how_often_the_metrics_were_read(data: st.DataObject) -> None:
    """What a sample says of itself is told when somebody asks, and only then; it says the same."""
    seldom, often = everything(), everything()
    bare = replace(STEP, lcp_us=None, last_modified_us=None, certificate_not_after_us=None, tls_version="")
    skipped = StepResult(step="nog-een", outcome=StepOutcome.SKIPPED)
    steps = st.sampled_from([(), (STEP,), (bare,), (STEP, replace(bare, step="nog-een")), (STEP, skipped)])
    moments = st.lists(
        st.tuples(st.sampled_from("....x?~"), steps, st.sampled_from([None, FACTS]), st.sampled_from([None, NAME])),
        min_size=1,
        max_size=8,
    )
    for number, (mark, of, facts, reached) in enumerate(data.draw(moments)):
        check = data.draw(st.sampled_from(["indienen", "inzage"]))
        at_us = NOW + number * 1_000_000
        sample = replace(a_sample(mark, at_us, check), steps=of, certificate=facts, reached=reached)
        for metrics in (seldom, often):
            metrics.sample(sample)
        often.exposition("")
    probed = [metrics.probe("indienen", "") for metrics in (seldom, often)]
    assert probed[0] == probed[1]
    told = [sorted(metrics.exposition("")[0].splitlines()) for metrics in (seldom, often)]
    assert told[0] == told[1]


def test_a_check_that_is_gone_leaves_nothing_that_was_still_to_be_told(metrics: Metrics) -> None:
    """T46."""
    metrics.sample(a_sample(".", NOW))
    metrics.configured((INZAGE,), location="lokaal", sha256="c0ffee", now_us=NOW)
    assert b'journey="indienen"' not in metrics.exposition("")[0]
    assert metrics.probe("indienen", "") is None


# -- certificates ----------------------------------------------------------------------------------------------------


def test_an_expired_certificate_stays_exported(metrics: Metrics) -> None:
    """T14."""
    failure = Failure(kind=FailureKind.CERTIFICATE, subject="expired")
    bad = replace(a_sample("x", NOW, "certificaat"), failure=failure, certificate=FACTS)
    metrics.sample(bad)
    metrics.sample(replace(bad, certificate=None))
    assert read(metrics, "probe_ssl_earliest_cert_expiry") == {("certificaat",): NOW_S - 2}
    assert read(metrics, "probe_ssl_last_chain_expiry_timestamp_seconds") == {("certificaat",): NOW_S - 1}


def test_a_renewed_certificate_takes_the_place_of_the_old_one(metrics: Metrics) -> None:
    for fingerprint in ("aa", "bb"):
        facts = replace(FACTS, fingerprint_sha256=fingerprint)
        metrics.sample(replace(a_sample(".", NOW, "certificaat"), certificate=facts))
    [labels] = read(metrics, "probe_ssl_last_chain_info")
    assert "bb" in labels
    assert "loket.example,www.loket.example" in labels


# -- incidents, configuration, the monitor itself ----------------------------------------------------------------------


def test_an_incident_is_open_until_it_is_told_closed(metrics: Metrics) -> None:
    metrics.incident("indienen", NOW)
    assert read(metrics, "journey_incident_open")[("indienen",)] == 1
    assert read(metrics, "journey_incident_start_timestamp_seconds") == {("indienen",): NOW_S}
    metrics.incident("indienen", None)
    assert read(metrics, "journey_incident_open")[("indienen",)] == 0
    assert read(metrics, "journey_incident_start_timestamp_seconds") == {}


def test_whoever_sends_mail_is_woken_by_an_incident() -> None:
    woken: list[int] = []
    Metrics(version="1", started_us=0, on_incident=lambda: woken.append(1)).incident("indienen", NOW)
    assert woken == [1]


def test_a_journey_that_was_removed_leaves_no_series() -> None:
    """T46."""
    metrics = everything()
    metrics.configured((INZAGE,), location="lokaal", sha256="new", now_us=NOW)
    text = metrics.exposition("")[0].decode()
    assert 'journey="indienen"' not in text
    assert 'journey="certificaat"' not in text
    assert read(metrics, "journey_runs_total")["inzage", "down"] == 1
    assert read(metrics, "monitor_config_info") == {("new",): 1}


def test_what_is_no_longer_agreed_or_asked_leaves_no_series() -> None:
    metrics = everything()
    metrics.keep_only(contracts=(), references=())
    text = metrics.exposition("")[0].decode()
    assert 'contract="' not in text
    assert 'reference="' not in text


def test_a_refused_reload_keeps_the_time_of_the_last_good_one(metrics: Metrics) -> None:
    """T44."""
    metrics.reloaded(ok=False, now_us=NOW + 60_000_000)
    assert read(metrics, "monitor_config_last_reload_successful") == {(): 0}
    assert read(metrics, "monitor_config_last_reload_success_timestamp_seconds") == {(): NOW_S}


@pytest.mark.parametrize(("own", "verdict"), [(True, "own-fault"), (False, "target-fault")])
def test_asking_the_references_is_counted_by_verdict(metrics: Metrics, own: bool, verdict: str) -> None:
    metrics.references_asked(own_fault=own)
    counts = read(metrics, "monitor_reference_checks_total")
    assert (counts[(verdict,)], sum(counts.values())) == (1, 1)


def test_trouble_with_the_store_is_counted(metrics: Metrics) -> None:
    metrics.store_failed()
    metrics.samples_waiting(7, 7_000)
    metrics.evidence_given_up(3)
    metrics.samples_lost(2)
    assert read(metrics, "monitor_db_errors_total") == {(): 1}
    assert read(metrics, "monitor_samples_waiting") == {(): 7}
    assert read(metrics, "monitor_samples_waiting_bytes") == {(): 7_000}
    assert read(metrics, "monitor_samples_lost_total") == {(): 2}
    assert read(metrics, "monitor_evidence_given_up_total") == {(): 3}


def test_what_each_mail_server_says_is_counted_by_itself() -> None:
    """T8: a server that fails while another takes the mail is seen failing."""
    metrics = Metrics(version="1.2.3", started_us=NOW)
    metrics.mail_servers(["first:25", "second:25"])
    for server, code in (("first:25", 0), ("first:25", 451), ("first:25", 550), ("second:25", 250), ("second:25", 250)):
        metrics.mail_server(server, code)
    [counted] = [family for family in metrics.families() if family.metric.name == "alert_mail_server_answers_total"]
    assert {labels: value for labels, value in counted.values if value} == {
        ("first:25", "failed"): 1,
        ("first:25", "later"): 1,
        ("first:25", "refused"): 1,
        ("second:25", "taken"): 2,
    }
    assert dict(counted.values)["second:25", "failed"] == 0
    assert read(metrics, "alert_mail_server_turn") == {("first:25",): 1, ("second:25",): 2}


def test_only_a_mail_that_was_taken_moves_the_time_of_delivery(metrics: Metrics) -> None:
    """T8: an attempt that failed is no success."""
    metrics.delivered("retry", now_us=NOW)
    assert read(metrics, "alert_last_delivery_timestamp_seconds")["mail",] == 0
    metrics.delivered("delivered", now_us=NOW)
    assert read(metrics, "alert_last_delivery_timestamp_seconds") == {
        ("mail",): NOW_S,
        ("webhook",): 0,
        ("alertmanager",): 0,
    }
    assert read(metrics, "alert_deliveries_total")["mail", "retry"] == 1


def test_the_oldest_mail_grows_old(metrics: Metrics) -> None:
    metrics.outbox(pending=2, oldest_us=NOW, now_us=NOW + 90_000_000)
    assert read(metrics, "alert_outbox_pending") == {("mail",): 2, ("webhook",): 0}
    assert read(metrics, "alert_outbox_oldest_pending_seconds") == {("mail",): 90, ("webhook",): 0}


# -- the running month -------------------------------------------------------------------------------------------------


def test_the_running_month_is_told_by_clause() -> None:
    metrics = Metrics(version="1", started_us=NOW)
    day = span("2026-11-03", "2026-11-04")
    bad = ("2026-11-03 10:00", "2026-11-03 11:09", "down")
    found = judge(contract(clause(window="dienst", target="0.9")), day, all_up_but(day, bad))  # type: ignore[arg-type]
    metrics.sla(found, budgets(found), now_us=NOW)
    assert read(metrics, "sla_availability_ratio") == {("lowest", "B1", "PROEF"): 0.9} | {
        (bound, "B1", "PROEF"): 0.9 for bound in ("point", "highest")
    }
    assert read(metrics, "sla_downtime_seconds")["down", "B1", "PROEF"] == 4140
    assert read(metrics, "sla_target_ratio") == {("B1", "PROEF", "dienst"): 0.9}
    assert read(metrics, "sla_budget_seconds") == {("B1", "PROEF"): 4140}
    assert read(metrics, "sla_budget_remaining_seconds") == {("B1", "PROEF"): 0}
    assert read(metrics, "sla_coverage_ratio") == {("PROEF",): 1}


def test_after_a_restart_the_newest_stored_sample_is_told_and_not_counted_again(metrics: Metrics) -> None:
    metrics.newest(replace(a_sample("x", NOW), check_id=INDIENEN.id, steps=(STEP,)))
    assert metrics.probe(INDIENEN.id, "") is not None
    assert read(metrics, "probe_success") == {("indienen",): 0}
    assert read(metrics, "journey_step_success") == {("indienen", STEP.step): 1}
    assert set(read(metrics, "journey_runs_total").values()) == {0}
    assert read(metrics, "journey_failures_total") == read(metrics, "journey_step_duration_seconds_count") == {}


def test_one_check_is_told_as_blackbox_exporter_tells_it(metrics: Metrics) -> None:
    metrics.sample(replace(a_sample(".", NOW), check_id=INDIENEN.id, certificate=FACTS, steps=(STEP,)))
    metrics.sample(replace(a_sample(".", NOW), check_id=INZAGE.id))
    told = metrics.probe(INDIENEN.id, "")
    assert told is not None
    samples = [sample for family in classic(told[0].decode()) for sample in family.samples]
    assert {label for sample in samples for label in sample.labels} == {
        "phase", "version", "cipher", "fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber",
    }  # fmt: skip
    assert [sample.value for sample in samples if sample.name == "probe_success"] == [1.0]
    last_run = "journey_last_run_timestamp_seconds"
    assert [sample.value for sample in samples if sample.name == last_run] == [NOW_S + 0.001]


def test_a_check_that_was_not_run_yet_has_nothing_to_tell(metrics: Metrics) -> None:
    assert metrics.known(INDIENEN.id)
    assert not metrics.known("onbekend")
    assert metrics.probe(INDIENEN.id, "") is None


def test_a_duration_names_its_run_to_whoever_reads_openmetrics(metrics: Metrics) -> None:
    sample = replace(a_sample(".", NOW), run_id="r" * 122, steps=(STEP,))
    metrics.sample(sample)
    told = openmetrics(metrics.exposition(OPENMETRICS)[0].decode())  # type: ignore[no-untyped-call]
    families = {family.name: family for family in told}
    for name in ("journey_duration_seconds", "journey_step_duration_seconds"):
        [exemplar] = [one.exemplar for one in families[name].samples if one.exemplar is not None]
        assert (exemplar.labels, float(exemplar.timestamp)) == (
            {"run_id": sample.run_id},
            sample.started_us / 1_000_000,
        )
    assert "run_id" not in metrics.exposition("")[0].decode()


def test_a_run_whose_name_is_too_long_for_an_exemplar_is_counted_without_one(metrics: Metrics) -> None:
    metrics.sample(replace(a_sample(".", NOW), run_id="r" * 123))
    told = metrics.exposition(OPENMETRICS)[0].decode()
    assert "run_id" not in told
    assert list(openmetrics(told))  # type: ignore[no-untyped-call]


def test_what_a_name_server_answered_is_told_in_blackbox_s_names(metrics: Metrics) -> None:
    metrics.sample(replace(a_sample(".", NOW), reached=NAME))
    assert read(metrics, "probe_dns_duration_seconds")["indienen", "request"] == 0.004
    assert read(metrics, "probe_dns_query_succeeded") == {("indienen",): 1.0}
    assert read(metrics, "probe_dns_serial") == {("indienen",): 2_026_112_401.0}
    assert read(metrics, "probe_dns_answer_ttl_seconds") == {("indienen",): 60.0}
    assert read(metrics, "probe_dns_answer_authenticated") == {("indienen",): 1.0}
    assert read(metrics, "probe_ip_protocol") == {("indienen",): 6.0}


def test_an_answer_that_did_not_come_leaves_nothing_of_the_one_before(metrics: Metrics) -> None:
    """T46"""
    metrics.sample(replace(a_sample(".", NOW), reached=NAME))
    metrics.sample(replace(a_sample("x", NOW + 60_000_000), reached=Reached(kind="name")))
    assert read(metrics, "probe_dns_query_succeeded") == {("indienen",): 0.0}
    assert read(metrics, "probe_dns_answer_ttl_seconds") == {}
    assert read(metrics, "probe_dns_answer_rrs") == {}


def test_a_port_tells_how_it_was_reached_and_nothing_of_names(metrics: Metrics) -> None:
    phases = Phases(resolve_us=2_000, connect_us=1_000)
    metrics.sample(replace(a_sample(".", NOW), reached=Reached(kind="tcp", address="192.0.2.1", phases=phases)))
    assert read(metrics, "probe_dns_lookup_time_seconds") == {("indienen",): 0.002}
    assert read(metrics, "probe_dns_query_succeeded") == {}


def test_a_banner_that_is_another_counts_as_the_failure_of_an_expression(metrics: Metrics) -> None:
    failure = Failure(kind=FailureKind.ASSERTION, subject="banner", expected="contains “SSH”", found="“220 welkom”")
    metrics.sample(replace(a_sample("x", NOW), failure=failure))
    assert read(metrics, "probe_failed_due_to_regex") == {("indienen",): 1.0}
