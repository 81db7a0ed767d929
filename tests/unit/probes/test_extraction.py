"""Values for later steps stay as the portal wrote them."""

from __future__ import annotations

from typing import Any

import pytest

from probes.checks import Capture
from probes.extraction import captured
from probes.fault import Fault
from probes.response import Response
from probes.sample import FailureKind

PAGE = """<h1> OMV_2099000012 </h1><a id="open" href="/x?nr=0012&amp;a=b">open</a>
<form id="f"><input type="hidden" name="_csrf" value="a&quot;b"><input name="naam" value="x">
<input type="HIDDEN" name="rol" value="1"><input type="hidden" name="rol" value="2"><input type="hidden" value="q">
<input type="hidden" name="uit" value="3" disabled></form><input type="hidden" form="f" name="buiten" value="4">"""


def response(body: str = PAGE, kind: str = "text/html") -> Response:
    return Response(
        status=200,
        headers=(("content-type", kind), ("location", "/a b"), ("x-id", "0012")),
        url="https://loket.example/projecten/0012?x=1",
        body=body.encode(),
        cookies=(("sessie", "1"), ("andere", "x"), ("sessie", "0012")),
    )


def value(body: str = PAGE, kind: str = "text/html", **source: Any) -> object:
    return captured("naam", Capture.model_validate(source), response(body, kind))


@pytest.mark.parametrize("written", ["12", "1e5", "12345678901234567890", "1.10", "-0", "0.1e-7"])
def test_numbers_of_json_keep_their_digits(written: str) -> None:
    """T26: identifiers are not numbers, whatever JSON says."""
    assert value(f'{{"id": {written}}}', "application/json", json="id") == written


@pytest.mark.parametrize("written", ["0012", "1e5", "true", "12345678901234567890", " spatie ", "é€"])
def test_texts_come_through_byte_for_byte(written: str) -> None:
    """T26"""
    assert value(f'{{"id": "{written}"}}', "application/json", json="id") == written
    assert value(f'<a data-id="{written}">', css="a", attribute="data-id") == written
    assert value(f"id=[{written}]", regex=r"id=\[(.*)\]") == written


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"css": "h1"}, "OMV_2099000012"),
        ({"css": "#open", "attribute": "href"}, "/x?nr=0012&a=b"),
        ({"css": "#open::attr(id)"}, "open"),
        ({"regex": r"OMV_\d{10}"}, "OMV_2099000012"),
        ({"regex": r"OMV_(\d{4})"}, "2099"),
        ({"header": "X-Id"}, "0012"),
        ({"cookie": "sessie"}, "0012"),
        ({"url": r"/projecten/(\d+)"}, "0012"),
        ({"hidden": "#f"}, (("_csrf", 'a"b'), ("rol", "1"), ("rol", "2"), ("buiten", "4"))),
    ],
    ids=str,
)
def test_each_source_finds_its_value(source: dict[str, Any], expected: object) -> None:
    assert value(**source) == expected


def test_true_and_structures_of_json_are_written_as_json() -> None:
    assert value('{"a": true}', "application/json", json="a") == "true"
    assert value('{"a": [1.10, "é"]}', "application/json", json="a") == '[1.10,"é"]'


def test_a_hash_of_the_body_can_be_carried() -> None:
    assert value("Hello", body_sha256=True) == "185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969"


@pytest.mark.parametrize(
    "source",
    [
        {"css": "h5"},
        {"css": "h1", "attribute": "id"},
        {"regex": "geen"},
        {"header": "X-Geen"},
        {"cookie": "geen"},
        {"url": "geen"},
        {"hidden": "#geen"},
        {"json": "a"},
    ],
    ids=str,
)
def test_a_missing_value_is_named(source: dict[str, Any]) -> None:
    with pytest.raises(Fault) as fault:
        value(**source)
    assert (fault.value.kind, fault.value.subject) == (FailureKind.CAPTURE, "naam")
