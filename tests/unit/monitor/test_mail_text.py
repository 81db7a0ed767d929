"""What mails say, word for word: `pytest --update-golden` writes them anew, then read the difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.mail_message import email_message
from monitor.mail_text import composer
from monitor.news import (
    Attachment,
    DigestNews,
    ReportNews,
)
from monitor.severity import Severity
from monitor.store.leaving import ToSend
from probes.checks import Title
from probes.sample import Failure, FailureKind
from sla.ledger import Entry, seal
from tests.every_news import A1, INCIDENT, NEWS, to_send
from tests.heart import DAY, HOUR, HOUSE, MINUTE, SECOND, at

GOLDEN = Path(__file__).parents[2] / "golden" / "mails"
[HEAD] = seal([Entry(kind="maintenance", recorded_us=1, by="Jan", reason="Nieuwe versie")])


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


# -- the effect on contracts ------------------------------------------------------------------------------------------


SANCTION_FREE = {"sanctionable_us": None, "left_us": None, "best_efforts": True}


@pytest.mark.parametrize(
    ("changes", "nl", "en"),
    [
        (
            {},
            "Wordt sanctioneerbaar om 14:32 als dit aanhoudt (bepaling A1); deze maand rest nog 11 min toegelaten "
            "uitval.",
            "Becomes sanctionable at 14:32 if this goes on (clause A1); 11 min of allowed downtime left this month.",
        ),
        (
            {"sanctionable_us": at("07:12") + DAY, "unit": "quarter"},
            "Wordt sanctioneerbaar op 24 november om 08:12 als dit aanhoudt (bepaling A1); dit kwartaal rest nog "
            "11 min toegelaten uitval.",
            "Becomes sanctionable on 24 November at 08:12 if this goes on (clause A1); 11 min of allowed downtime left "
            "this quarter.",
        ),
        (
            {"sanctionable_us": at("09:30"), "step_us": at("10:20"), "left_us": -31 * MINUTE},
            "Sanctioneerbaar sinds 10:30 (bepaling A1); volgende sanctietrap om 11:20; deze maand al 31 min meer "
            "uitval dan toegelaten.",
            "Sanctionable since 10:30 (clause A1); next sanction step at 11:20; 31 min more downtime this month than "
            "allowed.",
        ),
        (
            {"sanctionable_us": 0, "left_us": None},
            "Bepaling A1 was deze maand al vóór deze storing niet gehaald.",
            "Clause A1 had been missed this month before this outage.",
        ),
        (
            {"sanctionable_us": None, "best_efforts": True},
            "Bepaling A1: deze maand rest nog 11 min toegelaten uitval (middelenverbintenis, geen automatische "
            "sanctie).",
            "Clause A1: 11 min of allowed downtime left this month (best efforts, no automatic sanction).",
        ),
        (
            {"sanctionable_us": None, "enough_measured": False},
            "Bepaling A1: deze maand rest nog 11 min toegelaten uitval; voorlopig niet te beoordelen, want er is te "
            "weinig gemeten.",
            "Clause A1: 11 min of allowed downtime left this month; undecided so far, for too little was measured.",
        ),
        (
            {"unit": "rolling", "days": 30},
            "Wordt sanctioneerbaar om 14:32 als dit aanhoudt (bepaling A1); over 30 dagen rest nog 11 min toegelaten "
            "uitval.",
            "Becomes sanctionable at 14:32 if this goes on (clause A1); 11 min of allowed downtime left over 30 days.",
        ),
        (
            {"weighted": True},
            "Wordt sanctioneerbaar om 14:32 als dit aanhoudt (bepaling A1); deze maand rest nog 11 min uitval zoals "
            "deze (gewogen gemiddelde).",
            "Becomes sanctionable at 14:32 if this goes on (clause A1); 11 min of downtime like this left this month "
            "(weighted mean).",
        ),
        (
            {"weighted": True, "sanctionable_us": 0, "left_us": -4 * MINUTE},
            "Bepaling A1 was deze maand al vóór deze storing niet gehaald; deze maand al 4 min uitval zoals deze te "
            "veel (gewogen gemiddelde).",
            "Clause A1 had been missed this month before this outage; 4 min of downtime like this too much this month "
            "(weighted mean).",
        ),
        (
            {"left_us": None, "longest_us": 2 * HOUR, "reached_us": at("13:32")},
            "Wordt sanctioneerbaar om 14:32 als dit aanhoudt (bepaling A1); een storing mag hoogstens 2 uur duren.",
            "Becomes sanctionable at 14:32 if this goes on (clause A1); the longest outage allowed is 2 h.",
        ),
        (
            SANCTION_FREE | {"longest_us": 2 * HOUR, "reached_us": at("15:10")},
            "Bepaling A1: een storing mag hoogstens 2 uur duren, bereikt om 16:10 (middelenverbintenis, geen "
            "automatische sanctie).",
            "Clause A1: the longest outage allowed is 2 h, reached at 16:10 (best efforts, no automatic sanction).",
        ),
        (
            SANCTION_FREE | {"longest_us": 2 * HOUR, "reached_us": at("09:10")},
            "Bepaling A1: een storing mag hoogstens 2 uur duren, voorbij sinds 10:10 (middelen",
            "Clause A1: the longest outage allowed is 2 h, passed at 10:10 (best efforts",
        ),
        (
            {"sanctionable_us": None, "left_us": None, "allowed": 4, "number": 3, "counts_us": at("10:00")},
            "Bepaling A1: dit is storing 3 van de 4 die deze maand mogen.",
            "Clause A1: this is outage 3 of the 4 allowed this month.",
        ),
        (
            {"sanctionable_us": None, "left_us": None, "allowed": 4, "number": 3, "counts_us": at("10:05")},
            "Bepaling A1: telt om 11:05 als storing 3 van de 4 die deze maand mogen.",
            "Clause A1: counts at 11:05 as outage 3 of the 4 allowed this month.",
        ),
        (
            {"left_us": None, "allowed": 1, "number": 2, "counts_us": at("13:32")},
            "Wordt sanctioneerbaar om 14:32 als dit aanhoudt (bepaling A1); telt om 14:32 als storing 2 deze maand, en "
            "er mag er 1 zijn.",
            "Becomes sanctionable at 14:32 if this goes on (clause A1); counts at 14:32 as outage 2 this month, and 1 "
            "is allowed.",
        ),
        (
            {"sanctionable_us": at("10:00"), "left_us": None, "allowed": 0, "number": 1, "counts_us": at("10:00")},
            "Sanctioneerbaar sinds 11:00 (bepaling A1); dit is storing 1 deze maand, en er mag er geen zijn.",
            "Sanctionable since 11:00 (clause A1); this is outage 1 this month, and none is allowed.",
        ),
    ],
)
def test_the_effect_on_the_contract_is_one_sentence(changes, nl, en):
    message = replace(to_send("opened"), news=replace(INCIDENT, effects=(replace(A1, **changes),)))
    assert nl in written(message).text
    assert en in written(replace(message, language="en")).text


def test_further_clauses_stand_in_the_table_and_two_contracts_are_named():
    other = replace(A1, contract="ANDER", clause="B2", sanctionable_us=None)
    text = written(replace(to_send("opened"), news=replace(INCIDENT, effects=(A1, other)))).text
    assert "(bepaling A1 (VOORBEELD-2027-01)); deze maand" in text
    assert "Contract: Bepaling B2 (ANDER): deze maand rest nog 11 min toegelaten uitval." in text


def test_a_recovery_speaks_of_no_effect_any_more():
    mail = written(replace(to_send("recovered"), news=replace(INCIDENT, until_us=at("11:00"), effects=())))
    assert "sanctioneerbaar" not in mail.text


# -- a digest ----------------------------------------------------------------------------------------------------------


def of_digest(*kept: int, **house: object):
    """The mail of a digest of some of the messages of the golden one, by their place."""
    whole = to_send("digest")
    messages = tuple(whole.news.messages[place] for place in kept)
    message = replace(whole, news=DigestNews(messages=messages))
    return composer(replace(HOUSE, **house))(message, message.created_us + SECOND, HEAD)


def test_a_digest_says_what_failed_also_where_a_contract_is_at_stake():
    assert "Dossier inzien werkt niet. Stap “Verzenden”: het portaal antwoordde met status 500" in of_digest(1).text


def test_a_digest_has_the_links_of_each_incident_once_and_no_button_for_one_that_is_over():
    links = {"acknowledge": lambda name, written_us: f"/opvolgen/{name}/{written_us}/x"}
    mail = of_digest(0, 1, 3, 4, **links)
    lasting, over = "inzage-20261123T100100Z", INCIDENT.incident_id
    for said in (mail.text, mail.html):
        assert said.count(f"https://monitor.example/opvolgen/{lasting}/{at('11:15')}/x") == 1
        assert said.count(f"https://monitor.example/incident/{lasting}#evidence-heading") == 1
        assert said.count(f"https://monitor.example/incident/{over}#evidence-heading") == 1
        assert f"/opvolgen/{over}" not in said
    assert "Wie een storing opvolgt, laat dat weten met de link die erbij staat." in mail.text


def test_a_digest_speaks_of_no_link_that_it_does_not_have():
    assert "opvolgt" not in of_digest(0, 1).text


@pytest.mark.parametrize(
    ("kept", "urgent"),
    [((0, 2), True), ((2,), False), ((0, 4), False), ((3,), False)],
    ids=["a new outage", "a certificate", "an outage that is over", "a reminder"],
)
def test_a_digest_is_important_where_one_of_its_mails_would_be(kept, urgent):
    assert of_digest(*kept).urgent is urgent


def test_a_digest_of_minor_outages_is_not_important():
    [opened] = to_send("digest").news.messages[:1]
    minor = replace(opened, news=replace(opened.news, severity=Severity.MINOR))
    message = replace(to_send("digest"), news=DigestNews(messages=(minor, minor)))
    assert not written(message).urgent
