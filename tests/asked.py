"""What a store is asked, for tests that nothing is asked for over and over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from monitor.store.database import Database


@contextmanager
def asked(database: Database) -> Iterator[list[str]]:
    """The questions that are put to the database meanwhile."""
    questions: list[str] = []

    def executed(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            questions.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", executed)
    try:
        yield questions
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", executed)
