"""Settings of the ways out beside mail. None is used by default: nothing leaves the machine unless somebody says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from monitor.toml_file import Loc, Origins, Problem
from probes.checks import Definition, Duration

_SECOND_US = 1_000_000
_SECRET = re.compile(r"\{\{\s*secret\.([a-z][a-z0-9_]*)\s*\}\}")

#: An address that may hold `{{ secret.name }}`, also as a whole.
Address = Annotated[str, Field(pattern=r"^(https?://\S|\{\{)", max_length=2000)]


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
