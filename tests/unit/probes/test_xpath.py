"""XPath over XML: prefixes of our own, nothing resolved, nothing fetched, values that cannot break out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from probes.assertions import findings
from probes.expectations import Expect
from probes.response import Response
from probes.sample import FailureKind
from probes.templates import Into, rendered
from probes.xpath import literal, parses_as_xpath

DOSSIER = '<a xmlns="urn:d"><nr>1</nr><nr> 2  3 </nr><leeg/></a>'


def judged(xml: str, kind: str = "text/xml", **wanted: Any) -> tuple[bool, FailureKind, str]:
    response = Response(status=200, headers=(("content-type", kind),), url="http://x/", body=xml.encode())
    table = {"select": "//d:nr", "namespaces": {"d": "urn:d"}, **wanted}
    [finding] = findings(Expect.model_validate({"xpath": table}), response)
    return finding.ok, finding.kind, finding.found


@pytest.mark.parametrize(
    ("wanted", "ok"),
    [
        ({}, True),
        ({"equals": "1"}, True),
        ({"equals": "2"}, False),
        ({"select": "//d:nr[2]", "equals": "2 3"}, True),
        ({"select": "//d:nr/text()", "matches": "^\\d$"}, True),
        ({"count": 2}, True),
        ({"count": 0}, False),
        ({"select": "//d:x", "count": 0}, True),
        ({"select": "//d:x"}, False),
        ({"select": "count(//d:nr)", "equals": "2"}, True),
        ({"select": "count(//d:x)"}, False),
        ({"select": "boolean(//d:leeg)"}, True),
        ({"select": "//d:nr = 7"}, False),
        ({"select": "//nr"}, False),
    ],
)
def test_an_expression_is_compared_with_what_it_finds(wanted: dict[str, Any], *, ok: bool) -> None:
    assert judged(DOSSIER, **wanted)[0] is ok


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
        '<!DOCTYPE a [<!ENTITY b "xx"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
        "<a><b></a>",
        "",
    ],
    ids=["external entity", "external DTD", "entities of entities", "not well-formed", "empty"],
)
def test_a_document_that_is_not_plain_xml_is_not_read(xml: str) -> None:
    ok, kind, _ = judged(xml)
    assert (ok, kind) == (False, FailureKind.BODY)


def test_a_page_is_searched_too() -> None:
    assert judged("<p>hallo", kind="text/html", select="//p", equals="hallo")[0]


@pytest.mark.parametrize(
    ("select", "said"),
    [("//a[", "XPath"), ("//s:a", 'prefix "s"'), ("nep(//a)", "XPath"), ("//a['OMV_{{ nr }}']", "whole text")],
)
def test_an_expression_that_is_none_is_refused(select: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parses_as_xpath(select, {})


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"), max_size=30))
def test_a_value_stays_a_text_whatever_quotes_it_holds(value: str) -> None:
    root = etree.Element("x")
    assert root.xpath(f"string({literal(value)})") == value
    filled = rendered("string('{{ waarde }}')", {"waarde": value}, Into.XPATH)
    assert root.xpath(filled) == value
