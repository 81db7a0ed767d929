"""What a failing run in a browser leaves: its requests, a picture, a trace; and nothing secret in any of them."""

from __future__ import annotations

import asyncio
import base64
import html
import io
import json
import zipfile
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from probes.browser.definition import ChromiumSettings
from probes.bundle import evidence_of, unpacked
from probes.sample import FailureKind, FileKind, Outcome, Sample
from tests.archives import problems
from tests.in_a_browser import browsed, file_of, in_chromium, of_steps, one_page, told
from tests.scripted_server import Received, ScriptedServer, answer, pages

pytestmark = in_chromium

SECRET = "Zéér-geheim/42+&<x>=?"  # every way of writing it differs
FAILS: dict[str, Any] = {"expect": {"visible": "#er-niet"}}


def seen(
    by_path: dict[str, bytes],
    *,
    secrets: dict[str, str] | None = None,
    settings: ChromiumSettings | None = None,
    **changes: Any,
) -> Sample:
    """A run of one step on a site of these pages."""

    async def go() -> Sample:
        async with ScriptedServer(pages({"/favicon.ico": answer(), **by_path})) as server:
            names = {"geplant": SECRET} if secrets is None else secrets
            journey = one_page(**changes).model_copy(update={"secrets": tuple(names)})
            return await browsed(f"http://127.0.0.1:{server.port}", journey, secrets=names, settings=settings)

    return asyncio.run(go())


def entries(sample: Sample) -> dict[str, dict[str, Any]]:
    """The archive's entries by the path that was asked."""
    log = told(sample)["har"]["log"]
    assert problems({"log": log}) == []
    return {entry["request"]["url"].split("/", 3)[3]: entry for entry in log["entries"]}


def test_every_request_of_a_failing_run_stands_in_its_archive_those_that_came_to_nothing_too() -> None:
    policy = "Content-Security-Policy: img-src 'self'; style-src 'none'\r\n"
    page = (
        "<h1>Dag</h1><img src='/beeld.png'><img src='http://127.0.0.1:1/elders.png'><link rel=stylesheet href='/s.css'>"
        "<script>fetch('/data', {method: 'POST', body: new URLSearchParams({vraag: 'ja'})})</script>"
        "<script src='/weg.js'></script>"
    )
    data = answer('{"antwoord": "nee"}', kind="application/json")
    sample = seen(
        {"/": answer(page, head=policy), "/beeld.png": answer(b"\x89PNG", kind="image/png"), "/data": data},
        wait="3s",
        **FAILS,
    )
    found = entries(sample)
    assert set(found) == {"", "beeld.png", "elders.png", "s.css", "data", "weg.js"}
    assert found[""]["response"]["content"]["text"] == page
    assert found[""]["_resourceType"] == "document"
    assert found["data"]["request"]["postData"]["params"] == [{"name": "vraag", "value": "ja"}]
    assert found["data"]["response"]["content"]["text"] == '{"antwoord": "nee"}'
    assert found["beeld.png"]["response"]["content"]["comment"] == "left out"
    assert found["s.css"]["response"]["_failureText"] == "csp"
    assert "Content-Security-Policy" in found["s.css"]["comment"]
    assert found["elders.png"]["response"]["status"] == 0
    assert found["weg.js"]["response"]["status"] == 404
    # A browser may have connected ahead of a request, which then tells no such time.
    assert all(found[name]["timings"]["wait"] > 0 for name in ("", "data", "beeld.png", "weg.js"))


def test_redirects_stand_in_the_archive_one_by_one() -> None:
    away = answer(status=302, head="Location: /daar\r\n")
    found = entries(seen({"/": away, "/daar": answer("<h1>Dag</h1>")}, **FAILS))
    assert [entry["response"]["status"] for entry in found.values()] == [302, 200]
    assert found[""]["response"]["redirectURL"] == "/daar"


def test_a_bundle_tells_what_was_expected_the_page_its_timings_and_what_went_wrong_beside_it() -> None:
    page = "<h1>Dag</h1><script>console.error('stuk')</script><img src='http://127.0.0.1:1/x.png'>"
    sample = seen({"/": answer(page)}, **FAILS)
    bundle = told(sample)
    assert (bundle["failure"]["expected"], bundle["failure"]["found"]) == ("visible", "hidden")
    assert bundle["config_sha256"] == ""
    seen_beside = bundle["browser"]["steps"]["pagina"]
    assert "stuk" in seen_beside["console"]
    assert seen_beside["blocked"] == ["127.0.0.1:1"]
    assert bundle["har"]["log"]["entries"][seen_beside["document"]]["_isPage"]
    assert seen_beside["loaded_us"] > 0
    assert seen_beside["first_paint_us"] is None or seen_beside["first_paint_us"] > 0
    assert seen_beside["largest_paint_us"] == sample.steps[0].lcp_us
    timings = bundle["har"]["log"]["pages"][0]["pageTimings"]
    assert timings["onLoad"] * 1000 == sample.steps[0].loaded_us
    [piece] = evidence_of(bundle)
    assert piece.response_head.startswith("200\n")
    assert "<h1>Dag</h1>" in piece.body


def test_a_page_that_never_answers_stands_in_the_archive_without_an_answer() -> None:
    async def silent(_: Received, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def go() -> Sample:
        async with ScriptedServer(silent) as server:
            return await browsed(f"http://127.0.0.1:{server.port}", one_page(deadline="3s"))

    sample = asyncio.run(go())
    assert sample.failure is not None
    assert sample.failure.kind is FailureKind.TIMEOUT
    [entry] = entries(sample).values()
    assert (entry["response"]["status"], entry["response"]["_failureText"]) == (0, "no answer so far")


def test_a_run_that_goes_well_leaves_nothing() -> None:
    sample = seen({"/": answer("<h1>Dag</h1>")})
    assert (sample.outcome, sample.bundles, sample.evidence) == (Outcome.UP, (), ())
    assert sample.steps[0].loaded_us is not None


def test_a_failing_run_leaves_a_picture_and_a_trace_that_its_bundle_names() -> None:
    sample = seen({"/": answer("<h1>Dag</h1>")}, **FAILS)
    named = told(sample)["browser"]["files"]
    assert [(one["kind"], one["step"]) for one in named] == [("picture", "pagina"), ("trace", "")]
    assert [one["name"] for one in named] == [f"{file.sha256}.{file.form}" for file in sample.bundles[0].files]
    picture, trace = file_of(sample, FileKind.PICTURE), file_of(sample, FileKind.TRACE)
    assert picture is not None
    assert picture.startswith(b"\x89PNG")
    assert trace is not None
    lines = [json.loads(line) for line in members(trace)["trace.trace"].splitlines()]
    assert {"goto", "isVisible"} <= {line.get("method") for line in lines}
    assert not any(line["type"] == "frame-snapshot" for line in lines)


@pytest.mark.parametrize(("trace", "holds"), [("pages", True), ("none", None)])
def test_what_a_trace_holds_is_chosen(trace: str, holds: bool | None) -> None:
    settings = ChromiumSettings.model_validate({"trace": trace})
    sample = seen({"/": answer("<h1>Dag</h1>")}, settings=settings, **FAILS)
    content = file_of(sample, FileKind.TRACE)
    assert (content is None) == (holds is None)
    assert content is None or ('"frame-snapshot"' in members(content)["trace.trace"]) == holds
    assert file_of(sample, FileKind.PICTURE) is not None
    assert told(sample)["browser"]["left_out"] == []


def test_what_a_day_may_keep_is_not_exceeded_and_what_is_left_out_is_told() -> None:
    async def go() -> Sample:
        async with ScriptedServer(pages({"/": answer("<h1>Dag</h1>")})) as server:
            tight = ChromiumSettings(kept_per_day=10)
            return await browsed(f"http://127.0.0.1:{server.port}", one_page(**FAILS), settings=tight)

    sample = asyncio.run(go())
    assert sample.bundles[0].files == ()
    assert [(one["kind"], one["why"]) for one in told(sample)["browser"]["left_out"]] == [
        ("picture", "budget"), ("trace", "budget"),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------- no secrets


def members(archive: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name).decode("utf-8", "replace") for name in opened.namelist()}


def written() -> set[str]:
    """The ways in which the secret could be written."""
    raw = SECRET.encode()
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    quoted = {quote(SECRET), quote(SECRET, safe=""), html.escape(SECRET)}
    return {SECRET, json.dumps(SECRET)[1:-1]} | encoded | quoted


def echoing() -> dict[str, bytes]:
    """A portal that shows a secret again in every way, in a page, a script's error, a frame, a cookie and data."""
    shown = "\n".join(f"<p>{html.escape(form)}</p>" for form in sorted(written()))
    page = (
        f"<h1>Dag</h1>{shown}<form><input id=veld name=naam><input type=password name=w value=vastgelegd-wachtwoord>"
        f"<input type=hidden name=_csrf value=eenmalig-teken></form><p>Nummer 85.07.30-033.28</p>"
        f"<iframe srcdoc='{html.escape(html.escape(SECRET))}'></iframe>"
        f"<script>console.error({json.dumps(SECRET)});"
        f"fetch('/data?bron=' + encodeURIComponent({json.dumps(SECRET)}), {{method: 'POST',"
        f"headers: {{Authorization: 'Bearer ' + btoa(unescape(encodeURIComponent({json.dumps(SECRET)})))}},"
        f"body: new URLSearchParams({{naam: {json.dumps(SECRET)}, _csrf: veld.form._csrf.value}})}})</script>"
    )
    cookies = "Set-Cookie: sessie=geheime-sessie; Path=/\r\nSet-Cookie: tweede=ook-geheim; Path=/\r\n"
    return {
        "/": answer(page, head=cookies),
        "/data": answer(json.dumps({"token": "uitgereikt-teken", "naam": SECRET}), kind="application/json"),
    }


def test_nothing_secret_is_in_the_archive_the_trace_or_the_bundle() -> None:
    """T47: a secret that was typed, sent and shown again; inside the trace's members too."""
    fill = {"#veld": "{{ secret.geplant }}"}
    sample = seen(echoing(), settings=ChromiumSettings(trace="pages"), fill=fill, click="h1", **FAILS)
    trace = file_of(sample, FileKind.TRACE)
    assert trace is not None
    whole = {"bundle": unpacked(sample.bundles[0].packed).decode(), "steps": repr(sample.steps), **members(trace)}
    assert {"trace.trace", "trace.network"} <= set(whole)
    assert any(name.startswith("resources/") for name in whole)
    assert not any(name.endswith(".stacks") for name in whole)
    assert "***" in whole["trace.trace"]
    hidden = {"geheime-sessie", "ook-geheim", "eenmalig-teken", "uitgereikt-teken", "85.07.30-033.28"}
    for form in written() | hidden | {"vastgelegd-wachtwoord", "Zéér-geheim"}:
        found = [
            f"{name}: …{text[max(0, text.find(form) - 150) :][:300]}" for name, text in whole.items() if form in text
        ]
        assert found == [], form


def test_a_value_that_a_run_came_by_and_that_grants_access_is_hidden_as_well() -> None:
    page = "<h1>Dag</h1><b>pas-uitgereikt</b>"
    capture = {"sleutel": {"css": "b", "secret": True}}
    first = {"id": "krijgen", "goto": "/", "expect": {"visible": "h1"}, "capture": capture}
    second = {"id": "gebruiken", "goto": "/?met={{ sleutel }}", **FAILS}

    async def go() -> Sample:
        async with ScriptedServer(pages({"/": answer(page)})) as server:
            return await browsed(f"http://127.0.0.1:{server.port}", of_steps(first, second, wait="3s"))

    sample = asyncio.run(go())
    trace = file_of(sample, FileKind.TRACE)
    assert trace is not None
    seen_texts = [unpacked(sample.bundles[0].packed).decode(), *members(trace).values()]
    assert [text for text in seen_texts if "pas-uitgereikt" in text] == []


COVERED = [
    f"<p id=geheim>{html.escape(SECRET)}</p>",
    "<p id=geheim>Z&eacute;&eacute;r<b>-geheim/42</b><i>+&amp;&lt;x&gt;=?</i></p>",
    f"<input id=geheim value='{html.escape(SECRET)}'>",
    f"<textarea id=geheim>{html.escape(SECRET)}</textarea>",
    "<input id=geheim type=password value=wachtwoord>",
    "<p id=geheim>85.07.30-033.28</p>",
    f"<p id=geheim>{quote(SECRET, safe='')}</p>",
    f"<div id=a></div><script>a.attachShadow({{mode: 'open'}}).innerHTML = `<p>{html.escape(SECRET)}</p>`</script>",
    f"<iframe style='border:0' srcdoc='<body style=margin:0><p>{html.escape(html.escape(SECRET))}</p>'></iframe>",
]


@pytest.mark.parametrize(
    "secret", COVERED, ids=["text", "across", "field", "area", "password", "number", "encoded", "shadow", "frame"]
)
def test_what_is_secret_is_covered_on_the_picture(secret: str) -> None:
    """T47: the same page with and without the secret gives the same picture but for the grey that covers it."""
    dots = pictured(secret)
    assert dots.count((0x76, 0x76, 0x76)) > 300
    assert red(dots) == red(pictured(""))


@cache
def pictured(secret: str) -> tuple[tuple[int, int, int], ...]:
    page = (
        "<meta charset=utf-8><style>* { font: 20px/1 monospace; color: #f00; border: 0 }</style><h1>Dag</h1>" + secret
    )
    picture = file_of(seen({"/": answer(page)}, **FAILS), FileKind.PICTURE)
    assert picture is not None
    return tuple(pixels(picture))


def red(dots: tuple[tuple[int, int, int], ...]) -> int:
    return sum(r > 200 and g < 80 and b < 80 for r, g, b in dots)


def pixels(png: bytes) -> list[tuple[int, int, int]]:
    with Image.open(io.BytesIO(png)) as opened:
        dots = opened.convert("RGB").tobytes()
    return list(zip(dots[0::3], dots[1::3], dots[2::3], strict=True))


def test_a_picture_on_the_way_leaves_the_page_as_it_was() -> None:
    """What a visitor typed is sent as typed, though a picture was taken before the form was."""
    form = "<h1>Dag</h1><form action=/klaar><input id=veld name=naam><button>Verder</button></form>"
    typed = {"id": "typen", "goto": "/", "fill": {"#veld": "{{ secret.geplant }}"}, "screenshot": True}
    sent = {"id": "sturen", "click": "button", **FAILS}
    asked: list[str] = []

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        asked.append(received.target)
        writer.write(answer(form))

    async def go() -> Sample:
        async with ScriptedServer(script) as server:
            journey = of_steps(typed, sent, secrets=["geplant"])
            return await browsed(f"http://127.0.0.1:{server.port}", journey, secrets={"geplant": SECRET})

    sample = asyncio.run(go())
    assert [file.step for file in sample.bundles[0].files] == ["typen", "sturen", ""]
    assert any("Z%C3%A9%C3%A9r-geheim" in target for target in asked)
