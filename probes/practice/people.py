"""The invented people of the practice portal and the keys they log in with.

The keys protect nothing: they are documented defaults for a portal that lives on loopback.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can log in. `token` is what the identity provider asks for when the key "token" is chosen."""

    key: str
    name: str
    audience: str
    email: str
    token: str


BURGER = Person(
    key="burger",
    name="Lotte Peeters",
    audience="Burger",
    email="lotte.peeters@burger.example",
    token="oefen-burger-4821",  # noqa: S106
)
ARCHITECT = Person(
    key="architect",
    name="Jonas Maes",
    audience="Architect",
    email="jonas.maes@architect.example",
    token="oefen-architect-7316",  # noqa: S106
)
BEHANDELAAR = Person(
    key="behandelaar",
    name="Fatima El Amrani",
    audience="Dossierbehandelaar gemeente",
    email="omgeving@oefendorp.example",
    token="oefen-behandelaar-2954",  # noqa: S106
)
ADVIESVERLENER = Person(
    key="adviesverlener",
    name="Pieter Claes",
    audience="Adviesverlener",
    email="advies@brandweer.example",
    token="oefen-adviesverlener-6043",  # noqa: S106
)
DERDE = Person(
    key="derde",
    name="An Willems",
    audience="Derde",
    email="an.willems@buurt.example",
    token="oefen-derde-1587",  # noqa: S106
)

PEOPLE = (BURGER, ARCHITECT, BEHANDELAAR, ADVIESVERLENER, DERDE)

#: What a municipality's own software shows to the web service.
SERVICE_KEY = "oefen-webdienst-9170"

#: Names of the secrets that the practice journeys use, with their practice values.
PRACTICE_SECRETS: dict[str, str] = {f"{p.key}_token": p.token for p in PEOPLE} | {"webdienst_sleutel": SERVICE_KEY}


def person_with_token(token: str) -> Person | None:
    """Who this key belongs to; None when it is nobody's."""
    for person in PEOPLE:
        if hmac.compare_digest(person.token.encode(), token.encode()):
            return person
    return None


def person(key: str) -> Person:
    """Raises KeyError for an unknown key."""
    return {p.key: p for p in PEOPLE}[key]
