"""Settings of the ways out beside mail. None is used by default: nothing leaves the machine unless somebody says so."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from monitor.recipients import WEBHOOK, Language, Recipient, Topic
from monitor.toml_file import Loc, Origins, Problem
from probes.checks import Definition, Duration, Id

_SECOND_US = 1_000_000
_SECRET = re.compile(r"\{\{\s*secret\.([a-z][a-z0-9_]*)\s*\}\}")

#: An address that may hold `{{ secret.name }}`, also as a whole.
Address = Annotated[str, Field(pattern=r"^(https?://\S|\{\{)", max_length=2000)]


class DrillSettings(Definition):
    """The daily drill: a fault on purpose, its mail and its end, to a mailbox of its own.

    Attributes:
        address: where the drill's mails go; best a mailbox that nobody is woken by.
        language: of those mails.
        at: from when on each day, in the monitor's time zone.
        within: each of the two mails must have been taken by the server within this.
    """

    address: str
    language: Language = "nl"
    at: str = Field(default="05:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    within: Duration = 15 * 60 * _SECOND_US

    @field_validator("address")
    @classmethod
    def _an_address(cls, address: str) -> str:
        return Recipient(address=address).address

    @property
    def recipient(self) -> Recipient:
        return Recipient(address=self.address, language=self.language, receives=("incidents",))


LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]


class HeartbeatSettings(Definition):
    """A sign of life for a service elsewhere that raises the alarm when it stays away (healthchecks and its kin).

    Attributes:
        url: told that all is well; `/fail` behind its path that it is not.
        every: from one sign to the next.
        timeout: of one request, everything together; shorter than `every`.
        method: some services understand only GET.
        tell_failure: False: where the schedule stands still there is silence, for services that know no `/fail`.
    """

    url: Address
    every: Duration = 60 * _SECOND_US
    timeout: Duration = 10 * _SECOND_US
    method: Literal["POST", "GET"] = "POST"
    tell_failure: bool = True

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.every < 10 * _SECOND_US:
            raise ValueError('every is less than "10s"; no service needs a sign of life so often')
        if self.timeout >= self.every:
            raise ValueError("timeout is not shorter than every, so that one request would run into the next")
        return self


class WebhookSettings(Definition):
    """A program elsewhere that is told what people are told, signed, from the same outbox.

    Attributes:
        id: names it in messages, metrics and logs.
        url: where each message is posted.
        secret: name of the secret it is signed with.
        receives: what about, as for recipients; a test goes to every webhook.
        checks: only news about these checks, and about outages that take one of them along; empty means all.
        timeout: of one request, everything together.
    """

    id: Id
    url: Address
    secret: str
    receives: tuple[Topic, ...] = ("incidents", "certificates", "monitor")
    checks: tuple[str, ...] = ()
    timeout: Duration = 10 * _SECOND_US

    @property
    def address(self) -> str:
        """What stands for it in the outbox, where people have their mail address."""
        return WEBHOOK + self.id

    @property
    def name(self) -> str:
        return ""

    @property
    def language(self) -> Language:
        """Of the message in the outbox; what is sent is in both languages."""
        return "nl"

    @property
    def timezone(self) -> None:
        """Instants are told to programs in UTC."""

    @property
    def after(self) -> None:
        """A program is told at once, at every hour."""

    @property
    def duty(self) -> None:
        """It is always on duty."""

    @property
    def quiet(self) -> None:
        """It has no quiet hours."""

    @property
    def called(self) -> str:
        return shown(self.url)

    def wants(self, topic: Topic, check_id: str | None = None) -> bool:
        """Whether this is for it; a topic without a check concerns every webhook that receives the topic."""
        return topic in self.receives and (check_id is None or not self.checks or check_id in self.checks)


class AlertmanagerSettings(Definition):
    """Prometheus Alertmanagers that are told what fires, by their API v2.

    Attributes:
        urls: of all members of a cluster; `/api/v2/alerts` comes behind each.
        every: what fires is sent again so often; it ends by itself after four times as long.
        timeout: of one request, everything together.
        language: of summaries and descriptions.
        labels: on every alert; `job` is what Prometheus would put there.
    """

    urls: tuple[Address, ...] = Field(min_length=1)
    every: Duration = 60 * _SECOND_US
    timeout: Duration = 10 * _SECOND_US
    language: Language = "nl"
    labels: dict[LabelName, str] = Field(default_factory=lambda: {"job": "loketwacht"})

    @model_validator(mode="after")
    def _not_ours(self) -> Self:
        taken = sorted({"alertname", "journey", "severity"} & self.labels.keys())
        if taken:
            raise ValueError(f"labels has {', '.join(taken)}, which every alert has of its own")
        if self.every < 5 * _SECOND_US:
            raise ValueError('every is less than "5s"')
        return self


def filled(url: str, secrets: Mapping[str, str]) -> str:
    """The address with its secrets in their places.

    Raises:
        KeyError: for a secret that is not there; `outward_problems` finds it first.
    """
    return _SECRET.sub(lambda found: secrets[found[1]], url)


def shown(url: str) -> str:
    """How an address is told to people: scheme, host and port; what comes behind may grant access."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else "***"


def outward_problems(
    addresses: Iterable[tuple[Loc, str]], *, secrets: Mapping[str, str | None], origins: Origins
) -> Iterator[Problem]:
    """What is wrong with addresses, each told at its place.

    Args:
        secrets: values by name; None for one that could not be read, which is told elsewhere.
    """
    for loc, url in addresses:
        missing = [name for name in _SECRET.findall(url) if name not in secrets]
        for name in missing:
            yield origins.problem(loc, f'there is no secret "{name}"', "Add it to [secrets].")
        if missing or any(secrets[name] is None for name in _SECRET.findall(url)):
            continue
        try:
            parts = urlsplit(filled(url, {name: value or "" for name, value in secrets.items()}))
            right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            right = False
        if not right or "{{" in _SECRET.sub("", url):
            mend = "Write https://host/path; {{ secret.name }} puts a secret of [secrets] in its place."
            yield origins.problem(loc, "is not an address with http or https", mend)


def webhook_problems(
    webhooks: Sequence[WebhookSettings], *, secrets: Mapping[str, str | None], origins: Origins
) -> Iterator[Problem]:
    """What is wrong with webhooks beside their addresses."""
    seen: set[str] = set()
    for index, webhook in enumerate(webhooks):
        if webhook.id in seen:
            mend = "Give each its own id."
            yield origins.problem(("webhook", index, "id"), f'"{webhook.id}" is the id of another webhook too', mend)
        seen.add(webhook.id)
        loc: Loc = ("webhook", index, "secret")
        if webhook.secret not in secrets:
            yield origins.problem(loc, f'there is no secret "{webhook.secret}"', "Add it to [secrets].")
            continue
        value = secrets[webhook.secret]
        if value is not None and not signing_key(value):
            mend = 'Behind "whsec_" stands base64; take a random text of 32 characters or more otherwise.'
            yield origins.problem(loc, "is no key to sign with", mend)


def signing_key(secret: str) -> bytes:
    """The key in a secret: what `whsec_` precedes is base64, as others write it; anything else is taken as it stands.

    Empty where it is no key: broken base64, or less than 16 bytes, which could be guessed.
    """
    try:
        key = base64.b64decode(secret[6:], validate=True) if secret.startswith("whsec_") else secret.encode()
    except ValueError:
        return b""
    return key if len(key) >= 16 else b""
