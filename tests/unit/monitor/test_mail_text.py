"""What mails say, word for word: `pytest --update-golden` writes them anew, then read the difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.mail_message import email_message
from monitor.mail_text import composer
from monitor.news import (
    Attachment,
    CertificateNews,
    DigestNews,
    Gathered,
    IncidentNews,
    Kind,
    LeftBehindNews,
    OwnNews,
    Reader,
    ReportNews,
    TestNews,
)
from monitor.store.leaving import ToSend
from probes.checks import Title
from probes.sample import Failure, FailureKind
from sla.ledger import Entry, seal
from tests.heart import BLIND, BROKEN, DAY, HOUR, HOUSE, INDIENEN, INZAGE, MINUTE, SECOND, at

GOLDEN = Path(__file__).parents[2] / "golden" / "mails"
[HEAD] = seal([Entry(kind="maintenance", recorded_us=1, by="Jan", reason="Nieuwe versie")])

INCIDENT = IncidentNews(
    incident_id="indienen-20261123T100000Z",
    check_id="indienen",
    title=INDIENEN.title,
    step=Title(nl="Verzenden", en="Send"),
    since_us=at("10:00"),
    confirmed_us=at("10:01"),
    failure=BROKEN,
)
OWN = OwnNews(
    incident_id="monitor-20261123T100000Z",
    since_us=at("10:00"),
    failure=BLIND,
    checks=(INDIENEN.title, INZAGE.title),
)
NEWS = {
    "opened": (Kind.OPENED, INCIDENT, at("10:01")),
    "reminder": (Kind.REMINDER, replace(INCIDENT, number=2), at("14:01")),
    "recovered": (Kind.RECOVERED, replace(INCIDENT, until_us=at("11:12:30")), at("11:13:30")),
    "monitor": (Kind.MONITOR, OWN, at("10:05")),
    "measuring": (Kind.MEASURING, replace(OWN, until_us=at("10:31"), checks=()), at("10:31")),
    "certificate": (
        Kind.CERTIFICATE,
        CertificateNews(
            check_id="certificaat",
            title=Title(nl="Certificaat van het loket", en="Certificate of the counter"),
            host="loket.example",
            not_after_us=at("10:00") + 13 * DAY + HOUR,
            threshold_us=14 * DAY,
            fingerprint_sha256="ab" * 32,
            subject="CN=loket.example",
            issuer="CN=Voorbeeld CA",
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
    "escalated": (Kind.ESCALATED, replace(INCIDENT, told_us=at("10:01")), at("10:31")),
    "ongoing": (Kind.ONGOING, replace(INCIDENT, told_us=at("10:01"), acknowledged_by="Ann Peeters"), at("17:00")),
    "test": (Kind.TEST, TestNews(asked_us=at("10:00")), at("10:00")),
}
NEWS["digest"] = (
    Kind.DIGEST,
    DigestNews(
        messages=tuple(
            Gathered(kind=kind, created_us=created_us, incident_id="x", news=news)
            for kind, news, created_us in (
                NEWS["opened"],
                (Kind.OPENED, replace(INCIDENT, incident_id="inzage-1", title=INZAGE.title), at("10:02")),
                NEWS["certificate"],
                NEWS["recovered"],
            )
        )
    ),
    at("11:15"),
)


def to_send(name: str, language: str = "nl") -> ToSend:
    kind, news, created_us = NEWS[name]
    follows = kind in (Kind.REMINDER, Kind.RECOVERED, Kind.MEASURING)
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


def written(message: ToSend, *, late_us: int = SECOND):
    return composer(HOUSE)(message, message.created_us + late_us, HEAD)


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("name", NEWS)
def test_a_mail_says_what_it_should_in_both_languages(name, language, request):
    mail = written(to_send(name, language))
    text = f"Subject: {mail.subject}\n\n{mail.text}"
    path = GOLDEN / f"{name}.{language}.txt"
    if request.config.getoption("--update-golden"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", NEWS)
def test_the_html_says_the_same_as_the_text(name):
    mail = written(to_send(name))
    lines = [line for line in mail.text.splitlines() if line and not line.startswith(("--", "http"))]
    said = " ".join(mail.html.replace("&#34;", '"').replace("&#39;", "'").split())
    for line in lines:
        for part in line.rstrip(":").split(": ", 1):
            assert part in said, part


def test_nothing_of_a_portal_is_ever_markup():
    """T47: found text is shown, never run."""
    found = 'a"><script>alert(1)</script>\r\nBcc: x@y.be'
    failure = Failure(kind=FailureKind.ASSERTION, step="verzenden", subject="css h1", expected='"x"', found=found)
    mail = written(replace(to_send("opened"), news=replace(INCIDENT, failure=failure)))
    assert "<script" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "\nBcc:" not in mail.text


def test_a_subject_stays_plain_and_short():
    title = Title(nl="Zoeken – “kaart”\n" + "x" * 300, en="x")
    mail = written(replace(to_send("opened"), news=replace(INCIDENT, title=title)))
    assert mail.subject.startswith('[Voorbeeldloket] STORING: Zoeken - "kaart" xxx')
    assert len(mail.subject) == 200


def test_a_mail_that_leaves_late_says_so_and_keeps_its_date():
    """T4: the original times."""
    mail = written(to_send("opened"), late_us=40 * MINUTE)
    assert (
        "Deze mail is vertraagd: hij is geschreven op 23 november 2026 om 11:01 (CET) "
        "en kon pas op 23 november 2026 om 11:41 (CET) verstuurd worden." in mail.text
    )
    assert mail.date_us == at("10:01")


def test_a_report_goes_along_and_what_is_gone_is_named(tmp_path):
    report = tmp_path / "r.pdf"
    report.write_bytes(b"%PDF-")
    there = Attachment(path=str(report), file_name="rapport.pdf", media_type="application/pdf")
    gone = Attachment(path=str(tmp_path / "weg.json"), file_name="rapport.json", media_type="application/json")
    news = ReportNews(contract="C", period="2026-10", number=1, attachments=(there, gone))
    mail = written(replace(to_send("report"), news=news))
    assert [(file.file_name, file.content) for file in mail.files] == [("rapport.pdf", b"%PDF-")]
    assert "In bijlage: rapport.pdf." in mail.text
    assert "Niet meer gevonden en dus niet bijgevoegd: rapport.json." in mail.text
    assert email_message(mail).get_content_type() == "multipart/mixed"


def test_only_files_of_the_reports_directory_leave_the_house(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("x")
    sly = Attachment(path=str(tmp_path / "reports" / ".." / "secret.txt"), file_name="r.pdf", media_type="text/plain")
    house = replace(HOUSE, reports_dir=tmp_path / "reports")
    news = ReportNews(contract="C", period="2026-10", number=1, attachments=(sly,))
    mail = composer(house)(replace(to_send("report"), news=news), at("10:00"), None)
    assert mail.files == ()


@pytest.mark.parametrize("name", NEWS)
def test_a_mail_is_small_enough_for_every_reader(name):
    assert len(written(to_send(name)).html.encode()) < 12_000
