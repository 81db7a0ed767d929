"""Conditions, waiting, repeated steps, forms, one-time passwords and logins, over both engines."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from monitor.clock import monotonic_us, new_id, wall_us
from probes.checks import Portal
from probes.practice import PRACTICE_SECRETS
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample, StepOutcome
from probes.setup import Setup
from tests.engines import chosen
from tests.practice_site import practice_site
from tests.scripted_server import LATE_US, Received, Script, answer, journey, pages, step, walked

pytestmark = pytest.mark.usefixtures("each_engine")

OTP_KEY = "JBSWY3DPEHPK3PXP"


def outcomes(sample: Sample) -> list[str]:
    return [str(result.outcome) for result in sample.steps]


def kind_of(sample: Sample) -> FailureKind | None:
    return sample.failure.kind if sample.failure else None


def in_turn(*answers: bytes) -> Script:
    """A script that gives these answers one after the other, the last one for ever."""
    left = list(answers)

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return script


NOTICE = {"melding": {"css": "#melding", "optional": True}}
OVER_NOTICE = step("/weg", name="wegklikken", when={"value": "{{ melding }}"})


def test_a_step_is_taken_when_its_optional_value_is_there() -> None:
    site = pages({"/": answer('<p id="melding">Nieuw!'), "/weg": answer("weg")})
    sample, requests = walked(site, journey(step("/", name="start", capture=NOTICE), OVER_NOTICE))
    assert (sample.outcome, outcomes(sample), len(requests)) == (Outcome.UP, ["ok", "ok"], 2)


def test_a_step_that_is_not_taken_blames_nobody() -> None:
    site = pages({"/": answer("<p>Niets nieuws")})
    sample, requests = walked(site, journey(step("/", name="start", capture=NOTICE), OVER_NOTICE))
    assert (sample.outcome, outcomes(sample), len(requests)) == (Outcome.UP, ["ok", "skipped"], 1)


@pytest.mark.parametrize(
    ("when", "taken"),
    [
        ({"equals": "open"}, True),
        ({"equals": "dicht"}, False),
        ({"not_equals": "dicht"}, True),
        ({"contains": "pe"}, True),
        ({"matches": "^o.*n$"}, True),
        ({"matches": "^d"}, False),
        ({"absent": True}, False),
    ],
)
def test_a_condition_compares_the_value(when: dict[str, Any], *, taken: bool) -> None:
    site = pages({"/": answer('<p id="staat">open'), "/meer": answer("meer")})
    start = step("/", name="start", capture={"staat": {"css": "#staat"}})
    sample, _ = walked(site, journey(start, step("/meer", name="meer", when={"value": "{{ staat }}", **when})))
    assert outcomes(sample)[1] == ("ok" if taken else "skipped")


def test_a_run_in_which_no_asserting_step_was_taken_is_unknown() -> None:
    first = {"id": "start", "path": "/", "capture": NOTICE}
    sample, _ = walked(pages({"/": answer("leeg")}), journey(first, OVER_NOTICE))
    assert (sample.outcome, kind_of(sample)) == (Outcome.UNKNOWN, FailureKind.MONITOR)


def test_a_condition_on_a_secret_that_is_missing_makes_the_run_unknown() -> None:
    asking = step("/", name="later", when={"value": "{{ secret.sleutel }}"})
    sample, _ = walked(pages({"/": answer("goed")}), journey(step("/"), asking, secrets=["sleutel"]))
    assert (sample.outcome, kind_of(sample)) == (Outcome.UNKNOWN, FailureKind.MONITOR)


READY = {"text": "klaar"}


def test_a_step_is_tried_until_it_holds() -> None:
    waiting = step(expect=READY, until={"interval": "100ms", "within": "20s"})
    sample, requests = walked(in_turn(answer("bezig"), answer("bezig", status=404), answer("klaar")), journey(waiting))
    assert (sample.outcome, len(requests)) == (Outcome.UP, 3)
    assert sample.steps[0].duration_us >= 200_000


def test_waiting_in_vain_tells_the_last_failure_with_how_often_it_was_tried() -> None:
    waiting = step(expect=READY, until={"interval": "100ms", "within": "3s"})
    sample, requests = walked(in_turn(answer("bezig")), journey(waiting))
    assert sample.failure is not None
    assert (sample.outcome, kind_of(sample)) == (Outcome.DOWN, FailureKind.ASSERTION)
    assert 2 <= len(requests) <= 31
    assert (sample.failure.found or "").startswith(f"“bezig”, after {len(requests)} attempts in ")


def test_waiting_ends_at_once_where_it_is_in_vain() -> None:
    waiting = step(expect=READY, until={"interval": "100ms", "within": "4s", "unless": {"text": "geweigerd"}})
    sample, requests = walked(in_turn(answer("bezig"), answer("geweigerd")), journey(waiting))
    assert (sample.outcome, len(requests)) == (Outcome.DOWN, 2)
    assert "which ends the wait" in ((sample.failure and sample.failure.found) or "")


def test_waiting_never_outlasts_the_deadline() -> None:
    waiting = step(expect=READY, deadline="3800ms", until={"interval": "2s", "within": "30s"})
    sample, _ = walked(in_turn(answer("bezig")), journey(waiting))
    assert kind_of(sample) is FailureKind.ASSERTION
    assert sample.steps[0].duration_us < 3_800_000 + LATE_US


def test_each_value_of_a_list_is_a_step_of_its_own() -> None:
    each = {"name": "gemeente", "of": ["Gent", "Sint-Niklaas"]}
    asking = step("/zoek/{{ gemeente }}", name="zoeken", each=each)
    sample, requests = walked(in_turn(answer("goed")), journey(asking))
    assert [result.step for result in sample.steps] == ["zoeken-gent", "zoeken-sint-niklaas"]
    assert [received.target for received in requests] == ["/zoek/Gent", "/zoek/Sint-Niklaas"]


FORM = """<form id="f" action="/weg?x=1" method="post"><input type=hidden name=_csrf value="{{ geheim }}">
<input name=naam value=An><select name=soort><option>een<option value=2 selected>twee</select>
<input type=checkbox name=akkoord checked><textarea name=tekst>
hallo</textarea><button name=doe value=bewaar id=bewaar>Bewaar</button></form>"""


def test_a_form_is_sent_with_all_its_fields_as_the_portal_wrote_them() -> None:
    site = pages({"/": answer(FORM), "/weg": answer("bewaard")})
    sending = {"id": "weg", "submit": "#f", "button": "#bewaar", "form": {"naam": "Jan"}, "expect": {"text": "bewaard"}}
    sample, requests = walked(site, journey(step("/", name="start"), sending))
    assert sample.outcome is Outcome.UP
    assert (requests[1].method, requests[1].target) == ("POST", "/weg?x=1")
    assert parse_qsl(requests[1].body.decode()) == [
        ("_csrf", "{{ geheim }}"),
        ("naam", "Jan"),
        ("soort", "2"),
        ("akkoord", "on"),
        ("tekst", "hallo"),
        ("doe", "bewaar"),
    ]
    assert requests[1].headers["origin"].startswith("http://127.0.0.1:")
    assert requests[1].headers["referer"].endswith("/")


def test_a_form_that_is_not_there_is_a_failure_of_its_own() -> None:
    sending = {"id": "weg", "submit": "#f", "expect": {"text": "bewaard"}}
    sample, _ = walked(pages({"/": answer("<p>Even geduld")}), journey(step("/", name="start"), sending))
    assert (sample.outcome, kind_of(sample)) == (Outcome.DOWN, FailureKind.CAPTURE)


def test_forms_that_send_themselves_for_ever_are_given_up() -> None:
    page = "<form method=post action=/><input type=hidden name=SAMLResponse value=x></form>"
    sample, requests = walked(in_turn(answer(page)), journey(step(auto_post=True)))
    assert (kind_of(sample), len(requests)) == (FailureKind.REDIRECT, 6)


def test_a_form_that_sends_itself_elsewhere_is_not_followed_there() -> None:
    page = "<form method=post action=http://elders.example/><input type=hidden name=SAMLResponse value=x></form>"
    sample, requests = walked(in_turn(answer(page)), journey(step(auto_post=True)))
    assert (kind_of(sample), len(requests)) == (FailureKind.REDIRECT, 1)


def test_a_one_time_password_is_sent_and_never_kept() -> None:
    sending = step(
        method="POST",
        form={"code": "{{ totp.inlog }}"},
        headers={"X-Code": "nr {{ totp.inlog }}"},
        expect={"text": "in"},
    )
    totp = {"inlog": {"secret": "otp"}}
    secrets = {"otp": OTP_KEY}
    sample, requests = walked(in_turn(answer("fout", status=401)), journey(sending, totp=totp), secrets=secrets)
    code = dict(parse_qsl(requests[0].body.decode()))["code"]
    assert (len(code), code.isdecimal()) == (6, True)
    assert code not in repr(sample)


def test_a_one_time_password_without_its_secret_makes_the_run_unknown() -> None:
    sending = step(method="POST", form={"code": "{{ totp.inlog }}"})
    sample, requests = walked(in_turn(answer("in")), journey(sending, totp={"inlog": {"secret": "otp"}}))
    assert (sample.outcome, kind_of(sample), requests) == (Outcome.UNKNOWN, FailureKind.MONITOR, [])


def test_user_and_password_go_in_the_authorization_header() -> None:
    auth = {"user": "dienst", "password": "{{ secret.sleutel }}"}
    what = journey(step(basic_auth=auth), secrets=["sleutel"])
    _, requests = walked(in_turn(answer("in")), what, secrets={"sleutel": "gé:heim"})
    assert base64.b64decode(requests[0].headers["authorization"].removeprefix("Basic ")).decode() == "dienst:gé:heim"


def test_a_secret_capture_is_masked_in_what_is_kept() -> None:
    first = step("/", name="sleutel", capture={"sleutel": {"json": "x", "secret": True}})
    second = step("/weg/{{ sleutel }}", name="weg", expect={"text": "niet te vinden"})
    site = pages({"/": answer('{"x": "a8f3c1d9"}', kind="application/json"), "/weg/a8f3c1d9": answer("a8f3c1d9")})
    sample, _ = walked(site, journey(first, second))
    assert sample.outcome is Outcome.DOWN
    assert "a8f3c1d9" not in repr(sample)


def test_every_request_carries_a_trace_and_the_marker() -> None:
    site = pages({"/": answer("", status=302, head="Location: /b\r\n"), "/b": answer("goed")})
    marker = {"name": "X-Monitoring", "value": "loketwacht"}
    _, requests = walked(site, journey(step(), step("/b", name="tweede")), marker=marker)
    traces = [received.headers["traceparent"].split("-") for received in requests]
    assert {(t[0], len(t[1]), len(t[2]), t[3]) for t in traces} == {("00", 32, 16, "01")}
    assert (len({t[1] for t in traces}), len({t[2] for t in traces})) == (1, 2)
    assert [received.headers["x-monitoring"] for received in requests] == ["loketwacht"] * 3


SOAP = """<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<d:antwoord xmlns:d="urn:dossier"><d:nummer>OMV_1</d:nummer><d:staat>open</d:staat></d:antwoord>
</s:Body></s:Envelope>"""
DOSSIER = {"namespaces": {"x": "urn:dossier"}}


def test_soap_is_asserted_and_captured_by_xpath() -> None:
    asking = step(
        expect={"xpath": [{"select": "//x:staat", "equals": "open", **DOSSIER}]},
        capture={"nummer": {"xpath": "//x:nummer", **DOSSIER}},
    )
    again = step(
        "/{{ nummer }}",
        name="weer",
        expect={"xpath": {"select": "//x:antwoord[x:nummer='{{ nummer }}']", "count": 1, **DOSSIER}},
    )
    sample, requests = walked(in_turn(answer(SOAP, kind="text/xml")), journey(asking, again))
    assert (sample.outcome, requests[1].target) == (Outcome.UP, "/OMV_1")


def at_practice(state_dir: Path, *steps: dict[str, Any], **more: Any) -> Sample:
    async def go() -> Sample:
        async with practice_site(state_dir) as site:
            portal = Portal(name="Oefenloket", base_url=site.base_url, contact="t@example.org", engine=chosen.get())
            secrets = {**PRACTICE_SECRETS, "dienst": "oefen-dienstgeheim"}
            way = Setup(portal=portal, secrets=secrets, now_us=wall_us, monotonic_us=monotonic_us, new_id=new_id)
            return await run(journey(*steps, **more), slot_us=0, location="hier", setup=way)

    return asyncio.run(go())


def test_a_login_over_saml_follows_the_forms_that_send_themselves(tmp_path: Path) -> None:
    sample = at_practice(
        tmp_path,
        step("/aanmelden?via=saml", name="aanmelden", auto_post=True, expect={"css": {"select": "#sleutel-keuze"}}),
        {
            "id": "aangemeld",
            "submit": "#sleutel-keuze",
            "form": {"token": "{{ secret.burger_token }}"},
            "auto_post": True,
            "expect": {"css": {"select": "#gebruiker-naam"}},
        },
        secrets=["burger_token"],
    )
    assert (sample.failure, outcomes(sample)) == (None, ["ok", "ok"])


def code_flow(verifier: str) -> tuple[dict[str, Any], ...]:
    return (
        step(
            "/op/v1/auth",
            name="vraag",
            query={
                "response_type": "code",
                "client_id": "oefenloket",
                "redirect_uri": "{{ run.base_url }}/aanmelden/callback",
                "state": "{{ oidc.state }}",
                "nonce": "{{ oidc.nonce }}",
                "code_challenge": "{{ pkce.challenge }}",
                "code_challenge_method": "S256",
            },
        ),
        {
            "id": "sleutel",
            "submit": "#sleutel-keuze",
            "form": {"token": "{{ secret.burger_token }}"},
            "follow_redirects": False,
            "expect": {"status": 303, "header": {"name": "Location", "contains": "state={{ oidc.state }}"}},
            "capture": {"code": {"header": "Location", "regex": "[?&]code=([^&]+)", "secret": True}},
        },
        step(
            "/op/v1/token",
            name="token",
            method="POST",
            form={"grant_type": "authorization_code", "code": "{{ code }}", "client_id": "oefenloket"}
            | {"code_verifier": verifier},
            expect={"status": 200, "json": {"path": "token_type", "equals": "Bearer"}},
        ),
    )


def test_openid_connects_code_flow_is_walked_with_pkce(tmp_path: Path) -> None:
    sample = at_practice(tmp_path, *code_flow("{{ pkce.verifier }}"), secrets=["burger_token"])
    assert (sample.failure, outcomes(sample)) == (None, ["ok", "ok", "ok"])


def test_the_practice_provider_refuses_another_verifier(tmp_path: Path) -> None:
    sample = at_practice(tmp_path, *code_flow("iets anders"), secrets=["burger_token"])
    assert [result.outcome for result in sample.steps][2] is StepOutcome.FAILED


def test_a_service_gets_a_token_in_its_own_name_and_uses_it(tmp_path: Path) -> None:
    sample = at_practice(
        tmp_path,
        step(
            "/op/v1/token",
            name="token",
            method="POST",
            basic_auth={"user": "oefendienst", "password": "{{ secret.dienst }}"},
            form={"grant_type": "client_credentials"},
            capture={"toegang": {"json": "access_token", "secret": True}},
        ),
        step(
            "/op/v1/userinfo",
            name="wie",
            headers={"Authorization": "Bearer {{ toegang }}"},
            expect={"json": {"path": "sub", "equals": "oefendienst"}},
        ),
        secrets=["dienst"],
    )
    assert (sample.failure, outcomes(sample)) == (None, ["ok", "ok"])
