"""What a step's answer must satisfy, one expectation at a time."""

from __future__ import annotations

from typing import Any

import pytest

from probes.assertions import Finding, findings, seconds, slowness
from probes.checks import Expect
from probes.response import Response
from probes.sample import FailureKind

PAGE = """<html><body><h1>  Welkom
 bij het loket </h1><p id="leeg"></p><ul><li data-nr="0012">een</li><li>twee</li></ul></body></html>"""
JSON = (
    '{"aantal": 3, "prijs": 0.10, "naam": "Gent", "open": true, '
    '"niets": null, "lijst": ["a", "b"], "nr": 9007199254740993}'
)
SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>x</s:Fault></s:Body></s:Envelope>'
)


def page(body: str | bytes = PAGE, *, kind: str = "text/html", status: int = 200, **more: Any) -> Response:
    raw = body.encode() if isinstance(body, str) else body
    headers = (("content-type", kind), ("server", "proef"), ("x-twee", "a"), ("x-twee", "b"))
    return Response(status=status, headers=headers, url="https://loket.example/a?b=1", body=raw, **more)


def judged(response: Response, **expect: Any) -> Finding:
    (finding,) = findings(Expect.model_validate(expect), response)
    return finding


@pytest.mark.parametrize(
    "expect",
    [
        {"status": 200},
        {"status": [200, 204]},
        {"text": "Welkom"},
        {"not_text": "Onderhoud"},
        {"regex": r"data-nr=\"\d{4}\""},
        {"css": {"select": "h1"}},
        {"css": {"select": "h1", "text": "Welkom bij het loket"}},
        {"css": {"select": "h1", "contains": "bij het"}},
        {"css": {"select": "h1", "matches": "^Welkom.*loket$"}},
        {"css": {"select": "li", "attribute": "data-nr", "text": "0012"}},
        {"css": {"select": "li::attr(data-nr)", "text": "0012"}},
        {"css": {"select": "li", "count": 2}},
        {"css": {"select": "li", "min_count": 2}},
        {"css": {"select": "#error", "count": 0}},
        {"css": {"select": "#leeg", "text": ""}},
        {"header": {"name": "Server"}},
        {"header": {"name": "server", "equals": "proef"}},
        {"header": {"name": "X-Twee", "equals": "b"}},
        {"header": {"name": "X-Twee", "matches": "^[ab]$"}},
        {"header": {"name": "X-Powered-By", "absent": True}},
        {"url": r"/a\?b=\d$"},
        {"content_type": "text/html"},
        {"min_bytes": 10},
        {"max_bytes": 1000},
        {"hard": "1s"},
    ],
    ids=str,
)
def test_a_good_page_satisfies(expect: dict[str, Any]) -> None:
    assert judged(page(), **expect).ok


@pytest.mark.parametrize(
    ("expect", "subject", "expected", "found"),
    [
        ({"status": [200, 204]}, "status", "200 or 204", "503"),
        ({"text": "Goed"}, "text", "contains “Goed”", "“Onderhoud”"),
        ({"not_text": "derhoud"}, "text", "does not contain “derhoud”", "“<h1>Onderhoud</h1><i></i>”"),
        ({"regex": "^Goed"}, "text", "matches “^Goed”", "“Onderhoud”"),
        ({"css": {"select": "h2"}}, "css h2", "an element", "no element"),
        ({"css": {"select": "h1", "text": "Goed"}}, "css h1", "“Goed”", "“Onderhoud”"),
        ({"css": {"select": "h1", "attribute": "id"}}, "css h1", "attribute id", "absent"),
        ({"css": {"select": "i", "contains": "x"}}, "css i", "contains “x”", "empty"),
        ({"css": {"select": "h1", "count": 0}}, "css h1", "no element", "1 element"),
        ({"css": {"select": "h2", "min_count": 2}}, "css h2", "at least 2 elements", "no element"),
        ({"header": {"name": "X-Geen"}}, "header X-Geen", "present", "absent"),
        ({"header": {"name": "Server", "absent": True}}, "header Server", "absent", "“proef”"),
        ({"header": {"name": "Server", "contains": "nginx"}}, "header Server", "contains “nginx”", "“proef”"),
        ({"url": "/b$"}, "url", "matches “/b$”", "“https://loket.example/a?b=1”"),
        ({"content_type": "application/pdf"}, "content type", "“application/pdf”", "“text/html”"),
        ({"min_bytes": 100}, "body size", "at least 100 bytes", "25 bytes"),
        ({"max_bytes": 10}, "body size", "at most 10 bytes", "25 bytes"),
        ({"hard": "1s"}, "duration", "at most 1 s", "1.25 s"),
        ({"json": {"path": "a"}}, "json a", "JSON", "not JSON: “Expecting value: line 1 column 1 (char 0)”"),
    ],
    ids=str,
)
def test_a_bad_page_is_told_in_words(expect: dict[str, Any], subject: str, expected: str, found: str) -> None:
    finding = judged(page("<h1>Onderhoud</h1><i></i>", status=503, duration_us=1_250_000), **expect)
    assert (finding.ok, finding.subject, finding.expected, finding.found) == (False, subject, expected, found)


@pytest.mark.parametrize(
    "wanted",
    [
        {"path": "aantal", "equals": 3},
        {"path": "aantal", "equals": 3.0},
        {"path": "prijs", "equals": 0.1},
        {"path": "prijs", "at_least": 0.1, "at_most": 0.1},
        {"path": "naam", "equals": "Gent"},
        {"path": "naam", "contains": "en"},
        {"path": "naam", "matches": "^G"},
        {"path": "open", "equals": True},
        {"path": "lijst", "count": 2},
        {"path": "lijst", "contains": "b"},
        {"path": "lijst", "equals": ["a", "b"]},
        {"path": "nr", "equals": 9007199254740993},
        {"path": "aantal > `2`", "equals": True},
        {"path": "max([aantal, prijs])", "equals": 3},
        {"path": "length(lijst)", "at_least": 2},
    ],
    ids=str,
)
def test_json_is_compared_exactly(wanted: dict[str, Any]) -> None:
    assert judged(page(JSON, kind="application/json"), json=wanted).ok


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"path": "aantal", "equals": "3"}, "3"),
        ({"path": "open", "equals": 1}, "true"),
        ({"path": "niets"}, "nothing"),
        ({"path": "bestaat.niet"}, "nothing"),
        ({"path": "nr", "equals": 9007199254740992}, "9007199254740993"),
        ({"path": "prijs", "at_least": 0.11}, "0.10"),
        ({"path": "naam", "at_least": 1}, "“Gent”"),
        ({"path": "lijst", "count": 0}, '["a","b"]'),
    ],
    ids=str,
)
def test_json_that_differs_fails(wanted: dict[str, Any], found: str) -> None:
    finding = judged(page(JSON, kind="application/json"), json=wanted)
    assert (finding.ok, finding.found) == (False, found)


def test_a_robot_page_where_json_belongs_cannot_be_read() -> None:
    assert judged(page(), json={"path": "content"}).kind is FailureKind.BODY


def test_a_hash_is_of_the_decoded_body() -> None:
    digest = "185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969"
    assert judged(page("Hello"), sha256=digest).ok
    assert not judged(page("hello"), sha256=digest).ok


def test_an_element_of_xml_is_found_without_its_namespace() -> None:
    finding = judged(page(SOAP, kind="text/xml; charset=utf-8"), css={"select": "Fault", "count": 0})
    assert (finding.ok, finding.found) == (False, "1 element")


def test_an_entity_of_xml_reads_no_file() -> None:
    evil = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    assert judged(page(evil, kind="application/xml"), css={"select": "x", "text": ""}).ok


def test_an_empty_page_holds_nothing() -> None:
    finding = judged(page(""), css={"select": "h1"})
    assert (finding.ok, finding.kind, finding.found) == (False, FailureKind.BODY, "an empty body")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html; charset=iso-8859-1", "é".encode("latin-1")),
        ("text/html", '<meta charset="windows-1252">é'.encode("cp1252")),
        ("text/html", b"\xff\xfe" + "é".encode("utf-16-le")),
        ("text/html; charset=bestaat-niet", "é".encode()),
        ("text/xml", '<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'.encode("latin-1")),
    ],
)
def test_text_is_read_in_its_charset(kind: str, body: bytes) -> None:
    assert judged(page(body, kind=kind), text="é").ok


def test_every_assertion_is_executed_and_counted() -> None:
    expect = Expect.model_validate({"status": 500, "text": ["a", "b"], "css": [{"select": "h1"}, {"select": "h2"}]})
    assert len(findings(expect, page())) == 5


def test_beyond_a_soft_limit_it_is_slow() -> None:
    soft = slowness(Expect.model_validate({"soft": "1s"}), page(duration_us=1_000_001))
    assert soft is not None
    assert (soft.ok, soft.kind) == (False, FailureKind.SLOW)
    assert slowness(Expect(), page()) is None


@pytest.mark.parametrize(
    ("duration_us", "text"), [(0, "0 s"), (1_250_000, "1.25 s"), (10_000_000, "10 s"), (999, "0 s")]
)
def test_seconds_are_cut_to_the_millisecond(duration_us: int, text: str) -> None:
    assert seconds(duration_us) == text


def test_what_is_missing_is_told_with_the_title_of_the_page_that_came_instead() -> None:
    finding = judged(page("<title>Onderhouds\nwerken</title><p>Sorry"), css={"select": "#btn-indienen"})
    assert finding.found == "no element, on the page “Onderhouds werken”"


def test_of_a_page_the_visible_text_is_told() -> None:
    came = (
        "<html><head><title>x</title><style>p {}</style></head><body><script>var a</script><p>Even\n geduld</p></body>"
    )
    assert judged(page(came), text="Welkom").found == "“Even geduld”"
