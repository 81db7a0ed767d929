"""`loketwacht incident`: look at incidents, and say something about one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table

from monitor import acknowledging, composition, config
from monitor.acknowledging import NotSaidError, Said
from monitor.attribution import Cause
from monitor.cli.look import incidents_
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, people, say
from monitor.clock import LIVE
from monitor.incident_life import life_of
from monitor.incidents import MONITOR
from monitor.judging import proposal_kept, severity_kept
from monitor.pages import said_of
from monitor.store import incidents as stored
from monitor.store.database import Database, Transaction
from sla.period import instant_text

app = App(name="incident", help="Look at incidents; say that you are on one, what you know, and where it came from.")
app.command(incidents_, name="list")

By = Annotated[str, Parameter(help="Who says so; it is kept, and shown on the incident's page.")]


@app.command
def show(incident: str, *, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Everything about one incident but its measurements.

    Parameters
    ----------
    incident
        Its reference, as in mails and `incident list`.
    """
    loaded = config.load(config_path)
    watched = composition.watched(loaded)
    database = Database.open(loaded.database_url)
    try:
        with database.read() as tx:
            found = stored.get(tx, incident)
            if found is None:
                raise CommandError(_UNKNOWN.format(incident=incident))
            said = acknowledging.about(tx, found)
            life = life_of(tx, found, watched.checks, watched.rule, lambda name: watched.title(name, "nl"), "nl")
    finally:
        database.close()
    check = next((one for one in watched.checks if one.id == found.check_id), None)
    proposal = proposal_kept(found, check, watched.rule)
    zone = watched.timezone
    if json_:
        answer(
            {
                "id": found.id,
                "check": found.check_id,
                "since": instant_text(found.since_us),
                "until": instant_text(found.until_us) if found.until_us is not None else None,
                "acknowledged": _plain(said.acknowledged) if said.acknowledged else None,
                "cause": _plain(said.cause) if said.cause else None,
                "severity": severity_kept(found, watched.rule).value if found.check_id != MONITOR else None,
                "worse_since": instant_text(found.worse_us) if found.worse_us is not None else None,
                "proposed_cause": proposal.cause.value,
                "notes": [_plain(one) for one in said.notes],
                "attached": [one.href.rpartition("/")[2] for one in life.attached],
                "explained_by": [one.href.rpartition("/")[2] for one in life.explained_by],
            }
        )
        return Exit.FINE
    until = instant_text(found.until_us, zone) if found.until_us is not None else "open"
    why = f"vastgesteld door {said.cause.by}: {said.cause.text}" if said.cause else f"voorstel: {life.cause_why}"
    rows = [
        ("incident", found.id),
        ("what", f"{watched.title(found.check_id, 'nl')}: {said_of(found, watched, 'nl')}"),
        ("since", instant_text(found.since_us, zone)),
        ("until", until),
        ("severity", life.severity),
        ("cause", f"{life.cause} ({why})"),
        ("on it", f"{said.acknowledged.by}: {said.acknowledged.text}".rstrip(": ") if said.acknowledged else "nobody"),
    ]
    rows += [("takes along", f"{one.title} ({one.href.rpartition('/')[2]})") for one in life.attached]
    rows += [("follows from", f"{one.title} ({one.href.rpartition('/')[2]})") for one in life.explained_by]
    rows += [("note", f"{instant_text(one.at_us, zone)} {one.by}: {one.text}") for one in said.notes]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*row)
    people().print(table)
    return Exit.FINE


@app.command
def ack(incident: str, *, by: By, note: str = "", config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Say that somebody is on it. No more reminders are sent; its end is told all the same.

    Parameters
    ----------
    incident
        Its reference.
    note
        What is known or done, in a sentence.
    """
    return _record(
        config_path,
        lambda tx, now_us: acknowledging.acknowledge(tx, incident, by=by, note=note, now_us=now_us),
        json_=json_,
    )


@app.command
def note(incident: str, text: str, *, by: By, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Put a remark with an incident, for ever.

    Parameters
    ----------
    incident
        Its reference.
    text
        The remark.
    """
    return _record(
        config_path, lambda tx, now_us: acknowledging.note(tx, incident, by=by, text=text, now_us=now_us), json_=json_
    )


@app.command
def attribute(
    incident: str, cause: Cause, *, by: By, reason: str, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False
) -> int:
    """Confirm or correct where it came from. The last word counts; no contractual figure changes by it.

    Parameters
    ----------
    incident
        Its reference.
    cause
        portal, identity-provider, network, monitor or bot-check.
    reason
        How that is known, in a sentence.
    """
    return _record(
        config_path,
        lambda tx, now_us: acknowledging.attribute(tx, incident, cause, by=by, reason=reason, now_us=now_us),
        json_=json_,
    )


_UNKNOWN = 'There is no incident "{incident}"; `loketwacht incident list` shows them.'


def _record(config_path: ConfigPath, do: Callable[[Transaction, int], Said], *, json_: bool) -> int:
    loaded = config.load(config_path)
    database = Database.open(loaded.database_url)
    try:
        with database.begin() as tx:
            said = do(tx, LIVE.now_us())
    except NotSaidError as error:
        raise CommandError(f"Not recorded: {error}.") from error
    finally:
        database.close()
    if json_:
        answer(_plain(said))
    say("Recorded.")
    return Exit.FINE


def _plain(said: Said) -> dict[str, Any]:
    known = {"by": said.by, "at": instant_text(said.at_us), "text": said.text}
    return known | ({"cause": said.cause.value} if said.cause else {})
