"""A disk that takes nothing any more: seen by `/healthz`, and told in words that lead to the cause."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.store.database import Database
from tests.running_service import HERE

_WAYS = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])
_OPEN = """
import sys
from monitor.store.database import Database, StoreUnavailable
try:
    with Database.open(sys.argv[1]).begin() as tx:
        tx.exec_driver_sql("DELETE FROM alembic_version")
except StoreUnavailable as error:
    print(error)
"""

_LIMITED = """
import resource, sys
from monitor.store.database import Database
store = Database.open(sys.argv[1])
for most in (resource.RLIM_INFINITY, 1, resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    print(store.writable())
"""


def test_a_disk_that_takes_nothing_more_is_no_healthy_store(tmp_path: Path) -> None:
    """As long as it lasts, and no longer."""
    url = f"sqlite:///{tmp_path / 'loketwacht.db'}"
    asking = [sys.executable, "-c", _LIMITED, url]
    said = subprocess.run(asking, cwd=HERE, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True", "False", "True"]


def _own_mounts() -> list[str]:
    """What gives a process mounts of its own; skips where nothing may."""
    for way in _WAYS:
        if shutil.which("unshare") and subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    pytest.skip("needs a mount namespace: root, or users who may make them")


def test_a_read_only_disk_is_named_with_what_to_look_at(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    file = disk / "loketwacht.db"
    Database.open(f"sqlite:///{file}").close()
    before = file.read_bytes()
    mounted = f'mount --bind "{disk}" "{disk}" && mount -o remount,bind,ro "{disk}" && exec "$@"'
    opening = [sys.executable, "-c", _OPEN, f"sqlite:///{file}"]
    said = subprocess.run(
        [*_own_mounts(), "sh", "-c", mounted, "sh", *opening], cwd=HERE, capture_output=True, text=True, check=True
    ).stdout
    assert said.startswith(f"The store {file} cannot be ")
    assert f"`findmnt -T {disk}`" in said
    assert file.read_bytes() == before


def test_a_folder_that_is_a_file_s_is_told_by_its_name(tmp_path: Path) -> None:
    """Not a disk that is read-only, and nothing that waiting mends."""
    (tmp_path / "loketwacht.db").mkdir()
    opening = [sys.executable, "-c", _OPEN, f"sqlite:///{tmp_path / 'loketwacht.db'}"]
    said = subprocess.run(opening, cwd=HERE, capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"The store {tmp_path / 'loketwacht.db'} cannot be opened")
