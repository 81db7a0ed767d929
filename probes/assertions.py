"""What a step's answer must satisfy. Pure: no clock, no network.

`expected` and `found` are written in a small closed language (`PHRASES` in `probes.sentences` tells it in Dutch):
a phrase, and where it speaks of a text that text in “quotes”.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from probes.errors import quoted
from probes.expectations import CssExpectation, Expect, HeaderExpectation, JsonExpectation, XPathExpectation
from probes.regexes import Search, search_at_once
from probes.response import Response, UnreadableError, WrittenFloat, WrittenInt, written_json
from probes.sample import FailureKind

YES, NO = True, False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One executed assertion.

    Attributes:
        content: it looked at more than the status and the time, so a page of something else would not pass.
    """

    ok: bool
    kind: FailureKind
    subject: str
    expected: str
    found: str
    content: bool = True


def seconds(duration_us: int) -> str:
    """`1.25 s`, to the millisecond."""
    whole, rest = divmod(duration_us // 1000, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".") + " s"


def findings(expect: Expect, response: Response, search: Search = search_at_once) -> tuple[Finding, ...]:
    """Every assertion of a step, executed in the order status, head, body, time. Templates are filled in already."""
    return tuple(_findings(expect, response, search))


def _finding(ok: bool, subject: str, expected: str, found: str) -> Finding:  # noqa: FBT001 - read as a table
    return Finding(ok=ok, kind=FailureKind.ASSERTION, subject=subject, expected=expected, found=found)


def _findings(expect: Expect, response: Response, search: Search) -> Iterator[Finding]:
    if expect.status:
        yield Finding(
            ok=response.status in expect.status,
            kind=FailureKind.HTTP_STATUS,
            subject="status",
            expected=" or ".join(map(str, expect.status)),
            found=str(response.status),
            content=False,
        )
    if expect.url is not None:
        ok = search(expect.url, response.url) is not None
        yield _finding(ok, "url", f"matches {quoted(expect.url)}", quoted(response.url))
    if expect.content_type is not None:
        wanted = expect.content_type.lower()
        yield _finding(response.media_type == wanted, "content type", quoted(wanted), quoted(response.media_type))
    for header in expect.header:
        yield _header(header, response, search)
    size = len(response.body)
    if expect.min_bytes is not None:
        yield _finding(size >= expect.min_bytes, "body size", f"at least {expect.min_bytes} bytes", f"{size} bytes")
    if expect.max_bytes is not None:
        yield _finding(size <= expect.max_bytes, "body size", f"at most {expect.max_bytes} bytes", f"{size} bytes")
    if expect.sha256 is not None:
        digest = hashlib.sha256(response.body).hexdigest()
        yield _finding(digest == expect.sha256.strip().lower(), "SHA-256", expect.sha256.strip().lower(), digest)
    yield from _texts(expect, response, search)
    for css in expect.css:
        yield _css(css, response, search)
    for path in expect.json_:
        yield _json(path, response, search)
    for item in expect.xpath:
        yield _xpath(item, response, search)
    if expect.hard is not None:
        yield Finding(
            ok=response.duration_us <= expect.hard,
            kind=FailureKind.TIMEOUT,
            subject="duration",
            expected=f"at most {seconds(expect.hard)}",
            found=seconds(response.duration_us),
            content=False,
        )


def slowness(expect: Expect, response: Response) -> Finding | None:
    """Whether the step took longer than its soft limit; None where it has none."""
    if expect.soft is None:
        return None
    return Finding(
        ok=response.duration_us <= expect.soft,
        kind=FailureKind.SLOW,
        subject="duration",
        expected=f"at most {seconds(expect.soft)}",
        found=seconds(response.duration_us),
        content=False,
    )


def _beginning(response: Response) -> str:
    """What a person would see first: of a page its visible text, of anything else its first characters."""
    text = response.text
    if response.is_html and text.strip():
        visible = response.document.xpath("//body//text()[not(ancestor::script or ancestor::style)]").getall()
        text = " ".join(" ".join(visible).split()) or text
    return quoted(text[:200]) if text.strip() else "nothing"


def _title(response: Response) -> str:
    """The page's title, to be told beside what is missing from it; empty where it has none."""
    title = " ".join(str(response.document.css("title").xpath("string(.)").get(default="")).split())
    return f", on the page {quoted(title[:100])}" if title else ""


def _texts(expect: Expect, response: Response, search: Search) -> Iterator[Finding]:
    for text in expect.text:
        ok = text in response.text
        # Reading a page for what a person would see costs more than the whole probe; only a failure needs it.
        yield _finding(ok, "text", f"contains {quoted(text)}", quoted(text) if ok else _beginning(response))
    for text in expect.not_text:
        at = response.text.find(text)
        around = response.text[max(0, at - 60) : at + len(text) + 60]
        yield _finding(at < 0, "text", f"does not contain {quoted(text)}", quoted(around) if at >= 0 else "absent")
    for pattern in expect.regex:
        match = search(pattern, response.text)
        found = quoted(match.whole[:200]) if match is not None else _beginning(response)
        yield _finding(match is not None, "text", f"matches {quoted(pattern)}", found)


def _header(wanted: HeaderExpectation, response: Response, search: Search) -> Finding:
    subject = f"header {wanted.name}"
    values = response.header(wanted.name)
    found = quoted(", ".join(values)) if values else "absent"
    if wanted.absent:
        return _finding(not values, subject, "absent", found)
    phrases: list[str] = []
    ok = bool(values)
    if wanted.equals is not None:
        phrases.append(quoted(wanted.equals))
        ok = ok and wanted.equals in values
    if wanted.contains is not None:
        phrases.append(f"contains {quoted(wanted.contains)}")
        ok = ok and any(wanted.contains in value for value in values)
    if wanted.matches is not None:
        pattern = wanted.matches
        phrases.append(f"matches {quoted(pattern)}")
        ok = ok and any(search(pattern, value) for value in values)
    return _finding(ok, subject, " and ".join(phrases) or "present", found)


def _css(wanted: CssExpectation, response: Response, search: Search) -> Finding:
    subject = f"css {wanted.select}"
    try:
        elements = response.document.css(wanted.select)
    except UnreadableError as error:
        return Finding(ok=False, kind=FailureKind.BODY, subject=subject, expected="a page", found=str(error))
    count = len(elements)
    if wanted.count is not None and count != wanted.count:
        return _finding(NO, subject, _elements(wanted.count), _elements(count) + _title(response))
    if wanted.min_count is not None and count < wanted.min_count:
        return _finding(NO, subject, f"at least {_elements(wanted.min_count)}", _elements(count) + _title(response))
    if wanted.count == 0:
        return _finding(YES, subject, _elements(0), _elements(0))
    if not elements:
        return _finding(NO, subject, _content_phrase(wanted) or "an element", _elements(0) + _title(response))
    value = _value(elements[0], wanted.attribute)
    if value is None:
        return _finding(NO, subject, f"attribute {wanted.attribute}", "absent")
    folded = " ".join(value.split())
    ok = (
        (wanted.text is None or folded == " ".join(wanted.text.split()))
        and (wanted.contains is None or " ".join(wanted.contains.split()) in folded)
        and (wanted.matches is None or search(wanted.matches, folded) is not None)
    )
    return _finding(ok, subject, _content_phrase(wanted) or "an element", quoted(folded) if folded else "empty")


def _content_phrase(wanted: CssExpectation) -> str:
    return _comparison(wanted.text, wanted.contains, wanted.matches)


def _comparison(whole: str | None, contains: str | None, matches: str | None) -> str:
    phrases = []
    if whole is not None:
        phrases.append(quoted(whole) if whole else "empty")
    if contains is not None:
        phrases.append(f"contains {quoted(contains)}")
    if matches is not None:
        phrases.append(f"matches {quoted(matches)}")
    return " and ".join(phrases)


def _elements(count: int) -> str:
    return {0: "no element", 1: "1 element"}.get(count, f"{count} elements")


def _value(element: Any, attribute: str | None) -> str | None:
    if isinstance(element.root, str):  # `::text` and `::attr()` select texts
        return str(element.root)
    if attribute is not None:
        value = element.attrib.get(attribute)
        return None if value is None else str(value)
    return str(element.xpath("string(.)").get(default=""))


def _json(wanted: JsonExpectation, response: Response, search: Search) -> Finding:
    subject = f"json {wanted.path}"
    try:
        value = jmespath.search(wanted.path, response.json)
    except UnreadableError as error:
        return Finding(ok=False, kind=FailureKind.BODY, subject=subject, expected="JSON", found=str(error))
    except JMESPathError as error:
        return _finding(NO, subject, _json_phrase(wanted), f"no answer: {quoted(str(error))}")
    found = "nothing" if value is None else quoted(value) if isinstance(value, str) else written_json(value)
    return _finding(_json_holds(wanted, value, search), subject, _json_phrase(wanted), found)


def _json_holds(wanted: JsonExpectation, value: Any, search: Search) -> bool:
    if "equals" not in wanted.model_fields_set and value is None:
        return False
    if "equals" in wanted.model_fields_set and not same(value, wanted.equals):
        return False
    if wanted.contains is not None:
        inside = (
            wanted.contains in value if isinstance(value, str) else isinstance(value, list) and wanted.contains in value
        )
        if not inside:
            return False
    if wanted.matches is not None:
        text = value if isinstance(value, str) else written_json(value)
        if search(wanted.matches, text) is None:
            return False
    number = decimal(value)
    if wanted.at_least is not None and (number is None or number < wanted.at_least):
        return False
    if wanted.at_most is not None and (number is None or number > wanted.at_most):
        return False
    return wanted.count is None or (isinstance(value, list | dict | str) and len(value) == wanted.count)


def _json_phrase(wanted: JsonExpectation) -> str:
    phrases = []
    if "equals" in wanted.model_fields_set:
        equal = wanted.equals
        phrases.append(quoted(equal) if isinstance(equal, str) else written_json(equal))
    if wanted.contains is not None:
        phrases.append(f"contains {quoted(wanted.contains)}")
    if wanted.matches is not None:
        phrases.append(f"matches {quoted(wanted.matches)}")
    if wanted.at_least is not None:
        phrases.append(f"at least {wanted.at_least}")
    if wanted.at_most is not None:
        phrases.append(f"at most {wanted.at_most}")
    if wanted.count is not None:
        phrases.append(_elements(wanted.count))
    return " and ".join(phrases) or "a value"


def _xpath(wanted: XPathExpectation, response: Response, search: Search) -> Finding:
    subject = f"xpath {wanted.select}"
    try:
        result = response.xpath(wanted.select, wanted.namespaces)
    except UnreadableError as error:
        return Finding(ok=False, kind=FailureKind.BODY, subject=subject, expected="XML", found=str(error))
    nodes = (
        result
        if isinstance(result, tuple)
        else (("true" if result else "false",) if isinstance(result, bool) else (result,))
    )
    if wanted.count is not None and len(nodes) != wanted.count:
        return _finding(NO, subject, _elements(wanted.count), _elements(len(nodes)))
    if wanted.count == 0:
        return _finding(YES, subject, _elements(0), _elements(0))
    phrase = _comparison(wanted.equals, wanted.contains, wanted.matches)
    if not nodes:
        return _finding(NO, subject, phrase or "an element", _elements(0))
    folded = " ".join(nodes[0].split())
    ok = (
        (wanted.equals is None or folded == " ".join(wanted.equals.split()))
        and (wanted.contains is None or " ".join(wanted.contains.split()) in folded)
        and (wanted.matches is None or search(wanted.matches, folded) is not None)
    )
    if not phrase and wanted.count is None and not isinstance(result, tuple):
        # A truth, a number or a text stands for itself: `count(//x)` is 0 where there is none.
        ok = result not in (False, "", "0", "nan")
        phrase = "true" if isinstance(result, bool) else "a value"
    return _finding(ok, subject, phrase or "an element", quoted(folded) if folded else "empty")


def decimal(value: object) -> Decimal | None:
    """The exact number behind a JSON or TOML value; None where it is no number. Never by way of a float's rounding."""
    if isinstance(value, bool):
        return None
    if isinstance(value, WrittenInt | WrittenFloat):
        value = value.text
    elif isinstance(value, int | float | Decimal):
        value = str(value)
    else:
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def same(value: Any, wanted: Any) -> bool:
    """Whether a JSON value is the configured one: numbers as decimals, text byte for byte, and true is not 1."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    left, right = decimal(value), decimal(wanted)
    if left is not None or right is not None:
        return left is not None and right is not None and left == right
    if isinstance(value, list) and isinstance(wanted, list | tuple):
        return len(value) == len(wanted) and all(map(same, value, wanted))
    if isinstance(value, dict) and isinstance(wanted, dict):
        return value.keys() == wanted.keys() and all(same(value[k], wanted[k]) for k in value)
    return bool(value == wanted)
