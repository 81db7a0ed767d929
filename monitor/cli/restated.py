"""`loketwacht report-difference`: what a restated report says otherwise than the one before it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.table import Table

from monitor import config
from monitor.cli.contract import chosen
from monitor.cli.exchange import opened
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, people, say
from monitor.store import reports
from monitor.store.reports import Issued
from sla.differences import read_changes
from sla.period import zone
from sla.rendering.changed import told
from sla.rendering.numbers import Numbers
from sla.rendering.words import Words


def report_difference(
    period: str,
    *,
    contract: str | None = None,
    number: int | None = None,
    lang: Annotated[Literal["nl", "en"], Parameter(help="Language of the sentences.")] = "nl",
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Both versions of a restated report side by side: every figure that changed, and which decision brought it about.

    Parameters
    ----------
    period
        Of the report: 2026-10.
    contract
        Which contract; needed only where the configuration names several.
    number
        Which version, against the one before it; the last one without it.
    """
    loaded = config.load(config_path)
    agreed = chosen(loaded, contract).contract
    with opened(loaded) as database, database.read() as tx:
        issued = reports.read(tx, contract=agreed.contract, period=period)
    wanted = [one for one in issued if number in (None, one.number)]
    if not wanted:
        raise CommandError(f"No such report of {period} was issued; `loketwacht report {period}` draws one up.")
    stated = _stated(wanted[-1])
    name = stated["report"]["number"]
    try:
        found = read_changes(stated)
    except KeyError as error:
        raise CommandError(f"{name} is a first issue; there is nothing before it to compare with.") from error
    if json_:
        answer({"number": name, **stated["report"]["changes"]})
        return Exit.FINE
    words, numbers = Words(lang), Numbers(language=lang, zone=zone(agreed.timezone))
    titles = {journey: (both["nl"], both["en"]) for journey, both in stated["report"]["titles"].items()}
    shown = told(found, words, numbers, titles)
    if shown.recomputed:
        say(words("changes.recomputed", number=shown.previous))
    if not shown.groups:
        say(words("changes.nothing", number=shown.previous))
    for cause in shown.causes:
        say(f"- {cause}")
    if not shown.groups:
        return Exit.FINE
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in (words("changes.figure"), shown.previous, name, words("changes.difference"), words("changes.why")):
        table.add_column(head, justify="left" if head in (words("changes.figure"), words("changes.why")) else "right")
    for group in shown.groups:
        table.add_row(f"[bold]{group.title}[/bold]" + (f", {group.part}" if group.part else ""))
        for row in group.rows:
            table.add_row(f"  {row.what}", row.before, row.after, row.difference, row.why)
    people().print(table)
    return Exit.FINE


def _stated(issued: Issued) -> dict[str, Any]:
    path = Path(issued.files["json"])
    try:
        body = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}; restore it.") from error
    if hashlib.sha256(body).hexdigest() != issued.sha256:
        raise CommandError(f"{path} is no longer the report that was issued; restore it.")
    found: dict[str, Any] = json.loads(body)
    return found
