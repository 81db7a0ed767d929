"""New stores for tests: made once in each test process by all migrations, and then copied, which takes no time."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from monitor.store.database import Database


def new_store(path: Path) -> Database:
    """A store at the newest schema in this file, opened. It survives its processes, and not a loss of power.

    What opening a missing or an older store does, and how safely is written, tests/integration/store asks of
    `Database.open` itself.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:  # never in the place of a store that a test has filled
        file.write(_empty())
    return Database.open(f"sqlite:///{path}", durable=False)


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory(prefix="new-store-") as folder:
        path = Path(folder) / "empty.db"
        # Closing the last connection takes the journal into the file, so that the file alone is the whole store.
        Database.open(f"sqlite:///{path}", durable=False).close()
        return path.read_bytes()
