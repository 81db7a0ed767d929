"""A failing run leaves one bundle with all that proves it; a run that went well leaves nothing."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import socket
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probes.bundle import LIMIT, BundleDamagedError, evidence_of, har_of, unpacked
from probes.checks import CertificateCheck, Journey
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from probes.setup import Setup
from tests.archives import problems
from tests.certificates import LONG_AGO, PAST, authority
from tests.scripted_server import Received, Script, ScriptedServer, answer, journey, pages, setup, step, walked

pytestmark = pytest.mark.usefixtures("each_engine")

BROKEN = answer("Interne fout", status=500, head="Set-Cookie: sessie=abc123; Path=/\r\n")
FORM = {"method": "POST", "form": {"naam": "Jan & An", "_csrf": "xyz"}}


def told(sample: Sample) -> dict[str, Any]:
    [bundle] = sample.bundles
    found: dict[str, Any] = json.loads(unpacked(bundle.packed))
    return found


def failing(script: Script, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    sample, _ = walked(script, journey(*steps), **more)
    return told(sample)


def test_a_run_that_went_well_leaves_none() -> None:
    sample, _ = walked(pages({"/": answer("goed")}), journey())
    assert (sample.outcome, sample.bundles) == (Outcome.UP, ())


def test_a_bundle_is_named_by_its_canonical_bytes() -> None:
    sample, _ = walked(pages({"/": BROKEN}), journey())
    [bundle] = sample.bundles
    body = unpacked(bundle.packed)
    assert (bundle.sha256, bundle.size) == (hashlib.sha256(body).hexdigest(), len(body))
    again = json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert again == body


def test_it_tells_who_asked_what_was_expected_and_what_was_found() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        way = setup(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        found = told(asyncio.run(run(journey(), slot_us=60_000_000, location="hier", setup=configured(way))))
    assert (found["check"], found["location"], found["due"]) == ("reis", "hier", "1970-01-01T00:01:00.000000Z")
    assert found["config_sha256"] == "c0ffee"
    assert found["failure"]["kind"] == "connect"
    [piece] = found["evidence"]
    assert piece["failure"] == found["failure"]
    assert piece["addresses"] == ["127.0.0.1 (connection refused)"]
    [entry] = found["har"]["log"]["entries"]
    assert (entry["response"]["status"], entry["_attempts"][0]["refusal"]) == (0, "connection refused")


def configured(way: Setup) -> Setup:
    return replace(way, config_sha256="c0ffee")


def test_every_step_and_every_redirect_is_an_entry_of_the_archive() -> None:
    moved = answer(status=302, head="Location: /stuk?code=geheim1\r\n")
    script = pages({"/": answer("goed"), "/door": moved, "/stuk": BROKEN})
    found = failing(script, step(name="een"), step("/door", name="twee", **FORM), step(name="drie"))
    log = found["har"]["log"]
    assert [(e["pageref"], e["request"]["method"], e["response"]["status"]) for e in log["entries"]] == [
        ("een", "GET", 200), ("twee", "POST", 302), ("twee", "GET", 500),
    ]  # fmt: skip
    assert log["entries"][1]["request"]["postData"]["params"] == [
        {"name": "naam", "value": "Jan & An"}, {"name": "_csrf", "value": "***"},
    ]  # fmt: skip
    assert log["entries"][1]["response"]["redirectURL"] == "/stuk?code=***"
    assert log["entries"][2]["response"]["content"]["text"] == "Interne fout"
    assert log["entries"][2]["response"]["cookies"] == [{"name": "sessie", "value": "***"}]
    assert [one["step"] for one in found["steps"]] == ["een", "twee"]
    assert "geheim1" not in json.dumps(found)


@pytest.mark.parametrize(
    "script",
    [
        pages({"/": BROKEN}),
        pages({"/": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nkort"}),
        pages({"/": b"rommel\r\n\r\n"}),
        pages({"/": answer(b"\xff\x00\x1b[31m\xed\xa0\x80", kind="")}),
        pages({"/": answer(status=302, head="Location: /\r\n")}),
        pages({"/": answer("x" * 300_000, status=503, head="X-Leeg:\r\nX-Groot: " + "y" * 20_000 + "\r\n")}),
    ],
    ids=["error", "cut-short", "garbage", "bytes", "loop", "large"],
)
def test_the_archive_is_as_har_says_whatever_came(script: Script) -> None:
    found = failing(script, step("/?a=1&a=&b=%2B", name="een", expect={"text": "staat er niet"}, **FORM))
    assert problems(json.loads(har_of(json.dumps(found).encode()))) == []
    assert len(found["har"]["log"]["entries"]) >= 1


def test_the_pieces_of_evidence_are_read_back_from_the_archive() -> None:
    script = pages({"/": answer("goed"), "/stuk": answer("regel\r\nregel", status=500)})
    sample, _ = walked(
        script, journey(step(name="een"), step("/stuk?token=q", name="twee"), step("/weg", name="op", always=True))
    )
    assert [piece.step for piece in sample.evidence] == ["twee", "op"]
    assert evidence_of(told(sample)) == sample.evidence


def test_a_clean_up_that_failed_has_its_bundle_and_the_run_stays_up() -> None:
    sample, _ = walked(pages({"/": answer("goed")}), journey(step(), step("/weg", name="opruimen", always=True)))
    assert sample.outcome is Outcome.UP
    assert told(sample)["failure"] is None
    assert told(sample)["evidence"][0]["failure"]["kind"] == "http-status"


def test_a_bundle_is_bounded_and_what_it_lacks_is_told() -> None:
    page = answer("<p>" + "ü" * 200_000)
    steps = [step(f"/{i}", name=f"s{i}") for i in range(30)]
    script = pages({f"/{i}": page for i in range(30)} | {"/stuk": answer("é" * 500_000, status=500)})
    sample, _ = walked(script, journey(*steps, step("/stuk", name="laatste")))
    assert sample.bundles[0].size <= LIMIT
    found = told(sample)
    last = found["har"]["log"]["entries"][-1]["response"]["content"]
    assert (len(last["text"]), last["size"], last["comment"]) == (65_536, 1_000_000, "cut after 65536 characters")
    assert found["har"]["log"]["entries"][0]["response"]["content"]["size"] == 400_003


def test_the_certificate_that_was_shown_is_in_it(tmp_path: Path) -> None:
    trusted = authority(tmp_path)

    async def go() -> Sample:
        async with ScriptedServer(pages({"/": BROKEN}), context=trusted.server("127.0.0.1")) as server:
            way = setup(f"https://127.0.0.1:{server.port}", ca_file=trusted.file)
            return await run(journey(), slot_us=0, location="hier", setup=way)

    [piece] = told(asyncio.run(go()))["evidence"]
    assert piece["certificate"]["names"] == ["127.0.0.1"]
    assert piece["certificate"]["tls_version"].startswith("TLS")
    assert piece["replay"]["lacks"] == ["authority"]


def test_the_certificate_that_was_refused_is_in_it_too(tmp_path: Path) -> None:
    trusted = authority(tmp_path)

    async def go() -> Sample:
        async with ScriptedServer(pages({}), context=trusted.server("127.0.0.1", until=PAST, since=LONG_AGO)) as server:
            way = setup(f"https://127.0.0.1:{server.port}", ca_file=trusted.file)
            return await run(journey(), slot_us=0, location="hier", setup=way)

    sample = asyncio.run(go())
    found = told(sample)
    assert found["failure"]["kind"] == "tls"
    assert found["certificate"]["not_after"] == PAST.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert (sample.certificate, found["evidence"][0]["certificate"]) == (None, None)


def test_a_failing_certificate_check_has_its_bundle_too(tmp_path: Path) -> None:
    async def go() -> Sample:
        async with ScriptedServer(pages({}), context=authority(tmp_path).server("elders.example")) as server:
            check = CertificateCheck.model_validate(
                {"id": "cert", "title": {"nl": "C", "en": "C"}, "interval": "60s", "deadline": "5s",
                 "host": "127.0.0.1", "port": server.port}
            )  # fmt: skip
            return await run(check, slot_us=0, location="hier", setup=setup("https://127.0.0.1"))

    found = told(asyncio.run(go()))
    assert found["failure"]["kind"] == FailureKind.CERTIFICATE.value
    assert found["certificate"]["names"] == ["elders.example"]
    assert found["har"]["log"]["entries"] == []


def test_what_is_no_bundle_is_refused() -> None:
    for content in (
        b"",
        b"geen zlib",
        zlib.compress(b"{}")[:-2],
        zlib.compress(b"{}") + b"x",
        zlib.compress(b"0" * 3 * LIMIT),
    ):
        with pytest.raises(BundleDamagedError):
            unpacked(content)


# -- asked again with curl ---------------------------------------------------------------------------------------------


def replayed(what: Journey, *, host: str = "127.0.0.1") -> tuple[Received, Received, str]:
    """What the run sent, what its curl line sent afterwards, and what curl printed."""

    async def go() -> tuple[Received, Received, str]:
        async with ScriptedServer(pages({"/stuk": BROKEN})) as server:
            way = setup(f"http://{host}:{server.port}", ip="4")
            line = told(await run(what, slot_us=0, location="hier", setup=way))["evidence"][0]["replay"]["curl"]
            shell = await asyncio.create_subprocess_shell(
                line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"}
            )
            said, _ = await shell.communicate()
            first, second = server.requests
            return first, second, said.decode()

    return asyncio.run(go())


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"form": {"naam": "Jan & An", "adres": "'t Zand; $(id) `x` \\n 50%\n"}, "method": "POST"},
        {"body": '{"a": "@bestand", "b": "ë"}', "method": "PUT", "headers": {"Content-Type": "application/json"}},
        {"body": "@/etc/hostname", "method": "POST", "headers": {"X-Leeg": "", "X-Wat": "'$HOME'"}},
        {"multipart": [{"name": "deel", "text": "50% \\n regel\r\nregel"}], "method": "POST"},
        {"method": "DELETE"},
        {"method": "HEAD"},
    ],
    ids=["get", "form", "json", "at-sign", "multipart", "delete", "head"],
)
def test_the_curl_line_sends_the_same_request(more: dict[str, Any]) -> None:
    first, second, said = replayed(journey(step("/stuk?a=[1]&b={2}", **more)))
    assert (second.method, second.target, second.body) == (first.method, first.target, first.body)
    ours = {"connection", "content-length"}
    assert {k: v for k, v in second.headers.items() if k not in ours} == {
        k: v for k, v in first.headers.items() if k not in ours
    }
    assert "500 X" in said


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_curl_line_asks_the_very_server_that_answered() -> None:
    _, second, said = replayed(journey(step("/stuk")), host="localhost")
    assert second.headers["host"].startswith("localhost:")
    assert "500 X" in said


def test_a_line_says_what_it_lacks() -> None:
    binary = step("/stuk", method="POST", multipart=[{"name": "f", "file_name": "a.pdf", "size": 100_000}])
    [large] = failing(pages({}), binary)["evidence"]
    assert large["replay"]["lacks"] == ["body"]
    [secret] = failing(pages({}), step("/stuk?token=abc"))["evidence"]
    assert (secret["replay"]["lacks"], "token=***" in secret["replay"]["curl"]) == (["secrets"], True)


def test_nothing_is_replayed_that_was_never_sent() -> None:
    found = failing(pages({}), step("/{{ weg }}", name="een"))
    assert found["evidence"][0]["replay"] is None
