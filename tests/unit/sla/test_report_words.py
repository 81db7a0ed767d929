"""Every sentence of the report exists in both languages, and every sentence that exists is used."""

from __future__ import annotations

import re
from importlib.resources import files
from string import Formatter

import pytest

from sla.ledger_kinds import KINDS
from sla.rendering.words import Words, catalogue

KEYS = sorted(catalogue())


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", KEYS)
def test_a_text_is_complete_in_dutch_and_english_and_fills_in_the_same(key: str) -> None:
    text = catalogue()[key]
    assert text.nl.strip()
    assert text.en.strip()
    assert names_in(text.nl) == names_in(text.en)


def test_every_text_that_the_template_and_the_code_name_exists() -> None:
    folder = files("sla")
    template = "".join(f.read_text() for f in folder.joinpath("templates").iterdir() if f.name.endswith(".j2"))
    code = "".join(f.read_text() for f in folder.joinpath("rendering").iterdir() if f.name.endswith(".py"))
    named = set(re.findall(r'\bt\("([a-z_]+\.[a-z_0-9]+)"[,)]', template)) | set(
        re.findall(r'words\("([a-z_]+\.[a-z_0-9]+)"', code)
    )
    assert named
    assert named - set(KEYS) == set()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_ledger_entry_is_told_in_words(kind: str) -> None:
    """The two-weekly update lists what was recorded; a reader does not know the keys of our files."""
    assert f"entry.{kind}" in KEYS


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert Words("nl").of("cause", "stroomonderbreking in de zaal") == "stroomonderbreking in de zaal"


def test_a_missing_name_is_an_error_and_no_hole() -> None:
    with pytest.raises(KeyError, match="number"):
        Words("nl")("frame.replaces")


def test_dutch_never_says_what_the_glossary_calls_otherwise() -> None:
    dutch = " ".join(text.nl for text in catalogue().values()).lower()
    dutch = re.sub(r"\{.*?\}", "", dutch)  # a name that is filled in is not read by anybody
    assert not re.search(r"downtime|uptime|incident|outage|opdrachtnemer|grootboek|clausule", dutch)
