"""One message of every kind, for tests of how they are told."""

from __future__ import annotations

from dataclasses import replace

from monitor.news import (
    FOLLOW_UPS,
    Attachment,
    BudgetNews,
    CertificateNews,
    ConfigNews,
    DegradedNews,
    DigestNews,
    FlappingNews,
    Gathered,
    IncidentNews,
    Kind,
    LeftBehindNews,
    MaintenanceNews,
    Mistake,
    OwnNews,
    Paused,
    Reader,
    ReportNews,
    SignatureNews,
    TestNews,
    Trouble,
    TroubleNews,
    UndeliveredNews,
    Unseen,
)
from monitor.severity import Severity
from monitor.store.leaving import ToSend
from probes.checks import Title
from probes.sample import Failure, FailureKind
from sla.effect import Effect
from tests.heart import BLIND, BROKEN, DAY, HOUR, INDIENEN, INZAGE, MINUTE, SLOW, at

INCIDENT = IncidentNews(
    incident_id="indienen-20261123T100000Z",
    check_id="indienen",
    title=INDIENEN.title,
    step=Title(nl="Verzenden", en="Send"),
    since_us=at("10:00"),
    confirmed_us=at("10:01"),
    failure=BROKEN,
)
UNSEEN = Unseen(last_bad_us=at("10:20"))
PAUSED = Unseen(
    last_bad_us=at("10:20"),
    paused=Paused(
        since_us=at("10:21"), until_us=at("17:00"), by="An Maes", why="De belastingproef van de leverancier loopt."
    ),
)
A1 = Effect(
    contract="VOORBEELD-2027-01",
    clause="A1",
    unit="month",
    best_efforts=False,
    enough_measured=True,
    sanctionable_us=at("13:32"),
    step_us=None,
    left_us=11 * MINUTE,
)
#: One clause of each kind that counts downtime or outages, and one over a rolling period.
CLAUSES = (
    replace(A1, clause="D1", left_us=None, longest_us=2 * HOUR, reached_us=at("12:00"), sanctionable_us=at("12:00")),
    replace(A1, clause="R1", unit="rolling", days=30),
    replace(A1, clause="W1", weighted=True, sanctionable_us=at("14:10"), left_us=47 * MINUTE),
    replace(A1, clause="N1", sanctionable_us=None, left_us=None, allowed=4, number=3, counts_us=at("10:05")),
)
DEGRADED = DegradedNews(
    check_id="indienen",
    title=INDIENEN.title,
    step=Title(nl="Verzenden", en="Send"),
    since_us=at("10:00"),
    failure=SLOW,
    slow=5,
    among=5,
)
OTHER = replace(INCIDENT, incident_id="inzage-20261123T100100Z", title=INZAGE.title, effects=(A1,))
BUDGET = BudgetNews(
    contract="VOORBEELD-2027-01",
    clause="A1",
    text="Het loket is 99,5 % van de diensttijd beschikbaar",
    timezone="Europe/Brussels",
    from_us=at("00:00") - 22 * DAY - HOUR,
    until_us=at("00:00") + 8 * DAY - HOUR,
    threshold=75,
    allowed_us=72 * MINUTE,
    spent_us=55 * MINUTE,
    best_efforts=False,
    step=Title(
        nl="Bij meer dan nog 17 min uitval wordt het berekende voorstel EUR 250,00.",
        en="With more than another 17 min of downtime the computed proposal becomes EUR 250.00.",
    ),
    gone_us=at("14:10") + 5 * DAY,
    measured="99.87",
    enough_measured=True,
)
WORK = MaintenanceNews(
    entry=12,
    from_us=at("19:00"),
    until_us=at("21:00"),
    titles=(INDIENEN.title,),
    by="Jan Peeters",
    reason="Nieuwe versie van de betaalmodule",
    announced_us=at("08:00") - 4 * DAY,
    excluded=(
        Title(
            nl="VOORBEELD-2027-01: Aanvaard: tijdig aangekondigd en binnen de afspraken.",
            en="VOORBEELD-2027-01: Accepted: announced in time and within what was agreed.",
        ),
    ),
)
SIGNATURE = SignatureNews(
    by="smime",
    name="loketwacht@example.be",
    why="ends",
    from_us=at("10:00") - 300 * DAY,
    until_us=at("10:00") + 13 * DAY + HOUR,
    fingerprint_sha256="cd" * 32,
    subject="CN=Loketwacht",
    issuer="CN=Voorbeeld CA",
)
OWN = OwnNews(
    incident_id="monitor-20261123T100000Z",
    since_us=at("10:00"),
    failure=BLIND,
    checks=(INDIENEN.title, INZAGE.title),
)
SILENT = replace(
    OWN,
    failure=Failure(kind=FailureKind.MONITOR, subject="outpost", found="no sign of life for 60 s"),
    checks=(Title(nl="buitenpost gent", en="outpost gent"),),
)
FLAPPING = FlappingNews(
    check_id="indienen",
    title=INDIENEN.title,
    since_us=at("10:40"),
    openings=4,
    within_us=HOUR,
    steady_us=30 * MINUTE,
)
TROUBLE = TroubleNews(
    what=Trouble.REFERENCE_SILENT,
    since_us=at("10:00"),
    subjects=("https://referentie.example/", "https://een-andere.example/"),
    said="no answer for 15 minutes",
)
CERTIFICATE = CertificateNews(
    check_id="certificaat",
    title=Title(nl="Certificaat van het loket", en="Certificate of the counter"),
    host="loket.example",
    not_after_us=at("10:00") + 13 * DAY + HOUR,
    threshold_us=14 * DAY,
    fingerprint_sha256="ab" * 32,
    subject="CN=loket.example",
    issuer="CN=Voorbeeld CA",
)
NEWS = {
    "opened": (Kind.OPENED, INCIDENT, at("10:01")),
    "opened-clauses": (Kind.OPENED, replace(INCIDENT, effects=CLAUSES), at("10:01")),
    "opened-contract": (Kind.OPENED, replace(INCIDENT, effects=(A1,)), at("10:01")),
    "flapping": (Kind.FLAPPING, FLAPPING, at("10:40")),
    "flapping-escalated": (Kind.ESCALATED, replace(FLAPPING, told_us=at("10:40")), at("11:10")),
    "flapping-ongoing": (Kind.ONGOING, replace(FLAPPING, told_us=at("10:40")), at("11:00")),
    "steady": (Kind.STEADY, replace(FLAPPING, until_us=at("11:20")), at("11:50")),
    "steady-down": (
        Kind.STEADY,
        replace(FLAPPING, until_us=at("11:20"), down_since_us=at("11:19")),
        at("11:50"),
    ),
    "worse": (
        Kind.WORSE,
        replace(
            INCIDENT,
            severity=Severity.CRITICAL,
            worse_us=at("10:12"),
            step=None,
            failure=Failure(
                kind=FailureKind.CONNECT, subject="loket.example:443", expected="a connection", found="refused"
            ),
            effects=(A1,),
        ),
        at("10:12"),
    ),
    "unmeasured": (Kind.UNMEASURED, replace(INCIDENT, until_us=at("11:12:30")), at("11:12:30")),
    "unmeasured-shadow": (Kind.UNMEASURED, replace(INCIDENT, until_us=at("11:12:30"), shadow=True), at("11:12:30")),
    "unmeasured-flapping": (Kind.UNMEASURED, replace(FLAPPING, until_us=at("11:12:30")), at("11:12:30")),
    "unmeasured-slow": (Kind.UNMEASURED, replace(DEGRADED, until_us=at("11:12:30")), at("11:12:30")),
    "unmeasured-unwatched": (
        Kind.UNMEASURED,
        replace(DEGRADED, until_us=at("11:12:30"), unwatched=True),
        at("11:12:30"),
    ),
    "degraded": (Kind.DEGRADED, DEGRADED, at("10:04")),
    "fast": (Kind.FAST, replace(DEGRADED, until_us=at("11:30")), at("11:34")),
    "config-refused": (
        Kind.CONFIG_REFUSED,
        ConfigNews(
            at_us=at("10:00"),
            mistakes=(
                Mistake(file="config.toml", line=12, key="portal.contact", what='the key "…" is missing'),
                Mistake(file="journeys.toml", line=40, key="journey[3].interval", what="30 needs a unit"),
            ),
            count=7,
        ),
        at("10:00"),
    ),
    "config-taken": (Kind.CONFIG_TAKEN, ConfigNews(at_us=at("10:20")), at("10:20")),
    "undelivered": (
        Kind.UNDELIVERED,
        UndeliveredNews(
            reader="weg@example.be",
            about=Kind.OPENED,
            written_us=at("10:01"),
            refused=True,
            answer="550 no such user here",
        ),
        at("10:02"),
    ),
    "trouble": (Kind.TROUBLE, TROUBLE, at("10:15")),
    "trouble-over": (Kind.TROUBLE_OVER, replace(TROUBLE, until_us=at("12:40")), at("12:40")),
    **{
        f"trouble-{what.value}": (
            Kind.TROUBLE,
            replace(TROUBLE, what=what, subjects=(subject,), said=said),
            at("10:15"),
        )
        for what, subject, said in (
            (Trouble.STORE_DAMAGED, "var/loketwacht.db", "Tree 4 page 1203: btreeInitPage() returns error code 11"),
            (Trouble.RESOLVER_SILENT, "loket.example", "no answer for any of 1 names"),
            (Trouble.CLOCK_WRONG, "2036-01-01T00:00:00Z", "the clock says 2026-11-23T10:15:00Z"),
        )
    },
    "set-aside": (
        Kind.UNDELIVERED,
        UndeliveredNews(
            reader="ops@example.be, webhook:dienst",
            about=None,
            written_us=at("10:01"),
            refused=False,
            answer="of-tomorrow: 'of-tomorrow' is not a valid Kind",
        ),
        at("10:02"),
    ),
    "budget": (Kind.BUDGET, BUDGET, at("11:00")),
    "budget-gone": (
        Kind.BUDGET,
        replace(
            BUDGET,
            threshold=100,
            spent_us=80 * MINUTE,
            gone_us=at("10:52"),
            step=Title(
                nl="Bij meer dan nog 28 min uitval wordt het berekende voorstel EUR 500,00.",
                en="With more than another 28 min of downtime the computed proposal becomes EUR 500.00.",
            ),
            measured="91.40",
            enough_measured=False,
        ),
        at("11:00"),
    ),
    "budget-rolling": (
        Kind.BUDGET,
        replace(
            BUDGET,
            clause="R1",
            text="Over 30 dagen is het loket 99,9 % van de tijd beschikbaar",
            from_us=at("00:00") - 29 * DAY - HOUR,
            until_us=at("00:00") + DAY - HOUR,
            rolling_days=30,
            gone_us=None,
            eases_us=at("00:00") + 9 * DAY - HOUR,
        ),
        at("11:00"),
    ),
    "maintenance": (Kind.MAINTENANCE, WORK, at("19:00")),
    "maintenance-changed": (
        Kind.MAINTENANCE_CHANGED,
        replace(WORK, entry=13, until_us=at("22:00"), until_before_us=at("21:00"), excluded=()),
        at("20:40"),
    ),
    "maintenance-over": (Kind.MAINTENANCE_OVER, replace(WORK, failing=(INDIENEN.title,)), at("21:00")),
    "maintenance-cancelled": (
        Kind.MAINTENANCE_OVER,
        replace(WORK, cancelled_by="An Maes", cancelled_why="De versie is nog niet klaar"),
        at("19:30"),
    ),
    "ongoing-behind": (
        Kind.ONGOING,
        replace(
            INCIDENT,
            attached=(INZAGE.title, Title(nl="Betalen", en="Pay")),
            hit=(INZAGE.title,),
            told_us=at("10:01"),
        ),
        at("10:06"),
    ),
    "flapping-behind": (
        Kind.ONGOING,
        replace(FLAPPING, told_us=at("10:40"), hit=(INZAGE.title,)),
        at("10:42"),
    ),
    "worse-again": (
        Kind.WORSE,
        replace(INCIDENT, severity=Severity.CRITICAL, was=Severity.MAJOR, worse_us=at("10:20")),
        at("10:20"),
    ),
    "reminder": (Kind.REMINDER, replace(INCIDENT, number=2), at("14:01")),
    "reminder-unseen": (Kind.REMINDER, replace(INCIDENT, number=2, unseen=UNSEEN), at("14:01")),
    "reminder-unseen-good": (
        Kind.REMINDER,
        replace(INCIDENT, number=2, unseen=replace(UNSEEN, good_us=at("10:21"))),
        at("14:01"),
    ),
    "reminder-paused": (Kind.REMINDER, replace(INCIDENT, number=2, unseen=PAUSED), at("14:01")),
    "escalated-unseen": (Kind.ESCALATED, replace(INCIDENT, told_us=at("10:01"), unseen=UNSEEN), at("10:31")),
    "recovered": (Kind.RECOVERED, replace(INCIDENT, until_us=at("11:12:30")), at("11:13:30")),
    "monitor": (Kind.MONITOR, OWN, at("10:05")),
    "monitor-reminder": (Kind.REMINDER, replace(OWN, number=1), at("11:05")),
    "measuring": (Kind.MEASURING, replace(OWN, until_us=at("10:31"), checks=()), at("10:31")),
    "outpost-silent": (Kind.MONITOR, SILENT, at("10:01")),
    "outpost-reminder": (Kind.REMINDER, replace(SILENT, number=1), at("11:01")),
    "outpost-back": (Kind.MEASURING, replace(SILENT, until_us=at("10:31"), checks=()), at("10:31")),
    "certificate": (Kind.CERTIFICATE, CERTIFICATE, at("10:00")),
    "certificate-intermediate": (
        Kind.CERTIFICATE,
        replace(
            CERTIFICATE,
            fingerprint_sha256="ef" * 32,
            subject="CN=Voorbeeld CA G2",
            issuer="CN=Voorbeeld Root",
            role="intermediate",
        ),
        at("10:00"),
    ),
    "signature-ends": (Kind.SIGNATURE, SIGNATURE, at("10:00")),
    "signature-ended": (
        Kind.SIGNATURE,
        replace(SIGNATURE, why="ended", until_us=at("09:00")),
        at("10:00"),
    ),
    "signature-key": (
        Kind.SIGNATURE,
        SignatureNews(
            by="dkim", name="example.be", why="key", setting="mail.dkim.key", what="is protected by a password"
        ),
        at("10:00"),
    ),
    "report": (
        Kind.REPORT,
        ReportNews(
            contract="VOORBEELD-2027-01",
            period="2026-10",
            number=1,
            lines=(
                Title(nl="B1 beschikbaarheid: niet gehaald", en="B1 availability: missed"),
                Title(nl="P1 antwoordtijd: gehaald", en="P1 response time: met"),
            ),
            link="https://monitor.example/sla",
            attachments=(
                Attachment(path="/nergens/r.pdf", file_name="rapport-2026-10.pdf", media_type="application/pdf"),
            ),
        ),
        at("10:00"),
    ),
    "left-behind": (
        Kind.LEFT_BEHIND,
        LeftBehindNews(
            objects=(
                ("project OMV_2099000123", Title(nl="Indienen", en="Submitting")),
                ("bezwaar 7f3a", Title(nl="Bezwaar", en="Objection")),
            )
        ),
        at("10:00"),
    ),
    "escalated": (Kind.ESCALATED, replace(INCIDENT, told_us=at("10:01"), effects=(A1,)), at("10:31")),
    "ongoing": (Kind.ONGOING, replace(INCIDENT, told_us=at("10:01"), acknowledged_by="Ann Peeters"), at("17:00")),
    "test": (Kind.TEST, TestNews(asked_us=at("10:00")), at("10:00")),
}
NEWS["digest"] = (
    Kind.DIGEST,
    DigestNews(
        messages=tuple(
            Gathered(
                kind=kind,
                created_us=created_us,
                incident_id=news.incident_id if isinstance(news, IncidentNews) else None,
                news=news,
            )
            for kind, news, created_us in (
                NEWS["opened"],
                (Kind.OPENED, OTHER, at("10:02")),
                NEWS["certificate"],
                (Kind.REMINDER, replace(OTHER, number=1), at("11:02")),
                NEWS["recovered"],
            )
        )
    ),
    at("11:15"),
)


def to_send(name: str, language: str = "nl") -> ToSend:
    kind, news, created_us = NEWS[name]
    follows = kind in FOLLOW_UPS
    return ToSend(
        id="incident.x.1" if follows else "incident.x",
        root="incident.x" if follows else None,
        previous="incident.x" if follows else None,
        kind=kind,
        language=language,
        news=news,
        incident_id=None,
        created_us=created_us,
        attempts=0,
        readers=(Reader(address="ops@example.be", name="Wacht"),),
        ready=("ops@example.be",),
    )
