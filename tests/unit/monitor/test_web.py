"""What a browser, a scraper and somebody with bad intentions get from the two listeners, over a real store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update
from starlette.types import ASGIApp

from monitor.alerts import first_messages, report_messages
from monitor.alerts import test_messages as messages_to_try
from monitor.check_run import Finding, save
from monitor.clock import Clock
from monitor.config import Loaded, load
from monitor.measuring import Measuring
from monitor.metrics import Metrics
from monitor.month import MonthToDate, month_to_date
from monitor.news import Kind, ReportNews
from monitor.pages import Days, Watched
from monitor.service import Service
from monitor.store import ledger, outbox, reports
from monitor.store.database import Database, directly
from monitor.store.reports import Issued
from monitor.store.tables import message, message_recipient
from monitor.web import Health, Shown, listening, metrics_app, pages_app
from probes.sample import Evidence
from sla.ledger import Entry
from tests.agreements import contract
from tests.bundles import a_picture, proven, seen_in_a_browser
from tests.heart import DAY, HOUR, INDIENEN, INZAGE, MINUTE, OPS, Office, a_sample, at, run
from tests.new_store import new_store
from tests.procedures import drafted, sent
from tests.running_service import HERE, a_place

HOSTILE = "<script>alert('x')</script>"


@dataclass(frozen=True)
class Browser:
    """Asks an application without a network between them."""

    app: ASGIApp

    def request(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://monitor") as client:
                return await client.request(method, path, headers=headers)

        return run(ask())

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)


@dataclass
class Site:
    office: Office
    pages: Browser
    months: dict[str, MonthToDate]

    @property
    def database(self) -> Database:
        return self.office.database


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    database = new_store(tmp_path / "loketwacht.db")
    office = Office(database=database)
    months: dict[str, MonthToDate] = {}

    def shown() -> Shown:
        watched = Watched(
            portal="Voorbeeldloket", checks=(INDIENEN, INZAGE), location="lokaal", timezone="Europe/Brussels"
        )
        return Shown(
            database=database, watched=watched, clock=office.clock, days=Days(), months=months, version="1.2.3",
            notice=("Dit is een oefening.", "This is an exercise."),
        )  # fmt: skip

    yield Site(office=office, pages=Browser(pages_app(shown)), months=months)
    database.close()


def test_the_status_page_is_dutch_unless_english_is_asked_for(site: Site) -> None:
    site.office.live("...")
    dutch, english = site.pages.get("/"), site.pages.get("/?lang=en")
    assert '<html lang="nl"' in dutch.text
    assert "Aanvraag indienen" in dutch.text
    assert "Dit is een oefening." in dutch.text
    assert '<html lang="en"' in english.text
    assert "Submit an application" in english.text
    assert "This is an exercise." in english.text


def test_an_open_incident_stands_on_the_page_until_it_is_over(site: Site) -> None:
    site.office.live("..xx")
    [incident] = site.office.open_incidents()
    assert f'href="/incident/{incident}"' in site.pages.get("/").text
    assert f'href="/incident/{incident}?lang=en"' in site.pages.get("/?lang=en").text
    assert len(site.pages.get("/api/v1/status").json()["incidents"]) == 1
    site.office.live("...")
    assert site.pages.get("/api/v1/status").json()["incidents"] == []


def test_what_became_of_each_mail_stands_on_the_page_of_its_incident(site: Site) -> None:
    """T7, T8: taken, refused and given up are three different things."""
    people = [OPS.model_copy(update={"address": f"{name}@{name}.example"}) for name in ("een", "twee", "drie")]
    site.office.recipients = tuple(people)
    site.office.codes = {"twee@twee.example": 550, "drie@drie.example": 451}
    site.office.live("xx")
    [incident] = site.office.open_incidents()
    assert told(site, incident) == {"een": "aanvaard door", "twee": "geweigerd door", "drie": "wacht op"}
    for _ in range(20):
        site.office.now_us += 4 * HOUR
        site.office.deliver()
    assert told(site, incident)["drie"] == "opgegeven na"


def told(site: Site, incident: str) -> dict[str, str]:
    """Per reader, the first two words about his mail."""
    found = re.findall(r"\w…@(\w+)\.example</td><td[^>]*>(\w+ \w+)", site.pages.get(f"/incident/{incident}").text)
    return dict(found)


def test_what_reached_nobody_stands_on_the_status_page_whatever_it_was_about(site: Site) -> None:
    """T8: refused or given up, waiting for too long, or not to be read; not what was sent or was a test."""
    office = site.office
    reports, hook = OPS.model_copy(update={"receives": ("reports",)}), "webhook:dienst"
    news = ReportNews(contract="loket", period="2026-10", number=1)
    with site.database.begin() as tx:
        outbox.add(tx, report_messages(news, (reports,)), now_us=office.now_us)
        outbox.add(tx, messages_to_try((reports,), asked_us=1), now_us=office.now_us)
    office.codes = {OPS.address: 550}
    office.deliver()
    office.codes = {}
    office.certificate("ab" * 32, 10)
    office.certificate("cd" * 32, 10)
    with site.database.begin() as tx:
        certificates = select(message.c.id).where(message.c.kind == "certificate").order_by(message.c.id)
        waiting = tx.execute(certificates).scalars().first()
        tx.execute(update(message_recipient).where(message_recipient.c.message_id == waiting).values(state="pending"))
        tx.execute(update(message).where(message.c.id == waiting).values(state="pending"))
        program = reports.model_copy(update={"address": hook})
        outbox.add(tx, first_messages("x", Kind.BUDGET, news, (program,)), now_us=0)
        tx.execute(update(message).where(message.c.channel == "webhook").values(state="aside", kind="of-tomorrow"))
    text = site.pages.get("/").text
    section = text[text.index('id="undelivered-heading"') : text.index('id="journeys-heading"')]
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", section)]
    told = [[cell for cell in row.split("|") if cell][1:] for row in rows]
    assert told == [
        ["Een certificaat", "o…@example.be", "wacht op verzending"],
        ["Een rapport", "o…@example.be", "geweigerd door de mailserver"],
        ["Onbekend voor deze versie", hook, "opzijgezet: deze versie kan het niet lezen"],
    ]
    assert "Undelivered messages" in site.pages.get("/?lang=en").text
    office.now_us += 31 * DAY
    assert "Een rapport" not in site.pages.get("/").text


def test_a_check_that_was_not_measured_lately_is_unknown_and_not_green(site: Site) -> None:
    """T3."""
    site.office.live("...")
    site.office.now_us += HOUR
    states = {journey["id"]: journey["state"] for journey in site.pages.get("/api/v1/status").json()["journeys"]}
    assert states == {"indienen": "unknown", "inzage": "unknown"}


def test_a_sample_from_a_clock_that_was_ahead_is_not_how_things_stand(site: Site) -> None:
    """T20: ten years ahead at its start, then set: the sample of then would stay the newest for ten years."""
    site.office.live("XXX", INDIENEN)
    now_us, site.office.now_us = site.office.now_us, site.office.now_us + 10 * 366 * DAY
    site.office.live("...", INDIENEN)
    site.office.live("...", INZAGE)
    site.office.now_us = now_us
    journeys = site.pages.get("/api/v1/status").json()["journeys"]
    assert {journey["id"]: journey["state"] for journey in journeys} == {"indienen": "down", "inzage": "unknown"}


def test_announced_maintenance_is_shown_until_it_is_cancelled(site: Site) -> None:
    now_us = site.office.now_us
    works = Entry(
        kind="maintenance", recorded_us=now_us, by="An", reason="databank bijwerken",
        from_us=now_us + DAY, until_us=now_us + DAY + HOUR,
    )  # fmt: skip
    with site.database.begin() as tx:
        ledger.append(tx, works)
    assert "databank bijwerken" in site.pages.get("/").text
    with site.database.begin() as tx:
        ledger.append(tx, replace(works, kind="maintenance-cancelled", supersedes=1))
    assert "databank bijwerken" not in site.pages.get("/").text


def test_evidence_is_shown_as_text_and_never_as_markup(site: Site) -> None:
    evidence = Evidence(
        step="verzenden", request="GET /loket HTTP/1.1", response_head="HTTP/1.1 500", body=HOSTILE,
        body_truncated=True, body_sha256="ab" * 32,
    )  # fmt: skip
    for sample in (replace(a_sample("x", at(time)), evidence=(evidence,)) for time in ("10:00", "10:01")):
        found = Finding(check=INDIENEN, sample=sample, alerting=site.office.alerting)
        save(site.database, found, now_us=sample.slot_us)
    [incident] = site.office.open_incidents()
    text = site.pages.get(f"/incident/{incident}").text
    assert "&lt;script&gt;" in text
    assert HOSTILE not in text
    assert "GET /loket HTTP/1.1" in text


def test_a_bundle_is_told_on_the_page_of_its_incident_and_can_be_kept(site: Site) -> None:
    failing = [proven(a_sample("x", at(time)), body=HOSTILE.encode()) for time in ("10:00", "10:01")]
    for sample in failing:
        save(
            site.database, Finding(check=INDIENEN, sample=sample, alerting=site.office.alerting), now_us=sample.slot_us
        )
    [incident] = site.office.open_incidents()
    text = site.pages.get(f"/incident/{incident}").text
    assert (HOSTILE in text, "&lt;script&gt;" in text) == (False, True)
    assert "--header &#39;Authorization: ***&#39;" in text
    [bundle] = failing[0].bundles
    kept = site.pages.get(f"/evidence/{bundle.sha256}.json")
    assert hashlib.sha256(kept.content).hexdigest() == bundle.sha256
    assert kept.headers["content-disposition"] == f'attachment; filename="{bundle.sha256[:16]}.json"'
    har = site.pages.get(f"/evidence/{bundle.sha256}.har").json()
    assert [entry["response"]["status"] for entry in har["log"]["entries"]] == [500]


@pytest.mark.parametrize(
    ("language", "heading", "trace"),
    [("nl", "Wat een bezoeker zag", "Spoor van de browser"), ("en", "What a visitor saw", "Trace of the browser")],
)
def test_what_a_visitor_saw_is_a_picture_on_the_incident_page(
    site: Site, language: str, heading: str, trace: str
) -> None:
    for time in ("10:00", "10:01"):
        sample = seen_in_a_browser(a_sample("x", at(time)), console=[HOSTILE])
        found = Finding(check=INDIENEN, sample=sample, alerting=site.office.alerting)
        save(site.database, found, now_us=sample.slot_us)
    [incident] = site.office.open_incidents()
    text = site.pages.get(f"/incident/{incident}?lang={language}").text
    picture = f"/evidence/{hashlib.sha256(a_picture()).hexdigest()}.png"
    assert f'<img src="{picture}" alt="' in text
    assert heading in text
    assert trace in text
    assert "LCP" in text
    assert (HOSTILE in text, "&lt;script&gt;" in text) == (False, True)


def test_a_picture_is_shown_and_a_trace_is_only_kept_and_neither_can_run_anything(site: Site) -> None:
    sample = seen_in_a_browser(a_sample("x", at("10:00")))
    save(site.database, Finding(check=INDIENEN, sample=sample, alerting=site.office.alerting), now_us=sample.slot_us)
    for file in sample.bundles[0].files:
        answer = site.pages.get(f"/evidence/{file.sha256}.{file.form}")
        assert answer.content == file.content
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["cache-control"] == "private, no-cache"
        kind, how = {"png": ("image/png", "inline"), "zip": ("application/zip", "attachment")}[file.form]
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"].startswith(how)


def test_bundles_are_listed_newest_first_those_of_blips_too(site: Site) -> None:
    down = proven(a_sample("x", at("10:00")))
    blip = replace(a_sample(".", at("10:01")), blip=down.failure, bundles=proven(a_sample("x", at("10:01"))).bundles)
    for sample in (down, blip):
        found = Finding(check=INDIENEN, sample=sample, alerting=site.office.alerting)
        save(site.database, found, now_us=sample.slot_us)
    listed = site.pages.get("/api/v1/evidence?check=indienen").json()["bundles"]
    assert [(one["outcome"], one["blip"], one["due_us"]) for one in listed] == [
        ("up", True, at("10:01")), ("down", False, at("10:00")),
    ]  # fmt: skip
    assert site.pages.get(listed[0]["href"]).status_code == 200
    assert site.pages.get("/api/v1/evidence?check=inzage").json() == {"bundles": []}


def test_damaged_evidence_is_told_and_never_shown(site: Site) -> None:
    failing = [proven(a_sample("x", at(time))) for time in ("10:00", "10:01")]
    for sample in failing:
        wrong = tuple(replace(bundle, packed=b"weg") for bundle in sample.bundles)
        found = Finding(check=INDIENEN, sample=replace(sample, bundles=wrong), alerting=site.office.alerting)
        save(site.database, found, now_us=sample.slot_us)
    [incident] = site.office.open_incidents()
    assert "loketwacht verify" in site.pages.get(f"/incident/{incident}").text
    assert site.pages.get(f"/evidence/{failing[0].bundles[0].sha256}.json").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/nergens",
        "/evidence/" + "0" * 64 + ".json",
        "/evidence/" + "0" * 64 + ".png",
        "/evidence/" + "0" * 64 + ".exe",
        "/evidence/..%2f..%2fetc.har",
        "/incident/geen",
        "/incident/..%2F..%2Fetc",
        "/sla",
        "/sla/geen",
        "/static/../page.css",
        "/static/..%2f..%2fpyproject.toml",
        "/static/geen.css",
    ],
)
def test_what_is_not_there_is_a_plain_404_page(site: Site, path: str) -> None:
    answer = site.pages.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="nl"' in answer.text


def test_what_the_api_does_not_have_is_told_as_json(site: Site) -> None:
    answer = site.pages.get("/api/v1/nergens")
    assert (answer.status_code, answer.json()) == (404, {"error": "not found"})


@pytest.mark.parametrize("path", ["/", "/toegankelijkheid", "/api/v1/status", "/static/page.css", "/nergens"])
def test_every_answer_carries_the_headers_that_keep_browsers_safe(site: Site, path: str) -> None:
    headers = site.pages.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_only_reading_is_possible(site: Site) -> None:
    assert {site.pages.request(method, "/").status_code for method in ("POST", "PUT", "DELETE")} == {405}


def test_a_page_that_did_not_change_is_not_sent_again(site: Site) -> None:
    first = site.pages.get("/")
    again = site.pages.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    site.office.now_us += 90_000_000
    assert site.pages.get("/", headers={"if-none-match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize(
    ("name", "kind"), [("page.css", "text/css"), ("refresh.js", "text/javascript"), ("icon-up.svg", "image/svg+xml")]
)
def test_styles_scripts_and_icons_are_served_with_their_types(site: Site, name: str, kind: str) -> None:
    answer = site.pages.get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert "max-age" in answer.headers["cache-control"]


def test_a_store_that_cannot_be_read_is_a_503_and_no_traceback(site: Site) -> None:
    site.database.close()
    path = Path(str(site.database.engine.url.database))
    for name in path.parent.glob("loketwacht.db*"):
        name.unlink()
    path.mkdir()
    page, api = site.pages.get("/"), site.pages.get("/api/v1/incidents")
    assert (page.status_code, api.status_code) == (503, 503)
    assert "Traceback" not in page.text
    assert str(path) not in page.text


# -- reports ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def issued(site: Site, tmp_path: Path) -> Issued:
    folder = tmp_path / "reports" / "PROEF" / "2026-10"
    folder.mkdir(parents=True)
    (folder / "R-1.nl.html").write_text("<p>rapport</p>", encoding="utf-8")
    (folder / "R-1.json").write_text("{}", encoding="utf-8")
    (folder / "geheim.txt").write_text("niet voor u", encoding="utf-8")
    one = Issued(
        contract="PROEF", period="2026-10", number=1, automatic=True, issued_us=at("06:00"), ledger_head="",
        sha256="ab" * 32, files={"html-nl": str(folder / "R-1.nl.html"), "json": str(folder / "R-1.json")},
    )  # fmt: skip
    with site.database.begin() as tx:
        reports.add(tx, one)
    return one


def test_a_report_is_served_and_can_run_nothing(site: Site, issued: Issued) -> None:
    answer = site.pages.get("/reports/PROEF/2026-10/R-1.nl.html")
    assert answer.text == "<p>rapport</p>"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].endswith("sandbox")
    assert "script" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "PROEF/2026-10/geheim.txt",
        "PROEF/2026-11/R-1.json",
        "ANDER/2026-10/R-1.json",
        "PROEF/2026-10/..%2fgeheim.txt",
        "PROEF/2026-10/%2e%2e%2f%2e%2e%2floketwacht.db",
        "PROEF/..%2f..%2f/loketwacht.db",
        "PROEF/2026-10/%2Fetc%2Fpasswd",
        "PROEF/2026-10/",
    ],
)
def test_only_files_that_a_report_names_are_served(site: Site, issued: Issued, path: str) -> None:
    assert site.pages.get(f"/reports/{path}").status_code == 404


def test_the_page_of_a_contract_lists_its_reports(site: Site, issued: Issued) -> None:
    site.office.live(".....")
    month = month_to_date(str(site.database.engine.url), contract(), site.office.now_us)
    assert month is not None
    site.months["PROEF"] = month
    page = site.pages.get("/sla").text
    assert 'href="/reports/PROEF/2026-10/R-1.nl.html"' in page
    assert site.pages.get("/sla/PROEF").status_code == 200
    assert [one["contract"] for one in site.pages.get("/api/v1/sla").json()["contracts"]] == ["PROEF"]
    assert 'href="/sla' in site.pages.get("/").text


def test_the_page_of_a_contract_tells_of_findings_that_were_sent_and_of_no_draft(site: Site) -> None:
    site.office.live(".....")
    month = month_to_date(str(site.database.engine.url), contract(), site.office.now_us)
    assert month is not None
    site.months["PROEF"] = month
    with site.database.begin() as tx:
        ledger.append(tx, drafted("2020-01-02", number="PV-2019-12-v1", contract="PROEF"))
    assert "PV-2019-12-v1" not in site.pages.get("/sla").text
    with site.database.begin() as tx:
        ledger.append(tx, sent("2020-01-03"))
    page = site.pages.get("/sla").text
    assert "PV-2019-12-v1" in page
    assert "Geen verweer tot en met 20-01-2020" in page


def test_incidents_are_told_to_programs_in_the_language_they_ask_for(site: Site) -> None:
    site.office.live("xx..")
    [dutch] = site.pages.get("/api/v1/incidents").json()["incidents"]
    [english] = site.pages.get("/api/v1/incidents?lang=en").json()["incidents"]
    assert (dutch["journey"], dutch["step"], dutch["failure"]) == ("indienen", "verzenden", "http-status")
    assert dutch["until_us"] - dutch["since_us"] == 2 * MINUTE
    assert dutch["sentence"] != english["sentence"]


# -- metrics and health ------------------------------------------------------------------------------------------------


def health_of(*problems: str, ready: bool = True) -> Browser:
    async def health() -> Health:
        return Health(problems=problems)

    return Browser(metrics_app(Metrics(version="1", started_us=0), health=health, ready=lambda: ready))


def test_metrics_come_in_the_format_asked_for() -> None:
    client = health_of()
    assert client.get("/metrics").headers["content-type"].startswith("text/plain")
    asked = client.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"})
    assert asked.headers["content-type"].startswith("application/openmetrics-text")
    assert asked.text.endswith("# EOF\n")


def test_a_probe_tells_the_newest_result_or_says_what_is_wrong() -> None:
    metrics = Metrics(version="1", started_us=0)
    metrics.configured((INDIENEN, INZAGE), location="lokaal", sha256="0", now_us=0)
    metrics.sample(a_sample(".", at("10:00")))

    async def health() -> Health:
        return Health(problems=())

    client = Browser(metrics_app(metrics, health=health, ready=lambda: True))
    told = client.get(f"/probe?target={INDIENEN.id}&module=journey")
    assert told.status_code == 200
    assert "\nprobe_success 1.0\n" in told.text
    refused = {
        "/probe": 400,
        f"/probe?target={INDIENEN.id}&module=http_2xx": 400,
        "/probe?target=onbekend": 404,
        f"/probe?target={INZAGE.id}": 503,
    }
    assert {path: client.get(path).status_code for path in refused} == refused


def test_a_healthy_monitor_says_so() -> None:
    answer = health_of().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "problems": []})


def test_an_unhealthy_monitor_names_its_problems() -> None:
    answer = health_of("the store cannot be written").get("/healthz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["the store cannot be written"])


@pytest.mark.parametrize(("ready", "code"), [(True, 200), (False, 503)])
def test_a_monitor_is_ready_once_it_began(ready: bool, code: int) -> None:
    assert health_of(ready=ready).get("/readyz").status_code == code


@dataclass
class _Still:
    """A schedule as far as its health goes."""

    last_advance_monotonic_us: int


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    return load(a_place(tmp_path, journeys=("startpagina",)).config)


def health_after(loaded: Loaded, *, still_s: int, writable: bool) -> Health:
    clock = Clock(now_us=lambda: at("10:00"), monotonic_us=lambda: still_s * 1_000_000, new_id=lambda: "0")
    service = Service(loaded, path=HERE / "config.toml", clock=clock)
    service._database = Database.open(loaded.database_url, busy_timeout_us=10_000)
    service._measuring = Measuring(
        "lokaal", database=service._database, in_store=directly, clock=clock, metrics=service._metrics
    )
    service._measuring._schedule = _Still(0)  # type: ignore[assignment]
    other = Database.open(loaded.database_url)
    try:
        if writable:
            return run(service._health())
        with other.begin():
            return run(service._health())
    finally:
        other.close()
        service._database.close()


def test_the_service_is_healthy_while_its_schedule_moves_and_its_store_takes_writes(loaded: Loaded) -> None:
    assert health_after(loaded, still_s=60, writable=True).ok


def test_a_schedule_that_stands_still_is_a_problem(loaded: Loaded) -> None:
    """T31."""
    assert health_after(loaded, still_s=61, writable=True).problems == ("the schedule has not moved for 61 s",)


def test_a_store_that_takes_no_writes_is_a_problem(loaded: Loaded) -> None:
    assert health_after(loaded, still_s=0, writable=False).problems == ("the store cannot be written",)


def test_an_address_that_is_taken_is_named() -> None:
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"127\.0\.0\.1 port {port} .*is another monitor running\?"):
            listening("127.0.0.1", port)
