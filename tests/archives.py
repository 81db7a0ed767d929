"""Holds an HTTP archive against the specification of HAR 1.2: which fields there are, of what type, how they add up.

Source: http://www.softwareishard.com/blog/har-12-spec/ (facts: names, types, which are optional, what -1 means).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

NUMBER = (int, float)
#: Of each object: the fields it must have, and those it may have.
_MUST: dict[str, dict[str, Any]] = {
    "log": {"version": str, "creator": dict, "entries": list},
    "creator": {"name": str, "version": str},
    "page": {"startedDateTime": str, "id": str, "title": str, "pageTimings": dict},
    "entry": {
        "startedDateTime": str, "time": NUMBER, "request": dict, "response": dict, "cache": dict, "timings": dict,
    },
    "request": {
        "method": str, "url": str, "httpVersion": str, "cookies": list, "headers": list, "queryString": list,
        "headersSize": int, "bodySize": int,
    },
    "response": {
        "status": int, "statusText": str, "httpVersion": str, "cookies": list, "headers": list, "content": dict,
        "redirectURL": str, "headersSize": int, "bodySize": int,
    },
    "pair": {"name": str, "value": str},
    "postData": {"mimeType": str},
    "content": {"size": int, "mimeType": str},
    "timings": {"send": NUMBER, "wait": NUMBER, "receive": NUMBER},
    "pageTimings": {},
    "cache": {},
}  # fmt: skip
_MAY: dict[str, dict[str, Any]] = {
    "log": {"browser": dict, "pages": list},
    "entry": {"pageref": str, "serverIPAddress": str, "connection": str},
    "request": {"postData": dict},
    "postData": {"params": list, "text": str},
    "content": {"compression": int, "text": str, "encoding": str},
    "timings": {"blocked": NUMBER, "dns": NUMBER, "connect": NUMBER, "ssl": NUMBER},
    "pageTimings": {"onContentLoad": NUMBER, "onLoad": NUMBER},
}


def problems(archive: dict[str, Any]) -> list[str]:
    """What in an archive is not as HAR 1.2 says; empty where all is."""
    return list(_log(archive["log"])) if list(archive) == ["log"] else ["the archive is not one object `log`"]


def _object(kind: str, found: dict[str, Any], where: str) -> Iterator[str]:
    must, may = _MUST[kind], _MAY.get(kind, {}) | {"comment": str}
    yield from (f"{where}.{name}: missing" for name in must.keys() - found.keys())
    for name, value in found.items():
        wanted = must.get(name, may.get(name))
        if wanted is None:
            # Fields of one's own begin with an underscore.
            yield from () if name.startswith("_") else (f"{where}.{name}: unknown",)
        elif not isinstance(value, wanted) or isinstance(value, bool):
            yield f"{where}.{name}: {value!r} is no {wanted}"


def _log(log: dict[str, Any]) -> Iterator[str]:
    yield from _object("log", log, "log")
    yield from _object("creator", log["creator"], "creator")
    if log["version"] != "1.2":
        yield f"log.version: {log['version']}"
    ids = [page["id"] for page in log.get("pages", [])]
    if len(ids) != len(set(ids)):
        yield "pages: an id twice"
    for place, page in enumerate(log.get("pages", [])):
        yield from _object("page", page, f"pages[{place}]")
        yield from _object("pageTimings", page["pageTimings"], f"pages[{place}].pageTimings")
        yield from _instant(page["startedDateTime"], f"pages[{place}]")
    for place, entry in enumerate(log["entries"]):
        yield from _entry(entry, f"entries[{place}]")
        if "pageref" in entry and entry["pageref"] not in ids:
            yield f"entries[{place}].pageref: no such page"
    starts = [entry["startedDateTime"] for entry in log["entries"]]
    if starts != sorted(starts):
        yield "entries: not sorted by their start"


def _entry(entry: dict[str, Any], where: str) -> Iterator[str]:
    yield from _object("entry", entry, where)
    yield from _object("cache", entry["cache"], f"{where}.cache")
    yield from _instant(entry["startedDateTime"], where)
    request, response, timings = entry["request"], entry["response"], entry["timings"]
    yield from _object("request", request, f"{where}.request")
    yield from _object("response", response, f"{where}.response")
    yield from _object("content", response["content"], f"{where}.content")
    yield from _object("timings", timings, f"{where}.timings")
    if "postData" in request:
        posted = request["postData"]
        yield from _object("postData", posted, f"{where}.postData")
        if ("text" in posted) == ("params" in posted):
            yield f"{where}.postData: text and params exclude each other"
    lists = (
        ("request.headers", request["headers"]), ("request.cookies", request["cookies"]),
        ("request.queryString", request["queryString"]),
        ("request.params", request.get("postData", {}).get("params", [])),
        ("response.headers", response["headers"]), ("response.cookies", response["cookies"]),
    )  # fmt: skip
    for name, pairs in lists:
        for pair in pairs:
            yield from _object("pair", pair, f"{where}.{name}")
    known = ("blocked", "dns", "connect", "send", "wait", "receive")  # `ssl` is part of `connect`
    if abs(entry["time"] - sum(max(0, timings.get(name, -1)) for name in known)) > 0.001:
        yield f"{where}.time: is not the sum of its timings"
    if any(timings[name] < 0 for name in ("send", "wait", "receive")):
        yield f"{where}.timings: only what may be left out may be -1"


def _instant(text: str, where: str) -> Iterator[str]:
    if datetime.fromisoformat(text).tzinfo is None:
        yield f"{where}.startedDateTime: without a zone"
