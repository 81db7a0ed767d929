"""Every key of a TOML file has a place, and every problem tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import toml_file
from monitor.toml_file import ConfigError

TEXT = """\
title = "x"
[portal]
name = "y"
"quoted key" = 1
a.b.c = 2

[[journey]]
id = "one"
step = [{ id = "s" }, { id = "t", deep = [1, { here = 2 }] }]

[[journey]]
id = "two"
[[journey.step]]
id = "first"
[[journey.step]]
id = "second"
"""


@pytest.mark.parametrize(
    ("loc", "place"),
    [
        (("title",), (1, 1)),
        (("portal",), (2, 2)),
        (("portal", "name"), (3, 1)),
        (("portal", "quoted key"), (4, 1)),
        (("portal", "a", "b", "c"), (5, 1)),
        (("journey", 0, "id"), (8, 1)),
        (("journey", 0, "step", 1, "id"), (9, 25)),
        (("journey", 0, "step", 1, "deep", 1, "here"), (9, 48)),
        (("journey", 1), (11, 3)),
        (("journey", 1, "step", 0, "id"), (14, 1)),
        (("journey", 1, "step", 1, "id"), (16, 1)),
    ],
    ids=lambda value: (
        toml_file.dotted(value) if isinstance(value, tuple) and value and isinstance(value[0], str) else ""
    ),
)
def test_every_key_has_its_place(tmp_path: Path, loc: toml_file.Loc, place: tuple[int, int]) -> None:
    path = tmp_path / "a.toml"
    path.write_text(TEXT)
    assert toml_file.read(path).places[loc] == place


def test_a_missing_key_is_placed_at_the_table_it_belongs_to(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(TEXT)
    assert toml_file.read(path).place(("journey", 1, "title")) == (11, 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = \n", "a.toml:1:5: not TOML: Invalid value"),
        (b"a = 1\na = 2\n", "a.toml:2:6: not TOML: Cannot overwrite a value"),
        (b'a = "', "a.toml:1:1: not TOML: Unterminated string"),
        (b"a = 1\nb = \xff\n", "a.toml:2:1: is not UTF-8 text"),
    ],
    ids=["no value", "twice", "unterminated", "not utf-8"],
)
def test_a_file_that_is_not_toml_says_where(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        toml_file.read(path, name="a.toml")
    assert str(refused.value).startswith(f"1 problem:\n{said}")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        toml_file.read(tmp_path / "nowhere.toml")
