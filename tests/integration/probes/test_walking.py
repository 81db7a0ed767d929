"""A journey from its first step to its sample."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import json
import logging
from urllib.parse import quote

import httpx
import pytest

from probes.bodies import file_bytes
from probes.checks import Portal
from probes.references import ours_to_blame, references_up
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from probes.setup import Setup
from tests.scripted_server import Received, ScriptedServer, answer, journey, pages, setup, step, walked

pytestmark = pytest.mark.usefixtures("each_engine")

FORM = '<h1>Nieuw</h1><form id="f"><input type="hidden" name="_csrf" value="00&amp;12"></form>'


def kind_of(sample: Sample) -> FailureKind | None:
    return sample.failure.kind if sample.failure is not None else None


def outcomes(sample: Sample) -> list[str]:
    return [s.outcome.value for s in sample.steps]


def test_values_go_from_step_to_step_byte_for_byte() -> None:
    """T26: from JSON, through a template, into an address."""
    script = pages({"/": answer('{"id": 12345678901234567890, "nr": "0012"}', kind="application/json")})
    first = step("/", name="een", capture={"het-id": {"json": "id"}, "nr": {"json": "nr"}})
    _, requests = walked(
        script, journey(first, step("/x/{{ het-id }}/{{ nr }}", name="twee", query={"q": "{{ nr }} &"}))
    )
    assert requests[1].target == "/x/12345678901234567890/0012?q=0012+%26"


def test_a_form_is_sent_with_its_hidden_fields_and_a_secret() -> None:
    script = pages({"/nieuw": answer(FORM), "/maak": answer("gemaakt")})
    first = step("/nieuw", name="open", capture={"velden": {"hidden": "form#f"}})
    form = {"naam": "MONITORING {{ run.id }}", "ww": "{{ secret.ww }}"}
    second = step("/maak", name="maak", method="POST", form=form, form_from="velden")
    sample, requests = walked(script, journey(first, second, secrets=["ww"]), secrets={"ww": "g&h"})
    assert sample.outcome is Outcome.UP
    assert requests[1].body == b"_csrf=00%2612&naam=MONITORING+run-0&ww=g%26h"


def test_cookies_are_shared_by_steps_and_never_by_runs() -> None:
    """T27"""

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("goed", head="Set-Cookie: sessie=abc; Path=/; HttpOnly\r\n"))

    async def go() -> list[Received]:
        async with ScriptedServer(script) as server:
            way = setup(f"http://127.0.0.1:{server.port}")
            for _ in range(2):
                await run(journey(step(name="een"), step(name="twee")), slot_us=0, location="hier", setup=way)
            return server.requests

    requests = asyncio.run(go())
    assert [r.headers.get("cookie") for r in requests] == [None, "sessie=abc", None, "sessie=abc"]
    assert [r.connection for r in requests] == [1, 1, 2, 2]


def test_the_portal_can_see_who_asks() -> None:
    _, (request,) = walked(pages({"/": answer("goed")}), journey())
    assert request.headers["user-agent"].startswith("Loketwacht/")
    assert request.headers["user-agent"].endswith("(+mailto:proef@example.org)")
    assert request.headers["x-loketwacht-run"] == "run-0"


def test_the_failing_step_is_named_and_the_clean_up_still_runs() -> None:
    """T25"""
    script = pages({"/": answer("goed"), "/stuk": answer("Interne fout", status=500)})
    steps = (step(name="een"), step("/stuk", name="twee"), step(name="drie"), step(name="vier"))
    sample, _ = walked(script, journey(*steps, step(name="opruimen", always=True)))
    assert outcomes(sample) == ["ok", "failed", "skipped", "skipped", "ok"]
    assert sample.failure is not None
    assert (sample.failure.step, sample.failure.kind) == ("twee", FailureKind.HTTP_STATUS)
    assert sample.evidence[0].step == "twee"


def test_a_failing_clean_up_changes_nothing() -> None:
    sample, _ = walked(pages({"/": answer("goed")}), journey(step(), step("/weg", name="opruimen", always=True)))
    assert (sample.outcome, outcomes(sample)) == (Outcome.UP, ["ok", "failed"])


def test_a_clean_up_of_what_was_never_made_is_skipped() -> None:
    first = step("/weg", name="maak", capture={"nr": {"css": "b"}})
    sample, requests = walked(pages({}), journey(first, step("/x/{{ nr }}", name="opruimen", always=True)))
    assert (outcomes(sample), len(requests)) == (["failed", "skipped"], 1)


def test_an_error_status_fails_even_where_none_is_expected() -> None:
    sample, _ = walked(pages({"/": answer("goed", status=404)}), journey(step("/", expect={"text": "goed"})))
    assert kind_of(sample) is FailureKind.HTTP_STATUS


def test_a_run_that_asserted_nothing_is_not_up() -> None:
    """T28: the assertion sits in a step that a soft redirect of the configuration never executes."""
    what = journey(step("/")).model_copy()
    hollow = what.model_copy(
        update={"step": (what.step[0].model_copy(update={"expect": type(what.step[0].expect)()}),)}
    )
    sample, _ = walked(pages({"/": answer("goed")}), hollow)
    assert (sample.outcome, kind_of(sample)) == (Outcome.UNKNOWN, FailureKind.MONITOR)


def test_a_missing_secret_is_our_own_fault() -> None:
    """T30"""
    sample, requests = walked(pages({}), journey(step("/{{ secret.ww }}"), secrets=["ww"]))
    assert (sample.outcome, kind_of(sample), requests) == (Outcome.UNKNOWN, FailureKind.MONITOR, [])


def test_a_bug_of_ours_is_our_own_fault_and_the_clean_up_still_runs() -> None:
    """T30: whatever breaks inside a step says nothing about the portal."""

    def broken(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/stuk":
            raise RuntimeError("een fout in de sonde")
        return httpx.Response(200, text="goed")

    way = setup("http://loket.example", transport=lambda: httpx.MockTransport(broken))
    what = journey(step("/stuk"), step("/", name="opruimen", always=True))
    sample = asyncio.run(run(what, slot_us=0, location="hier", setup=way))
    assert (sample.outcome, kind_of(sample), outcomes(sample)) == (
        Outcome.UNKNOWN,
        FailureKind.MONITOR,
        ["failed", "ok"],
    )


@pytest.mark.parametrize(
    "page",
    [
        '<html><div id="bot-check">Even geduld</div></html>',
        '<html><script src="/.within.website/x/cmd/anubis/static/js/main.mjs"></script></html>',
    ],
)
def test_a_robot_check_makes_the_run_unknown(page: str) -> None:
    expect = {"status": 200, "json": {"path": "content"}}
    sample, _ = walked(pages({"/": answer(page)}), journey(step("/", expect=expect)))
    assert (sample.outcome, kind_of(sample)) == (Outcome.UNKNOWN, FailureKind.BOT_CHECK)
    sample, _ = walked(pages({"/": answer(page)}), journey(step("/")))
    assert (sample.outcome, kind_of(sample)) == (Outcome.UNKNOWN, FailureKind.BOT_CHECK)


@pytest.mark.parametrize(("expect", "outcome"), [({}, Outcome.UNKNOWN), ({"status": [200, 429]}, Outcome.UP)])
def test_a_portal_that_lets_us_ask_no_more_makes_the_run_unknown(expect: dict[str, object], outcome: Outcome) -> None:
    refused = answer("te veel", status=429)
    sample, _ = walked(pages({"/": refused}), journey(step("/", expect=expect or {"text": "Loket"})))
    assert sample.outcome is outcome
    assert (sample.failure and sample.failure.kind) == (None if expect else FailureKind.RATE_LIMITED)


def test_a_soft_limit_degrades_and_the_journey_goes_on() -> None:
    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(answer("goed"))

    sample, _ = walked(script, journey(step("/", expect={"status": 200, "soft": "10ms"}), step(name="twee")))
    assert (sample.outcome, kind_of(sample), outcomes(sample)) == (Outcome.DEGRADED, FailureKind.SLOW, ["slow", "ok"])


def test_a_hard_limit_fails_the_step() -> None:
    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(answer("goed"))

    sample, _ = walked(script, journey(step("/", expect={"status": 200, "hard": "10ms"})))
    assert (sample.outcome, kind_of(sample)) == (Outcome.DOWN, FailureKind.TIMEOUT)


def test_an_upload_can_be_proved_by_its_hash() -> None:
    content = file_bytes(run_id="run-0", part="bestand", size=3000)
    parts = [{"name": "soort", "text": "plan"}, {"name": "bestand", "file_name": "plan.pdf", "size": 3000}]
    up = step("/op", name="op", method="POST", multipart=parts)
    down = step("/af", name="af", expect={"status": 200, "sha256": "{{ file.bestand.sha256 }}"})
    script = pages({"/op": answer("ok"), "/af": answer(content, kind="application/pdf")})
    sample, requests = walked(script, journey(up, down))
    assert sample.outcome is Outcome.UP
    assert content in requests[0].body
    assert hashlib.sha256(content).hexdigest() not in requests[0].body.decode("latin-1")


def test_a_missing_value_is_a_capture_failure() -> None:
    sample, _ = walked(pages({"/": answer("leeg")}), journey(step("/", capture={"nr": {"css": "#nr"}})))
    assert sample.failure is not None
    assert (sample.failure.kind, sample.failure.subject) == (FailureKind.CAPTURE, "nr")


def test_a_planted_secret_is_nowhere_in_the_sample_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """T47: echoed by the portal in every form, in head, body, address and hidden value."""
    caplog.set_level(logging.DEBUG)
    secret = 'kan&arie "vogel"/7'
    forms = [secret, quote(secret, safe=""), html.escape(secret), json.dumps(secret)]
    forms += [base64.b64encode(b"x" * k + secret.encode()).decode() for k in range(3)]
    body = answer(" ".join(forms), status=500, head=f"X-Echo: {quote(secret)}\r\nSet-Cookie: s=abc123; Path=/\r\n")
    script = pages({"/": answer(status=302, head=f"Location: /stuk?t={quote(secret, safe='')}\r\n"), "/stuk": body})
    headers = {"Authorization": "Basic {{ secret.ww }}", "X-Sleutel": "{{ secret.ww }}"}
    first = step("/", headers=headers, expect={"text": "{{ secret.ww }} komt niet voor"})
    sample, requests = walked(script, journey(first, secrets=["ww"]), secrets={"ww": secret})
    assert requests[0].headers["x-sleutel"] == secret
    kept = repr(sample) + caplog.text
    for form in [secret, "kan&arie", "kan%26arie", "kan&amp;arie", "vogel", "abc123", *forms[4:]]:
        assert form not in kept
    assert "a2FuJmFyaWUg" not in kept


def test_evidence_holds_the_beginning_of_a_large_page_and_the_hash_of_all() -> None:
    body = b"x" * 200_000
    sample, _ = walked(pages({"/": answer(body, status=500)}), journey())
    (kept,) = sample.evidence
    assert (len(kept.body), kept.body_truncated) == (65_536, True)
    assert kept.body_sha256 == hashlib.sha256(body).hexdigest()
    assert kept.response_head.startswith("HTTP/1.1 500 X\n")
    assert kept.addresses == ("127.0.0.1",)


def test_a_journey_walks_over_a_transport_in_this_process() -> None:
    """Simulated time has no sockets."""

    def portal(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/weigert":
            raise httpx.ConnectError("refused", request=request)
        known = "sessie=1" in request.headers.get("cookie", "")
        return httpx.Response(200, text="welkom" if known else "wie?", headers={"Set-Cookie": "sessie=1; Path=/"})

    way = setup("http://loket.example", transport=lambda: httpx.MockTransport(portal))
    steps = (step("/"), step("/", name="twee", expect={"text": "welkom"}), step("/weigert", name="drie"))
    sample = asyncio.run(run(journey(*steps), slot_us=0, location="hier", setup=way))
    assert (outcomes(sample), kind_of(sample)) == (["ok", "ok", "failed"], FailureKind.CONNECT)


def test_references_are_asked_afresh_and_any_answer_counts() -> None:
    """T2"""

    async def go() -> tuple[tuple[bool, ...], int]:
        async with ScriptedServer(pages({})) as server, ScriptedServer(pages({})) as gone:
            there = f"http://127.0.0.1:{server.port}/"
            nobody = f"http://127.0.0.1:{gone.port}/"
            await gone.__aexit__()
            way = setup("http://loket.example")
            for _ in range(2):
                answers = await references_up([there, nobody, there], deadline_us=20_000_000, setup=way)
            return answers, len(server.requests)

    assert asyncio.run(go()) == ((True, False, True), 4)


@pytest.mark.parametrize(
    ("answers", "blame"),
    [((), False), ((True,), False), ((False,), True), ((True, False), False), ((False, False, True), True)],
)
def test_most_references_must_fail_before_we_blame_ourselves(answers: tuple[bool, ...], *, blame: bool) -> None:
    """T2: the majority decides."""
    assert ours_to_blame(answers) is blame


def test_secrets_are_not_part_of_how_a_setup_is_written() -> None:
    way = Setup(
        portal=Portal(name="x", base_url="http://x", contact="y"),
        secrets={"ww": "kanarie"},
        now_us=int,
        monotonic_us=int,
        new_id=str,
    )
    assert "kanarie" not in repr(way)


@pytest.mark.usefixtures("patient_search")
def test_a_large_page_is_judged_like_a_small_one() -> None:
    body = "<p>x</p>" * 100_000 + "<h1>Einde</h1>"
    expect = {"css": [{"select": "h1", "text": "Einde"}, {"select": "p", "count": 100_000}], "regex": "<h1>E.+<"}
    sample, _ = walked(pages({"/": answer(body)}), journey(step("/", expect=expect)))
    assert (sample.outcome, sample.steps[0].assertions) == (Outcome.UP, 3)


def test_an_expression_without_end_is_our_own_fault() -> None:
    expect = {"regex": "(x+x+)+y"}
    sample, _ = walked(pages({"/": answer("x" * 5000)}), journey(step("/", expect=expect)))
    assert (sample.outcome, kind_of(sample)) == (Outcome.UNKNOWN, FailureKind.MONITOR)


def test_other_runs_go_on_while_an_expression_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """T21: while patience with an expression runs out elsewhere, the event loop has its time for others."""
    monkeypatch.setattr("probes.regexes.PATIENCE_SECONDS", 3.0)

    async def go() -> tuple[Sample, bool, Sample]:
        asked = asyncio.Event()

        async def script(_: Received, writer: asyncio.StreamWriter) -> None:
            asked.set()
            writer.write(answer("x" * 5000))

        async with ScriptedServer(script) as server:
            way = setup(f"http://127.0.0.1:{server.port}")
            endless = journey(step("/", capture={"nr": {"regex": "(x+x+)+y"}}), deadline="30s")
            stuck = asyncio.create_task(run(endless, slot_us=0, location="hier", setup=way))
            await asked.wait()
            other = await run(journey(step("/")), slot_us=0, location="hier", setup=way)
            return other, stuck.done(), await stuck

    other, was_over, stuck = asyncio.run(go())
    assert other.outcome is Outcome.UP
    assert not was_over
    assert kind_of(stuck) is FailureKind.MONITOR


@pytest.mark.parametrize(
    "page", [answer('{"a": "x\\u0000\\ud800y"}', kind="application/json"), answer("\x00\x07", status=500)]
)
def test_what_no_database_holds_stays_out_of_the_sample(page: bytes) -> None:
    sample, _ = walked(pages({"/": page}), journey(step("/", expect={"json": {"path": "a", "equals": "z"}})))
    assert sample.failure is not None
    kept = f"{sample.failure.found}{sample.evidence[0].body}"
    assert "\x00" not in kept
    assert kept.encode()
