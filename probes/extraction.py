"""Values carried from one step to the next: text, byte for byte as the portal wrote it. Pure."""

from __future__ import annotations

import hashlib

import jmespath
from jmespath.exceptions import JMESPathError

from probes.expectations import Capture
from probes.fault import Fault
from probes.regexes import Found, Search, search_at_once
from probes.response import Response, UnreadableError, WrittenFloat, WrittenInt, written_json
from probes.sample import FailureKind

#: Hidden fields of a form, as (name, value) in the order of the page; the same name may come twice.
Fields = tuple[tuple[str, str], ...]


def captured(name: str, capture: Capture, response: Response, search: Search = search_at_once) -> str | Fields | None:
    """The value a capture finds; None where it may be absent and is.

    Raises:
        Fault: of kind capture, naming it, where the answer does not hold it.
    """
    try:
        value = _found(capture, response, search)
    except (UnreadableError, JMESPathError) as error:
        raise Fault(FailureKind.CAPTURE, name, expected=_place(capture), found=" ".join(str(error).split())) from error
    if value is None and not capture.optional:
        raise Fault(FailureKind.CAPTURE, name, expected=_place(capture), found="nothing")
    return value


def _found(capture: Capture, response: Response, search: Search) -> str | Fields | None:
    if capture.css is not None:
        return _css(capture.css, capture.attribute, response)
    if capture.header is not None:
        values = response.header(capture.header)
        if capture.regex is not None:
            pattern = capture.regex
            return next((found.group for value in values if (found := search(pattern, value)) is not None), None)
        return next(iter(values), None)
    if capture.regex is not None:
        return _group(search(capture.regex, response.text))
    if capture.xpath is not None:
        nodes = response.xpath(capture.xpath, capture.namespaces)
        if isinstance(nodes, bool):
            return "true" if nodes else "false"
        return nodes if isinstance(nodes, str) else nodes[0].strip() if nodes else None
    if capture.json_path is not None:
        return _json(capture.json_path, response)
    if capture.cookie is not None:
        return next((value for name, value in reversed(response.cookies) if name == capture.cookie), None)
    if capture.url is not None:
        return _group(search(capture.url, response.url))
    if capture.hidden is not None:
        return _hidden(capture.hidden, response)
    return hashlib.sha256(response.body).hexdigest()


def _place(capture: Capture) -> str:
    """Where it should have been, as `source “expression”`."""
    for source in ("css", "header", "regex", "xpath", "cookie", "url", "hidden"):
        expression = getattr(capture, source)
        if expression is not None:
            return f"{source} “{expression}”"
    return f"json “{capture.json_path}”" if capture.json_path is not None else "a body"


def _group(found: Found | None) -> str | None:
    return None if found is None else found.group


def _css(select: str, attribute: str | None, response: Response) -> str | None:
    elements = response.document.css(select)
    if not elements:
        return None
    first = elements[0]
    if isinstance(first.root, str):
        return str(first.root)
    if attribute is not None:
        return first.attrib.get(attribute)
    # Indentation around a text is the page's, not the value's; white space inside stays.
    return str(first.xpath("string(.)").get(default="")).strip()


def _json(path: str, response: Response) -> str | None:
    value = jmespath.search(path, response.json)
    match value:
        case None:
            return None
        case str():
            return value
        case WrittenInt() | WrittenFloat():
            return value.text
        case _:
            return written_json(value)


def _hidden(select: str, response: Response) -> Fields | None:
    forms = response.document.css(select)
    if not forms:
        return None
    form = forms[0]
    fields = list(form.css("input[type=hidden i]"))
    form_id = form.attrib.get("id")
    if form_id is not None:
        # A field may stand outside its form and name it.
        inside = {id(field.root) for field in fields}
        outside = response.document.xpath("//input[@form=$id]", id=form_id)
        fields += [f for f in outside if f.attrib.get("type", "").lower() == "hidden" and id(f.root) not in inside]
    return tuple(
        (field.attrib["name"], field.attrib.get("value", ""))
        for field in fields
        if "name" in field.attrib and "disabled" not in field.attrib
    )
