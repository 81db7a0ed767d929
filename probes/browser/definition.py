"""Browser journeys, as config.toml writes them, and which browser walks them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from probes.created import Creates, taken_away_wrongly
from probes.expectations import Capture, Expect
from probes.notation import BaseUrl, Css, Definition, Duration, Id, Texts, Title, one_or_many
from probes.steps import RESERVED, Step


class ChromiumSettings(Definition):
    """The browser of all browser journeys.

    Attributes:
        executable: None looks for Chromium where Debian and others put it.
        concurrency: runs at the same moment; the others wait, and that wait is the monitor's lag.
        sandbox: None keeps Chromium's own sandbox except as root, for whom Chromium refuses to have one.
        start: how long the browser may take before the first step; beyond it the run is unknown.
        trace: what Playwright's trace of a failing run holds: the visitor's actions, the elements of the pages around
            them too (which slows large pages down, and so what is measured), or there is none.
        kept_per_day: pictures and traces that may be kept in a day of UTC, in bytes; what is beyond is left out.
    """

    executable: str | None = None
    concurrency: int = Field(default=1, ge=1, le=8)
    sandbox: bool | None = None
    start: Duration = 30_000_000
    trace: Literal["actions", "pages", "none"] = "actions"
    kept_per_day: int = Field(default=64 * 1024 * 1024, ge=0)


class Upload(Definition):
    """A file made on the spot; the same for the same run id, name and size.

    Attributes:
        name: what templates call it: `{{ file.<name>.sha256 }}`.
        size: in bytes.
    """

    name: Id
    file_name: str
    content_type: str = "application/pdf"
    size: int = Field(ge=1, le=64 * 1024 * 1024)


class Request(Definition):
    """What the browser asks beside the page, for what no page shows: an interface, a download, a mailbox."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    form: dict[str, str] | None = None
    json_: Any = Field(default=None, alias="json")
    body: str | None = None

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        self.as_step("request")
        return self

    def as_step(self, step_id: str) -> Step:
        """The same as a step of a plain journey."""
        return Step.model_validate({"id": step_id, **self.model_dump(by_alias=True, exclude_unset=True)})


class BrowserExpect(Expect):
    """What a page must show; what can still come true is waited for.

    Attributes:
        visible: selectors of elements that a visitor can see.
        hidden: selectors of elements that are absent or that no visitor can see.
    """

    visible: Annotated[tuple[Css, ...], one_or_many] = ()
    hidden: Annotated[tuple[Css, ...], one_or_many] = ()

    @property
    def asserts(self) -> bool:
        return bool(self.visible or self.hidden) or super().asserts


def _key_name(value: str) -> str:
    if not value.strip():
        raise ValueError('is not the name of a key; write "Enter", "Tab" or "Control+A"')
    return value


class BrowserStep(Definition):
    """What a visitor does on one page, always in this order: goto, fill, select, check, upload, click, press.

    Attributes:
        goto: template; relative to the base URL.
        fill: selector of a field to what is typed into it.
        select: selector of a list to the value or label that is chosen.
        check: selectors of boxes and radio buttons.
        upload: selector of a file field to the files it is given.
        press: a key, for the element that has the focus.
        request: instead of all others: what the browser asks beside the page, with the visitor's cookies.
        screenshot: keep a picture after this step too, should the run fail.
        deadline: total of this step; None: what the journey has left.
        always: runs even after a failure, for clean-up; its failure never changes the outcome.
        login: this step sends the credentials of an account, so that the monitor rests before it locks it out.
        creates: what it makes at the portal, and how that is taken away; None where it makes nothing that stays.
    """

    id: Id
    title: Title | None = None
    goto: str | None = None
    fill: dict[Css, str] = Field(default_factory=dict)
    select: dict[Css, str] = Field(default_factory=dict)
    check: Annotated[tuple[Css, ...], one_or_many] = ()
    upload: dict[Css, Annotated[tuple[Upload, ...], one_or_many]] = Field(default_factory=dict)
    click: Css | None = None
    press: Annotated[str, AfterValidator(_key_name)] | None = None
    request: Request | None = None
    screenshot: bool = False
    deadline: Duration | None = None
    expect: BrowserExpect = BrowserExpect()
    capture: dict[Id, Capture] = Field(default_factory=dict)
    always: bool = False
    login: bool = False
    creates: Creates | None = None

    @property
    def asks(self) -> bool:
        """Whether the portal is asked for something by what this step does; typing and choosing send nothing."""
        return bool(self.goto or self.click or self.press or self.request)

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        for reserved in sorted(set(RESERVED) & set(self.capture)):
            raise ValueError(f'captures "{reserved}", a name that templates already use; choose another')
        on_page = (self.goto, self.fill, self.select, self.check, self.upload, self.click, self.press)
        if self.request is not None and any(on_page):
            raise ValueError("has a request beside other actions; give it a step of its own")
        if self.request is None and not any(on_page) and not self.expect.asserts:
            raise ValueError("does nothing; write one of goto, fill, select, check, upload, click, press, request")
        return self


class BrowserJourney(Definition):
    """A visitor's path through the portal in a real browser. Every run has a fresh profile.

    Attributes:
        interval: from one due instant to the next.
        deadline: total of one run once the browser stands ready, `always` steps excepted.
        wait: how long an element or an expectation may take to come true on a page that has loaded.
        base_url: None takes the portal's.
        allow_hosts: further hosts (`name` or `name:port`) whose scripts, styles and pictures the pages may load; all
            others are kept out, counted and told.
        secrets: names of the secrets the steps may use as `{{ secret.<name> }}`.
        depends_on: ids of checks whose failure explains this one's.
        shadow: measured, stored and shown, but it opens no incident and counts for no contract until this is removed.
        max_created_per_day: objects it may make in 24 hours, re-runs included; None: as many as it comes to.
        max_failed_logins: after so many refused logins in a row, nobody logs in with that account for an hour or more.
    """

    kind: Literal["browser"] = "browser"
    id: Id
    title: Title
    interval: Duration
    deadline: Duration
    wait: Duration = 3_000_000
    base_url: BaseUrl | None = None
    allow_hosts: Texts = ()
    secrets: tuple[str, ...] = ()
    depends_on: tuple[Id, ...] = ()
    shadow: bool = False
    max_created_per_day: int | None = Field(default=None, ge=1)
    max_failed_logins: int = Field(default=3, ge=1, le=100)
    step: tuple[BrowserStep, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        ids = [s.id for s in self.step]
        for twice in sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f'has two steps with the id "{twice}"; give each its own')
        if self.step[0].goto is None:
            raise ValueError("does not begin with a page; the first step needs goto")
        if not any(s.expect.asserts for s in self.step if not s.always):
            raise ValueError("asserts nothing, so it would be up whatever the portal answers; add an expect to a step")
        if self.deadline > self.interval:
            raise ValueError(
                "has a deadline beyond its interval, so one run would overlap the next; lower the deadline"
            )
        return self

    @model_validator(mode="after")
    def _takes_away_what_it_makes(self) -> Self:
        by_id = {s.id: s for s in self.step}
        makes = {s.id: s.creates for s in self.step if s.creates is not None}
        wrong = taken_away_wrongly(makes, {s.id: s.always and s.expect.asserts for s in self.step})
        if wrong is not None:
            raise ValueError(wrong)
        for made_by, creates in makes.items():
            first = by_id[creates.undo[0]]
            if first.goto is None and first.request is None:
                raise ValueError(
                    f'takes away what "{made_by}" makes beginning with "{first.id}", which opens no page and has '
                    "nothing to click on when it is walked on its own; name a step before it that has goto or request"
                )
        return self
