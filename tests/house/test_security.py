"""The page about security is true: every threat is shown by tests that are there, and every letter has one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| ([STRIDE]) \| (.+?) \| (.+?) \| (.+?) \| (.+) \|$", (HERE / "docs/security.md").read_text(), re.MULTILINE
)


def test_every_kind_of_threat_is_thought_of() -> None:
    assert {row[0] for row in ROWS} == set("STRIDE")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}: {row[2][:30]}")
def test_a_threat_is_shown_by_a_test_or_a_command(row: tuple[str, ...]) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row[4])
    assert named or "`make " in row[4]
    assert row[4].count("::") == len(named)
    for path, name in named:
        body = ast.parse((HERE / path).read_text(encoding="utf-8")).body
        assert name in {node.name for node in body if isinstance(node, ast.FunctionDef)}, f"{path}::{name}"
