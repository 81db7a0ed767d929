"""Where an outage probably comes from: a proposal by rule from what failed, which a person confirms or corrects.

It is operational. Whom a contract holds answerable for an outage is another question, which the ledger's `attribution`
answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from probes.browser.definition import BrowserJourney, BrowserStep
from probes.checks import Check, Journey
from probes.sample import Failure, FailureKind
from probes.steps import Step
from sla.assessment import Text


class Cause(StrEnum):
    """The words are stored."""

    PORTAL = "portal"
    IDENTITY_PROVIDER = "identity-provider"
    NETWORK = "network"
    MONITOR = "monitor"
    BOT_CHECK = "bot-check"


NAMES: dict[Cause, Text] = {
    Cause.PORTAL: Text(nl="het portaal", en="the portal"),
    Cause.IDENTITY_PROVIDER: Text(nl="de aanmelddienst", en="the identity provider"),
    Cause.NETWORK: Text(nl="het netwerk", en="the network"),
    Cause.MONITOR: Text(nl="de monitor zelf", en="the monitor itself"),
    Cause.BOT_CHECK: Text(nl="een robotcontrole", en="a robot check"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A cause, and the rule that proposes it as a sentence."""

    cause: Cause
    why: Text


#: Why a cause is proposed where what failed does not say it by itself.
_WHY: dict[Cause, Text] = {
    Cause.IDENTITY_PROVIDER: Text(nl="het liep fout bij het aanmelden", en="it went wrong while logging in"),
    Cause.NETWORK: Text(nl="de naam of het adres was niet te bereiken", en="the name or address could not be reached"),
    Cause.PORTAL: Text(
        nl="het portaal was bereikbaar, maar deed niet wat het moest",
        en="the portal was reached but did not do its part",
    ),
}
_REACHING = (FailureKind.DNS, FailureKind.CONNECT)
_OURS: dict[FailureKind, Proposal] = {
    FailureKind.BOT_CHECK: Proposal(
        cause=Cause.BOT_CHECK,
        why=Text(nl="een robotcontrole antwoordde in plaats van het portaal", en="a robot check answered instead"),
    ),
    FailureKind.REFERENCE: Proposal(
        cause=Cause.NETWORK,
        why=Text(nl="ook de referentieadressen antwoordden niet", en="the reference targets did not answer either"),
    ),
    FailureKind.RATE_LIMITED: Proposal(
        cause=Cause.MONITOR,
        why=Text(
            nl="de monitor vroeg meer dan het portaal toelaat", en="the monitor asked more than the portal allows"
        ),
    ),
    FailureKind.MONITOR: Proposal(
        cause=Cause.MONITOR, why=Text(nl="de monitor kon zelf niet meten", en="the monitor itself could not measure")
    ),
}


def propose(failure: Failure, check: Check | None, identity_providers: tuple[str, ...] = ()) -> Proposal:
    """What the first failure of an incident points at. The first rule that fits wins.

    1. What the monitor knows to be no fault of the portal: a robot check, its own network, itself.
    2. A step that logs in, or that asks one of `identity_providers` (host names): the identity provider.
    3. A name that is not found or a connection that does not come about: the network; but a server that refuses the
       connection is there, and so is one that does not answer in time.
    4. Everything else: the portal answered, but not as it should.

    Args:
        check: None where it is no longer configured; then the step tells nothing.
    """
    if failure.kind in _OURS:
        return _OURS[failure.kind]
    cause = Cause.PORTAL
    if _at_login(failure, check, identity_providers):
        cause = Cause.IDENTITY_PROVIDER
    elif failure.kind in _REACHING and "refused" not in (failure.found or ""):
        cause = Cause.NETWORK
    return Proposal(cause=cause, why=_WHY[cause])


def proposed(cause: Cause, failure: Failure) -> Proposal:
    """A proposal as it was made when an incident opened, of which the cause was kept; whatever is configured today."""
    if cause in _WHY and not (failure.kind in _OURS and _OURS[failure.kind].cause is cause):
        return Proposal(cause=cause, why=_WHY[cause])
    return next(ours for ours in (_OURS.get(failure.kind), *_OURS.values()) if ours is not None and ours.cause is cause)


def _at_login(failure: Failure, check: Check | None, identity_providers: tuple[str, ...]) -> bool:
    known = {host.lower() for host in identity_providers}
    asked = {failure.subject.rpartition(":")[0].lower() or failure.subject.lower()}
    for step in check.step if isinstance(check, Journey | BrowserJourney) else ():
        if isinstance(step, Step | BrowserStep) and step.id == failure.step:
            if step.login:
                return True
            address = step.path if isinstance(step, Step) else step.goto
            asked.add((urlsplit(address or "").hostname or "").lower())
    return bool(known & asked)
