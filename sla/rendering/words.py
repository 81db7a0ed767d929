"""The documents' sentences in both languages, from `sla/templates/words/*.toml`; what is not listed is not said."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from sla.assessment import Text


@cache
def catalogue() -> Mapping[str, Text]:
    """Every text by its key, `section.name`. A section stands in one file; the same in two is a KeyError."""
    found: dict[str, Text] = {}
    sections: set[str] = set()
    for file in sorted(files("sla").joinpath("templates", "words").iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml"):
            continue
        for section, texts in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if section in sections:
                raise KeyError(f"section {section} of {file.name} stands in another file already")
            sections.add(section)
            found |= {f"{section}.{name}": Text(nl=text["nl"], en=text["en"]) for name, text in texts.items()}
    return MappingProxyType(found)


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue in one language."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """The text of that key with its {names} filled in. An unknown key or a missing name is a KeyError."""
        return catalogue()[key].in_(self.language).format_map(values)

    def of(self, section: str, code: str) -> str:
        """The words for a code of a closed list; the code itself where the list does not know it."""
        text = catalogue().get(f"{section}.{code}")
        return code if text is None else text.in_(self.language)

    def count(self, key: str, count: int) -> str:
        """`key_one` or `key_many`, with {count} filled in."""
        return self(f"{key}_{'one' if count == 1 else 'many'}", count=count)
