"""A browser's trace is kept only as what is left of it once everything secret is out."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import pytest

from probes.browser.trace import LIMIT, cleaned
from probes.redaction import Redactor

SECRET = "Zéér-geheim/42"
BEGUN = {"type": "context-options", "version": 8}


def trace(path: Path, *events: dict[str, Any], **members: bytes | str) -> Path:
    """A trace of these events; `members` are its others, by name, `__` for a slash and `_` for a dot."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "trace.trace", "".join(f"{json.dumps(event, separators=(',', ':'))}\n" for event in (BEGUN, *events))
        )
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return path


def left(path: Path) -> dict[str, str]:
    body = cleaned(path, Redactor([SECRET]))
    assert body is not None
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in left(path)["trace.trace"].splitlines()][1:]


def did(method: str, call: str = "a", **params: Any) -> dict[str, Any]:
    return {"type": "before", "callId": call, "class": "Frame", "method": method, "params": params}


def test_what_was_typed_is_masked_wherever_it_stands(tmp_path: Path) -> None:
    path = trace(
        tmp_path / "t.zip",
        did("fill", selector="#pas", value=SECRET),
        {"type": "log", "callId": "a", "message": f'  fill("{SECRET}")'},
        {"type": "console", "text": SECRET, "args": [{"preview": SECRET, "value": SECRET}]},
    )
    assert events(path)[0]["params"] == {"selector": "#pas", "value": "***"}
    assert SECRET not in json.dumps(events(path), ensure_ascii=False)


def test_what_we_asked_of_the_page_ourselves_is_not_in_it(tmp_path: Path) -> None:
    """Questions about secrets hand them over; the visitor's deeds and what the page showed stay."""
    path = trace(
        tmp_path / "t.zip",
        did("evaluateExpression", "vraag", expression="x => x", arg={"value": {"s": "iets anders"}}),
        {"type": "log", "callId": "vraag", "message": "iets anders"},
        {"type": "after", "callId": "vraag", "result": {"value": "iets anders"}},
        did("click", "klik", selector="#knop"),
        {"type": "after", "callId": "klik"},
        {"type": "frame-snapshot", "snapshot": {"callId": "weg", "html": ["HTML", {}, "Dag"]}},
    )
    assert [event["type"] for event in events(path)] == ["before", "after", "frame-snapshot"]


def test_headers_cookies_and_fields_are_known_by_their_names(tmp_path: Path) -> None:
    request = {
        "url": "https://loket.example/?token=abc&taal=nl",
        "cookies": [{"name": "sessie", "value": "abc"}],
        "headers": [{"name": n, "value": "abc"} for n in ("Cookie", "Authorization", "x-csrf-token", "Accept")],
        "postData": {"params": [{"name": "_csrf", "value": "abc"}, {"name": "naam", "value": "An"}]},
    }
    answer = {"headers": [{"name": "set-cookie", "value": "sessie=abc"}], "cookies": [{"name": "x", "value": "abc"}]}
    line = {"type": "resource-snapshot", "snapshot": {"request": request, "response": answer}}
    path = trace(tmp_path / "t.zip", trace_network=json.dumps(line))
    told = json.loads(left(path)["trace.network"])["snapshot"]
    assert [header["value"] for header in told["request"]["headers"]] == ["***", "***", "***", "abc"]
    assert [param["value"] for param in told["request"]["postData"]["params"]] == ["***", "An"]
    assert told["request"]["cookies"][0]["value"] == told["response"]["cookies"][0]["value"] == "***"
    assert told["response"]["headers"][0]["value"] == "***"
    assert told["request"]["url"] == "https://loket.example/?token=***&taal=nl"


def test_a_query_is_taken_apart_only_after_the_secret_is_out(tmp_path: Path) -> None:
    """A secret with an ampersand makes two parameters, and neither is the secret any more."""
    query = [{"name": "bron", "value": "Zéér-"}, {"name": "geheim", "value": ""}, {"name": "taal", "value": "nl"}]
    request = {"url": "https://loket.example/?bron=Zéér-&geheim&taal=nl", "queryString": query}
    path = trace(tmp_path / "t.zip", trace_network=json.dumps({"snapshot": {"request": request}}))
    body = cleaned(path, Redactor(["Zéér-&geheim"]))
    assert body is not None
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        told = json.loads(archive.read("trace.network"))["snapshot"]["request"]
    assert told["queryString"] == [{"name": "bron", "value": "***"}, {"name": "taal", "value": "nl"}]


@pytest.mark.parametrize(
    ("attributes", "kept"),
    [
        ({"type": "password", "__playwright_value_": "abc"}, "***"),
        ({"type": "hidden", "name": "vast", "value": "abc"}, "***"),
        ({"name": "token", "value": "abc"}, "***"),
        ({"name": "csrf-token", "content": "abc"}, "***"),
        ({"type": "text", "name": "naam", "value": "abc"}, "abc"),
    ],
)
def test_fields_that_nobody_should_read_are_empty_on_the_pages_of_a_trace(
    tmp_path: Path, attributes: dict[str, str], kept: str
) -> None:
    path = trace(
        tmp_path / "t.zip",
        {"type": "frame-snapshot", "snapshot": {"html": ["HTML", {}, ["INPUT", attributes], [[1, 3]]]}},
    )
    html = events(path)[0]["snapshot"]["html"]
    [value] = [item for name, item in html[2][1].items() if name in ("value", "content", "__playwright_value_")]
    assert value == kept
    assert html[3] == [[1, 3]]  # what refers to an earlier snapshot stays as it was


def test_of_resources_only_texts_stay_and_they_are_gone_through(tmp_path: Path) -> None:
    page = f"<p>{SECRET}</p><input type=hidden name=vast value=abc><meta name='csrf-token' content='abc'>"
    kept = left(
        trace(
            tmp_path / "t.zip", resources__a_html=page, resources__b_png=b"\x89PNG", resources__c_js=SECRET,
            resources__d_css="p { color: red }", resources__e_html=b"\xff\xfe", trace_stacks="{}",
        )
    )  # fmt: skip
    assert set(kept) == {"trace.trace", "resources/a.html", "resources/d.css"}
    assert kept["resources/a.html"].count("***") == 3
    assert "abc" not in kept["resources/a.html"]


def test_a_secret_that_is_put_together_from_pieces_that_are_none_is_not_kept_at_all(tmp_path: Path) -> None:
    """The second look is at the whole: here an escape of one text meets the form that a secret is written in."""
    path = trace(tmp_path / "t.zip", {"type": "log", "message": "a"}, {"a/b": "a"})
    assert cleaned(path, Redactor(['"log","message":"a"'])) is None


@pytest.mark.parametrize("content", [b"no zip", b""], ids=["rubbish", "empty"])
def test_what_is_no_trace_is_not_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.zip").write_bytes(content)
    assert cleaned(tmp_path / "t.zip", Redactor()) is None
    assert cleaned(tmp_path / "nergens.zip", Redactor()) is None


def test_a_trace_with_lines_that_are_no_json_is_not_kept(tmp_path: Path) -> None:
    assert cleaned(trace(tmp_path / "t.zip", trace_network="{geheim"), Redactor()) is None


def test_of_a_trace_that_is_too_large_resources_stay_as_far_as_they_go_and_the_pages_go(tmp_path: Path) -> None:
    noise = Random(1)

    def much(size: int) -> str:
        """Text that compresses to half."""
        return noise.randbytes(size // 2).hex()

    resources = {f"resources__{n}_html": much(1_000_000) for n in range(3)}
    assert set(left(trace(tmp_path / "t.zip", **resources))) == {"trace.trace", "resources/0.html", "resources/1.html"}
    pages = [{"type": "frame-snapshot", "snapshot": {"html": ["P", {}, much(1_000_000)]}} for _ in range(6)]
    path = trace(tmp_path / "u.zip", did("goto", url="/"), *pages)
    assert [event["type"] for event in events(path)] == ["before"]
    assert len(cleaned(path, Redactor()) or b"") < LIMIT
