"""What a step's last answer said, as assertions and captures may look at it. Pure values."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import parsel

from probes.errors import quoted
from probes.xpath import NotXmlError, found, xml_tree

_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-z0-9_:.-]+)|<\?xml[^>]{0,100}?encoding=[\"']([a-z0-9_.-]+)",
    re.IGNORECASE,
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w:.-]+)", re.IGNORECASE)
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class UnreadableError(ValueError):
    """The body cannot be read this way; the message says in a few words what is wrong with it."""


class WrittenInt(int):
    """A JSON integer that remembers its digits, however many."""

    text: str


class WrittenFloat(float):
    """A JSON number with a fraction or an exponent that remembers how it was written: `1e5` stays `1e5`."""

    text: str


# JMESPath's functions know types by their names, not by inheritance; under these names they accept our numbers.
WrittenInt.__name__ = "int"
WrittenFloat.__name__ = "float"


def _whole(text: str) -> WrittenInt:
    number = WrittenInt(text)
    number.text = text
    return number


def _broken(text: str) -> WrittenFloat:
    number = WrittenFloat(text)
    number.text = text
    return number


def _no_constant(text: str) -> object:
    raise UnreadableError(f"not JSON: {quoted(text)}")


def parsed_json(text: str) -> Any:
    """The JSON value, its numbers remembering their digits (`WrittenInt`, `WrittenFloat`).

    Raises:
        UnreadableError: where the text is not JSON.
    """
    try:
        return json.loads(text, parse_int=_whole, parse_float=_broken, parse_constant=_no_constant)
    except UnreadableError:
        raise
    except RecursionError as error:
        raise UnreadableError("not JSON that can be read: nested too deeply") from error
    except ValueError as error:
        raise UnreadableError(f"not JSON: {quoted(str(error))}") from error


def written_json(value: object) -> str:
    """JSON text of a value as this room holds it; numbers that remember their digits are written with them."""
    match value:
        case WrittenInt() | WrittenFloat():
            return value.text
        case dict():
            return (
                "{"
                + ",".join(f"{json.dumps(str(k), ensure_ascii=False)}:{written_json(v)}" for k, v in value.items())
                + "}"
            )
        case list() | tuple():
            return "[" + ",".join(written_json(v) for v in value) + "]"
        case None | bool() | int() | float() | str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            # Decimals of a TOML file print as JSON numbers; its dates become text.
            return str(value) if type(value).__name__ == "Decimal" else json.dumps(str(value), ensure_ascii=False)


@dataclass(frozen=True, kw_only=True)
class Response:
    """The last answer of a step, after redirects.

    Attributes:
        headers: in the order received, names in lower case.
        url: the last URL asked.
        body: decoded (gzip, deflate), within the cap.
        cookies: the run's jar after this answer, as (name, value).
        duration_us: of the whole step, redirects and body included.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    url: str
    body: bytes
    cookies: tuple[tuple[str, str], ...] = ()
    duration_us: int = 0

    def header(self, name: str) -> tuple[str, ...]:
        """All values of a header, in order; none where it is absent."""
        name = name.lower()
        return tuple([value for key, value in self.headers if key == name])

    @property
    def media_type(self) -> str:
        """Content type without its parameters, in lower case; empty where none was sent."""
        return (self.header("content-type") or ("",))[0].partition(";")[0].strip().lower()

    @property
    def is_html(self) -> bool:
        return self.media_type in ("text/html", "application/xhtml+xml")

    @cached_property
    def text(self) -> str:
        """The body as text: charset of the header, else a byte order mark, else what the document declares, else UTF-8.

        Bytes that the charset does not know become U+FFFD, as in a browser.
        """
        for charset in self._charsets():
            try:
                return self.body.decode(charset, errors="replace")
            except LookupError:
                continue
        return self.body.decode("utf-8", errors="replace")

    def _charsets(self) -> Iterator[str]:
        for mark, name in _BYTE_ORDER_MARKS:
            if self.body.startswith(mark):
                yield name
        if named := _CHARSET.search((self.header("content-type") or ("",))[0]):
            yield named[1]
        if declared := _DECLARED.search(self.body[:1024]):
            yield (declared[1] or declared[2]).decode("ascii")

    @cached_property
    def json(self) -> Any:
        """The body as JSON. Raises `UnreadableError` where it is not."""
        return parsed_json(self.text)

    @cached_property
    def _tree(self) -> Any:
        """The body as XPath sees it: XML with its namespaces, or a page."""
        if not self.text.strip():
            raise UnreadableError("an empty body")
        if self.is_html or not (self.media_type.endswith("xml") or self.text.lstrip().startswith("<?xml")):
            return self.document.root
        try:
            return xml_tree(self.body)
        except NotXmlError as error:
            raise UnreadableError(f"not XML: {quoted(str(error))}") from error

    def xpath(self, select: str, namespaces: Mapping[str, str]) -> tuple[str, ...] | str | bool:
        """What an XPath expression finds, see `probes.xpath.found`.

        Raises:
            UnreadableError: where the body is neither XML nor a page, or the expression cannot be evaluated.
        """
        try:
            return found(self._tree, select, namespaces)
        except UnreadableError:
            raise
        except ValueError as error:
            raise UnreadableError(f"no answer: {quoted(str(error))}") from error

    @cached_property
    def document(self) -> parsel.Selector:
        """The body as a tree; XML without its namespaces, so that `Fault` finds `soap:Fault`."""
        if not self.text.strip():
            raise UnreadableError("an empty body")
        kind = "xml" if self.media_type.endswith("xml") and not self.is_html else "html"
        tree = parsel.Selector(text=self.text, type=kind)
        if kind == "xml":
            tree.remove_namespaces()
        return tree
