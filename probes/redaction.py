"""Takes secrets out of whatever is kept or shown: one function for evidence, failures and URLs."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from urllib.parse import quote

from probes.errors import printable
from probes.sample import Failure

#: What stands in the place of a secret.
MASK = "***"

#: Names of query parameters, form fields and JSON members whose values grant access.
_GRANTING = (
    r"[\w.-]*(?:token|passw(?:or)?d|passwd|wachtwoord|secret|geheim|session|sessie|csrf|xsrf|signature|api[_-]?key|ticket|otp|jwt)[\w.-]*"
    r"|code|state|nonce|sid|jsessionid|auth|assertion|SAML(?:Request|Response)|RelayState|key|pin|sig|rrn"
)
_PARAMETER = re.compile(rf"(?<![\w.-])((?:{_GRANTING})=)[^&#?;\s\"'<>“”]+", re.IGNORECASE)
_MEMBER = re.compile(rf"(\"(?:{_GRANTING})\"\s*:\s*\")(?:[^\"\\]|\\.)*(?=\")", re.IGNORECASE)
# A part of a form that is sent as multipart/form-data: its name, what else is said of it, an empty line, the value.
_PART = re.compile(
    rf"(;[ \t]*name=\"(?:{_GRANTING})\"[^\n]{{0,200}}\n(?:[^\n:]{{1,60}}:[^\n]{{0,200}}\n){{0,5}}\n)[^\n]+",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"^((?:proxy-)?authorization|x-api-key|x-auth-token|x-csrf-token|x-xsrf-token)(:[ \t]*).+$",
    re.IGNORECASE | re.MULTILINE,
)
_SET_COOKIE = re.compile(r"^(set-cookie:[ \t]*[^=;\r\n]+=)[^;\r\n]*", re.IGNORECASE | re.MULTILINE)
_COOKIE = re.compile(r"^(cookie:[ \t]*)(.+)$", re.IGNORECASE | re.MULTILINE)
_COOKIE_PAIR = re.compile(r"([^=;\s]+=)[^;]*")
# Belgian national register number, as people write it.
_REGISTER_NUMBER = re.compile(r"(?<!\d)\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}(?!\d)")


@lru_cache(maxsize=1024)
def _character(char: str) -> str:
    """A pattern of every way one character is written: itself, percent-encoded, as HTML entity, as JSON escape."""
    encoded = char.encode("utf-8", "surrogatepass")
    ways = {
        html.escape(char),
        html.escape(html.escape(char)),  # a page within a page: `srcdoc`
        json.dumps(char, ensure_ascii=False)[1:-1],
        "\\/" if char == "/" else char,
        "+" if char == " " else char,
        char,
    }
    fixed = [re.escape(way) for way in sorted(ways, key=lambda way: (-len(way), way))]
    percent = "".join(f"%(?:25)?(?i:{byte:02x})" for byte in encoded)
    entity = f"&(?:amp;)?#(?:0{{0,4}}{ord(char)}|(?i:x)0{{0,4}}(?i:{ord(char):x}));"
    units = char.encode("utf-16-be", "surrogatepass").hex()
    escape = "".join(rf"\\u(?i:{units[i : i + 4]})" for i in range(0, len(units), 4))
    return f"(?:{'|'.join([percent, entity, escape, *fixed])})"


def _base64_cores(secret: bytes) -> Iterable[str]:
    """What of the secret's base64 does not depend on the bytes around it, for its three alignments."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret).decode("ascii")
        core = encoded[-(-before * 4 // 3) : (before + len(secret)) * 4 // 3]
        if len(core) >= 4:
            yield core
            yield core.translate(str.maketrans("+/", "-_"))
            yield quote(core, safe="")


@lru_cache(maxsize=64)
def _forms(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Every form of these secrets. Kept: building it costs more than all the rest of a run."""
    forms = ["".join(map(_character, secret)) for secret in secrets]
    cores = {core for secret in secrets for core in _base64_cores(secret.encode())}
    forms += [re.escape(core) for core in sorted(cores, key=lambda core: (-len(core), core))]
    return re.compile("|".join(forms)) if forms else None


class Redactor:
    """Replaces the values of secrets, in every form they may be echoed in, and what grants access by its name.

    Forms: plain, percent-encoded, HTML-escaped, JSON-escaped (mixed freely), base64 and base64url at each alignment.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(sorted({s for s in secrets if s}, key=lambda s: (-len(s), s)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Redactor) and self._secrets == other._secrets

    def __hash__(self) -> int:
        return hash(self._secrets)

    @cached_property
    def _known(self) -> re.Pattern[str] | None:
        return _forms(self._secrets)

    @cached_property
    def widest(self) -> int:
        """The longest a written secret may be, in characters; a cut must leave out that much to be safe."""
        return max((len(s) for s in self._secrets), default=0) * 24 + 64

    def __call__(self, text: str) -> str:
        """The text without secrets and control characters. Headers are known by their names at the start of a line."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        # Each expression needs a character that most texts lack; to look for that one costs next to nothing.
        if ":" in text:
            text = _HEADER.sub(rf"\1\2{MASK}", text)
        if "=" in text:
            text = _SET_COOKIE.sub(rf"\1{MASK}", text)
            text = _COOKIE.sub(lambda found: found[1] + _COOKIE_PAIR.sub(rf"\1{MASK}", found[2]), text)
            text = _PARAMETER.sub(rf"\1{MASK}", text)
        if '"' in text:
            text = _MEMBER.sub(rf"\1{MASK}", text)
            text = _PART.sub(rf"\1{MASK}", text)
        if "-" in text:
            text = _REGISTER_NUMBER.sub(MASK, text)
        return printable(text)

    def is_clean(self, text: str) -> bool:
        """Whether no known secret is in a text, in whatever form."""
        return self._known is None or self._known.search(text) is None

    def capped(self, text: str, limit: int) -> tuple[str, bool]:
        """The text without secrets, at most `limit` characters, and whether more was cut off.

        Redacted before it is cut: a cut through a secret would leave its beginning for others to read.
        """
        room = limit + self.widest
        if len(text) <= room:
            clean = self(text)
            return clean[:limit], len(clean) > limit
        clean = self(text[:room])
        return clean[: min(limit, max(0, len(clean) - self.widest))], True

    def address(self, url: str) -> str:
        """An address, one line of at most 2,000 characters. The same ones come by at every run."""
        return _clean_address(self, url)

    def short(self, text: str | None, limit: int = 300) -> str | None:
        """For messages: one line, ended by an ellipsis where it was cut. None stays None."""
        if text is None:
            return None
        clean, cut = self.capped(" ".join(text.split()), limit)
        return clean + "…" if cut else clean

    def failure(self, failure: Failure) -> Failure:
        """A failure of which nothing tells a secret."""
        return replace(
            failure,
            subject=self.short(failure.subject) or "",
            expected=self.short(failure.expected),
            found=self.short(failure.found),
        )


@lru_cache(maxsize=256)
def _clean_address(redact: Redactor, url: str) -> str:
    return redact.short(url, 2000) or ""
