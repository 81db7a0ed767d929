"""Texts with `{{ names }}` in them: captured values, secrets, the run's id and time. The room's one door to Jinja2.

Only expressions exist, no statements. Ids are written as they are (`{{ project-nummer }}`): inside the braces a name
with hyphens is a name, never a subtraction, since captured values are text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from probes.xpath import literal, whole_texts

_HYPHENATED = re.compile(r"(\{\{[-+]?\s*)([A-Za-z_][\w-]*(?:\.[\w-]+)*)(?=\s*(?:\||[-+]?\}\}))")


class TemplateError(ValueError):
    """A template that cannot be used; the message says why."""


class MissingNameError(TemplateError):
    """A template names a value that is not there.

    Attributes:
        name: as far as Jinja tells it, e.g. `secret.wachtwoord` or `projectnummer`.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no value named {name}")
        self.name = name


class Into(StrEnum):
    """What the text becomes; decides how inserted values are protected."""

    TEXT = "text"
    REGEX = "regex"
    CSS = "css"
    JMESPATH = "jmespath"
    XPATH = "xpath"


def _css(value: object) -> str:
    return re.sub(r"([\\\"'])", r"\\\1", str(value))


def _jmespath(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')


_PROTECT: dict[Into, Callable[[object], str]] = {
    Into.TEXT: str,
    Into.REGEX: lambda value: re.escape(str(value)),
    Into.CSS: _css,
    Into.JMESPATH: _jmespath,
    Into.XPATH: lambda value: literal(str(value)),
}


@lru_cache(maxsize=8)
def _environment(into: Into) -> ImmutableSandboxedEnvironment:
    def finalize(value: object) -> object:
        # An undefined value raises by itself when it is turned into text.
        return value if isinstance(value, jinja2.Undefined) else _PROTECT[into](value)

    return ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        finalize=finalize,
        # Statements and comments are off: these marks cannot be written in a TOML file.
        block_start_string="\x00%",
        block_end_string="%\x00",
        comment_start_string="\x00#",
        comment_end_string="#\x00",
    )


def _jinja(template: str) -> str:
    return _HYPHENATED.sub(lambda found: found[1] + found[2].replace("-", "_"), template)


@lru_cache(maxsize=4096)
def _compiled(template: str, into: Into) -> jinja2.Template:
    try:
        return _environment(into).from_string(_jinja(template))
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(f"is not a template: {error.message}") from error


def is_template(text: str) -> bool:
    return "{{" in text


def rendered(template: str, values: Mapping[str, Any], into: Into = Into.TEXT) -> str:
    """The text with its values filled in.

    Args:
        values: by name, with `_` where an id has a hyphen; nested mappings are reached with a dot.

    Raises:
        MissingNameError: where a value is not there.
        TemplateError: where the template is none, or its expression fails.
    """
    if not is_template(template):
        return template
    try:
        return _compiled(whole_texts(template) if into is Into.XPATH else template, into).render(values)
    except jinja2.UndefinedError as error:
        missing = sorted(name for name in names_used(template) if not _has(name, values))
        raise MissingNameError(missing[0] if missing else str(error)) from error
    except TemplateError:
        raise
    except Exception as error:
        raise TemplateError(f"cannot be filled in: {type(error).__name__}") from error


def _has(name: str, values: Mapping[str, Any]) -> bool:
    here: Any = values
    for part in name.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return False
        here = here[part]
    return True


def key(name: str) -> str:
    """The form of an id inside templates: hyphens become underscores."""
    return name.replace("-", "_")


def names_used(template: str) -> frozenset[str]:
    """Every name a template needs, with dots, in the form of `key`: `secret.wachtwoord`, `run.id`, `project_nummer`.

    Raises:
        TemplateError: where the text is no template.
    """
    if not is_template(template):
        return frozenset()
    try:
        tree = _environment(Into.TEXT).parse(_jinja(template))
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(f"is not a template: {error.message}") from error
    names: set[str] = set()
    inner: set[int] = set()
    # Outermost first, so that of `a.b.c` the whole chain is found and its parts are not told again.
    for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Name)):
        if id(node) in inner:
            continue
        parts: list[str] = []
        here: nodes.Node = node
        while isinstance(here, nodes.Getattr | nodes.Getitem):
            inner.add(id(here.node))
            if isinstance(here, nodes.Getattr):
                parts.append(here.attr)
            elif isinstance(here.arg, nodes.Const):
                parts.append(str(here.arg.value))
            else:
                parts.clear()
            here = here.node
        if isinstance(here, nodes.Name):
            names.add(".".join([here.name, *reversed(parts)]))
    return frozenset(names)
