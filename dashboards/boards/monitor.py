"""The dashboard of the watcher itself: schedule, store, mail, configuration."""

from __future__ import annotations

from dashboards.board import Board, Line
from dashboards.boards.choices import JOB, JOURNEYS
from dashboards.panel_kinds import ONE_IS_GOOD, ZERO_IS_GOOD, bars, graph, stat, table, timeline, yes_or_no
from dashboards.panels import Step, Word

#: Whether Prometheus reaches the monitor; a series that is gone says no, too.
ALIVE = "min(up{JOB}) or vector(0)"

_AGE_STEPS = (Step("green"), Step("orange", 120), Step("red", 600))

_FIGURES = (
    yes_or_no(title="Alive", description="Whether Prometheus reaches the monitor.", expr=ALIVE, width=3),
    stat(
        title="Schedule moved on",
        description="How long ago; grows when the scheduler stands still.",
        expr="time() - min(monitor_scheduler_last_advance_timestamp_seconds{JOB})",
        unit="s",
        width=3,
        decimals=0,
        thresholds=_AGE_STEPS,
    ),
    stat(
        title="Messages waiting",
        description="Mails and messages to webhooks that could leave and nobody has accepted yet; what "
        "waits on purpose, for quiet hours or a digest, is not among them.",
        expr="sum(alert_outbox_pending{JOB})",
        unit="short",
        width=3,
        thresholds=(Step("green"), Step("orange", 1), Step("red", 10)),
    ),
    stat(
        title="Oldest message waiting",
        description="For how long it could have left; zero when none waits.",
        expr="max(alert_outbox_oldest_pending_seconds{JOB})",
        unit="s",
        width=3,
        decimals=0,
        thresholds=_AGE_STEPS,
    ),
    stat(
        title="Samples waiting",
        description="Held in memory because the store does not take them.",
        expr="sum(monitor_samples_waiting{JOB})",
        unit="short",
        width=3,
        thresholds=ZERO_IS_GOOD,
    ),
    yes_or_no(
        title="Configuration taken over",
        description="Whether the last reload succeeded; if not, the configuration before it is in force.",
        expr="min(monitor_config_last_reload_successful{JOB})",
        width=3,
    ),
    stat(
        title="Running for",
        description="Since the process started.",
        expr="time() - max(monitor_start_timestamp_seconds{JOB})",
        unit="dtdurations",
        width=3,
    ),
    stat(
        title="Last mail accepted",
        description="How long ago a mail server last took a mail of ours.",
        expr="time() - (max by (channel) (alert_last_delivery_timestamp_seconds{JOB}) > 0)",
        legend="{{channel}}",
        named=False,
        unit="dtdurations",
        width=3,
        no_value="None yet",
    ),
)

_SCHEDULE = (
    graph(
        title="Lateness",
        description="How late runs began after their slot, and the worst lateness of the event loop.",
        series={
            "runs": "max(max_over_time(journey_schedule_lag_seconds{JOURNEY}[$__interval]))",
            "event loop": "max(max_over_time(monitor_loop_lag_seconds{JOB}[$__interval]))",
        },
        unit="s",
        width=8,
    ),
    bars(
        title="Slots that were not run",
        description="By cause. What was not measured counts for nobody.",
        series={"{{cause}}": "sum by (cause) (increase(journey_missed_runs_total{JOURNEY}[$__rate_interval]))"},
        width=8,
        no_value="None missed",
    ),
    graph(
        title="Runs under way",
        description="The most at one time in each step of the graph.",
        series={"runs": "max(max_over_time(monitor_runs_in_flight{JOB}[$__interval]))"},
        unit="short",
        width=8,
    ),
)

_OWN_FAULTS = (
    timeline(
        title="Reference targets",
        description="If these fail together with a journey, the fault is on our side.",
        series={"{{reference}}": "min by (reference) (min_over_time(monitor_reference_up{JOB}[$__interval]))"},
        width=8,
        no_value="Not asked yet",
        thresholds=ONE_IS_GOOD,
        words=(Word(1, "Answered", "green"), Word(0, "Failed", "red")),
    ),
    bars(
        title="Whose fault it was",
        description="Verdicts of the references, asked after a failure.",
        series={"{{result}}": "sum by (result) (increase(monitor_reference_checks_total{JOB}[$__rate_interval]))"},
        width=8,
    ),
    bars(
        title="Clock jumps and store errors",
        description="Steps of the wall clock, writes to the store that failed and were tried again, and samples that "
        "lost their evidence or were lost, for too much waited for the store.",
        series={
            "clock {{direction}}": ("sum by (direction) (increase(monitor_clock_jumps_total{JOB}[$__rate_interval]))"),
            "store errors": "sum(increase(monitor_db_errors_total{JOB}[$__rate_interval]))",
            "evidence given up": "sum(increase(monitor_evidence_given_up_total{JOB}[$__rate_interval]))",
            "samples lost": "sum(increase(monitor_samples_lost_total{JOB}[$__rate_interval]))",
        },
        width=8,
    ),
)

_OUTPOSTS = (
    timeline(
        title="Outposts heard of",
        description="An outpost measures from another location. A silent one has no vote.",
        series={"{{location}}": "min by (location) (min_over_time(monitor_outpost_up{JOB}[$__interval]))"},
        width=8,
        no_value="No outposts",
        thresholds=ONE_IS_GOOD,
        words=(Word(1, "Heard of", "green"), Word(0, "Silent", "red")),
    ),
    timeline(
        title="Configuration of the outposts",
        description="Whether each measures by the configuration that the monitor has in force.",
        series={
            "{{location}}": """min by (location)
            (min_over_time(monitor_outpost_configuration_current{JOB}[$__interval]))"""
        },
        width=8,
        no_value="No outposts",
        thresholds=ONE_IS_GOOD,
        words=(Word(1, "The monitor's", "green"), Word(0, "Another", "orange")),
    ),
    graph(
        title="Samples handed in",
        description="By outposts, and not judged by the monitor yet; the most in each step of the graph.",
        series={"samples": "max(max_over_time(monitor_handed_in_waiting{JOB}[$__interval]))"},
        unit="short",
        width=8,
        no_value="No outposts",
    ),
)

_MAIL = (
    bars(
        title="Mail deliveries",
        description="Attempts per recipient by result.",
        series={"{{result}}": "sum by (result) (increase(alert_deliveries_total{JOB}[$__rate_interval]))"},
        width=8,
    ),
    bars(
        title="What each mail server said",
        description="Per recipient it was asked for; failed: it did not answer, or had no use for us.",
        series={
            "{{server}} {{result}}": """sum by (server, result)
            (increase(alert_mail_server_answers_total{JOB}[$__rate_interval])) > 0"""
        },
        width=8,
    ),
    table(
        title="Mail servers",
        description="In the order in which they are asked, with what they said in the time shown.",
        exprs=(
            "min by (server) (alert_mail_server_turn{JOB})",
            *(
                f"""sum by (server)
                (increase(alert_mail_server_answers_total{{JOB, result="{result}"}}[$__range]))"""
                for result in ("taken", "later", "refused", "failed")
            ),
        ),
        width=8,
        columns={
            "server": "Server",
            "Value #A": "Turn",
            "Value #B": "Taken",
            "Value #C": "Later",
            "Value #D": "Refused",
            "Value #E": "Failed",
        },
    ),
)

_STORE_VERSION = (
    graph(
        title="Size of the database",
        description="Of the database file; absent for a server database.",
        series={"database": "max(monitor_db_size_bytes{JOB})"},
        unit="bytes",
        width=12,
        no_value="Server database",
    ),
    table(
        title="Version and configuration",
        description="What runs, and which configuration is in force.",
        exprs=(
            """max by (instance, version, python) (monitor_build_info{JOB})
            * on (instance) group_left (sha256) max by (instance, sha256) (monitor_config_info{JOB})""",
        ),
        width=12,
        columns={
            "instance": "Instance",
            "version": "Version",
            "python": "Python",
            "sha256": "Configuration (SHA-256)",
        },
    ),
)

MONITOR = Board(
    uid="loketwacht-monitor",
    title="Loketwacht: monitor health",
    description="Whether the watcher itself does its work: schedule, store, mail, configuration.",
    variables=(JOB, JOURNEYS),
    lines=(
        Line(height=4, panels=_FIGURES),
        Line(heading="Schedule", height=8, panels=_SCHEDULE),
        Line(heading="Own faults", height=8, panels=_OWN_FAULTS),
        Line(heading="Outposts", height=6, panels=_OUTPOSTS),
        Line(heading="Mail", height=8, panels=_MAIL),
        Line(heading="Store and version", height=8, panels=_STORE_VERSION),
    ),
)
