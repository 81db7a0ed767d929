"""The five Grafana dashboards. Every metric they name stands in monitor/catalogue.py; a test holds them to it."""

from __future__ import annotations

from dashboards.panels import (
    BARS,
    NO_NAME,
    QUIET,
    STACKED,
    YES_IS_GOOD,
    ZERO_IS_GOOD,
    Board,
    Line,
    Panel,
    Query,
    Step,
    Variable,
    Word,
)

INDICATIVE = "Indicative. The contractual figure is the monthly report, computed from stored measurements."
STATES = (
    Word(0, "Working", "green"),
    Word(1, "Not measurable", "#8695a8"),
    Word(2, "Slow", "orange"),
    Word(3, "Outage", "red"),
    Word(4, "Not measured lately", "purple"),
)
STATE_STEPS = (Step("green"), Step("#8695a8", 1), Step("orange", 2), Step("red", 3), Step("purple", 4))
JOURNEY_LINK = {"Journey detail": "/d/loketwacht-journey?var-journey=${__field.labels.journey}&${__url_time_range}"}

JOB = Variable(name="job", label="Job", query="label_values(monitor_build_info, job)")
JOURNEYS = Variable(name="journey", label="Journey", query="label_values(journey_info{JOB}, journey)")
ONE_JOURNEY = Variable(name="journey", label="Journey", query="label_values(journey_info{JOB}, journey)", multi=False)
STEPS = Variable(name="step", label="Step", query="label_values(journey_step_success{JOURNEY}, step)")
CONTRACT = Variable(name="contract", label="Contract", query="label_values(sla_target_ratio{JOB}, contract)")
CLAUSE = Variable(name="clause", label="Clause", query="label_values(sla_target_ratio{CONTRACT}, clause)")


def titled(expr: str) -> str:
    """With the journey's Dutch title as a further label, for legends."""
    return f"({expr}) * on (journey) group_left (title) max by (journey, title) (journey_info{{JOB}})"


#: 0 working, 1 not measurable, 2 slow, 3 outage; several locations: the worst.
_WORST_NOW = """max by (journey) (journey_state{JOURNEY, state="down"} * 3
or journey_state{JOURNEY, state="degraded"} * 2 or journey_state{JOURNEY, state="unknown"} * 1)"""
#: 4 where the newest run is older than three intervals: an old state is not shown as the present one.
_TOO_OLD = """4 * (time() - max by (journey) (journey_last_run_timestamp_seconds{JOURNEY})
> bool 3 * max by (journey) (journey_interval_seconds{JOURNEY}))"""
STATE_NOW = f"""max by (journey) (label_replace({_WORST_NOW}, "part", "state", "", "")
or label_replace({_TOO_OLD}, "part", "age", "", ""))"""
#: The worst of each step of the graph: a short outage stays visible in a long range.
STATE_OVER_TIME = """max by (journey) (max_over_time(journey_state{JOURNEY, state="down"}[$__interval]) * 3
or max_over_time(journey_state{JOURNEY, state="degraded"}[$__interval]) * 2
or max_over_time(journey_state{JOURNEY, state="unknown"}[$__interval]) * 1)"""
#: Of the runs that say something about the portal; nothing where there were none.
SUCCESS_SHARE = """sum by (journey) (increase(journey_runs_total{JOURNEY, outcome=~"up|degraded"}[$__range]))
/ (sum by (journey) (increase(journey_runs_total{JOURNEY, outcome!="unknown"}[$__range])) > 0)"""

_SHARE_STEPS = (Step("red"), Step("orange", 0.99), Step("green", 0.999))
_AGE_STEPS = (Step("green"), Step("orange", 120), Step("red", 600))

CLAUSE_TABLE = Panel(
    kind="table",
    title="Clauses this month",
    description=f"Availability so far, what the contract promises, and the downtime still allowed. {INDICATIVE}",
    queries=(
        Query(expr='max by (contract, clause) (sla_availability_ratio{CLAUSE, bound="point"})', table=True),
        Query(expr="max by (contract, clause) (sla_target_ratio{CLAUSE})", table=True),
        Query(expr="min by (contract, clause) (sla_budget_remaining_seconds{CLAUSE})", table=True),
        Query(
            expr="""min by (contract, clause) (sla_budget_remaining_seconds{CLAUSE}
            / (sla_budget_seconds{CLAUSE} > 0))""",
            table=True,
        ),
    ),
    unit="percentunit",
    width=24,
    no_value="No contract with availability clauses",
    decimals=3,
    columns={
        "contract": "Contract",
        "clause": "Clause",
        "Value #A": "Availability so far",
        "Value #B": "Target",
        "Value #C": "Downtime left",
        "Value #D": "Budget left",
    },
    column_units={"Downtime left": "dtdurations", "Budget left": "percentunit"},
)

OVERVIEW = Board(
    uid="loketwacht-overview",
    title="Loketwacht: overview",
    description="Which journeys work, what is wrong, and how the contract stands.",
    variables=(JOB, JOURNEYS, CONTRACT, CLAUSE),
    lines=(
        Line(
            height=8,
            panels=(
                Panel(
                    kind="stat",
                    title="Journeys now",
                    description="The state of each journey's last run; purple when that run is older than three "
                    "intervals. Choose a tile for the journey's detail.",
                    queries=(Query(expr=titled(STATE_NOW), legend="{{title}}", instant=True),),
                    unit="none",
                    width=24,
                    thresholds=STATE_STEPS,
                    words=STATES,
                    links=JOURNEY_LINK,
                ),
            ),
        ),
        Line(
            height=4,
            panels=(
                Panel(
                    kind="stat",
                    title="Open incidents",
                    description="Journeys with a confirmed failure that goes on.",
                    queries=(Query(expr="sum(max by (journey) (journey_incident_open{JOURNEY}))", instant=True),),
                    unit="short",
                    width=5,
                    thresholds=ZERO_IS_GOOD,
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Journeys watched",
                    description="How many journeys and other checks are configured.",
                    queries=(Query(expr="count(count by (journey) (journey_info{JOURNEY}))", instant=True),),
                    unit="short",
                    width=5,
                    options=QUIET,
                ),
                Panel(
                    kind="stat",
                    title="Runs that succeeded",
                    description="Share of honest runs in the time range that were up or slow. " + INDICATIVE,
                    queries=(
                        Query(
                            expr="""sum(increase(journey_runs_total{JOURNEY, outcome=~"up|degraded"}[$__range]))
                            / (sum(increase(journey_runs_total{JOURNEY, outcome!="unknown"}[$__range])) > 0)""",
                            instant=True,
                        ),
                    ),
                    unit="percentunit",
                    width=5,
                    decimals=3,
                    thresholds=_SHARE_STEPS,
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Next certificate to expire",
                    description="Time left until the first certificate ends.",
                    queries=(Query(expr="min(probe_ssl_earliest_cert_expiry{JOURNEY}) - time()", instant=True),),
                    unit="dtdurations",
                    width=5,
                    thresholds=(Step("red"), Step("orange", 7 * 86_400), Step("green", 21 * 86_400)),
                    no_value="No TLS seen",
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Monitor alive",
                    description="Whether Prometheus reaches the monitor. If not, nothing else here speaks for now.",
                    queries=(Query(expr="min(up{JOB}) or vector(0)", instant=True),),
                    unit="none",
                    width=4,
                    thresholds=(Step("red"), Step("green", 1)),
                    words=YES_IS_GOOD,
                    options=NO_NAME,
                ),
            ),
        ),
        Line(
            height=12,
            panels=(
                Panel(
                    kind="state-timeline",
                    title="States over time",
                    description="Per journey the worst state of each step of the graph, so that a short outage stays "
                    "visible in a long range.",
                    queries=(Query(expr=titled(STATE_OVER_TIME), legend="{{title}}"),),
                    unit="none",
                    width=24,
                    thresholds=STATE_STEPS,
                    words=STATES,
                    interval="1m",
                    links=JOURNEY_LINK,
                ),
            ),
        ),
        Line(
            height=8,
            panels=(
                Panel(
                    kind="table",
                    title="What is wrong now",
                    description="Step and reason of each last run that was not up.",
                    queries=(Query(expr="probe_failure_info{JOURNEY} == 1", table=True),),
                    unit="none",
                    width=12,
                    no_value="Nothing is wrong",
                    columns={"journey": "Journey", "location": "Location", "step": "Step", "reason": "Reason"},
                ),
                Panel(
                    kind="table",
                    title="Firing alerts",
                    description="Alerts of the Prometheus rules that fire now.",
                    queries=(Query(expr='ALERTS{JOB, alertstate="firing"}', table=True),),
                    unit="none",
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
            ),
        ),
        Line(
            height=9,
            panels=(
                Panel(
                    kind="timeseries",
                    title="Duration of runs",
                    description="The longest run of each step of the graph, per journey.",
                    queries=(
                        Query(
                            expr=titled(
                                "max by (journey) (max_over_time(probe_duration_seconds{JOURNEY}[$__interval]))"
                            ),
                            legend="{{title}}",
                        ),
                    ),
                    unit="s",
                    width=24,
                    minimum=0,
                    interval="1m",
                    links=JOURNEY_LINK,
                ),
            ),
        ),
        Line(height=8, panels=(CLAUSE_TABLE,)),
    ),
)

JOURNEY = Board(
    uid="loketwacht-journey",
    title="Loketwacht: journey detail",
    description="One journey: its state, where its time goes step by step, and why it failed.",
    variables=(JOB, ONE_JOURNEY, STEPS),
    since="now-6h",
    lines=(
        Line(
            height=4,
            panels=(
                Panel(
                    kind="stat",
                    title="Now",
                    description="State of the last run; purple when it is older than three intervals.",
                    queries=(Query(expr=titled(STATE_NOW), legend="{{title}}", instant=True),),
                    unit="none",
                    width=6,
                    thresholds=STATE_STEPS,
                    words=STATES,
                ),
                Panel(
                    kind="stat",
                    title="Incident open for",
                    description="How long the open incident lasts, from its first failing run.",
                    queries=(
                        Query(
                            expr="time() - min by (journey) (journey_incident_start_timestamp_seconds{JOURNEY})",
                            instant=True,
                        ),
                    ),
                    unit="dtdurations",
                    width=4,
                    thresholds=(Step("red"),),
                    no_value="No incident",
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Runs that succeeded",
                    description="Share of honest runs in the time range that were up or slow. " + INDICATIVE,
                    queries=(Query(expr=SUCCESS_SHARE, instant=True),),
                    unit="percentunit",
                    width=4,
                    decimals=3,
                    thresholds=_SHARE_STEPS,
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Age of the last run",
                    description="In intervals of the journey: more than three means that it is not being measured.",
                    queries=(
                        Query(
                            expr="""(time() - max by (journey) (journey_last_run_timestamp_seconds{JOURNEY}))
                            / max by (journey) (journey_interval_seconds{JOURNEY})""",
                            instant=True,
                        ),
                    ),
                    unit="short",
                    width=4,
                    decimals=1,
                    thresholds=(Step("green"), Step("orange", 2), Step("red", 3)),
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Last HTTP status",
                    description="Of the last answer of the last run; 0 when none came.",
                    queries=(
                        Query(
                            expr="max by (location) (probe_http_status_code{JOURNEY})",
                            legend="{{location}}",
                            instant=True,
                        ),
                    ),
                    unit="none",
                    width=3,
                    thresholds=(Step("red"), Step("green", 200), Step("orange", 400), Step("red", 500)),
                ),
                Panel(
                    kind="stat",
                    title="Redirects",
                    description="Followed in the last run.",
                    queries=(
                        Query(
                            expr="max by (location) (probe_http_redirects{JOURNEY})",
                            legend="{{location}}",
                            instant=True,
                        ),
                    ),
                    unit="short",
                    width=3,
                    options={"colorMode": "value"},
                ),
            ),
        ),
        Line(
            height=6,
            panels=(
                Panel(
                    kind="state-timeline",
                    title="Success per location",
                    description="The worst of each step of the graph, so that a short outage stays visible.",
                    queries=(
                        Query(
                            expr="min by (location) (min_over_time(journey_success{JOURNEY}[$__interval]))",
                            legend="{{location}}",
                        ),
                    ),
                    unit="none",
                    width=14,
                    thresholds=(Step("red"), Step("green", 1)),
                    words=(Word(1, "Working", "green"), Word(0, "Outage", "red")),
                    interval="1m",
                ),
                Panel(
                    kind="table",
                    title="Why the last run failed",
                    description="Step and reason, from the closed list of failure kinds.",
                    queries=(Query(expr="probe_failure_info{JOURNEY} == 1", table=True),),
                    unit="none",
                    width=10,
                    no_value="The last run did not fail",
                    columns={"location": "Location", "step": "Step", "reason": "Reason"},
                ),
            ),
        ),
        Line(
            heading="Where the time goes",
            height=9,
            panels=(
                Panel(
                    kind="timeseries",
                    title="Duration by phase",
                    description="Over all steps and redirects: resolve, connect, tls, processing, transfer.",
                    queries=(
                        Query(
                            expr="avg by (phase) (avg_over_time(probe_http_duration_seconds{JOURNEY}[$__interval]))",
                            legend="{{phase}}",
                        ),
                    ),
                    unit="s",
                    width=12,
                    minimum=0,
                    interval="1m",
                    custom=STACKED,
                ),
                Panel(
                    kind="timeseries",
                    title="Duration by step",
                    description="The phases of each step added up.",
                    queries=(
                        Query(
                            expr="""sum by (step) (avg by (step, phase)
                            (avg_over_time(journey_step_phase_seconds{JOURNEY}[$__interval])))""",
                            legend="{{step}}",
                        ),
                    ),
                    unit="s",
                    width=12,
                    minimum=0,
                    interval="1m",
                    custom=STACKED,
                ),
            ),
        ),
        Line(
            height=8,
            panels=(
                Panel(
                    kind="timeseries",
                    title="Phases of step $step",
                    description="Where the time of this step goes; one panel for each chosen step.",
                    queries=(
                        Query(
                            expr="""avg by (phase)
                            (avg_over_time(journey_step_phase_seconds{JOURNEY, step=~"$step"}[$__interval]))""",
                            legend="{{phase}}",
                        ),
                    ),
                    unit="s",
                    width=8,
                    minimum=0,
                    interval="1m",
                    custom=STACKED,
                    repeat="step",
                ),
            ),
        ),
        Line(
            heading="Distribution and failures",
            height=8,
            panels=(
                Panel(
                    kind="timeseries",
                    title="Duration of successful runs",
                    description="Median and 95th percentile, estimated from the histogram's buckets. " + INDICATIVE,
                    queries=tuple(
                        Query(
                            expr=f"""histogram_quantile({quantile},
                            sum by (le) (rate(journey_duration_seconds_bucket{{JOURNEY}}[$__rate_interval])))
                            and on () (sum(rate(journey_duration_seconds_count{{JOURNEY}}[$__rate_interval])) > 0)""",
                            legend=legend,
                        )
                        for quantile, legend in (("0.5", "median"), ("0.95", "95th percentile"))
                    ),
                    unit="s",
                    width=8,
                    minimum=0,
                    interval="5m",
                ),
                Panel(
                    kind="timeseries",
                    title="Failures by step and reason",
                    description="Runs that were not up, per step of the graph.",
                    queries=(
                        Query(
                            expr="sum by (step, reason) (increase(journey_failures_total{JOURNEY}[$__rate_interval]))",
                            legend="{{step}}: {{reason}}",
                        ),
                    ),
                    unit="short",
                    width=8,
                    minimum=0,
                    interval="5m",
                    no_value="No failures",
                    custom=BARS,
                ),
                Panel(
                    kind="timeseries",
                    title="Runs by outcome",
                    description="All runs, also those that could not be measured honestly, and failures that the "
                    "immediate re-run did not confirm.",
                    queries=(
                        Query(
                            expr="sum by (outcome) (increase(journey_runs_total{JOURNEY}[$__rate_interval]))",
                            legend="{{outcome}}",
                        ),
                        Query(
                            expr="sum(increase(journey_blips_total{JOURNEY}[$__rate_interval]))",
                            legend="not confirmed",
                        ),
                    ),
                    unit="short",
                    width=8,
                    minimum=0,
                    interval="5m",
                    custom=BARS,
                ),
            ),
        ),
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
        Line(
            height=8,
            panels=(
                Panel(
                    kind="bargauge",
                    title="Error budget left",
                    description="Share of the month's allowed downtime that is left; below zero the clause is missed. "
                    + INDICATIVE,
                    queries=(
                        Query(
                            expr="""min by (contract, clause) (sla_budget_remaining_seconds{CLAUSE}
                            / (sla_budget_seconds{CLAUSE} > 0))""",
                            legend="{{contract}} {{clause}}",
                            instant=True,
                        ),
                    ),
                    unit="percentunit",
                    width=8,
                    minimum=0,
                    maximum=1,
                    decimals=1,
                    thresholds=(Step("red"), Step("orange", 0.000001), Step("green", 0.25)),
                ),
                Panel(
                    kind="stat",
                    title="Above or below target",
                    description="Availability so far minus what the contract promises. " + INDICATIVE,
                    queries=(
                        Query(
                            expr="""min by (contract, clause) (sla_availability_ratio{CLAUSE, bound="point"})
                            - on (contract, clause) max by (contract, clause) (sla_target_ratio{CLAUSE})""",
                            legend="{{contract}} {{clause}}",
                            instant=True,
                        ),
                    ),
                    unit="percentunit",
                    width=8,
                    decimals=3,
                    thresholds=(Step("red"), Step("green", 0)),
                ),
                Panel(
                    kind="stat",
                    title="Measured share",
                    description="Share of the month's service time that was measured. " + INDICATIVE,
                    queries=(
                        Query(
                            expr="min by (contract) (sla_coverage_ratio{CONTRACT})", legend="{{contract}}", instant=True
                        ),
                    ),
                    unit="percentunit",
                    width=4,
                    decimals=2,
                    thresholds=(Step("red"), Step("orange", 0.98), Step("green", 0.99)),
                ),
                Panel(
                    kind="stat",
                    title="Spent in the last day",
                    description="Downtime that counted in the last 24 hours, per clause. " + INDICATIVE,
                    queries=(
                        Query(
                            expr="clamp_min(-min by (clause) (delta(sla_budget_remaining_seconds{CLAUSE}[1d])), 0)",
                            legend="{{clause}}",
                            instant=True,
                        ),
                    ),
                    unit="dtdurations",
                    width=4,
                    options={"colorMode": "value"},
                ),
            ),
        ),
        Line(
            height=9,
            panels=(
                Panel(
                    kind="timeseries",
                    title="Availability of the month so far",
                    description="Lowest and highest differ by what was not measured; the target is drawn as a line. "
                    + INDICATIVE,
                    queries=(
                        Query(
                            expr="min by (clause, bound) (sla_availability_ratio{CLAUSE})",
                            legend="{{clause}} {{bound}}",
                        ),
                        Query(expr="max by (clause) (sla_target_ratio{CLAUSE})", legend="{{clause}} target"),
                    ),
                    unit="percentunit",
                    width=12,
                    maximum=1,
                    decimals=3,
                ),
                Panel(
                    kind="timeseries",
                    title="Burn-down of the error budget",
                    description="Downtime still allowed this month; the zero line is the contract's limit. "
                    + INDICATIVE,
                    queries=(
                        Query(
                            expr="min by (contract, clause) (sla_budget_remaining_seconds{CLAUSE})",
                            legend="{{contract}} {{clause}}",
                        ),
                    ),
                    unit="s",
                    width=12,
                    thresholds=(Step("red"), Step("green", 0)),
                    custom={"thresholdsStyle": {"mode": "line"}},
                ),
            ),
        ),
        Line(
            height=8,
            panels=(
                Panel(
                    kind="timeseries",
                    title="Service time by class",
                    description="How the month's service time divides: up, degraded, down, excluded, unmeasured. "
                    + INDICATIVE,
                    queries=(
                        Query(
                            expr='max by (clause, class) (sla_downtime_seconds{CLAUSE, class!="up"})',
                            legend="{{clause}} {{class}}",
                        ),
                    ),
                    unit="s",
                    width=16,
                    minimum=0,
                ),
                Panel(
                    kind="stat",
                    title="Last report issued",
                    description="When the last monthly report of the contract was drawn up. " + INDICATIVE,
                    queries=(
                        Query(
                            expr="(max by (contract) (sla_last_report_timestamp_seconds{CONTRACT}) > 0) * 1000",
                            legend="{{contract}}",
                            instant=True,
                        ),
                    ),
                    unit="dateTimeAsIso",
                    width=4,
                    no_value="Never",
                    options={"colorMode": "value"},
                ),
                Panel(
                    kind="stat",
                    title="Computed",
                    description="How long ago the month so far was last assessed. " + INDICATIVE,
                    queries=(
                        Query(
                            expr="time() - max by (contract) (sla_assessed_timestamp_seconds{CONTRACT})",
                            legend="{{contract}}",
                            instant=True,
                        ),
                    ),
                    unit="dtdurations",
                    width=4,
                    thresholds=(Step("green"), Step("orange", 3_600), Step("red", 21_600)),
                ),
            ),
        ),
    ),
)

CERTIFICATES = Board(
    uid="loketwacht-certificates",
    title="Loketwacht: certificates and names",
    description="How long certificates last, which TLS is spoken, how fast names resolve and what name servers answer.",
    variables=(JOB, JOURNEYS),
    since="now-7d",
    lines=(
        Line(
            height=8,
            panels=(
                Panel(
                    kind="bargauge",
                    title="Time left",
                    description="Until the first certificate of the chain ends: below 21 days a warning, below 7 "
                    "critical.",
                    queries=(
                        Query(
                            expr=titled("min by (journey) (probe_ssl_earliest_cert_expiry{JOURNEY}) - time()"),
                            legend="{{title}}",
                            instant=True,
                        ),
                    ),
                    unit="dtdurations",
                    width=12,
                    minimum=0,
                    thresholds=(Step("red"), Step("orange", 7 * 86_400), Step("green", 21 * 86_400)),
                    no_value="No TLS seen",
                    links=JOURNEY_LINK,
                ),
                Panel(
                    kind="table",
                    title="Certificates",
                    description="The leaf certificate each check saw last, with its end.",
                    queries=(
                        Query(
                            expr="""max by (journey) (probe_ssl_last_chain_expiry_timestamp_seconds{JOURNEY}) * 1000
                            * on (journey) group_right () max by (journey, subject, issuer, serialnumber)
                            (probe_ssl_last_chain_info{JOURNEY})""",
                            table=True,
                        ),
                    ),
                    unit="none",
                    width=12,
                    no_value="No certificate check has run",
                    columns={
                        "journey": "Check",
                        "Value": "Ends",
                        "subject": "Subject",
                        "issuer": "Issuer",
                        "serialnumber": "Serial number",
                    },
                    column_units={"Ends": "dateTimeAsIso"},
                ),
            ),
        ),
        Line(
            height=8,
            panels=(
                Panel(
                    kind="table",
                    title="TLS versions and ciphers",
                    description="What the last handshake agreed on.",
                    queries=(
                        Query(
                            expr="""max by (journey, location, version) (probe_tls_version_info{JOURNEY})
                            * on (journey, location) group_left (cipher)
                            max by (journey, location, cipher) (probe_tls_cipher_info{JOURNEY})""",
                            table=True,
                        ),
                    ),
                    unit="none",
                    width=12,
                    no_value="No TLS seen",
                    columns={"journey": "Check", "location": "Location", "version": "TLS", "cipher": "Cipher"},
                ),
                Panel(
                    kind="timeseries",
                    title="Time to resolve names",
                    description="The slowest of each step of the graph.",
                    queries=(
                        Query(
                            expr=titled(
                                "max by (journey) (max_over_time(probe_dns_lookup_time_seconds{JOURNEY}[$__interval]))"
                            ),
                            legend="{{title}}",
                        ),
                    ),
                    unit="s",
                    width=12,
                    minimum=0,
                    interval="1m",
                ),
            ),
        ),
        Line(
            height=8,
            panels=(
                Panel(
                    kind="timeseries",
                    title="Answers of name servers",
                    description="How long each name check waited; the slowest of each step of the graph.",
                    queries=(
                        Query(
                            expr=titled(
                                """max by (journey)
                                (max_over_time(probe_dns_duration_seconds{JOURNEY, phase="request"}[$__interval]))"""
                            ),
                            legend="{{title}}",
                        ),
                    ),
                    unit="s",
                    width=12,
                    minimum=0,
                    interval="1m",
                    no_value="No name check has run",
                ),
                Panel(
                    kind="timeseries",
                    title="Time to live of answers",
                    description="The smallest in each answer: a resolver's counts down, that of the portal's own "
                    "server stands still.",
                    queries=(
                        Query(
                            expr=titled(
                                "min by (journey) (min_over_time(probe_dns_answer_ttl_seconds{JOURNEY}[$__interval]))"
                            ),
                            legend="{{title}}",
                        ),
                    ),
                    unit="s",
                    width=12,
                    minimum=0,
                    interval="1m",
                    no_value="No name check has run",
                ),
            ),
        ),
    ),
)

MONITOR = Board(
    uid="loketwacht-monitor",
    title="Loketwacht: monitor health",
    description="Whether the watcher itself does its work: schedule, store, mail, configuration.",
    variables=(JOB, JOURNEYS),
    lines=(
        Line(
            height=4,
            panels=(
                Panel(
                    kind="stat",
                    title="Alive",
                    description="Whether Prometheus reaches the monitor.",
                    queries=(Query(expr="min(up{JOB}) or vector(0)", instant=True),),
                    unit="none",
                    width=3,
                    thresholds=(Step("red"), Step("green", 1)),
                    words=YES_IS_GOOD,
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Schedule moved on",
                    description="How long ago; grows when the scheduler stands still.",
                    queries=(
                        Query(expr="time() - min(monitor_scheduler_last_advance_timestamp_seconds{JOB})", instant=True),
                    ),
                    unit="s",
                    width=3,
                    decimals=0,
                    thresholds=_AGE_STEPS,
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Messages waiting",
                    description="Mails and messages to webhooks in the outbox that nobody has accepted yet.",
                    queries=(Query(expr="sum(alert_outbox_pending{JOB})", instant=True),),
                    unit="short",
                    width=3,
                    thresholds=(Step("green"), Step("orange", 1), Step("red", 10)),
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Oldest message waiting",
                    description="Its age; zero when none waits.",
                    queries=(Query(expr="max(alert_outbox_oldest_pending_seconds{JOB})", instant=True),),
                    unit="s",
                    width=3,
                    decimals=0,
                    thresholds=_AGE_STEPS,
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Samples waiting",
                    description="Held in memory because the store does not take them.",
                    queries=(Query(expr="sum(monitor_samples_waiting{JOB})", instant=True),),
                    unit="short",
                    width=3,
                    thresholds=ZERO_IS_GOOD,
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Configuration taken over",
                    description="Whether the last reload succeeded; if not, the configuration before it is in force.",
                    queries=(Query(expr="min(monitor_config_last_reload_successful{JOB})", instant=True),),
                    unit="none",
                    width=3,
                    thresholds=(Step("red"), Step("green", 1)),
                    words=YES_IS_GOOD,
                    options=NO_NAME,
                ),
                Panel(
                    kind="stat",
                    title="Running for",
                    description="Since the process started.",
                    queries=(Query(expr="time() - max(monitor_start_timestamp_seconds{JOB})", instant=True),),
                    unit="dtdurations",
                    width=3,
                    options=QUIET,
                ),
                Panel(
                    kind="stat",
                    title="Last mail accepted",
                    description="How long ago a mail server last took a mail of ours.",
                    queries=(
                        Query(
                            expr="time() - (max by (channel) (alert_last_delivery_timestamp_seconds{JOB}) > 0)",
                            legend="{{channel}}",
                            instant=True,
                        ),
                    ),
                    unit="dtdurations",
                    width=3,
                    no_value="None yet",
                    options=QUIET,
                ),
            ),
        ),
        Line(
            heading="Schedule",
            height=8,
            panels=(
                Panel(
                    kind="timeseries",
                    title="Lateness",
                    description="How late runs began after their slot, and the worst lateness of the event loop.",
                    queries=(
                        Query(
                            expr="max(max_over_time(journey_schedule_lag_seconds{JOURNEY}[$__interval]))",
                            legend="runs",
                        ),
                        Query(
                            expr="max(max_over_time(monitor_loop_lag_seconds{JOB}[$__interval]))", legend="event loop"
                        ),
                    ),
                    unit="s",
                    width=8,
                    minimum=0,
                    interval="1m",
                ),
                Panel(
                    kind="timeseries",
                    title="Slots that were not run",
                    description="By cause. What was not measured counts for nobody.",
                    queries=(
                        Query(
                            expr="sum by (cause) (increase(journey_missed_runs_total{JOURNEY}[$__rate_interval]))",
                            legend="{{cause}}",
                        ),
                    ),
                    unit="short",
                    width=8,
                    minimum=0,
                    interval="5m",
                    no_value="None missed",
                    custom=BARS,
                ),
                Panel(
                    kind="timeseries",
                    title="Runs under way",
                    description="The most at one time in each step of the graph.",
                    queries=(
                        Query(expr="max(max_over_time(monitor_runs_in_flight{JOB}[$__interval]))", legend="runs"),
                    ),
                    unit="short",
                    width=8,
                    minimum=0,
                    interval="1m",
                ),
            ),
        ),
        Line(
            heading="Own faults",
            height=8,
            panels=(
                Panel(
                    kind="state-timeline",
                    title="Reference targets",
                    description="If these fail together with a journey, the fault is on our side.",
                    queries=(
                        Query(
                            expr="min by (reference) (min_over_time(monitor_reference_up{JOB}[$__interval]))",
                            legend="{{reference}}",
                        ),
                    ),
                    unit="none",
                    width=8,
                    no_value="Not asked yet",
                    thresholds=(Step("red"), Step("green", 1)),
                    words=(Word(1, "Answered", "green"), Word(0, "Failed", "red")),
                    interval="1m",
                ),
                Panel(
                    kind="timeseries",
                    title="Whose fault it was",
                    description="Verdicts of the references, asked after a failure.",
                    queries=(
                        Query(
                            expr="sum by (result) (increase(monitor_reference_checks_total{JOB}[$__rate_interval]))",
                            legend="{{result}}",
                        ),
                    ),
                    unit="short",
                    width=8,
                    minimum=0,
                    interval="5m",
                    custom=BARS,
                ),
                Panel(
                    kind="timeseries",
                    title="Clock jumps and store errors",
                    description="Steps of the wall clock, writes to the store that failed and were tried again, and "
                    "samples that were lost.",
                    queries=(
                        Query(
                            expr="sum by (direction) (increase(monitor_clock_jumps_total{JOB}[$__rate_interval]))",
                            legend="clock {{direction}}",
                        ),
                        Query(
                            expr="sum(increase(monitor_db_errors_total{JOB}[$__rate_interval]))", legend="store errors"
                        ),
                        Query(
                            expr="sum(increase(monitor_samples_lost_total{JOB}[$__rate_interval]))",
                            legend="samples lost",
                        ),
                    ),
                    unit="short",
                    width=8,
                    minimum=0,
                    interval="5m",
                    custom=BARS,
                ),
            ),
        ),
        Line(
            heading="Mail, store and version",
            height=8,
            panels=(
                Panel(
                    kind="timeseries",
                    title="Mail deliveries",
                    description="Attempts per recipient by result.",
                    queries=(
                        Query(
                            expr="sum by (result) (increase(alert_deliveries_total{JOB}[$__rate_interval]))",
                            legend="{{result}}",
                        ),
                    ),
                    unit="short",
                    width=8,
                    minimum=0,
                    interval="5m",
                    custom=BARS,
                ),
                Panel(
                    kind="timeseries",
                    title="Size of the database",
                    description="Of the database file; absent for a server database.",
                    queries=(Query(expr="max(monitor_db_size_bytes{JOB})", legend="database"),),
                    unit="bytes",
                    width=8,
                    minimum=0,
                    no_value="Server database",
                ),
                Panel(
                    kind="table",
                    title="Version and configuration",
                    description="What runs, and which configuration is in force.",
                    queries=(
                        Query(
                            expr="""max by (instance, version, python) (monitor_build_info{JOB})
                            * on (instance) group_left (sha256) max by (instance, sha256) (monitor_config_info{JOB})""",
                            table=True,
                        ),
                    ),
                    unit="none",
                    width=8,
                    columns={
                        "instance": "Instance",
                        "version": "Version",
                        "python": "Python",
                        "sha256": "Configuration (SHA-256)",
                    },
                ),
            ),
        ),
    ),
)

#: File name (without .json) -> dashboard.
BOARDS = {"overview": OVERVIEW, "journey": JOURNEY, "sla": SLA, "certificates": CERTIFICATES, "monitor": MONITOR}
