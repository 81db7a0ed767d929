"""Forms as browsers send them: which fields, to which address, in which encoding. Pure.

Source: HTML Living Standard, 4.10.22 "Form submission" and "Constructing the entry list".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from probes.extraction import Fields
from probes.fault import Fault
from probes.response import Response, UnreadableError
from probes.sample import FailureKind

_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_SINGLE_LINE = frozenset({"", "text", "search", "tel", "url", "email", "password"})
_SENDS_ITSELF = re.compile(r"\.\s*submit\s*\(|\.\s*requestSubmit\s*\(|\.\s*click\s*\(")
#: Fields by which SAML's POST binding and OpenID Connect's form_post are known, also without their script.
_PROTOCOL_FIELDS = ("SAMLRequest", "SAMLResponse", "id_token", "code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form ready to be sent.

    Attributes:
        action: absolute address, without a fragment.
        method: `GET` or `POST`.
        multipart: whether it is sent as multipart/form-data; otherwise URL-encoded.
        fields: in the order of the page; the same name may come twice. Of file fields nothing was chosen.
        files: names of its file fields.
    """

    action: str
    method: str
    multipart: bool
    fields: Fields
    files: tuple[str, ...] = ()


def form_in(response: Response, select: str, button: str | None = None) -> Form:
    """The form a CSS selector finds in an answer, as a visitor sends it who changes nothing and presses the button.

    Args:
        select: the form, or an element inside it.
        button: the button that is pressed; None presses Enter, so no button's own value is sent.

    Raises:
        Fault: of kind capture, where it is not there.
    """
    element = _form_of(_first(response, select))
    if element is None:
        raise Fault(FailureKind.CAPTURE, "submit", expected=f"a form “{select}”", found="an element outside of forms")
    pressed = None if button is None else _first(response, button).root
    return _form(response, element, pressed)


def self_posting(response: Response) -> Form | None:
    """The form that a page sends by itself as soon as it is shown; None where the answer is no such page."""
    if not response.is_html or "<form" not in response.text.lower():
        return None
    forms = [form for form in response.document.css("form") if form.attrib.get("method", "").lower() == "post"]
    if len(forms) != 1:
        return None
    [form] = forms
    names = {field.attrib.get("name") for field in form.css("input[type=hidden i]")}
    known = bool(names & set(_PROTOCOL_FIELDS[:2])) or bool(names & set(_PROTOCOL_FIELDS[2:]) and "state" in names)
    scripts = " ".join(response.document.xpath("//script/text() | //@onload").getall())
    visible = form.xpath(
        ".//textarea | .//select | .//input[not(@type) or not(contains(' hidden submit image button ',"
        " concat(' ', translate(@type, 'HIDENSUBMTAG', 'hidensubmtag'), ' ')))]"
    )
    if not names or visible or not (known or _SENDS_ITSELF.search(scripts)):
        return None
    return _form(response, form.root, None)


def changed(form: Form, own: dict[str, str]) -> Fields:
    """The form's fields with some of them filled in: in their place where the form has them, at the end where not."""
    left = dict(own)
    result: list[tuple[str, str]] = []
    for name, value in form.fields:
        if name in left:
            result.append((name, left.pop(name)))
        elif name not in own:
            result.append((name, value))
    return (*result, *left.items())


def _first(response: Response, select: str) -> Any:
    try:
        found = response.document.css(select)
    except UnreadableError as error:
        raise Fault(FailureKind.CAPTURE, "submit", expected=f"a form “{select}”", found=str(error)) from error
    if not found:
        raise Fault(FailureKind.CAPTURE, "submit", expected=f"a form “{select}”", found="nothing")
    return found[0]


def _form_of(found: Any) -> Any | None:
    element = found.root
    if element.tag == "form":
        return element
    return _owner(element)


def _owner(element: Any) -> Any | None:
    """The form a field belongs to: the one it names, else the one around it."""
    named = element.get("form")
    if named is not None:
        owners = element.getroottree().xpath("//form[@id=$id]", id=named)
        return owners[0] if owners else None
    return next(element.iterancestors("form"), None)


def _form(response: Response, element: Any, pressed: Any | None) -> Form:
    def attribute(name: str) -> str:
        own = None if pressed is None else pressed.get("form" + name)
        return str(own if own is not None else element.get(name) or "").strip()

    bases = response.document.xpath("//base/@href").getall()
    page = urljoin(response.url, bases[0]) if bases else response.url
    action = attribute("action")
    address = (urljoin(page, action) if action else response.url).partition("#")[0]
    method = "POST" if attribute("method").lower() == "post" else "GET"
    if attribute("method").lower() == "dialog":
        raise Fault(FailureKind.CAPTURE, "submit", expected="a form that is sent", found="a form that closes a dialog")
    fields = tuple(_entries(element, pressed))
    files = tuple(
        name
        for field in _elements(element)
        if field.tag == "input" and _kind(field) == "file" and (name := field.get("name")) and not _disabled(field)
    )
    multipart = method == "POST" and attribute("enctype").lower() == _MULTIPART
    return Form(action=address, method=method, multipart=multipart, fields=fields, files=files)


def _elements(form: Any) -> Iterator[Any]:
    """The form's fields in the order of the page, those that stand outside of it and name it too."""
    for element in form.getroottree().iter("button", "input", "select", "textarea"):
        if _owner(element) is form:
            yield element


def _kind(element: Any) -> str:
    return (element.get("type") or "").strip().lower()


def _disabled(element: Any) -> bool:
    if element.get("disabled") is not None:
        return True
    below = element
    for ancestor in element.iterancestors():
        if ancestor.tag == "fieldset" and ancestor.get("disabled") is not None:
            # Fields in the fieldset's own first legend stay usable.
            legend = next(ancestor.iterchildren("legend"), None)
            if below is not legend:
                return True
        below = ancestor
    return False


def _entries(form: Any, pressed: Any | None) -> Iterator[tuple[str, str]]:
    elements = list(_elements(form))
    # Of several checked radio buttons of one group, browsers leave the last one checked.
    radios = {e.get("name"): e for e in elements if _kind(e) == "radio" and e.get("checked") is not None}
    for element in elements:
        name, kind = element.get("name") or "", _kind(element)
        if _disabled(element) or next(element.iterancestors("datalist"), None) is not None:
            continue
        if element.tag == "select":
            if name:
                yield from ((name, value) for value in _chosen(element))
        elif element.tag == "textarea":
            if name:
                # The parser of HTML takes off a first line break; lxml's leaves it.
                yield name, _lines("".join(element.itertext()).removeprefix("\r").removeprefix("\n"))
        elif element.tag == "button" or kind in ("submit", "image", "reset", "button"):
            yield from _button(element, name, kind) if element is pressed else ()
        elif not name or kind == "file":
            continue
        elif kind in ("checkbox", "radio"):
            if element.get("checked") is not None and (kind == "checkbox" or radios[name] is element):
                yield name, element.get("value", "on")
        elif kind == "hidden":
            value = element.get("value", "")
            yield name, "UTF-8" if name.lower() == "_charset_" else _lines(value)
        else:
            value = element.get("value", "")
            yield name, re.sub(r"[\r\n]", "", value) if kind in _SINGLE_LINE else value


def _button(element: Any, name: str, kind: str) -> Iterator[tuple[str, str]]:
    if element.tag == "button" and kind in ("reset", "button"):
        return
    if element.tag == "input" and kind == "image":
        before = f"{name}." if name else ""
        yield f"{before}x", "0"
        yield f"{before}y", "0"
    elif name:
        yield name, element.get("value", "")


def _chosen(select: Any) -> Iterator[str]:
    options = list(select.iter("option"))
    several = select.get("multiple") is not None
    marked = [option for option in options if option.get("selected") is not None]
    if not several and marked:
        marked = marked[-1:]
    elif not several and (select.get("size") or "1").strip() in ("", "0", "1"):
        marked = [option for option in options if not _option_disabled(option)][:1]
    for option in marked:
        if not _option_disabled(option):
            value = option.get("value")
            yield value if value is not None else " ".join("".join(option.itertext()).split())


def _option_disabled(option: Any) -> bool:
    group = option.getparent()
    return option.get("disabled") is not None or (
        group is not None and group.tag == "optgroup" and group.get("disabled") is not None
    )


def _lines(value: str) -> str:
    return re.sub(r"\r\n?|\n", "\r\n", value)
