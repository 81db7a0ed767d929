"""What a browser's recording becomes: what is left out, folded, captured, and never written."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from probes.checks import Journey
from probes.recorded import NotAnArchiveError, recording
from probes.writing import Written, written

HOME = "https://loket.example"


def entry(
    url: str,
    *,
    method: str = "GET",
    status: int = 200,
    kind: str = "text/html",
    text: str = "<title>Loket</title>",
    sent: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    location: str = "",
) -> dict[str, Any]:
    """One request of an archive, as browsers write it."""
    request: dict[str, Any] = {"method": method, "url": url if "://" in url else HOME + url}
    request["headers"] = [{"name": name, "value": value} for name, value in (headers or {}).items()]
    if sent is not None:
        request["postData"] = sent
    answered = [{"name": "Content-Type", "value": kind}]
    if location:
        answered.append({"name": "Location", "value": location})
    content = {"mimeType": kind, "text": text}
    return {"request": request, "response": {"status": status, "headers": answered, "content": content}, "time": 40}


def made(*entries: dict[str, Any]) -> tuple[Journey, Written]:
    told = written(recording(json.dumps({"log": {"entries": entries}})), journey="bezoek", title="Bezoek")
    return Journey.model_validate(tomllib.loads(told.text)["journey"][0]), told


def json_of(value: object) -> dict[str, str]:
    return {"mimeType": "application/json", "text": json.dumps(value)}


def test_pictures_and_other_hosts_are_left_out_and_counted():
    journey, told = made(
        entry("/"),
        entry("/a.css", kind="text/css"),
        entry("/b.png", kind="image/png"),
        entry("https://teller.example/x"),
    )
    assert [step.path for step in journey.step] == ["/"]
    assert "# Left out: 2 requests pictures, styles, scripts and their like." in told.text
    assert "# Left out: 1 requests of other hosts." in told.text


def test_redirects_are_part_of_the_step_that_led_to_them_also_to_a_login_elsewhere():
    journey, told = made(
        entry("/aanmelden", status=302, location="https://idp.example/login?x=1"),
        entry("https://idp.example/login?x=1", text="<title>Wie bent u?</title>"),
    )
    assert [step.path for step in journey.step] == ["/aanmelden"]
    assert journey.step[0].expect.status == (200,)
    assert told.hosts == ("idp.example:443",)


def test_a_page_that_sends_its_form_by_itself_is_followed_as_its_script_would():
    page = (
        '<body onload="document.forms[0].submit()"><form method="post" action="/acs">'
        '<input type="hidden" name="SAMLResponse" value="PHg+"></form>'
    )
    journey, _ = made(
        entry("/sso", text=page),
        entry(
            "/acs", method="POST", sent={"mimeType": "application/x-www-form-urlencoded", "text": "SAMLResponse=PHg%2B"}
        ),
    )
    [step] = journey.step
    assert step.auto_post  # type: ignore[union-attr]


def test_what_an_answer_gave_is_captured_where_it_was():
    journey, told = made(
        entry(
            "/api/dossiers",
            method="POST",
            kind="application/json",
            text='{"dossier": {"nummer": "OMV_2026123"}}',
            sent=json_of({"naam": "x"}),
        ),
        entry("/api/dossiers/OMV_2026123", kind="application/json", text='{"toestand": "open"}'),
        entry(
            "/api/dossiers/OMV_2026123/stukken",
            method="POST",
            sent=json_of({"dossier": "OMV_2026123"}),
            kind="application/json",
            text="{}",
        ),
    )
    assert journey.step[0].capture["id"].json_path == "dossier.nummer"
    assert [step.path for step in journey.step] == [
        "/api/dossiers",
        "/api/dossiers/{{ id }}",
        "/api/dossiers/{{ id }}/stukken",
    ]  # type: ignore[union-attr]
    assert journey.step[2].json_ == {"dossier": "{{ id }}"}  # type: ignore[union-attr]
    assert told.notes == ()


def test_a_made_value_that_no_answer_held_is_left_and_told():
    journey, told = made(entry("/zoek?sessienummer=12345678"))
    assert "12345678" in str(journey.step[0].path) or journey.secrets
    assert told.notes or told.secrets


def test_secrets_become_names_wherever_they_stand():
    form = (
        '<title>Aanmelden</title><form id="f" method="post" action="/login">'
        '<input name="gebruiker"><input type="password" name="code"></form>'
    )
    journey, told = made(
        entry("/login", text=form),
        entry(
            "/login",
            method="POST",
            text="<title>Welkom an.peeters@x.be</title>",
            sent={
                "mimeType": "application/x-www-form-urlencoded",
                "text": "gebruiker=an.peeters%40x.be&code=niet%2Fte%2Fraden",
            },
        ),
        entry(
            "/api?toegang=niet%2Fte%2Fraden",
            headers={"Authorization": "Bearer eyJ-lang-bewijs-0001", "Cookie": "JSESSIONID=ABCDEF0123456789"},
        ),
        entry("/b", headers={"Authorization": "Basic YW46Z2VoZWltMTIz"}),
    )
    for planted in ("an.peeters", "raden", "eyJ-lang-bewijs", "ABCDEF0123456789", "geheim123", "YW46Z2VoZWltMTIz"):
        assert planted not in told.text
    assert journey.step[1].form == {"gebruiker": "{{ secret.gebruiker }}", "code": "{{ secret.code }}"}  # type: ignore[union-attr]
    assert journey.step[1].login  # type: ignore[union-attr]
    assert journey.step[2].headers == {"Authorization": "Bearer {{ secret.token }}"}  # type: ignore[union-attr]
    assert set(told.secrets) == {"gebruiker", "code", "token", "user", "password"}


def test_a_token_that_an_answer_gave_is_captured_as_a_secret():
    journey, told = made(
        entry(
            "/token",
            method="POST",
            kind="application/json",
            text='{"access_token": "abc.def.0123456789"}',
            sent=json_of({"wachtwoord": "planted-1"}),
        ),
        entry("/api", headers={"Authorization": "Bearer abc.def.0123456789"}, kind="application/json", text="{}"),
    )
    assert journey.step[0].capture["token"].secret
    assert journey.step[1].headers == {"Authorization": "Bearer {{ token }}"}  # type: ignore[union-attr]
    assert "planted-1" not in told.text


def test_files_are_made_as_large_as_they_were():
    body = {
        "mimeType": "multipart/form-data; boundary=b",
        "params": [{"name": "stuk", "fileName": "plan.pdf", "contentType": "application/pdf", "value": "x" * 2048}],
    }
    journey, _ = made(entry("/stukken", method="POST", sent=body))
    [part] = journey.step[0].multipart  # type: ignore[union-attr]
    assert (part.file_name, part.size, part.content_type) == ("plan.pdf", 2048, "application/pdf")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"log": {"entries": [', "is not JSON, or not all of it"),
        ("[]", 'has no "log" with "entries"'),
        ('{"log": {"entries": []}}', "has no requests in it"),
        ('{"log": {"entries": [{"request": 1}]}}', "log.entries[0]"),
        (json.dumps({"log": {"entries": [entry("/x.png", kind="image/png")]}}), "holds no page or data of a portal"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_reason(text: str, why: str):
    with pytest.raises(NotAnArchiveError) as refused:
        recording(text)
    assert why in str(refused.value)
