"""XPath 1.0 over XML and HTML: the room's one door to lxml. No entity is resolved, no DTD read, nothing fetched.

Prefixes are those of the definition, never the document's own: a portal may change its prefixes without meaning it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import lxml.etree as etree

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
_IN_QUOTES = re.compile(r"""(["'])\s*(\{\{[^"'{}]*\}\})\s*\1""")
_TEXT = re.compile(r"""'[^']*'|"[^"]*\"""")
_PREFIX = re.compile(r"(?<![\w.$-])([A-Za-z_][\w.-]*):(?=[A-Za-z_*])")


class NotXmlError(ValueError):
    """A document that cannot be read; the message says where and why."""


def whole_texts(xpath: str) -> str:
    """An expression in which each template stands for a whole text, so without quotes of its own.

    XPath cannot escape a quote inside a text, so a template inside a longer text could not be protected.
    """
    return _IN_QUOTES.sub(r"\2", xpath)


def literal(value: str) -> str:
    """A text as an XPath expression that is that text, whichever quotes it holds."""
    if "'" not in value:
        return f"'{value}'"
    if '"' not in value:
        return f'"{value}"'
    return "concat(" + """, "'", """.join(f"'{part}'" for part in value.split("'")) + ")"


def parses_as_xpath(select: str, namespaces: Mapping[str, str]) -> None:
    """Refuses an expression that is none, or that speaks of a namespace nobody named.

    Raises:
        ValueError: saying why.
    """
    sample = _PLACEHOLDER.sub("'x'", whole_texts(select))
    for prefix in _PREFIX.findall(_TEXT.sub("''", sample)):
        if prefix not in namespaces:
            raise ValueError(f'uses the namespace prefix "{prefix}", which namespaces does not name')
    try:
        etree.XPath(sample, namespaces=dict(namespaces), regexp=False)(etree.Element("x"))
    except etree.XPathError as error:
        hint = "; a template stands for a whole text" if "{{" in select else ""
        raise ValueError(f"is not an XPath expression: {' '.join(str(error).split())}{hint}") from error
    except ValueError as error:
        raise ValueError(f"is not an XPath expression: {error}") from error


def xml_tree(body: bytes) -> Any:
    """The root of an XML document.

    Raises:
        NotXmlError: where it is not well-formed, or has a document type, which no answer to a machine needs.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise NotXmlError(" ".join(str(error).split())) from error
    if root.getroottree().docinfo.doctype:
        raise NotXmlError("it has a document type")
    return root


def found(root: Any, select: str, namespaces: Mapping[str, str]) -> tuple[str, ...] | str | bool:
    """What an expression finds: the text of each node in order, or the text, number (as text) or truth it is worth.

    Raises:
        ValueError: where it cannot be evaluated.
    """
    try:
        value = etree.XPath(select, namespaces=dict(namespaces), regexp=False, smart_strings=False)(root)
    except etree.XPathError as error:
        raise ValueError(" ".join(str(error).split())) from error
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, list):
        return tuple(map(_text, value))
    return str(value)


def _text(node: Any) -> str:
    if isinstance(node, tuple):  # the namespace axis gives prefix and name
        return str(node[1])
    return str(node) if isinstance(node, str | bytes) else "".join(node.itertext())
