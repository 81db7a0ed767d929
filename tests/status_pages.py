"""Public pages with a story, for the tests that render them: a quiet day and a day with everything on it."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from dashboards.evidence import CertificateShown, EvidenceText, Proof
from dashboards.formatting import Language
from dashboards.status_page import (
    AccessibilityPage,
    AnnouncedMaintenance,
    ClauseSoFar,
    DayCell,
    Download,
    ErrorPage,
    Frame,
    IncidentPage,
    IncidentSample,
    IssuedReport,
    JourneyStatus,
    Links,
    MailSent,
    OpenIncident,
    PastIncident,
    SlaPage,
    State,
    StatusPage,
    Undelivered,
    render_accessibility,
    render_error,
    render_incident,
    render_sla,
    render_status,
)
from sla.assessment import Verdict
from tests.procedures import drafted, procedures, sent

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOON = 1_804_590_000 * SECOND  # 9 March 2027, 12:00 in Brussels
TODAY = date(2027, 3, 9)

TITLES = (
    ("startpagina", "Startpagina", "Start page"),
    ("aanmelden", "Aanmelden", "Sign in"),
    ("indienen", "Ondertekenen en indienen", "Sign and submit"),
    ("dossierstuk-opladen", "Dossierstuk opladen", "Upload a document"),
    ("inzageloket", "Inzageloket: zoeken in alle openbare projecten", "Public register: search all public projects"),
    ("webservice", "Webservice voor lokale besturen", "Web service for local governments"),
)


def a_frame(language: Language = "nl", **changes: object) -> Frame:
    values: dict[str, object] = {
        "portal": "Oefenloket" if language == "nl" else "Practice portal",
        "generated_us": NOON,
        "version": "0.1.0",
        "language": language,
        "links": Links(json="/api/v1/status", other_language="/?lang=" + ("en" if language == "nl" else "nl")),
    }
    return Frame(**(values | changes))  # type: ignore[arg-type]


def a_cell(ago: int, state: State = State.UP) -> DayCell:
    if state is State.DOWN:
        down = 41 * MINUTE + 20 * SECOND
        return DayCell(day=TODAY - timedelta(ago), state=state, availability=1 - Fraction(down, DAY), down_us=down)
    if state is State.UNKNOWN:
        return DayCell(day=TODAY - timedelta(ago), state=state, unmeasured_us=DAY)
    return DayCell(day=TODAY - timedelta(ago), state=state, availability=Fraction(1))


def ninety_days(**states: State) -> tuple[DayCell, ...]:
    """`d3=State.DOWN` makes the day three days ago a bad one."""
    return tuple(a_cell(ago, states.get(f"d{ago}", State.UP)) for ago in range(89, -1, -1))


def a_journey(index: int, language: Language = "nl", **changes: object) -> JourneyStatus:
    key, dutch, english = TITLES[index]
    values: dict[str, object] = {
        "id": key,
        "title": english if language == "en" else dutch,
        "now": State.UP,
        "days": ninety_days(),
        "availability": Fraction(1),
        "last_run_us": NOON - 7 * SECOND,
        "last_duration_us": 420_000 + index * 113_000,
    }
    return JourneyStatus(**(values | changes))  # type: ignore[arg-type]


def a_quiet_page(language: Language = "nl") -> StatusPage:
    return StatusPage(frame=a_frame(language), journeys=tuple(a_journey(i, language) for i in range(len(TITLES))))


def a_busy_page(language: Language = "nl") -> StatusPage:
    down_sentence = (
        "De stap “indienen” gaf status 500 in plaats van 200."
        if language == "nl"
        else "The step “submit” answered status 500 instead of 200."
    )
    slow = "De stap “zoeken” duurde 3,41 s; normaal is dat minder dan 2 s."
    if language == "en":
        slow = "The step “search” took 3.41 s; usually that is under 2 s."
    bad = Fraction(99_9371, 100_0000)
    journeys = (
        a_journey(0, language, days=ninety_days(d40=State.DOWN, d11=State.DEGRADED), availability=bad),
        a_journey(1, language, days=ninety_days(d12=State.MAINTENANCE)),
        a_journey(
            2,
            language,
            now=State.DOWN,
            sentence=down_sentence,
            availability=Fraction(99_1234, 100_0000),
            days=ninety_days(d0=State.DOWN, d1=State.DOWN, d33=State.DOWN, d60=State.DEGRADED, d12=State.MAINTENANCE),
        ),
        a_journey(3, language, now=State.MAINTENANCE, days=ninety_days(d0=State.MAINTENANCE)),
        a_journey(4, language, now=State.DEGRADED, sentence=slow, days=ninety_days(d0=State.DEGRADED)),
        a_journey(
            5,
            language,
            now=State.UNKNOWN,
            availability=None,
            last_run_us=None,
            last_duration_us=None,
            days=tuple(a_cell(ago, State.UNKNOWN) for ago in range(89, -1, -1)),
        ),
    )
    title = journeys[2].title
    return StatusPage(
        frame=a_frame(
            language, notice="Dit is een oefenomgeving." if language == "nl" else "This is a practice environment."
        ),
        journeys=journeys,
        incidents=(
            OpenIncident(
                id="I-2027-0012",
                href="/incidenten/I-2027-0012",
                title=title,
                since_us=NOON - 12 * MINUTE,
                sentence=down_sentence,
                step="indienen",
            ),
        ),
        maintenance=(
            AnnouncedMaintenance(
                from_us=NOON - HOUR,
                until_us=NOON + HOUR,
                announced_us=NOON - 8 * DAY,
                reason="Nieuwe versie van de databank" if language == "nl" else "New version of the database",
                scope=(journeys[3].title,),
            ),
            AnnouncedMaintenance(
                from_us=NOON + 5 * DAY,
                until_us=NOON + 5 * DAY + 3 * HOUR,
                announced_us=NOON - DAY,
                reason="Vervangen van certificaten" if language == "nl" else "Replacing certificates",
            ),
        ),
        past=(
            PastIncident(
                id="I-2027-0011",
                href="/incidenten/I-2027-0011",
                title=title,
                since_us=NOON - DAY,
                until_us=NOON - DAY + 41 * MINUTE + 20 * SECOND,
                sentence=down_sentence,
            ),
        ),
        undelivered=(
            Undelivered(
                what="Een storing" if language == "nl" else "An outage",
                recipient="webhook:meldkamer",
                since_us=NOON - 11 * MINUTE,
                delivery="waiting",
            ),
            Undelivered(
                what="Een rapport" if language == "nl" else "A report",
                recipient="c…@stad.voorbeeld.be",
                since_us=NOON - 2 * DAY,
                delivery="refused",
            ),
        ),
    )


def a_proof(sentence: str) -> Proof:
    sha256 = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
    return Proof(
        sentence=sentence,
        expected="200",
        found="500 <b>Internal Server Error</b>",
        addresses=("2001:db8::12 (connection refused)", "192.0.2.12"),
        phases=(("resolve", 1_200), ("connect", 11_000), ("tls", 24_000), ("processing", 612_000), ("transfer", 2_000)),
        certificate=CertificateShown(
            subject="CN=loket.voorbeeld.be",
            issuer="CN=Voorbeeld CA,O=Voorbeeld",
            not_after_us=NOON + 90 * 1440 * MINUTE,
            fingerprint_sha256=sha256[::-1],
            tls_version="TLSv1.3",
        ),
        curl="curl --disable --request POST --header 'Cookie: sessie=***' --data-raw 'csrf=***&akkoord=ja' "
        "https://loket.voorbeeld.be/loket/projecten/OMV_2099000123/indienen",
        lacks=("secrets", "body", "authority"),
        config_sha256=sha256,
        run_id="run-2027-0012",
        software="Loketwacht 0.1.0",
        sha256=sha256,
        href=f"/evidence/{sha256}.json",
        har_href=f"/evidence/{sha256}.har",
    )


def an_incident_page(language: Language = "nl", **changes: object) -> IncidentPage:
    page = a_busy_page(language)
    values: dict[str, object] = {
        "frame": page.frame,
        "id": "I-2027-0012",
        "title": page.incidents[0].title,
        "since_us": page.incidents[0].since_us,
        "until_us": None,
        "sentence": page.incidents[0].sentence,
        "step": "indienen",
        "samples": tuple(
            IncidentSample(
                at_us=NOON - (12 - i) * MINUTE,
                state=State.DOWN,
                duration_us=640_000,
                sentence=page.incidents[0].sentence,
            )
            for i in range(4)
        ),
        "evidence": (
            EvidenceText(
                step="indienen",
                at_us=NOON - 12 * MINUTE,
                request="POST /loket/projecten/OMV_2099000123/indienen HTTP/1.1\nHost: 127.0.0.1:8781",
                response_head="HTTP/1.1 500 Internal Server Error\nContent-Type: text/html",
                body="<h1>Fout</h1><script>alert(1)</script>" + "x" * 200,
                truncated=True,
                sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                proof=a_proof(page.incidents[0].sentence),
            ),
        ),
        "mails": (
            MailSent(kind="opened", recipient="o…@voorbeeld.be", at_us=NOON - 11 * MINUTE, delivery="delivered"),
            MailSent(kind="reminder", recipient="o…@voorbeeld.be", at_us=NOON - MINUTE, delivery="waiting"),
        ),
    }
    return IncidentPage(**(values | changes))  # type: ignore[arg-type]


def an_sla_page(language: Language = "nl") -> SlaPage:
    nl = language == "nl"
    return SlaPage(
        frame=a_frame(language),
        contract="VOORBEELD-2027-01",
        month="maart 2027" if nl else "March 2027",
        assessed_us=NOON,
        coverage=Fraction(9993, 10_000),
        clauses=(
            ClauseSoFar(
                id="B1",
                title="Beschikbaarheid indienen, dienstvenster" if nl else "Availability of submitting, service hours",
                verdict=Verdict.MISSED,
                target=Fraction(993, 1000),
                lowest=Fraction(9901, 10_000),
                point=Fraction(9905, 10_000),
                highest=Fraction(9911, 10_000),
                allowed_us=111 * MINUTE,
                spent_us=141 * MINUTE,
            ),
            ClauseSoFar(
                id="B4",
                title="Beschikbaarheid inzage" if nl else "Availability of the public register",
                verdict=Verdict.MET,
                target=Fraction(99, 100),
                lowest=Fraction(1),
                point=Fraction(1),
                highest=Fraction(1),
                allowed_us=297 * MINUTE,
                spent_us=31 * MINUTE,
            ),
            ClauseSoFar(
                id="P1",
                title="Responstijd, 95e percentiel" if nl else "Response time, 95th percentile",
                verdict=Verdict.UNDECIDED,
                target_text="≤ 3 s",
                measured_text="1,84 s",
            ),
        ),
        reports=(
            IssuedReport(
                title="Februari 2027, versie 1" if nl else "February 2027, version 1",
                issued_us=NOON - 8 * DAY,
                files=(
                    Download(label="PDF (nl)", href="/rapporten/2027-02.nl.pdf", bytes=61_440, sha256="ab" * 32),
                    Download(label="JSON", href="/rapporten/2027-02.json", bytes=1_214_000, sha256="cd" * 32),
                ),
            ),
        ),
        procedures=procedures(
            drafted("2027-02-02", number="PV-2027-01-v1", clause="B1"),
            sent("2027-02-03"),
            drafted("2027-03-02", number="PV-2027-02-v1", clause="B1, B4"),
            sent("2027-03-04", findings=3),
            today="2027-03-09",
        ),
    )


def all_pages(language: Language) -> dict[str, str]:
    """Every page the product shows, rendered."""
    return {
        "quiet": render_status(a_quiet_page(language)),
        "busy": render_status(a_busy_page(language)),
        "incident": render_incident(an_incident_page(language)),
        "incident-over": render_incident(an_incident_page(language, until_us=NOON - 2 * MINUTE)),
        "sla": render_sla(an_sla_page(language)),
        "error": render_error(ErrorPage(frame=a_frame(language), status=404)),
        "accessibility": render_accessibility(
            AccessibilityPage(frame=a_frame(language), organisation="Voorbeeldbestuur", contact="loket@voorbeeld.be")
        ),
    }
