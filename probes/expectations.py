"""What a step's answer must satisfy, and where a value for later steps is found in it, as config.toml writes it."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from probes.notation import Css, Definition, Duration, JmesPath, Regex, Texts, one_or_many
from probes.xpath import parses_as_xpath


class CssExpectation(Definition):
    """Elements that must be in the page. Without further conditions: at least one.

    Attributes:
        text: the whole text of the first element, white space folded.
        contains: part of that text.
        matches: regular expression searched in that text.
        attribute: look at this attribute instead of the text.
        count: exact number of elements; 0 says that there must be none.
        min_count: at least this many elements.
    """

    select: Css
    text: str | None = None
    contains: str | None = None
    matches: Regex | None = None
    attribute: str | None = None
    count: int | None = Field(default=None, ge=0)
    min_count: int | None = Field(default=None, ge=1)


class JsonExpectation(Definition):
    """A JMESPath expression over the body and what its answer must be. Without a comparison: it must not be null.

    Numbers are compared as decimals, text byte for byte.
    """

    path: JmesPath
    equals: Any = None
    contains: str | None = None
    matches: Regex | None = None
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    count: int | None = Field(default=None, ge=0)


class XPathExpectation(Definition):
    """What an XPath 1.0 expression finds in XML or HTML. Without a comparison: at least one node, or true.

    Attributes:
        select: template; each `{{ name }}` stands for a whole text, in quotes or not.
        namespaces: prefix to the name of the namespace; documents' own prefixes mean nothing here.
        equals: the whole text of the first node, white space folded; numbers as XPath writes them (`3`, not `3.0`).
        contains: part of that text.
        matches: regular expression searched in that text.
        count: exact number of nodes; 0 says that there must be none.
    """

    select: str
    namespaces: dict[str, str] = Field(default_factory=dict)
    equals: str | None = None
    contains: str | None = None
    matches: Regex | None = None
    count: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _parses(self) -> Self:
        parses_as_xpath(self.select, self.namespaces)
        return self


class HeaderExpectation(Definition):
    """A response header that must be there. Without further conditions any value will do; `absent` turns it round."""

    name: str
    equals: str | None = None
    contains: str | None = None
    matches: Regex | None = None
    absent: bool = False


class Expect(Definition):
    """What a step's answer must satisfy. All texts are templates.

    Attributes:
        status: one status or several; redirects that were followed do not count.
        url: regular expression that the last URL must match.
        content_type: media type without parameters, e.g. `text/html`.
        sha256: of the decoded body, as 64 hexadecimal digits.
        soft: beyond this duration the step is slow and the run degraded.
        hard: beyond this duration the step failed, even if all else is well.
    """

    status: Annotated[tuple[Annotated[int, Field(ge=100, le=599)], ...], one_or_many] = ()
    text: Texts = ()
    not_text: Texts = ()
    regex: Annotated[tuple[Regex, ...], one_or_many] = ()
    css: Annotated[tuple[CssExpectation, ...], one_or_many] = ()
    json_: Annotated[tuple[JsonExpectation, ...], one_or_many] = Field(default=(), alias="json")
    xpath: Annotated[tuple[XPathExpectation, ...], one_or_many] = ()
    header: Annotated[tuple[HeaderExpectation, ...], one_or_many] = ()
    url: Regex | None = None
    content_type: str | None = None
    sha256: str | None = None
    min_bytes: int | None = Field(default=None, ge=0)
    max_bytes: int | None = Field(default=None, ge=0)
    soft: Duration | None = None
    hard: Duration | None = None

    @property
    def asserts(self) -> bool:
        """Whether this looks at the content or status at all; limits of time alone do not prove that a page works."""
        listed = (self.status, self.text, self.not_text, self.regex, self.css, self.json_, self.xpath, self.header)
        single = (self.url, self.content_type, self.sha256, self.min_bytes, self.max_bytes)
        return any(listed) or any(x is not None for x in single)

    @cached_property
    def templated(self) -> bool:
        """Whether any text in it is a template."""
        return "{{" in repr(self)


class Capture(Definition):
    """Where a value for later steps is found. Exactly one source. Values stay text, byte for byte: `0012` stays `0012`.

    Attributes:
        css: first matching element; its text, or `attribute`.
        regex: searched in the body, or in the `header`; the first group, or the whole match where it has none.
        json_path: JMESPath; numbers keep the digits they were written with.
        xpath: XPath 1.0; the text of the first node, with `namespaces` as in an expectation.
        header, cookie: by name.
        url: regular expression on the last URL.
        hidden: CSS selector of a form; all its hidden fields are captured together and may be sent with
            `form_from = "<name>"`.
        body_sha256: true captures the SHA-256 of the decoded body.
        optional: the value may be absent; a step can ask with `when` whether it is there.
        secret: the value grants access, so it is masked in whatever is kept or shown, and never goes to another host.
    """

    css: Css | None = None
    attribute: str | None = None
    regex: Regex | None = None
    json_path: JmesPath | None = Field(default=None, alias="json")
    xpath: str | None = None
    namespaces: dict[str, str] = Field(default_factory=dict)
    header: str | None = None
    cookie: str | None = None
    url: Regex | None = None
    hidden: Css | None = None
    body_sha256: bool = False
    optional: bool = False
    secret: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        in_body = self.regex if self.header is None else None
        sources = [self.css, in_body, self.json_path, self.xpath, self.header, self.cookie, self.url, self.hidden]
        if sum(s is not None for s in sources) + self.body_sha256 != 1:
            raise ValueError("needs exactly one of css, regex, json, xpath, header, cookie, url, hidden, body_sha256")
        if self.attribute is not None and self.css is None:
            raise ValueError("attribute goes with css")
        if self.namespaces and self.xpath is None:
            raise ValueError("namespaces go with xpath")
        if self.xpath is not None:
            parses_as_xpath(self.xpath, self.namespaces)
        return self
