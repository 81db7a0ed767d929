"""The dashboard of what stands before any page: certificates, TLS, names and the answers of name servers."""

from __future__ import annotations

from dashboards.board import Board, Line
from dashboards.boards.choices import JOB, JOURNEYS
from dashboards.boards.outcomes import JOURNEY_LINK, titled
from dashboards.panel_kinds import gauges, graph, table
from dashboards.panels import Step

#: Below 21 days a warning, below 7 critical.
TIME_LEFT = (Step("red"), Step("orange", 7 * 86_400), Step("green", 21 * 86_400))

_CERTIFICATES = (
    gauges(
        title="Time left",
        description="Until the first certificate of the chain ends: below 21 days a warning, below 7 critical.",
        expr=titled("min by (journey) (probe_ssl_earliest_cert_expiry{JOURNEY}) - time()"),
        legend="{{title}}",
        unit="dtdurations",
        width=12,
        thresholds=TIME_LEFT,
        no_value="No TLS seen",
        links=(JOURNEY_LINK,),
    ),
    table(
        title="Certificates",
        description="The leaf certificate each check saw last, with its end.",
        exprs=(
            """max by (journey) (probe_ssl_last_chain_expiry_timestamp_seconds{JOURNEY}) * 1000
            * on (journey) group_right () max by (journey, subject, issuer, serialnumber)
            (probe_ssl_last_chain_info{JOURNEY})""",
        ),
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
)

_TLS_AND_NAMES = (
    table(
        title="TLS versions and ciphers",
        description="What the last handshake agreed on.",
        exprs=(
            """max by (journey, location, version) (probe_tls_version_info{JOURNEY})
            * on (journey, location) group_left (cipher)
            max by (journey, location, cipher) (probe_tls_cipher_info{JOURNEY})""",
        ),
        width=12,
        no_value="No TLS seen",
        columns={"journey": "Check", "location": "Location", "version": "TLS", "cipher": "Cipher"},
    ),
    graph(
        title="Time to resolve names",
        description="The slowest of each step of the graph.",
        series={
            "{{title}}": titled("max by (journey) (max_over_time(probe_dns_lookup_time_seconds{JOURNEY}[$__interval]))")
        },
        unit="s",
        width=12,
    ),
)

_NAME_SERVERS = (
    graph(
        title="Answers of name servers",
        description="How long each name check waited; the slowest of each step of the graph.",
        series={
            "{{title}}": titled(
                """max by (journey)
                (max_over_time(probe_dns_duration_seconds{JOURNEY, phase="request"}[$__interval]))"""
            )
        },
        unit="s",
        width=12,
        no_value="No name check has run",
    ),
    graph(
        title="Time to live of answers",
        description="The smallest in each answer: a resolver's counts down, that of the portal's own server stands "
        "still.",
        series={
            "{{title}}": titled("min by (journey) (min_over_time(probe_dns_answer_ttl_seconds{JOURNEY}[$__interval]))")
        },
        unit="s",
        width=12,
        no_value="No name check has run",
    ),
)

CERTIFICATES = Board(
    uid="loketwacht-certificates",
    title="Loketwacht: certificates and names",
    description="How long certificates last, which TLS is spoken, how fast names resolve and what name servers answer.",
    variables=(JOB, JOURNEYS),
    since="now-7d",
    lines=(
        Line(height=8, panels=_CERTIFICATES),
        Line(height=8, panels=_TLS_AND_NAMES),
        Line(height=8, panels=_NAME_SERVERS),
    ),
)
