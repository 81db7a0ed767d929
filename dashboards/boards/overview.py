"""The dashboard that is open all day: which journeys work, what is wrong, how the contract stands."""

from __future__ import annotations

from dashboards.board import Board, Line
from dashboards.boards.certificates import TIME_LEFT
from dashboards.boards.choices import CLAUSE, CONTRACT, JOB, JOURNEYS
from dashboards.boards.clauses import CLAUSE_TABLE
from dashboards.boards.monitor import ALIVE
from dashboards.boards.outcomes import (
    JOURNEY_LINK,
    STATE_NOW,
    STATE_STEPS,
    STATES,
    runs_that_succeeded,
    success_share,
    titled,
)
from dashboards.panel_kinds import ZERO_IS_GOOD, graph, stat, table, timeline, yes_or_no

#: The worst of each step of the graph: a short outage stays visible in a long range.
_STATE_OVER_TIME = """max by (journey) (max_over_time(journey_state{JOURNEY, state="down"}[$__interval]) * 3
or max_over_time(journey_state{JOURNEY, state="degraded"}[$__interval]) * 2
or max_over_time(journey_state{JOURNEY, state="unknown"}[$__interval]) * 1)"""

_NOW = stat(
    title="Journeys now",
    description="The state of each journey's last run; purple when that run is older than three intervals. Choose a "
    "tile for the journey's detail.",
    expr=titled(STATE_NOW),
    legend="{{title}}",
    unit="none",
    width=24,
    thresholds=STATE_STEPS,
    words=STATES,
    links=(JOURNEY_LINK,),
)

_FIGURES = (
    stat(
        title="Open incidents",
        description="Journeys with a confirmed failure that goes on.",
        expr="sum(max by (journey) (journey_incident_open{JOURNEY}))",
        unit="short",
        width=5,
        thresholds=ZERO_IS_GOOD,
    ),
    stat(
        title="Journeys watched",
        description="How many journeys and other checks are configured.",
        expr="count(count by (journey) (journey_info{JOURNEY}))",
        unit="short",
        width=5,
    ),
    runs_that_succeeded(expr=success_share(), width=5),
    stat(
        title="Next certificate to expire",
        description="Time left until the first certificate ends.",
        expr="min(probe_ssl_earliest_cert_expiry{JOURNEY}) - time()",
        unit="dtdurations",
        width=5,
        thresholds=TIME_LEFT,
        no_value="No TLS seen",
    ),
    yes_or_no(
        title="Monitor alive",
        description="Whether Prometheus reaches the monitor. If not, nothing else here speaks for now.",
        expr=ALIVE,
        width=4,
    ),
)

_OVER_TIME = timeline(
    title="States over time",
    description="Per journey the worst state of each step of the graph, so that a short outage stays visible in a long "
    "range.",
    series={"{{title}}": titled(_STATE_OVER_TIME)},
    width=24,
    thresholds=STATE_STEPS,
    words=STATES,
    links=(JOURNEY_LINK,),
)

_WRONG_NOW = (
    table(
        title="What is wrong now",
        description="Step and reason of each last run that was not up.",
        exprs=("probe_failure_info{JOURNEY} == 1",),
        width=12,
        no_value="Nothing is wrong",
        columns={"journey": "Journey", "location": "Location", "step": "Step", "reason": "Reason"},
    ),
    table(
        title="Firing alerts",
        description="Alerts of the Prometheus rules that fire now.",
        exprs=('ALERTS{JOB, alertstate="firing"}',),
        width=12,
        no_value="No alert is firing",
        columns={
            "severity": "Severity",
            "alertname": "Alert",
            "journey": "Journey",
            "contract": "Contract",
            "clause": "Clause",
        },
    ),
)

_DURATIONS = graph(
    title="Duration of runs",
    description="The longest run of each step of the graph, per journey.",
    series={
        "{{title}}": titled("max by (journey) (max_over_time(probe_duration_seconds{JOURNEY}[$__interval]))"),
    },
    unit="s",
    width=24,
    links=(JOURNEY_LINK,),
)

OVERVIEW = Board(
    uid="loketwacht-overview",
    title="Loketwacht: overview",
    description="Which journeys work, what is wrong, and how the contract stands.",
    variables=(JOB, JOURNEYS, CONTRACT, CLAUSE),
    lines=(
        Line(height=8, panels=(_NOW,)),
        Line(height=4, panels=_FIGURES),
        Line(height=12, panels=(_OVER_TIME,)),
        Line(height=8, panels=_WRONG_NOW),
        Line(height=9, panels=(_DURATIONS,)),
        Line(height=8, panels=(CLAUSE_TABLE,)),
    ),
)
