"""A private PostgreSQL for tests: its own cluster on a socket in a temporary directory, never the machine's own one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """Where `initdb` and `pg_ctl` are; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """A running cluster. Gives the URL of a database in it, without its name."""
    # A short path: the name of a socket must fit 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="lw-pg-", dir="/tmp"))
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.getuid() == 0 else None
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(home, account.pw_uid, account.pw_gid)
    data = home / "data"

    def call(*command: str | Path) -> None:
        subprocess.run(
            command, user=user, cwd=home, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, timeout=240
        )

    try:
        call(programs / "initdb", "-D", data, "-U", "loketwacht", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-k {home} -c listen_addresses='' -c fsync=off -c max_connections=40 -c shared_buffers=16MB"
        call(programs / "pg_ctl", "-D", data, "-o", options, "-l", home / "log", "-w", "-t", "120", "start")
        try:
            yield f"postgresql://loketwacht@/{{name}}?host={home}"
        finally:
            call(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "-t", "120", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
