"""The dashboard of the running month against the contract."""

from __future__ import annotations

from dashboards.board import Board, Line
from dashboards.boards.choices import CLAUSE, CONTRACT, JOB
from dashboards.boards.clauses import BUDGET_LEFT, CLAUSE_TABLE, INDICATIVE
from dashboards.panel_kinds import gauges, graph, stat
from dashboards.panels import Step

_NOT_BELOW_ZERO = (Step("red"), Step("green", 0))

_NOW = (
    gauges(
        title="Error budget left",
        description="Share of the month's allowed downtime that is left; below zero the clause is missed. "
        + INDICATIVE,
        expr=BUDGET_LEFT,
        legend="{{contract}} {{clause}}",
        unit="percentunit",
        width=8,
        maximum=1,
        decimals=1,
        thresholds=(Step("red"), Step("orange", 0.000001), Step("green", 0.25)),
    ),
    stat(
        title="Above or below target",
        description=f"Availability so far minus what the contract promises. {INDICATIVE}",
        expr="""min by (contract, clause) (sla_availability_ratio{CLAUSE, bound="point"})
        - on (contract, clause) max by (contract, clause) (sla_target_ratio{CLAUSE})""",
        legend="{{contract}} {{clause}}",
        unit="percentunit",
        width=8,
        decimals=3,
        thresholds=_NOT_BELOW_ZERO,
    ),
    stat(
        title="Measured share",
        description=f"Share of the month's service time that was measured. {INDICATIVE}",
        expr="min by (contract) (sla_coverage_ratio{CONTRACT})",
        legend="{{contract}}",
        unit="percentunit",
        width=4,
        decimals=2,
        thresholds=(Step("red"), Step("orange", 0.98), Step("green", 0.99)),
    ),
    stat(
        title="Spent in the last day",
        description=f"Downtime that counted in the last 24 hours, per clause. {INDICATIVE}",
        expr="clamp_min(-min by (clause) (delta(sla_budget_remaining_seconds{CLAUSE}[1d])), 0)",
        legend="{{clause}}",
        unit="dtdurations",
        width=4,
    ),
)

_OVER_TIME = (
    graph(
        title="Availability of the month so far",
        description=f"Lowest and highest differ by what was not measured; the target is drawn as a line. {INDICATIVE}",
        series={
            "{{clause}} {{bound}}": "min by (clause, bound) (sla_availability_ratio{CLAUSE})",
            "{{clause}} target": "max by (clause) (sla_target_ratio{CLAUSE})",
        },
        unit="percentunit",
        width=12,
        minimum=None,
        maximum=1,
        decimals=3,
    ),
    graph(
        title="Burn-down of the error budget",
        description=f"Downtime still allowed this month; the zero line is the contract's limit. {INDICATIVE}",
        series={"{{contract}} {{clause}}": "min by (contract, clause) (sla_budget_remaining_seconds{CLAUSE})"},
        unit="s",
        width=12,
        minimum=None,
        thresholds=_NOT_BELOW_ZERO,
    ),
)

_ACCOUNT = (
    graph(
        title="Service time by class",
        description=f"How the month's service time divides: up, degraded, down, excluded, unmeasured. {INDICATIVE}",
        series={"{{clause}} {{class}}": 'max by (clause, class) (sla_downtime_seconds{CLAUSE, class!="up"})'},
        unit="s",
        width=16,
    ),
    stat(
        title="Last report issued",
        description=f"When the last monthly report of the contract was drawn up. {INDICATIVE}",
        expr="(max by (contract) (sla_last_report_timestamp_seconds{CONTRACT}) > 0) * 1000",
        legend="{{contract}}",
        unit="dateTimeAsIso",
        width=4,
        no_value="Never",
    ),
    stat(
        title="Computed",
        description=f"How long ago the month so far was last assessed. {INDICATIVE}",
        expr="time() - max by (contract) (sla_assessed_timestamp_seconds{CONTRACT})",
        legend="{{contract}}",
        unit="dtdurations",
        width=4,
        thresholds=(Step("green"), Step("orange", 3_600), Step("red", 21_600)),
    ),
)

SLA = Board(
    uid="loketwacht-sla",
    title="Loketwacht: SLA and error budget",
    description=f"The running month against the contract. {INDICATIVE}",
    variables=(JOB, CONTRACT, CLAUSE),
    since="now-30d",
    lines=(
        Line(height=8, panels=(CLAUSE_TABLE,)),
        Line(height=8, panels=_NOW),
        Line(height=9, panels=_OVER_TIME),
        Line(height=8, panels=_ACCOUNT),
    ),
)
