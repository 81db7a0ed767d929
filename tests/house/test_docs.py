"""The documents are true: metrics, commands, failure kinds and links are what the program has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.catalogue import BUCKETS, CATALOGUE
from monitor.cli import main
from monitor.cli.app import app
from monitor.missed import Cause
from probes.sample import FailureKind

HERE = Path(__file__).parents[2]
METRICS = (HERE / "docs" / "metrics.md").read_text(encoding="utf-8")
README = (HERE / "README.md").read_text(encoding="utf-8")
_NOT_OURS = {".venv", "node_modules", "var", "dist", "build", ".git", ".pytest_cache", ".hypothesis"}


def tracked() -> list[Path]:
    """What belongs to the project: asked of git where there is one, otherwise the folder as it is."""
    if shutil.which("git") and (HERE / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=HERE, capture_output=True, text=True, check=True).stdout
        return [HERE / name for name in listed.split("\0") if name and (HERE / name).is_file()]
    return [p for p in HERE.rglob("*") if p.is_file() and not _NOT_OURS & set(p.relative_to(HERE).parts)]


DOCUMENTS = sorted(path for path in tracked() if path.suffix == ".md")


# -- metrics ---------------------------------------------------------------------------------


def rows() -> dict[str, tuple[str, str, str]]:
    found = re.findall(r"^\| `(\w+)` \| (gauge|counter|histogram) \| (.*?) \| (.*) \|$", METRICS, flags=re.MULTILINE)
    return {name: (kind, labels, said) for name, kind, labels, said in found}


def test_every_metric_is_documented_and_every_documented_metric_exists() -> None:
    assert rows() == {
        metric.name: (metric.kind, ", ".join(f"`{label}`" for label in metric.labels) or "none", metric.help)
        for metric in CATALOGUE
    }


def test_the_closed_lists_of_label_values_are_documented() -> None:
    reasons = re.search(r"^\| `reason` \|.*$", METRICS, flags=re.MULTILINE)
    causes = re.search(r"^\| `cause` \|.*$", METRICS, flags=re.MULTILINE)
    assert reasons and causes
    assert set(re.findall(r"`([\w-]+)`", reasons[0])) == {"reason", *(kind.value for kind in FailureKind)}
    assert set(re.findall(r"`([\w-]+)`", causes[0])) == {"cause", *(cause.value for cause in Cause)}


def test_the_bounds_of_histograms_are_documented() -> None:
    assert ", ".join(f"{bound:g}" for bound in BUCKETS) in METRICS


# -- commands ---------------------------------------------------------------------------------


def commands() -> set[str]:
    """Every command that does something, as it is typed."""
    found: set[str] = set()

    def walk(words: tuple[str, ...], here: object) -> None:
        inner = [name for name in here if not name.startswith("-")]  # type: ignore[attr-defined]
        if not inner:
            found.add(" ".join(words))
        for name in inner:
            walk((*words, name), here[name])  # type: ignore[index]

    walk((), app)
    return found


def documented() -> set[str]:
    """Commands of the table in README: `maintenance announce`, `cancel`, `list` share their first word."""
    table = README.partition("## Commands")[2].partition("Exit codes")[0]
    found: set[str] = set()
    for cell in re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE):
        first = ""
        for text in re.findall(r"`([^`]+)`", cell):
            words = [word for word in text.split() if word.islower() and word[0].isalpha()]
            if len(words) > 1:
                first = words[0]
            elif first and f"{first} {words[0]}" in commands():
                words = [first, *words]
            found.add(" ".join(words))
    return found


def test_every_command_stands_in_the_readme_and_exists() -> None:
    assert documented() == commands()


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main((*command.split(), "--help")) == 0
    assert f"loketwacht {command}" in capsys.readouterr().out


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(HERE)))
def test_commands_that_documents_name_exist(path: Path) -> None:
    named = re.findall(r"`loketwacht ([a-z][a-z ]*[a-z])", path.read_text(encoding="utf-8"))
    known = commands() | {command.partition(" ")[0] for command in commands()}
    known |= {" ".join(command.split()[:2]) for command in commands()}
    assert [text for text in named if not any(text == k or text.startswith(f"{k} ") for k in known)] == []


# -- links and places ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(HERE)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        if name.startswith(("http:", "https:", "mailto:")):
            continue
        goal = (path.parent / name) if name else path
        if not goal.exists() or (anchor and goal.suffix == ".md" and anchor not in anchors(goal)):
            broken.append(target)
    assert broken == []


def anchors(path: Path) -> set[str]:
    """The anchors that headings of a page get."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_file_names_a_package_index_or_a_folder_of_some_machine() -> None:
    # Written in parts, so that this file does not find itself.
    places = [r"/ho" r"me/\w+/", r"/ro" r"ot/", r"/Us" r"ers/\w+/", r"/wo" r"rk/", r"--(extra-)?index" r"-url[ =]http"]
    pattern = re.compile("|".join(places).encode())
    found = [
        f"{path.relative_to(HERE)}: {match[0].decode()}"
        for path in tracked()
        if path.suffix not in (".pdf", ".png", ".ttf", ".woff2")
        for match in pattern.finditer(path.read_bytes())
    ]
    assert found == []


def test_lock_files_name_no_index() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (HERE / name).read_text(encoding="utf-8")
