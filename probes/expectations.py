"""What a step's answer must satisfy, and where a value for later steps is found in it, as config.toml writes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from probes.notation import Css, Definition, Duration, JmesPath, Regex, Texts, one_or_many


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
        return any((self.status, self.text, self.not_text, self.regex, self.css, self.json_, self.header)) or any(
            x is not None for x in (self.url, self.content_type, self.sha256, self.min_bytes, self.max_bytes)
        )


class Capture(Definition):
    """Where a value for later steps is found. Exactly one source. Values stay text, byte for byte: `0012` stays `0012`.

    Attributes:
        css: first matching element; its text, or `attribute`.
        regex: searched in the body; the first group, or the whole match where it has none.
        json_path: JMESPath; numbers keep the digits they were written with.
        header, cookie: by name.
        url: regular expression on the last URL.
        hidden: CSS selector of a form; all its hidden fields are captured together and may be sent with
            `form_from = "<name>"`.
        body_sha256: true captures the SHA-256 of the decoded body.
    """

    css: Css | None = None
    attribute: str | None = None
    regex: Regex | None = None
    json_path: JmesPath | None = Field(default=None, alias="json")
    header: str | None = None
    cookie: str | None = None
    url: Regex | None = None
    hidden: Css | None = None
    body_sha256: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [self.css, self.regex, self.json_path, self.header, self.cookie, self.url, self.hidden]
        if sum(s is not None for s in sources) + self.body_sha256 != 1:
            raise ValueError("needs exactly one of css, regex, json, header, cookie, url, hidden, body_sha256")
        if self.attribute is not None and self.css is None:
            raise ValueError("attribute goes with css")
        return self
