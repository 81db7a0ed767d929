"""Whom a failure concerns besides those who follow its check: who follows a journey that fails along with it.

Of such a journey nothing is told by itself while its cause fails (`monitor.muting`); the cause is its news, and whoever
follows the journey alone would hear nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.attached import Dependants
from monitor.muting import in_maintenance
from monitor.recipients import Addressee
from monitor.store import incidents
from monitor.store.database import Transaction


def failing_along(
    tx: Transaction, check_id: str, people: Iterable[Addressee], dependants: Dependants | None, now_us: int
) -> tuple[str, ...]:
    """The checks that fail now because of this one and for whose sake somebody of `people` is to hear of it.

    Only what those follow who do not follow the check itself is looked up: it is asked of every open incident, again
    and again. Announced maintenance of a journey of theirs keeps them in peace, as it would if nothing explained it.
    """
    only_behind = [who for who in people if not who.wants("incidents", check_id)]
    if dependants is None or not only_behind:
        return ()
    names = [
        name for name in dependants.explained(check_id) if any(who.wants("incidents", name) for who in only_behind)
    ]
    if not names or incidents.load(tx, check_id).kind == "healthy":
        return ()
    unwell = incidents.unwell(tx, names)
    return tuple(
        name
        for name in names
        # Merely slow is unwell too.
        if name in unwell and incidents.load(tx, name).kind != "healthy" and not in_maintenance(tx, name, now_us)
    )
