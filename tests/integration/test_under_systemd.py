"""What systemd hears of the monitor, and how far its unit locks the monitor in."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from ctypes.util import find_library
from pathlib import Path

import pytest

from monitor.supervisor import Supervisor
from tests.under_the_unit import settings

HERE = Path(__file__).parents[1]
UNIT = HERE.parent / "packaging" / "loketwacht.service"
UNITS = sorted(UNIT.parent.glob("*.service"))
BROWSER = UNIT.with_name("loketwacht.service.d") / "browser.conf"


@pytest.mark.parametrize("abstract", [False, True])
def test_it_says_ready_alive_and_stopping(tmp_path: Path, abstract: bool) -> None:
    address = f"@{tmp_path}" if abstract else str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(address.replace("@", "\0", 1) if abstract else address)
        systemd.settimeout(5)
        supervisor = Supervisor({"NOTIFY_SOCKET": address})
        supervisor.ready()
        supervisor.alive()
        supervisor.stopping()
        assert [systemd.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_nobody_listening_is_no_trouble(tmp_path: Path) -> None:
    Supervisor({}).ready()
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()


def exposure(folder: Path, *parts: Path) -> float:
    """How far `systemd-analyze security` thinks a service of these parts is exposed, from 0 to 10."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    unit = folder / UNIT.name  # away from the drop-in, which would be read along
    unit.write_text("\n".join(part.read_text(encoding="utf-8") for part in parts), encoding="utf-8")
    said = subprocess.run(
        [program, "security", "--offline=true", "--no-pager", str(unit)], capture_output=True, text=True, timeout=60
    )
    level = re.search(r"exposure level for \S+: ([\d.]+)", said.stdout)
    assert level is not None, said.stdout + said.stderr
    return float(level[1])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_is_locked_down(tmp_path: Path, unit: Path) -> None:
    assert exposure(tmp_path, unit) <= 1.5


def test_the_unit_says_how_far_it_is_locked_down(tmp_path: Path) -> None:
    level = exposure(tmp_path, UNIT)
    assert f"systemd-analyze security gives it {level}." in UNIT.read_text(encoding="utf-8")


def test_what_a_browser_needs_more_costs_what_the_drop_in_says(tmp_path: Path) -> None:
    level = exposure(tmp_path, UNIT, BROWSER)
    assert f"systemd-analyze security: {level}." in BROWSER.read_text(encoding="utf-8")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_hides_nothing_that_tells_us_of_a_starved_processor(unit: Path) -> None:
    """`ProcSubset=pid` hides /proc/stat and /proc/pressure: we would never know that we had no processor."""
    assert settings([unit], "ProcSubset") == []
    assert settings([unit], "ProtectProc") == ["invisible"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_nothing_is_measured_before_the_clock_is_set(unit: Path) -> None:
    assert [value.split() for value in settings([unit], "After")] == [["network-online.target", "time-sync.target"]]
    assert settings([unit], "Wants") == settings([unit], "After")


def locked_in(units: list[Path], *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command under the system calls that the units leave; as nobody where we are root, as the service does."""
    if shutil.which("systemd-analyze") is None or find_library("seccomp") is None:
        pytest.skip("systemd-analyze or libseccomp is not installed")
    return subprocess.run(
        [sys.executable, str(HERE / "under_the_unit.py"), *map(str, units), "--", *command],
        cwd=HERE.parent, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_what_computes_reports_does_so_under_the_unit() -> None:
    program = (
        "import asyncio, os\n"
        "from monitor.worker import Worker\n"
        "async def main():\n"
        "    worker = Worker()\n"
        "    print(await worker(os.getpriority, os.PRIO_PROCESS, 0))\n"
        "    worker.close()\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    done = locked_in([UNIT], sys.executable, "-c", program)
    assert (done.returncode, done.stdout.strip()) == (0, "10"), done.stderr


@pytest.mark.chromium
@pytest.mark.parametrize(("units", "works"), [((UNIT,), False), ((UNIT, BROWSER), True)], ids=["unit", "with drop-in"])
def test_chromium_has_its_sandbox_under_the_drop_in_and_only_there(units: tuple[Path, ...], *, works: bool) -> None:
    browser, setpriv = shutil.which("chromium"), shutil.which("setpriv")
    if browser is None or setpriv is None or os.geteuid() != 0:
        pytest.skip("needs Chromium, setpriv, and root to become a user who may have a sandbox")
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, 65534, 65534)
        nobody = (setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "env", f"HOME={home}", f"TMPDIR={home}")
        page = ("--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={home}/p")
        done = subprocess.run(
            [*nobody, "/usr/bin/python3", "-", *map(str, units), "--", browser, *page, "--dump-dom", "data:,hallo"],
            input=(HERE / "under_the_unit.py").read_text(encoding="utf-8"),
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert ("hallo" in done.stdout) is works, done.stderr
    assert ("No usable sandbox" in done.stderr) is not works
