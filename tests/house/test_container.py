"""What goes into an image: all that the wheel needs, and nothing of what lies beside it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import pytest

HERE = Path(__file__).parents[2]
IGNORE = HERE / ".containerignore"
CONTAINERFILE = (HERE / "packaging" / "Containerfile").read_text(encoding="utf-8")
TRACKED = subprocess.run(
    ["git", "ls-files"],
    cwd=HERE, capture_output=True, text=True, check=False,
).stdout.splitlines()  # fmt: skip


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern names the path or a folder it is in, as Docker and Podman read patterns."""
    names = PurePosixPath(path).parts
    if pattern.startswith("**/"):
        return any(fnmatchcase(name, pattern.removeprefix("**/")) for name in names)
    return fnmatchcase(names[0], pattern)


def let_in(path: str) -> bool:
    """The last pattern that matches decides."""
    lines = [line for line in IGNORE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    taken = True
    for line in lines:
        if matches(line.removeprefix("!"), path):
            taken = line.startswith("!")
    return taken


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        "var/loketwacht.db",
        "var/practice/ca-key.pem",
        "config.local.toml",
        "geheim/sleutel.pem",
        "loketwacht.db.before-20261112T103217Z",
        ".env",
        "monitor/.env",
        "monitor/__pycache__/web.cpython-311.pyc",
        "tests/data/schemas/0001.sqlite.sql",
        "benchmarks/latest.json",
    ],
)
def test_what_lies_beside_the_program_stays_out_of_every_layer(path: str) -> None:
    assert not let_in(path)


def test_the_list_is_the_same_for_every_builder_and_lets_nothing_in_unasked() -> None:
    assert (HERE / ".dockerignore").read_text(encoding="utf-8") == IGNORE.read_text(encoding="utf-8")
    assert "COPY . " in CONTAINERFILE
    assert not let_in("whatever-comes-tomorrow")


def test_what_the_container_file_copies_by_name_is_let_in() -> None:
    named = [
        name for line in re.findall(r"^COPY (?!\. )(.+) \S+$", CONTAINERFILE, re.MULTILINE) for name in line.split()
    ]
    assert named != []
    assert [name for name in named if not let_in(name)] == []


def built_from(folder: Path, to: Path) -> set[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(to)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=180)
    [wheel] = to.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_program_built_from_what_is_let_in_is_the_whole_program(tmp_path: Path) -> None:
    if not TRACKED:
        pytest.skip("not a git repository")
    for path in filter(let_in, TRACKED):
        place = tmp_path / "context" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HERE / path, place)
    whole = tmp_path / "whole"
    for path in TRACKED:
        (whole / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HERE / path, whole / path)
    assert built_from(tmp_path / "context", tmp_path / "a") == built_from(whole, tmp_path / "b")
