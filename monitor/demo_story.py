"""What happens to the practice portal in the demo month, as data: October 2026, local time of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

ZONE = "Europe/Brussels"
PERIOD = "2026-10"
SEED = 20261001

#: The monitor is switched on before the month, so that it knows how things stand when it begins, and stays on until
#: the report has been mailed.
BEGINS = datetime(2026, 9, 30, 20, 30)  # noqa: DTZ001 - civil time in ZONE, like all times here
ENDS = datetime(2026, 11, 1, 2, 30)  # noqa: DTZ001

#: How often each journey is walked; the ones not named here every `OTHERWISE`. Coarser than one would choose for a real
#: portal, so that a month takes minutes.
INTERVALS: Mapping[str, str] = {
    "indienen": "20m",
    "aanmelden": "15m",
    "startpagina": "20m",
    "inzage": "20m",
    "webservice": "1h",
}
OTHERWISE = "3h"

_MINUTE = 60
_HOUR = 60 * _MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An entry for the ledger; times are civil.

    Attributes:
        ends: None for what happens at one moment.
        answers: whether it is about the latest notification in the ledger.
    """

    kind: str
    by: str
    reason: str
    begins: datetime
    ends: datetime | None = None
    scope: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    answers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happens at a moment.

    Attributes:
        at: civil time in ZONE.
        text: told to whoever watches.
        faults: orders for the practice portal, in the words of its control API.
        note: what somebody writes in the ledger at that moment.
        off_seconds: how long the monitor itself is switched off; 0: it stays on.
    """

    at: datetime
    text: str
    faults: tuple[Mapping[str, object], ...] = ()
    note: Note | None = None
    off_seconds: int = 0


def _on(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute)  # noqa: DTZ001


#: Journeys that cannot be walked without logging in.
BEHIND_LOGIN = (
    "aanmelden",
    "project-aanmaken",
    "dossierstuk-opladen",
    "dossiertaks",
    "indienen",
    "melding",
    "opvolgen",
    "openbaar-onderzoek",
    "beroep",
    "webservice",
)

STORY: tuple[Happening, ...] = (
    Happening(
        at=_on(2, 10, 20),
        text="One single request fails. The immediate re-run succeeds: a blip, kept and counted as up.",
        faults=({"fault": "status-500", "path": "/loket/projecten", "share": 0.0001, "seconds": 20 * _MINUTE},),
    ),
    Happening(
        at=_on(6, 8, 10),
        text="Downloads come back damaged for 50 minutes: the pages look fine, only the hashes tell.",
        faults=({"fault": "wrong-hash", "seconds": 50 * _MINUTE},),
    ),
    Happening(
        at=_on(8, 9, 42),
        text="Thursday morning, service hours: every project page fails until 13:17. Nobody can submit.",
        faults=({"fault": "status-500", "path": "/loket/projecten", "seconds": 3 * _HOUR + 35 * _MINUTE},),
    ),
    Happening(
        at=_on(8, 10, 5),
        text="The helpdesk tells the supplier of it: priority 1.",
        note=Note(
            kind="notification",
            by="B. Maes, helpdesk",
            reason="Niemand kan indienen; alle projectpagina's geven een serverfout",
            begins=_on(8, 10, 5),
            scope=("indienen",),
            data={"priority": "P1", "channel": "telefoon"},
        ),
    ),
    Happening(
        at=_on(8, 10, 25),
        text="The supplier reacts after twenty minutes; fifteen were promised.",
        note=Note(
            kind="reaction",
            by="Voorbeeld NV, dienstbeheer",
            reason="Melding ontvangen, ploeg opgeroepen",
            begins=_on(8, 10, 25),
            answers=True,
        ),
    ),
    Happening(
        at=_on(8, 15),
        text="The supplier tells that it works again since 13:25: within the four hours promised.",
        note=Note(
            kind="restored",
            by="Voorbeeld NV, dienstbeheer",
            reason="Verbinding met de databank hersteld, wachtrij verwerkt",
            begins=_on(8, 13, 25),
            data={"cause": "databank"},
            answers=True,
        ),
    ),
    Happening(
        at=_on(9, 9),
        text="The two-weekly state of affairs of 2 October is noted: delivered in time.",
        note=Note(
            kind="document-delivered",
            by="A. Peeters, contractbeheer",
            reason="Stand van zaken met acties",
            begins=_on(2, 16),
            data={"document": "stand van zaken", "due": "2026-10-02"},
        ),
    ),
    Happening(
        at=_on(9, 9, 1),
        text="The supplier's own monthly report came on the sixth working day: one day late.",
        note=Note(
            kind="document-delivered",
            by="A. Peeters, contractbeheer",
            reason="Maandrapport september",
            begins=_on(8, 17),
            data={"document": "maandrapport dienstverlener", "period": "2026-09"},
        ),
    ),
    Happening(
        at=_on(9, 9, 2),
        text="A release is announced for the evening of 20 October, in time.",
        note=Note(
            kind="release",
            by="Voorbeeld NV, dienstbeheer",
            reason="Verbeteringen aan het opladen van dossierstukken",
            begins=_on(20, 20, 30),
            data={"version": "5.3.0"},
        ),
    ),
    Happening(
        at=_on(9, 10, 15),
        text="The supplier announces maintenance for Sunday 18 October, 06:00-10:00: in time.",
        note=Note(
            kind="maintenance",
            by="Voorbeeld NV, dienstbeheer",
            reason="Databank naar nieuwe versie",
            begins=_on(18, 6),
            ends=_on(18, 10),
        ),
    ),
    Happening(
        at=_on(10, 22, 10),
        text="Saturday night: nothing answers any more until 02:40. Outside service hours.",
        faults=({"fault": "refuse", "seconds": 4 * _HOUR + 30 * _MINUTE},),
    ),
    Happening(
        at=_on(13, 11, 40),
        text="The identity provider, a third party, is down until 14:35: nobody can log in.",
        faults=({"fault": "idp-down", "path": "/op", "seconds": 2 * _HOUR + 55 * _MINUTE},),
    ),
    Happening(
        at=_on(14, 10),
        text="The contract manager accepts the supplier's claim for it: excluded while logging in itself was down.",
        note=Note(
            kind="exclusion",
            by="A. Peeters, contractbeheer",
            reason="Storing bij de aanmelddienst van een derde, gemeld door de dienstverlener op 13 oktober",
            begins=_on(13, 11, 35),
            ends=_on(13, 14, 50),
            scope=BEHIND_LOGIN,
            data={"ground": "third-party", "dependency": "aanmelden", "status": "accepted"},
        ),
    ),
    Happening(
        at=_on(15, 2),
        text="Our own line fails for 40 minutes. The reference targets fail too: unknown, and nobody is woken.",
        faults=(
            {"fault": "refuse", "seconds": 40 * _MINUTE},
            {"fault": "refuse", "path": "@reference", "seconds": 40 * _MINUTE},
        ),
    ),
    Happening(
        at=_on(17, 15),
        text="A robot check stands before the public search for an hour: unknown, never held against the portal.",
        faults=(
            {"fault": "bot-check", "path": "/inzage", "seconds": _HOUR},
            {"fault": "bot-check", "path": "/proxy-omv-up", "seconds": _HOUR},
        ),
    ),
    Happening(
        at=_on(18, 6, 5),
        text="The announced maintenance, until 09:40: excluded, and no mails.",
        faults=({"fault": "maintenance-503", "seconds": 3 * _HOUR + 35 * _MINUTE},),
    ),
    Happening(
        at=_on(20, 16, 30),
        text="The supplier announces maintenance for tomorrow evening: too late by the contract.",
        note=Note(
            kind="maintenance",
            by="Voorbeeld NV, dienstbeheer",
            reason="Dringende correctie van de webservices",
            begins=_on(21, 20),
            ends=_on(21, 22),
        ),
    ),
    Happening(
        at=_on(20, 17),
        text="The second state of affairs, due on 16 October, comes two working days late.",
        note=Note(
            kind="document-delivered",
            by="A. Peeters, contractbeheer",
            reason="Stand van zaken met acties, na aanmaning",
            begins=_on(20, 16, 50),
            data={"document": "stand van zaken", "due": "2026-10-16"},
        ),
    ),
    Happening(
        at=_on(21, 20),
        text="That maintenance, as a page with status 200: announced, so nobody is mailed, but it counts as downtime.",
        faults=({"fault": "maintenance-200", "seconds": 2 * _HOUR},),
    ),
    Happening(
        at=_on(22, 14, 5),
        text="The monitor itself is switched off for 65 minutes. Unmeasured, and said so.",
        off_seconds=65 * _MINUTE,
    ),
    Happening(
        at=_on(26, 7),
        text="A slow week begins: one page in seven of the counter takes three seconds longer, until Friday evening.",
        faults=(
            {
                "fault": "delay",
                "path": "/loket",
                "share": 0.15,
                "delay_ms": 3_100,
                "seconds": 4 * 24 * _HOUR + 12 * _HOUR,
            },
        ),
    ),
    Happening(
        at=_on(30, 16, 30),
        text="The third state of affairs is delivered on the day it is due.",
        note=Note(
            kind="document-delivered",
            by="A. Peeters, contractbeheer",
            reason="Stand van zaken met acties",
            begins=_on(30, 16),
            data={"document": "stand van zaken", "due": "2026-10-30"},
        ),
    ),
)
