"""What is wrong with the severities of a configuration, told at their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.incident_settings import severity_problems
from monitor.incidents import IncidentRule
from monitor.severity import Severity
from monitor.toml_file import Origins, read
from tests.heart import CERTIFICATE, INDIENEN


def problems(folder: Path, place: str) -> list[str]:
    """What is said of one key, with the line it stands in."""
    path = folder / "config.toml"
    path.write_text(f'[incidents]\nopen_after = 2\n[incidents.severities]\n"{place}" = "minor"\n', encoding="utf-8")
    rule = IncidentRule(severities={place: Severity.MINOR})
    found = severity_problems(rule, (INDIENEN, CERTIFICATE), Origins(read(path)))
    return [f"{one.line}: {one.what}" for one in found]


@pytest.mark.parametrize(
    "place",
    [
        "indienen",
        "indienen/verzenden",
        "indienen/timeout",
        "*/certificate",
        "certificaat",
        "certificaat/connect",
    ],
)
def test_a_check_a_step_of_it_and_a_kind_of_failure_can_have_a_severity(tmp_path: Path, place: str) -> None:
    assert problems(tmp_path, place) == []


@pytest.mark.parametrize(
    "place",
    [
        "bestaat-niet",
        "bestaat-niet/timeout",
        "indienen/bestaat-niet",
        "certificaat/verzenden",
        "*",
        "*/verzenden",
        "timeout",
        "indienen/",
        "",
    ],
)
def test_whatever_else_is_named_is_a_mistake_at_its_place(tmp_path: Path, place: str) -> None:
    assert problems(tmp_path, place) == ["4: names no check, step or kind of failure"]
