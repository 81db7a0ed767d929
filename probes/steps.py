"""The steps of a journey, as config.toml writes them."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from probes.expectations import Capture, Expect
from probes.notation import Definition, Duration, Id, Title


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


class Step(Definition):
    """One request of a journey, with all redirects it leads to.

    Attributes:
        path: template; relative to the journey's base URL, or a whole URL on an allowed host.
        form_from: name of a capture of hidden fields that are sent before the fields of `form`.
        allow_hosts: further hosts (`name` or `name:port`) that this step's redirects may lead to.
        deadline: total, over DNS, connect, TLS, every redirect and the whole body. None: what the journey has left.
        always: runs even after a failure, for clean-up; its failure never changes the outcome. Without a deadline it
            has 10 s, but no more than the journey's. It is skipped where it names a value that was never captured.
    """

    id: Id
    title: Title | None = None
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "GET"
    path: str
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    form: dict[str, str] | None = None
    form_from: str | None = None
    json_: Any = Field(default=None, alias="json")
    multipart: tuple[Part, ...] | None = None
    body: str | None = None
    follow_redirects: bool = True
    allow_hosts: tuple[str, ...] = ()
    deadline: Duration | None = None
    expect: Expect = Expect()
    capture: dict[Id, Capture] = Field(default_factory=dict)
    always: bool = False

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        for reserved in sorted({"secret", "run", "file"} & set(self.capture)):
            raise ValueError(f'captures "{reserved}", a name that templates already use; choose another')
        bodies = [self.form is not None or self.form_from is not None, self.json_ is not None]
        bodies += [self.multipart is not None, self.body is not None]
        if sum(bodies) > 1:
            raise ValueError("has more than one body: keep one of form, json, multipart, body")
        if any(bodies) and self.method in ("GET", "HEAD"):
            raise ValueError(f'has a body, but method {self.method} sends none; write method = "POST"')
        return self


#: Every kind of step. What one does, `walk` decides in a single place, by its type.
AnyStep = Step
