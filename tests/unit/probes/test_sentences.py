"""Failures told to people."""

from __future__ import annotations

import re

import pytest

from probes.sample import Failure, FailureKind
from probes.sentences import PHRASES, phrase, sentence


def failure(kind: FailureKind, subject: str = "", expected: str | None = None, found: str | None = None) -> Failure:
    return Failure(kind=kind, step="indienen", subject=subject, expected=expected, found=found)


HOST = "loket.example:443"
CASES = [
    (
        failure(FailureKind.ASSERTION, "url", "matches “/op/v1/auth”", "“http://loket.example/aanmelden”"),
        "Stap “Indienen”: het adres van de laatste pagina past niet bij “/op/v1/auth”; "
        "gevonden: “http://loket.example/aanmelden”.",
        "Step “Submit”: the address of the last page does not match “/op/v1/auth”; "
        "found: “http://loket.example/aanmelden”.",
    ),
    (
        # Which of the two did not hold, the sentence cannot know.
        failure(FailureKind.ASSERTION, "css #naam", "contains “Jan” and matches “^J”", "“Piet”"),
        "Stap “Indienen”: voor element “#naam” werd verwacht: bevat “Jan” en past bij “^J”; gevonden: “Piet”.",
        "Step “Submit”: expected of element “#naam”: contains “Jan” and matches “^J”; found: “Piet”.",
    ),
    (
        failure(FailureKind.ASSERTION, "css #keuze", "an element", "no element, on the page “Onderhoud”"),
        "Stap “Indienen”: element “#keuze” ontbreekt op de pagina “Onderhoud”.",
        "Step “Submit”: element “#keuze” is missing on the page “Onderhoud”.",
    ),
    (
        failure(FailureKind.ASSERTION, "css #keuze", "an element", "no element"),
        "Stap “Indienen”: element “#keuze” ontbreekt.",
        "Step “Submit”: element “#keuze” is missing.",
    ),
    (
        failure(FailureKind.MONITOR, "processor", "at most 2000 ms waiting", "3712 ms waiting"),
        "Stap “Indienen”: de monitor kon zelf niet meten "
        "(de rekentijd van de monitor: 3712 ms wachttijd; verwacht: hoogstens 2000 ms wachttijd).",
        "Step “Submit”: the monitor itself could not measure "
        "(the computing time of the monitor: 3712 ms waiting; expected: at most 2000 ms waiting).",
    ),
    (
        failure(FailureKind.DNS, "loket.example", "an address", "the name does not exist"),
        "Stap “Indienen”: de naam loket.example kon niet worden opgezocht (de naam bestaat niet).",
        "Step “Submit”: the name loket.example could not be looked up (the name does not exist).",
    ),
    (
        failure(FailureKind.CONNECT, HOST, "a connection", "connection refused"),
        "Stap “Indienen”: er kwam geen verbinding met loket.example:443 (verbinding geweigerd).",
        "Step “Submit”: there was no connection to loket.example:443 (connection refused).",
    ),
    (
        failure(FailureKind.TIMEOUT, "deadline of the step", "done within 1.5 s", "still waiting for an answer"),
        "Stap “Indienen”: dit was niet klaar binnen 1,5 s (nog aan het wachten op antwoord).",
        "Step “Submit”: this was not done within 1.5 s (still waiting for an answer).",
    ),
    (
        failure(FailureKind.TIMEOUT, "deadline of the journey", "done within 20 s", "not done"),
        "Stap “Indienen”: alle stappen samen waren niet klaar binnen 20 s (niet klaar).",
        "Step “Submit”: all steps together were not done within 20 s (not done).",
    ),
    (
        failure(FailureKind.TIMEOUT, "duration", "at most 3 s", "4.25 s"),
        "Stap “Indienen”: het duurde 4,25 s; toegelaten is hoogstens 3 s.",
        "Step “Submit”: it took 4.25 s; at most 3 s is allowed.",
    ),
    (
        failure(FailureKind.PROTOCOL, HOST, "a complete HTTP answer", "the connection closed before an answer"),
        "Stap “Indienen”: het portaal gaf geen volledig antwoord: de verbinding"
        " werd verbroken voor er een antwoord kwam.",
        "Step “Submit”: the portal gave no complete answer: the connection closed before an answer.",
    ),
    (
        failure(FailureKind.HTTP_STATUS, "status", "200 or 303", "500"),
        "Stap “Indienen”: het portaal antwoordde met status 500; verwacht werd 200 of 303.",
        "Step “Submit”: the portal answered with status 500; expected: 200 or 303.",
    ),
    (
        failure(FailureKind.TOO_LARGE, "body", "at most 1024 bytes", "more on the wire"),
        "Stap “Indienen”: het antwoord is te groot: hoogstens 1024 bytes toegelaten, gekregen meer over de lijn.",
        "Step “Submit”: the answer is too large: at most 1024 bytes allowed, received more on the wire.",
    ),
    (
        failure(FailureKind.ASSERTION, "css #toestand", "“ingediend”", "“in opmaak or nothing”"),
        "Stap “Indienen”: voor element “#toestand” werd verwacht: “ingediend”; gevonden: “in opmaak or nothing”.",
        "Step “Submit”: expected of element “#toestand”: “ingediend”; found: “in opmaak or nothing”.",
    ),
    (
        failure(FailureKind.CAPTURE, "projectnummer", "css “#projectnummer”", "nothing"),
        "Stap “Indienen”: de waarde “projectnummer” stond niet in het antwoord (gezocht met css “#projectnummer”).",
        "Step “Submit”: the value “projectnummer” was not in the answer (looked for with css “#projectnummer”).",
    ),
    (
        failure(FailureKind.CAPTURE, "stuk", "css “#stuk”", "nothing, after 15 attempts in 28.5 s"),
        "Stap “Indienen”: de waarde “stuk” stond niet in het antwoord"
        " (gezocht met css “#stuk”; gevonden: niets, na 15 pogingen in 28,5 s).",
        "Step “Submit”: the value “stuk” was not in the answer"
        " (looked for with css “#stuk”; found: nothing, after 15 attempts in 28.5 s).",
    ),
    (
        failure(FailureKind.CAPTURE, "submit", "a form “#f”", "nothing"),
        "Stap “Indienen”: er was geen formulier om te versturen: verwacht werd een formulier “#f”, gevonden niets.",
        "Step “Submit”: there was no form to submit: expected a form “#f”, found nothing.",
    ),
    (
        failure(FailureKind.SLOW, "duration", "at most 3 s", "4.25 s"),
        "Stap “Indienen”: het duurde 4,25 s, langer dan de streefwaarde van 3 s.",
        "Step “Submit”: it took 4.25 s, longer than the target of 3 s.",
    ),
    (
        failure(FailureKind.BOT_CHECK, "page", None, "a robot check in the page's place"),
        "Stap “Indienen”: een robotcontrole antwoordde in plaats van het portaal,"
        " dus is er niets over het portaal gemeten.",
        "Step “Submit”: a robot check answered in the portal's place, so nothing was measured about the portal.",
    ),
    (
        failure(FailureKind.MONITOR, "template", "a value for secret.ww", "nothing"),
        "Stap “Indienen”: de monitor kon zelf niet meten (template: niets; verwacht: een waarde voor secret.ww).",
        "Step “Submit”: the monitor itself could not measure (template: nothing; expected: a value for secret.ww).",
    ),
]


@pytest.mark.parametrize(
    ("what", "dutch", "english"), CASES, ids=lambda c: c.kind.value if isinstance(c, Failure) else ""
)
def test_a_failure_is_one_sentence_in_each_language(what: Failure, dutch: str, english: str) -> None:
    assert sentence(what, "nl", "Indienen") == dutch
    assert sentence(what, "en", "Submit") == english


@pytest.mark.parametrize("kind", list(FailureKind), ids=lambda kind: kind.value)
def test_every_kind_has_a_sentence_even_when_little_is_known(kind: FailureKind) -> None:
    for language in ("nl", "en"):
        text = sentence(Failure(kind=kind), language)
        assert re.fullmatch(r"[A-Z].+[^.]\.", text)


def test_a_certificate_has_no_step_to_blame() -> None:
    what = Failure(
        kind=FailureKind.CERTIFICATE,
        subject="loket.example",
        expected="a valid certificate",
        found="expired on 2026-11-01",
    )
    assert sentence(what, "nl") == "Het certificaat van loket.example is niet in orde: vervallen op 2026-11-01."
    assert sentence(what, "en") == "The certificate of loket.example is not in order: expired on 2026-11-01."


@pytest.mark.parametrize(
    ("what", "dutch", "english"),
    [
        (
            Failure(kind=FailureKind.DNS, subject="loket.example", found="the name server answers SERVFAIL"),
            "De naam loket.example kon niet worden opgezocht (de naamserver antwoordt SERVFAIL).",
            "The name loket.example could not be looked up (the name server answers SERVFAIL).",
        ),
        (
            Failure(
                kind=FailureKind.ASSERTION,
                subject="record A loket.example",
                expected="only “192.0.2.11”",
                found="“192.0.2.10”",
            ),
            "Voor het DNS-record “A loket.example” werd verwacht: alleen “192.0.2.11”; gevonden: “192.0.2.10”.",
            "Expected of the DNS record “A loket.example”: only “192.0.2.11”; found: “192.0.2.10”.",
        ),
        (
            Failure(kind=FailureKind.MONITOR, found="our name server 192.0.2.53:53: no answer in time"),
            "De monitor kon zelf niet meten (onze naamserver 192.0.2.53:53: geen antwoord op tijd).",
            "The monitor itself could not measure (our name server 192.0.2.53:53: no answer in time).",
        ),
        (
            Failure(
                kind=FailureKind.TIMEOUT,
                subject="loket.example",
                expected="done within 2.5 s",
                found="our name server answers, but not about “loket.example”",
            ),
            "Dit was niet klaar binnen 2,5 s (onze naamserver antwoordt, maar niet over “loket.example”).",
            "This was not done within 2.5 s (our name server answers, but not about “loket.example”).",
        ),
        (
            Failure(kind=FailureKind.ASSERTION, subject="banner", expected="contains “SSH”", found="“220 welkom”"),
            "De begroeting bevat niet “SSH”; gevonden: “220 welkom”.",
            "The greeting does not contain “SSH”; found: “220 welkom”.",
        ),
        (
            Failure(kind=FailureKind.PROTOCOL, subject="mail.example:25", expected="SMTP 220", found="“554 neen”"),
            "Bij mail.example:25 werd verwacht: SMTP 220; gevonden: “554 neen”.",
            "Expected of mail.example:25: SMTP 220; found: “554 neen”.",
        ),
    ],
    ids=["name", "record", "resolver", "silence", "port", "mail server"],
)
def test_names_ports_and_mail_servers_fail_in_sentences_too(what: Failure, dutch: str, english: str) -> None:
    assert sentence(what, "nl") == dutch
    assert sentence(what, "en") == english


def test_without_a_title_the_step_goes_by_its_id() -> None:
    assert sentence(failure(FailureKind.HTTP_STATUS, "status", "200", "500"), "nl").startswith("Stap “indienen”: ")


def test_quoted_texts_are_never_translated() -> None:
    assert phrase("contains “at least nothing” and “1.5 s”", "nl") == "bevat “at least nothing” en “1.5 s”"


def test_longer_phrases_come_before_their_parts() -> None:
    lengths = [len(english.split()) for english, _ in PHRASES]
    assert all(PHRASES[i][0] not in PHRASES[j][0] for j in range(len(lengths)) for i in range(j))
