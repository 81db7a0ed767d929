"""The page about the failures of other monitors is true: every row once, every test there and named after its row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
PAGE = (HERE / "docs" / "failures.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| T(\d+) \| (.+?) \| (.+) \|$", PAGE, flags=re.MULTILINE)


def test_every_row_stands_there_once_and_in_order() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 49))
    assert PAGE.count("\n| T") == len(ROWS)


@pytest.mark.parametrize(("number", "shown"), [(number, shown) for number, _, shown in ROWS], ids=lambda text: text[:4])
def test_a_row_is_shown_by_tests_that_name_it_or_says_why_not(number: str, shown: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown)
    assert shown.count("::") == len(named)
    assert named or re.search(r"\*\*(Not yet|Does not apply):\*\* \S", shown)
    assert [name for path, name in named if not re.search(rf"\bT{number}\b", docstring(path, name))] == []


def docstring(path: str, name: str) -> str:
    """What a test says of itself; nothing where there is no such test."""
    file = HERE / path
    tree = ast.parse(file.read_text(encoding="utf-8") if file.exists() else "")
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    return (ast.get_docstring(found[0]) or "") if found else ""
