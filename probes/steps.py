"""The steps of a journey, as config.toml writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from probes.created import Creates
from probes.expectations import Capture, Expect
from probes.notation import Css, Definition, Duration, Id, Regex, Title

#: Names that templates use already.
RESERVED = frozenset({"secret", "run", "file", "totp", "oidc", "pkce"})
#: How long an `always` step that names no deadline may take, in a browser too.
CLEAN_UP_US = 10_000_000
_SHORTEST_INTERVAL_US = 100_000


class Part(Definition):
    """One part of a multipart body: a plain field (`text`), or a file made on the spot (`file_name` with `size`).

    A generated file is the same for the same run id and size, so its SHA-256 is known: `{{ file.<name>.sha256 }}`.
    """

    name: str
    text: str | None = None
    file_name: str | None = None
    content_type: str = "application/pdf"
    size: int | None = Field(default=None, ge=1, le=64 * 1024 * 1024)

    @model_validator(mode="after")
    def _field_or_file(self) -> Self:
        if (self.text is None) == (self.file_name is None):
            raise ValueError("is a field (text) or a file (file_name with size), one of the two")
        if (self.file_name is None) != (self.size is None):
            raise ValueError("a file needs both file_name and size (in bytes)")
        return self


class When(Definition):
    """The condition under which a step is taken. Without a comparison: the value is there.

    Attributes:
        value: template, mostly of a value whose capture is `optional`.
        equals, not_equals: the whole text; templates.
        contains: part of it; template.
        matches: regular expression found in it.
        absent: true where the value must not be there: not captured, since optional or since its step was not taken.
    """

    value: str
    equals: str | None = None
    not_equals: str | None = None
    contains: str | None = None
    matches: Regex | None = None
    absent: bool = False

    @model_validator(mode="after")
    def _absent_or_compared(self) -> Self:
        compared = (self.equals, self.not_equals, self.contains, self.matches)
        if self.absent and any(x is not None for x in compared):
            raise ValueError("absent goes without a comparison: what is not there cannot be compared")
        if "{{" not in self.value:
            raise ValueError('has a value without a template, which is always the same; write value = "{{ name }}"')
        return self


class Until(Definition):
    """A step that is asked again until its `expect` holds.

    Attributes:
        interval: from the end of one try to the beginning of the next.
        within: no try begins later than this after the first.
        unless: where all of this holds in an answer, waiting ends at once and the step fails.
    """

    interval: Duration = 1_000_000
    within: Duration
    unless: Expect | None = None

    @model_validator(mode="after")
    def _may_try_twice(self) -> Self:
        if self.interval < _SHORTEST_INTERVAL_US:
            raise ValueError("has an interval below 100ms, which is more load than any portal should bear from us")
        if self.within < self.interval:
            raise ValueError("ends before a second try; raise within, or lower interval")
        if self.unless is not None and not self.unless.asserts:
            raise ValueError("has an unless that looks at nothing")
        return self


class BasicAuth(Definition):
    """User and password in the request's Authorization header (RFC 7617). Both are templates."""

    user: str
    password: str


class EveryStep(Definition):
    """What every kind of step has.

    Attributes:
        deadline: total, over DNS, connect, TLS, every redirect and the whole body. None: what the journey has left.
        always: runs even after a failure, for clean-up; its failure never changes the outcome. Without a deadline it
            has 10 s, but no more than the journey's. It is skipped where it names a value that was never captured.
        when: the step is skipped where this does not hold.
        until: the step is tried again until its `expect` holds.
        given: values for this step's templates, by name; plain texts.
    """

    id: Id
    title: Title | None = None
    deadline: Duration | None = None
    expect: Expect = Expect()
    capture: dict[Id, Capture] = Field(default_factory=dict)
    always: bool = False
    when: When | None = None
    until: Until | None = None
    given: dict[Id, str] = Field(default_factory=dict, alias="with")

    @model_validator(mode="after")
    def _names_and_waiting(self) -> Self:
        for reserved in sorted(RESERVED & set(self.capture)):
            raise ValueError(f'captures "{reserved}", a name that templates already use; choose another')
        for reserved in sorted(RESERVED & set(self.given)):
            raise ValueError(f'has "{reserved}" in with, a name that templates already use; choose another')
        if any("{{" in value for value in self.given.values()):
            raise ValueError("has a template in with; its values are plain texts")
        if self.until is not None and not self.expect.asserts:
            raise ValueError("waits until nothing in particular; add an expect")
        return self


class Step(EveryStep):
    """One request of a journey, with all redirects it leads to.

    Attributes:
        path: template; relative to the journey's base URL, or a whole URL on an allowed host.
        submit: CSS selector of a form in the answer before this step: it is sent as a browser would, with all its
            fields, to its own address by its own method; `form` and `multipart` replace or add fields.
        button: with `submit`, CSS selector of the button that is pressed.
        form_from: name of a capture of hidden fields that are sent before the fields of `form`.
        auto_post: forms that send themselves (SAML, OpenID Connect's form_post) are followed, as scripts would.
        allow_hosts: further hosts (`name` or `name:port`) that this step's redirects may lead to.
        login: this step sends the credentials of an account, so that the monitor rests before it locks it out.
        creates: what it makes at the portal, and how that is taken away; None where it makes nothing that stays.
    """

    kind: Literal["request"] = "request"
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "GET"
    path: str | None = None
    submit: Css | None = None
    button: Css | None = None
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    basic_auth: BasicAuth | None = None
    form: dict[str, str] | None = None
    form_from: str | None = None
    json_: Any = Field(default=None, alias="json")
    multipart: tuple[Part, ...] | None = None
    body: str | None = None
    follow_redirects: bool = True
    auto_post: bool = False
    allow_hosts: tuple[str, ...] = ()
    login: bool = False
    creates: Creates | None = None

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        bodies = [self.form is not None or self.form_from is not None, self.json_ is not None]
        bodies += [self.multipart is not None, self.body is not None]
        if self.submit is not None:
            if self.path is not None or "method" in self.model_fields_set:
                raise ValueError("has submit, and a form tells its own address and method; drop path and method")
            if self.form_from is not None or self.json_ is not None or self.body is not None:
                raise ValueError("has submit, whose fields are the form's; only form or multipart may change them")
            return self
        if self.path is None:
            raise ValueError("needs a path to ask, or submit with the selector of a form")
        if self.button is not None:
            raise ValueError("has a button without submit")
        if sum(bodies) > 1:
            raise ValueError("has more than one body: keep one of form, json, multipart, body")
        if any(bodies) and self.method in ("GET", "HEAD"):
            raise ValueError(f'has a body, but method {self.method} sends none; write method = "POST"')
        return self


class MailStep(EveryStep):
    """Waiting for a mail in a mailbox of ours; `expect` and `capture` look at it, then it is thrown away.

    Attributes:
        mailbox: name of a `[mailbox.<name>]` of the configuration.
        to, sender, subject, text: templates of what the mail must have; at least one. Only mail that came after the
            run began is looked at.
        within: how long the mail may take; that it comes is an assertion.
        part: which of its parts is the body: its HTML where it has some, or as named.
    """

    kind: Literal["mail"]
    mailbox: Id
    to: str | None = None
    sender: str | None = None
    subject: str | None = None
    text: str | None = None
    within: Duration = 60_000_000
    part: Literal["any", "html", "text"] = "any"

    @model_validator(mode="after")
    def _knows_its_mail(self) -> Self:
        if all(x is None for x in (self.to, self.sender, self.subject, self.text)):
            raise ValueError("takes any mail for the one it waits for; add to, sender, subject or text")
        if self.until is not None:
            raise ValueError("waits already; use within in place of until")
        if self.expect.status or self.expect.url is not None:
            raise ValueError("expects a status or an address, which a mail has not")
        return self


def _kind_of(value: object) -> str:
    """Which kind a step is, written as `toml_file` leaves it out of places."""
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return "[mail]" if kind == "mail" else "[request]"


#: Every kind of step. What one does, `walk` decides in a single place, by its type.
AnyStep = Annotated[
    Annotated[Step, Tag("[request]")] | Annotated[MailStep, Tag("[mail]")],
    Discriminator(_kind_of),
]
