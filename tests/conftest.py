"""What holds for every test: only this machine can be reached, and what a missing package skips is said."""

from __future__ import annotations

import ctypes.util
import ipaddress
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

from tests import opensmtpd, stunnel

HERE = Path(__file__).parent

hypothesis.settings.register_profile("house", deadline=None, derandomize=True, print_blob=True)
# `make fuzz`: other bytes each time, many of them.
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=5_000, print_blob=True)
hypothesis.settings.load_profile("house")
# Hypothesis takes some of its examples from the constants of whatever modules of ours a test process has loaded, which
# differs from process to process. A law is tried on the same examples everywhere.
providers.is_local_module_file = lambda _path: False  # type: ignore[assignment]


def _only_this_machine(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and not _is_here(str(address[0])):
        raise PermissionError(f"a test may reach this machine only, not {address[0]}")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


sys.addaudithook(_only_this_machine)


@pytest.fixture(autouse=True)
def _no_log_is_left_behind() -> Iterator[None]:
    """A command that ran in a test writes its log to that test's standard error, which is closed afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in list(root.handlers):
        if handler not in before:
            root.removeHandler(handler)
    root.setLevel(level)


def _library(name: str) -> bool:
    return ctypes.util.find_library(name) is not None


def _postgres() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb") is not None


#: Per marker: whether what it needs is here, and the Debian packages that bring it.
NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    # Playwright's driver, which steers it, is linked against libatomic.
    "chromium": (lambda: Path("/usr/bin/chromium").exists() and _library("atomic"), "chromium libatomic1"),
    "dkimpy": (
        lambda: all(Path("/usr/lib/python3/dist-packages", name).exists() for name in ("dkim", "nacl")),
        "python3-dkim python3-nacl",
    ),
    "opensmtpd": (opensmtpd.is_here, "opensmtpd (and root, who may give it a namespace)"),
    "prometheus": (lambda: bool(shutil.which("prometheus") and shutil.which("promtool")), "prometheus"),
    "pango": (
        lambda: _library("pango-1.0") and _library("pangoft2-1.0") and _library("harfbuzz-subset"),
        "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    ),
    "postgres": (_postgres, "postgresql"),
    "stunnel": (stunnel.is_here, "stunnel4"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name, (is_here, packages) in NEEDS.items():
        if item.get_closest_marker(name) is not None and not is_here():
            pytest.skip(f"not installed: apt-get install {packages}")


#: Tests that wait for whole processes and browsers come first, so that the end of a run is made of many short ones,
#: which share themselves out over the test processes.
FIRST = ("e2e", "integration/browser", "integration", "house", "property", "unit")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After the shuffling; within each folder the order stays random."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(HERE)
    return next((turn for turn, name in enumerate(FIRST) if folder.is_relative_to(name)), len(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a third of the time of these tests is waiting for processes, and not computing."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the expected files anew; then read the diff")
