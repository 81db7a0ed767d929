"""The wheel alone, in an environment that does not know this folder: everything it needs travels with it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
#: Asks for whatever is not Python code, from inside the installed packages.
LOOK = """
import json, sys
from importlib.resources import files
from pathlib import Path
import monitor, probes, sla, dashboards
here = Path(sys.argv[1])
for package in (monitor, probes, sla, dashboards):
    assert Path(package.__file__).is_relative_to(here), package.__file__
assert not any(Path(entry).resolve() == Path(sys.argv[2]) for entry in sys.path if entry), sys.path
from dashboards.status_page import STATIC, ErrorPage, Frame, render_error
assert len(STATIC) >= 7
assert "</html>" in render_error(ErrorPage(frame=Frame(portal="x", generated_us=0, version="1"), status=404))
for name in ("overview", "journey", "sla", "certificates", "monitor"):
    assert json.loads((files("dashboards") / "grafana" / f"{name}.json").read_text())["uid"]
assert (files("dashboards") / "prometheus" / "alerting_rules.yml").is_file()
from monitor.store.database import Database
Database.open("sqlite:///store/new.db").close()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=HERE)
    assert built.returncode == 0, built.stderr
    [found] = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A virtual environment with the wheel; its dependencies are the ones installed here, without this folder."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    made = run([sys.executable, "-m", "venv", "--without-pip", str(folder)], cwd=folder.parent)
    assert made.returncode == 0, made.stderr
    inside = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    # A plain path in a .pth file does not follow the .pth files behind it, so an editable install is not seen.
    (inside / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    done = run([*pip, "install", "--no-deps", "--no-index", "--ignore-installed", str(wheel)], cwd=folder.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    yield folder


def run(command: list[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, env=bare, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return tmp_path


def loketwacht(installed: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run([str(installed / "bin" / "loketwacht"), *arguments], cwd=cwd)


def test_the_wheel_carries_what_is_not_code_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "monitor/example/config.toml" in names
    assert "probes/practice/journeys.toml" in names
    assert "sla/example/contract.toml" in names
    assert "dashboards/grafana/overview.json" in names
    assert any(name.startswith("monitor/store/migrations/") and name.endswith(".py") for name in names)
    assert any(name.startswith("sla/") and name.endswith((".ttf", ".otf", ".woff2")) for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "monitor", "probes", "sla", "dashboards", "loketwacht",
    }  # fmt: skip


def test_the_installed_command_tells_its_version(installed: Path, empty: Path) -> None:
    done = loketwacht(installed, "--version", cwd=empty)
    assert (done.returncode, done.stdout.strip()) == (0, "0.1.0"), done.stderr


def test_a_configuration_begun_from_the_wheel_is_right(installed: Path, empty: Path) -> None:
    done = loketwacht(installed, "config", "init", cwd=empty)
    assert done.returncode == 0, done.stderr
    done = loketwacht(installed, "config", "check", cwd=empty)
    assert done.returncode == 0, done.stderr
    assert "12 journeys" in done.stderr


def test_templates_dashboards_and_migrations_travel_with_it(installed: Path, empty: Path) -> None:
    done = run([str(installed / "bin" / "python"), "-c", LOOK, str(installed), str(HERE)], cwd=empty)
    assert done.returncode == 0, done.stderr


def test_a_report_of_a_month_is_written_from_the_wheel(installed: Path, empty: Path) -> None:
    """Its page and its fonts come out of the package; on paper too, where Pango is installed."""
    assert loketwacht(installed, "config", "init", cwd=empty).returncode == 0
    done = loketwacht(installed, "report", "2026-10", "--json", cwd=empty)
    assert done.returncode in (0, 1), done.stderr
    [page] = (empty / "var" / "reports").rglob("*.nl.html")
    assert "@font-face" in page.read_text(encoding="utf-8")
