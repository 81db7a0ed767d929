"""The dashboard of one journey: its state, where its time goes step by step, and why it failed."""

from __future__ import annotations

from dashboards.board import Board, Line
from dashboards.boards.choices import JOB, ONE_JOURNEY, STEPS
from dashboards.boards.clauses import INDICATIVE
from dashboards.boards.outcomes import STATE_NOW, STATE_STEPS, STATES, runs_that_succeeded, success_share, titled
from dashboards.panel_kinds import ONE_IS_GOOD, STACKED, bars, graph, stat, table, timeline
from dashboards.panels import Step, Word

_FIGURES = (
    stat(
        title="Now",
        description="State of the last run; purple when it is older than three intervals.",
        expr=titled(STATE_NOW),
        legend="{{title}}",
        unit="none",
        width=6,
        thresholds=STATE_STEPS,
        words=STATES,
    ),
    stat(
        title="Incident open for",
        description="How long the open incident lasts, from its first failing run.",
        expr="time() - min by (journey) (journey_incident_start_timestamp_seconds{JOURNEY})",
        unit="dtdurations",
        width=4,
        thresholds=(Step("red"),),
        no_value="No incident",
    ),
    runs_that_succeeded(expr=success_share(by="journey"), width=4),
    stat(
        title="Age of the last run",
        description="In intervals of the journey: more than three means that it is not being measured.",
        expr="""(time() - max by (journey) (journey_last_run_timestamp_seconds{JOURNEY}))
        / max by (journey) (journey_interval_seconds{JOURNEY})""",
        unit="short",
        width=4,
        decimals=1,
        thresholds=(Step("green"), Step("orange", 2), Step("red", 3)),
    ),
    stat(
        title="Last HTTP status",
        description="Of the last answer of the last run; 0 when none came.",
        expr="max by (location) (probe_http_status_code{JOURNEY})",
        legend="{{location}}",
        unit="none",
        width=3,
        thresholds=(Step("red"), Step("green", 200), Step("orange", 400), Step("red", 500)),
    ),
    stat(
        title="Redirects",
        description="Followed in the last run.",
        expr="max by (location) (probe_http_redirects{JOURNEY})",
        legend="{{location}}",
        unit="short",
        width=3,
    ),
)

_SUCCESS = (
    timeline(
        title="Success per location",
        description="The worst of each step of the graph, so that a short outage stays visible.",
        series={"{{location}}": "min by (location) (min_over_time(journey_success{JOURNEY}[$__interval]))"},
        width=14,
        thresholds=ONE_IS_GOOD,
        words=(Word(1, "Working", "green"), Word(0, "Outage", "red")),
    ),
    table(
        title="Why the last run failed",
        description="Step and reason, from the closed list of failure kinds.",
        exprs=("probe_failure_info{JOURNEY} == 1",),
        width=10,
        no_value="The last run did not fail",
        columns={"location": "Location", "step": "Step", "reason": "Reason"},
    ),
)

_TIME_SPENT = (
    graph(
        title="Duration by phase",
        description="Over all steps and redirects: resolve, connect, tls, processing, transfer.",
        series={"{{phase}}": "avg by (phase) (avg_over_time(probe_http_duration_seconds{JOURNEY}[$__interval]))"},
        unit="s",
        width=12,
        drawn=STACKED,
    ),
    graph(
        title="Duration by step",
        description="The phases of each step added up.",
        series={
            "{{step}}": """sum by (step) (avg by (step, phase)
            (avg_over_time(journey_step_phase_seconds{JOURNEY}[$__interval])))"""
        },
        unit="s",
        width=12,
        drawn=STACKED,
    ),
)

_PHASES_OF_STEP = graph(
    title="Phases of step $step",
    description="Where the time of this step goes; one panel for each chosen step.",
    series={
        "{{phase}}": """avg by (phase)
        (avg_over_time(journey_step_phase_seconds{JOURNEY, step=~"$step"}[$__interval]))"""
    },
    unit="s",
    width=8,
    drawn=STACKED,
    repeat="step",
)

_RUNS = (
    graph(
        title="Duration of successful runs",
        description=f"Median and 95th percentile, estimated from the histogram's buckets. {INDICATIVE}",
        series={
            legend: f"""histogram_quantile({quantile},
            sum by (le) (rate(journey_duration_seconds_bucket{{JOURNEY}}[$__rate_interval])))
            and on () (sum(rate(journey_duration_seconds_count{{JOURNEY}}[$__rate_interval])) > 0)"""
            for quantile, legend in (("0.5", "median"), ("0.95", "95th percentile"))
        },
        unit="s",
        width=8,
    ),
    bars(
        title="Failures by step and reason",
        description="Runs that were not up, per step of the graph.",
        series={
            "{{step}}: {{reason}}": (
                "sum by (step, reason) (increase(journey_failures_total{JOURNEY}[$__rate_interval]))"
            )
        },
        width=8,
        no_value="No failures",
    ),
    bars(
        title="Runs by outcome",
        description="All runs, also those that could not be measured honestly, and failures that the immediate re-run "
        "did not confirm.",
        series={
            "{{outcome}}": "sum by (outcome) (increase(journey_runs_total{JOURNEY}[$__rate_interval]))",
            "not confirmed": "sum(increase(journey_blips_total{JOURNEY}[$__rate_interval]))",
        },
        width=8,
    ),
)

JOURNEY = Board(
    uid="loketwacht-journey",
    title="Loketwacht: journey detail",
    description="One journey: its state, where its time goes step by step, and why it failed.",
    variables=(JOB, ONE_JOURNEY, STEPS),
    since="now-6h",
    lines=(
        Line(height=4, panels=_FIGURES),
        Line(height=6, panels=_SUCCESS),
        Line(heading="Where the time goes", height=9, panels=_TIME_SPENT),
        Line(height=8, panels=(_PHASES_OF_STEP,)),
        Line(heading="Distribution and failures", height=8, panels=_RUNS),
    ),
)
