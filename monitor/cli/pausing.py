"""`loketwacht pause` and `resume`: a person lets checks rest, of the service that runs, through its store."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from monitor import config, pauses
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, say
from monitor.cli.written import instant
from monitor.clock import LIVE
from monitor.config import Loaded
from monitor.pauses import Pause
from monitor.store.database import Database
from sla.period import instant_text

Why = Annotated[str, Parameter(help="Why, in a sentence; it is kept, and shown on the status page.")]
By = Annotated[str, Parameter(help="Who wants it; it is kept, and not shown on the page.")]
Until = Annotated[str, Parameter(name="--until", help="End, with offset: 2026-12-02T20:00:00+01:00.")]


def pause(
    *checks: str,
    why: Why,
    by: By,
    until: Until,
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Do not measure checks for a while, at most 31 days. That time is unmeasured, and lowers the coverage.

    Nothing is asked of the portal for them either to take away what they made. Announced maintenance needs no pause.

    Parameters
    ----------
    checks
        By id; none pauses everything.
    """
    loaded = config.load(config_path)
    _known(loaded, checks)
    until_us, now_us = instant("--until", until), LIVE.now_us()
    database = Database.open(loaded.database_url)
    try:
        with database.begin() as tx:
            pauses.pause(tx, checks or (None,), until_us=until_us, by=by, why=why, now_us=now_us)
            standing = pauses.in_force(tx, now_us)
    except ValueError as error:
        raise CommandError(f"Not paused: {error}.", Exit.USAGE) from error
    finally:
        database.close()
    _tell(standing, loaded, json_=json_)
    return Exit.FINE


def resume(
    *checks: str,
    why: Why,
    by: By,
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Measure again what is paused. A running service does so within seconds.

    Parameters
    ----------
    checks
        By id; none ends every pause.
    """
    loaded = config.load(config_path)
    now_us = LIVE.now_us()
    database = Database.open(loaded.database_url)
    try:
        with database.begin() as tx:
            ended = pauses.resume(tx, checks, by=by, why=why, now_us=now_us)
            standing = pauses.in_force(tx, now_us)
    except ValueError as error:
        raise CommandError(f"Not resumed: {error}.", Exit.USAGE) from error
    finally:
        database.close()
    if not ended:
        paused = ", ".join(one.check_id or "everything" for one in standing) or "nothing"
        raise CommandError(f"No such pause is in force. Paused now: {paused}.")
    _tell(standing, loaded, json_=json_)
    return Exit.FINE


def _known(loaded: Loaded, checks: tuple[str, ...]) -> None:
    known = [check.id for check in loaded.config.checks]
    for name in checks:
        if name not in known:
            raise CommandError(f'There is no check "{name}". There are: {", ".join(known)}.', Exit.USAGE)


def _tell(standing: tuple[Pause, ...], loaded: Loaded, *, json_: bool) -> None:
    zone = loaded.config.monitor.timezone
    if json_:
        answer(
            [
                {
                    "check": one.check_id,
                    "since": instant_text(one.since_us),
                    "until": instant_text(one.until_us),
                    "by": one.by,
                    "why": one.why,
                }
                for one in standing
            ]
        )
    for one in standing:
        say(f"{one.check_id or 'Everything'} is paused until {instant_text(one.until_us, zone)} by {one.by}: {one.why}")
    if not standing:
        say("Nothing is paused.")
