"""Pages from the templates beside this module, in Dutch."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from probes.practice.calendar import day_text, iso, last_day_text, moment_text

HERE = Path(__file__).parent


def size_text(size: int) -> str:
    """`1,0 MB` for a person; decimal units, a comma."""
    for unit, scale in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}".replace(".", ",")
    return "1 byte" if size == 1 else f"{size} bytes"


class Pages:
    """All templates, each compiled once in a process however many portals it has."""

    def __init__(self) -> None:
        self._templates = _environment()

    def render(self, template: str, **values: object) -> str:
        return self._templates.get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(day=day_text, moment=moment_text, iso=iso, last_day=last_day_text, file_size=size_text)
    return templates
