"""How dashboards tell what became of runs: the state of a journey, its words and colours, the share that succeeded."""

from __future__ import annotations

from dashboards.boards.clauses import INDICATIVE
from dashboards.panel_kinds import stat
from dashboards.panels import Link, Panel, Step, Word

STATES = (
    Word(0, "Working", "green"),
    Word(1, "Not measurable", "#8695a8"),
    Word(2, "Slow", "orange"),
    Word(3, "Outage", "red"),
    Word(4, "Not measured lately", "purple"),
)
STATE_STEPS = (Step("green"), Step("#8695a8", 1), Step("orange", 2), Step("red", 3), Step("purple", 4))
JOURNEY_LINK = Link("Journey detail", "/d/loketwacht-journey?var-journey=${__field.labels.journey}&${__url_time_range}")

#: 0 working, 1 not measurable, 2 slow, 3 outage; several locations: the worst.
_WORST_NOW = """max by (journey) (journey_state{JOURNEY, state="down"} * 3
or journey_state{JOURNEY, state="degraded"} * 2 or journey_state{JOURNEY, state="unknown"} * 1)"""
#: 4 where the newest run is older than three intervals: an old state is not shown as the present one.
_TOO_OLD = """4 * (time() - max by (journey) (journey_last_run_timestamp_seconds{JOURNEY})
> bool 3 * max by (journey) (journey_interval_seconds{JOURNEY}))"""
STATE_NOW = f"""max by (journey) (label_replace({_WORST_NOW}, "part", "state", "", "")
or label_replace({_TOO_OLD}, "part", "age", "", ""))"""


def titled(expr: str) -> str:
    """With the journey's Dutch title as a further label, for legends."""
    return f"({expr}) * on (journey) group_left (title) max by (journey, title) (journey_info{{JOB}})"


def success_share(by: str = "") -> str:
    """Of the runs that say something about the portal, all together or by a label; nothing where there were none."""
    total = f"sum by ({by}) " if by else "sum"
    return f"""{total}(increase(journey_runs_total{{JOURNEY, outcome=~"up|degraded"}}[$__range]))
    / ({total}(increase(journey_runs_total{{JOURNEY, outcome!="unknown"}}[$__range])) > 0)"""


def runs_that_succeeded(*, expr: str, width: int) -> Panel:
    return stat(
        title="Runs that succeeded",
        description=f"Share of honest runs in the time range that were up or slow. {INDICATIVE}",
        expr=expr,
        unit="percentunit",
        width=width,
        decimals=3,
        thresholds=(Step("red"), Step("orange", 0.99), Step("green", 0.999)),
    )
