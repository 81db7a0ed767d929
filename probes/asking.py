"""A step as the request it sends: address, headers and body with their values filled in. Pure."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from urllib.parse import urlencode, urljoin, urlsplit

from probes.bodies import Content, content, form_content
from probes.fault import Fault
from probes.forms import Form, form_in
from probes.http import Ask, host_of
from probes.response import Response
from probes.sample import FailureKind
from probes.steps import Step
from probes.values import Values


def ask_of(step: Step, values: Values, *, base_url: str, last: Response | None) -> Ask:
    """What a step sends first.

    Args:
        last: the answer of the step before, which `submit` sends a form of; None where none was got.

    Raises:
        Fault: of kind monitor, where a value it names is not there; of kind capture, where the form is not.
    """
    if step.submit is not None:
        if last is None:
            raise Fault(FailureKind.CAPTURE, "submit", expected="a page before this step", found="nothing")
        select = values.fill_css(step.submit)
        form = form_in(last, select, None if step.button is None else values.fill_css(step.button))
        return _submitted(form, step, values, last)
    hidden = values.fields(step.form_from) if step.form_from is not None else ()
    body = content(step, run_id=values.run_id, fill=values.fill, hidden=hidden)
    url = _with_query(_joined(base_url, values.fill(step.path or "")), step, values)
    return Ask(
        method=step.method,
        url=url,
        headers=_headers(step, values, body),
        body=body.body,
        follow_redirects=step.follow_redirects,
        private=values.private,
    )


def self_posted(form: Form, step: Step, values: Values, last: Response) -> Ask:
    """What a page sends by itself, as its script would."""
    bare = Step(id=step.id, submit="form", follow_redirects=step.follow_redirects)
    return _submitted(form, bare, values, last)


def _submitted(form: Form, step: Step, values: Values, last: Response) -> Ask:
    body, fields = form_content(form, step, run_id=values.run_id, fill=values.fill)
    url = form.action
    if form.method == "GET":
        url = f"{url.partition('?')[0]}?{urlencode(fields)}"
        body = Content(body=b"", content_type=None)
    # Some portals look where a form came from, as a defence; a browser's default tells strangers only the host.
    page = urlsplit(last.url)
    origin = f"{page.scheme}://{page.netloc}"
    near = host_of(last.url) == host_of(url) and page.scheme == urlsplit(url).scheme
    came = [("Referer", last.url.partition("#")[0] if near else origin + "/")]
    if form.method == "POST":
        came.append(("Origin", origin))
    own = _headers(step, values, body)
    named = {name.lower() for name, _ in own}
    return Ask(
        method=form.method,
        url=_with_query(url, step, values),
        headers=(*((name, value) for name, value in came if name.lower() not in named), *own),
        body=body.body,
        follow_redirects=step.follow_redirects,
        private=values.private,
    )


@lru_cache(maxsize=512)
def _joined(base_url: str, path: str) -> str:
    return urljoin(base_url, path)


def _with_query(url: str, step: Step, values: Values) -> str:
    if not step.query:
        return url
    pairs = urlencode({name: values.fill(value) for name, value in step.query.items()})
    address, hash_mark, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{pairs}{hash_mark}{fragment}"


def _headers(step: Step, values: Values, body: Content) -> tuple[tuple[str, str], ...]:
    headers = [(name, values.fill(value)) for name, value in step.headers.items()]
    named = {name.lower() for name, _ in headers}
    if body.content_type is not None and "content-type" not in named:
        headers.append(("Content-Type", body.content_type))
    if step.basic_auth is not None and "authorization" not in named:
        pair = f"{values.fill(step.basic_auth.user)}:{values.fill(step.basic_auth.password)}"
        headers.append(("Authorization", "Basic " + base64.b64encode(pair.encode()).decode("ascii")))
    if "traceparent" not in named:
        headers.append(("traceparent", trace_parent(values.run_id, step.id)))
    return tuple(headers)


@lru_cache(maxsize=64)
def _trace(run_id: str) -> str:
    return hashlib.sha256(run_id.encode()).hexdigest()[:32]


def trace_parent(run_id: str, step: str) -> str:
    """W3C Trace Context, version 00: one trace for the run, one parent for the step, sampled.

    Both ids are hashes, so that the portal's own traces can be found by who knows the run's id.
    """
    trace = _trace(run_id)
    parent = hashlib.sha256(f"{run_id}|{step}".encode()).hexdigest()[:16]
    return f"00-{trace}-{parent}-01"
