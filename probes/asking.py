"""A step as the request it sends: address, headers and body with their values filled in. Pure."""

from __future__ import annotations

from urllib.parse import urlencode, urljoin

from probes.bodies import content
from probes.http import Ask
from probes.steps import Step
from probes.values import Values


def ask_of(step: Step, values: Values, *, base_url: str) -> Ask:
    """What a step sends first.

    Raises:
        Fault: of kind monitor, where a value it names is not there.
    """
    hidden = values.fields(step.form_from) if step.form_from is not None else ()
    body = content(step, run_id=values.run_id, fill=values.fill, hidden=hidden)
    url = urljoin(base_url, values.fill(step.path))
    if step.query:
        pairs = urlencode({name: values.fill(value) for name, value in step.query.items()})
        address, hash_mark, fragment = url.partition("#")
        url = f"{address}{'&' if '?' in address else '?'}{pairs}{hash_mark}{fragment}"
    headers = [(name, values.fill(value)) for name, value in step.headers.items()]
    if body.content_type is not None and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", body.content_type))
    return Ask(
        method=step.method,
        url=url,
        headers=tuple(headers),
        body=body.body,
        follow_redirects=step.follow_redirects,
        private=values.private,
    )
