"""Playwright's trace of a run with everything secret taken out: who opens it sees each action and the page around it.

A trace holds what was typed, every request with its cookies, what was sent, and the pages' elements. So it is taken
apart and put together anew from what was gone through: every text of every line, and those of its resources that are
text. What is left is looked through once more as a whole, and a trace in which anything is found is not kept.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from probes.browser.fields import HIDDEN, fields_masked
from probes.redaction import MASK, Redactor

#: Bytes of a trace as it is kept; beyond it resources are left out first, then the pages' elements.
LIMIT = 2 * 1024 * 1024
#: Bytes of a member that are gone through, and of all resources together: a megabyte takes about a second.
_LINES_LIMIT, _RESOURCES_LIMIT = 4 * 1024 * 1024, 2 * 1024 * 1024
#: Bytes that are unpacked at all.
_MEMBER_LIMIT = 64 * 1024 * 1024
_SNAPSHOT = '"type":"frame-snapshot"'
_LINES = (".trace", ".network")
#: Text that the pages of a trace are shown with. Pictures cannot be gone through; scripts are not needed.
_RESOURCES = (".css", ".html", ".json", ".xml", ".txt", ".dat")
#: What a visitor does, and what is looked for on the page. Everything else is our own asking, secrets among it.
_A_VISITORS = frozenset(
    {"goto", "click", "fill", "check", "selectOption", "setInputFiles", "press", "keyboardPress", "isVisible"}
)
_VALUES = ("value", "__playwright_value_")
_SHORT = 200


def cleaned(path: Path, redact: Redactor) -> bytes | None:
    """A trace without anything secret, as a ZIP of at most `LIMIT` bytes; None where it cannot be made so."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = dict(_members(archive, _Cleaner(redact)))
    except (OSError, zipfile.BadZipFile, ValueError, TypeError, RecursionError):
        return None
    if not any(name.endswith(".trace") for name in members):
        return None
    for smaller in (members, _without_resources(members), _without_elements(members)):
        body = _zipped(smaller)
        if len(body) <= LIMIT:
            return body if all(map(redact.is_clean, smaller.values())) else None
    return None


def _members(archive: zipfile.ZipFile, cleaner: _Cleaner) -> Iterator[tuple[str, str]]:
    """What is kept of each member. Where our source lay (`.stacks`) is nobody's business.

    Raises:
        ValueError: there is too much of it, or it is no text where it should be.
    """
    room = _RESOURCES_LIMIT
    for about in archive.infolist():
        if about.filename.endswith(_LINES):
            if about.file_size > _MEMBER_LIMIT:
                raise ValueError("too much")
            text = archive.read(about).decode("utf-8")
            if len(text) > _LINES_LIMIT:
                text = _without_snapshots(text)
            if len(text) > _LINES_LIMIT:
                raise ValueError("too much")
            yield about.filename, "".join(f"{line}\n" for line in _lines(text, cleaner))
        elif about.filename.startswith("resources/") and about.filename.endswith(_RESOURCES):
            room -= about.file_size
            if room < 0:
                continue
            with suppress(UnicodeDecodeError):
                yield about.filename, cleaner.text(fields_masked(archive.read(about).decode("utf-8")))


def _lines(text: str, cleaner: _Cleaner) -> Iterator[str]:
    """What a visitor did, what the pages showed and said, what they asked; not what we asked the browser ourselves.

    Snapshots all stay: each is told by what differs from those before it.
    """
    ours: set[str] = set()
    for line in filter(str.strip, text.split("\n")):
        event: dict[str, Any] = json.loads(line)
        call = str(event.get("callId", ""))
        if event.get("type") == "before" and event.get("method") not in _A_VISITORS:
            ours.add(call)
        if call in ours:
            continue
        yield json.dumps(cleaner.value(event), ensure_ascii=False, separators=(",", ":"))


class _Cleaner:
    """Goes through the values of a trace. The same texts come again and again, so what became of them is kept."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._texts: dict[str, str] = {}
        self._names: dict[str, bool] = {}

    def text(self, text: str) -> str:
        if len(text) > _SHORT:
            return self._redact(text)
        if text not in self._texts:
            self._texts[text] = self._redact(text)
        return self._texts[text]

    def value(self, value: Any) -> Any:
        """The same value with every text gone through, and what its name or its place gives away masked."""
        match value:
            case str():
                return self.text(value)
            case [str(tag), dict(attributes), *children]:
                return [tag, self._attributes(attributes), *map(self.value, children)]
            case list():
                return [self.value(item) for item in value]
            case dict():
                return {self.text(name): self._member(name, item, value) for name, item in value.items()}
            case _:
                return value

    def _member(self, name: str, item: Any, beside: dict[str, Any]) -> Any:
        if name == "cookies" and isinstance(item, list):
            return [self.value({**one, "value": MASK}) if isinstance(one, dict) else MASK for one in item]
        if name == "queryString" and isinstance(beside.get("url"), str):
            return _query(self.text(beside["url"]))
        if not isinstance(item, str):
            return self.value(item)
        # Headers and fields are pairs of a name and a value; all else is called by its own name.
        called = beside.get("name") if name == "value" else name
        return self._named(called, item) if isinstance(called, str) else self.text(item)

    def _named(self, name: str, value: str) -> str:
        """A value that something of that name has: what grants access is known by its name."""
        if name not in self._names:
            as_header, as_field = f"{name}: a=0", f"{name}=0"
            self._names[name] = self._redact(as_header) != as_header or self._redact(as_field) != as_field
        return MASK if value and self._names[name] else self.text(value)

    def _attributes(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """Those of an element: hidden fields and passwords, and what a field or a `meta` is called by."""
        hidden = str(attributes.get("type", "")).lower() in HIDDEN
        called = str(attributes.get("name") or attributes.get("id") or "")
        kept: dict[str, Any] = {}
        for name, value in attributes.items():
            if not isinstance(value, str):
                kept[name] = value
            elif hidden and name in _VALUES and value:
                kept[name] = MASK
            elif name in (*_VALUES, "content"):
                kept[name] = self._named(called, value)
            else:
                kept[name] = self.text(value)
        return kept


def _query(url: str) -> list[dict[str, str]]:
    """An address's query taken apart after it was gone through: its parts alone may be pieces of a secret."""
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return [{"name": name, "value": value} for name, value in pairs]


def _without_resources(members: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in members.items() if name.endswith(_LINES)}


def _without_elements(members: dict[str, str]) -> dict[str, str]:
    return {name: _without_snapshots(text) for name, text in _without_resources(members).items()}


def _without_snapshots(lines: str) -> str:
    return "".join(f"{line}\n" for line in lines.split("\n") if line and _SNAPSHOT not in line)


def _zipped(members: dict[str, str]) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, text in members.items():
            about = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            about.compress_type, about.create_system, about.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(about, text.encode("utf-8", "replace"))
    return into.getvalue()
