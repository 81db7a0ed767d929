"""What a step sends: forms, JSON, multipart with files made on the spot. The same run sends the same bytes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from probes.extraction import Fields
from probes.forms import Form, changed
from probes.response import written_json
from probes.steps import Part, Step

Fill = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A request's body and the content type it goes with; None where the step sends none."""

    body: bytes
    content_type: str | None


def content(step: Step, *, run_id: str, fill: Fill, hidden: Fields) -> Content:
    """The body of a step, its templates filled in by `fill`.

    Args:
        hidden: what `form_from` captured; a field that `form` names too is replaced by it.
    """
    if step.form is not None or step.form_from is not None:
        own = {name: fill(value) for name, value in (step.form or {}).items()}
        pairs = [(name, value) for name, value in hidden if name not in own] + list(own.items())
        return Content(body=urlencode(pairs).encode(), content_type="application/x-www-form-urlencoded")
    if step.json_ is not None:
        return Content(body=written_json(_filled(step.json_, fill)).encode(), content_type="application/json")
    if step.multipart is not None:
        return _multipart(_parts(step.multipart, run_id=run_id, fill=fill), run_id=run_id)
    if step.body is not None:
        return Content(body=fill(step.body).encode(), content_type="text/plain; charset=utf-8")
    return Content(body=b"", content_type=None)


def _filled(value: Any, fill: Fill) -> Any:
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, dict):
        return {key: _filled(inner, fill) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(inner, fill) for inner in value]
    return value


def file_bytes(*, run_id: str, part: str, size: int) -> bytes:
    """The generated file: looks like a PDF at its beginning, the rest is noise that only (run, part, size) decide.

    The noise repeats every 64 KiB: fresh noise for a large upload would hold the event loop up.
    """
    head = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    noise = hashlib.shake_256(f"{run_id}|{part}|{size}".encode()).digest(min(size, 64 * 1024))
    return (head + noise * (size // len(noise) + 1))[:size]


def file_fact(*, run_id: str, part: str, size: int) -> Mapping[str, str]:
    """What templates may say of a file: its `sha256` and `size`."""
    return {
        "sha256": hashlib.sha256(file_bytes(run_id=run_id, part=part, size=size)).hexdigest(),
        "size": str(size),
    }


def file_facts(step: Step, run_id: str) -> Mapping[str, Mapping[str, str]]:
    """The facts of a step's files, by part name."""
    return {
        part.name: file_fact(run_id=run_id, part=part.name, size=part.size)
        for part in step.multipart or ()
        if part.size is not None
    }


def _disposition(name: str) -> str:
    # As browsers do since the HTML standard of 2020: three characters percent-encoded, the rest as UTF-8.
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """One part as it is sent; a plain field where it has no file name."""

    name: str
    file_name: str | None = None
    content_type: str = ""
    data: bytes


def _parts(parts: tuple[Part, ...], *, run_id: str, fill: Fill) -> tuple[_Sent, ...]:
    return tuple(
        _Sent(name=fill(part.name), data=fill(part.text or "").encode())
        if part.file_name is None or part.size is None
        else _Sent(
            name=fill(part.name),
            file_name=fill(part.file_name),
            content_type=part.content_type,
            data=file_bytes(run_id=run_id, part=part.name, size=part.size),
        )
        for part in parts
    )


def _multipart(parts: Iterable[_Sent], *, run_id: str) -> Content:
    boundary = "loketwacht-" + hashlib.sha256(f"boundary|{run_id}".encode()).hexdigest()[:32]
    out = bytearray()
    for part in parts:
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{_disposition(part.name)}"'.encode()
        if part.file_name is not None:
            out += f'; filename="{_disposition(part.file_name)}"\r\nContent-Type: {part.content_type}'.encode()
        out += b"\r\n\r\n" + part.data + b"\r\n"
    out += f"--{boundary}--\r\n".encode()
    return Content(body=bytes(out), content_type=f"multipart/form-data; boundary={boundary}")


def form_content(form: Form, step: Step, *, run_id: str, fill: Fill) -> tuple[Content, Fields]:
    """The body of a form that the portal showed, with the step's own fields and files in it, and all plain fields.

    What the portal wrote is sent as it is: only the step's own texts are templates.
    """
    own = {name: fill(value) for name, value in (step.form or {}).items()}
    sent = _parts(step.multipart or (), run_id=run_id, fill=fill)
    own |= {part.name: part.data.decode() for part in sent if part.file_name is None}
    fields = changed(form, own)
    files = [part for part in sent if part.file_name is not None]
    if form.multipart or files:
        chosen = {part.name for part in files}
        # A browser sends a file field in which nothing was chosen as an empty file without a name.
        files += [
            _Sent(name=name, file_name="", content_type="application/octet-stream", data=b"")
            for name in form.files
            if name not in chosen
        ]
        plain = [_Sent(name=name, data=value.encode()) for name, value in fields]
        return _multipart([*plain, *files], run_id=run_id), fields
    # Sent URL-encoded, a file field is only its name.
    fields += tuple((name, "") for name in form.files)
    encoded = urlencode(fields).encode()
    return Content(body=encoded, content_type="application/x-www-form-urlencoded"), fields
