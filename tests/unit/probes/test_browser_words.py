"""Browser journeys without a browser: what is refused, where it may go, what its messages mean."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError

from probes.browser.definition import ChromiumSettings
from probes.browser.faults import network_fault
from probes.browser.reach import Reach, resolver_rules
from probes.browser.running import Browsers
from probes.checks import Portal
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from probes.setup import Setup
from tests.in_a_browser import one_page


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Page.goto: net::ERR_NAME_NOT_RESOLVED at https://loket.example/", FailureKind.DNS),
        ("net::ERR_DNS_TIMED_OUT", FailureKind.DNS),
        ("net::ERR_CONNECTION_REFUSED", FailureKind.CONNECT),
        ("net::ERR_CERT_DATE_INVALID", FailureKind.TLS),
        ("net::ERR_CERT_REVOKED", FailureKind.TLS),
        ("net::ERR_EMPTY_RESPONSE", FailureKind.PROTOCOL),
        ("net::ERR_TOO_MANY_REDIRECTS", FailureKind.REDIRECT),
        ("net::ERR_TIMED_OUT", FailureKind.TIMEOUT),
        ("net::ERR_CONTENT_DECODING_FAILED", FailureKind.BODY),
    ],
)
def test_what_the_network_refused_is_the_portal_s(message: str, kind: FailureKind) -> None:
    assert network_fault(message, "loket.example:443").kind is kind


@pytest.mark.parametrize(
    "message",
    [
        "Target page, context or browser has been closed",
        "Page crashed",
        "net::ERR_INSUFFICIENT_RESOURCES",
        "net::ERR_OUT_OF_MEMORY",
        "net::ERR_INTERNET_DISCONNECTED",
        "net::ERR_NOBODY_KNOWS_THIS",
        "",
    ],
)
def test_a_browser_s_own_trouble_and_what_nobody_knows_is_ours(message: str) -> None:
    """T42: the words of a browser that died never make an outage."""
    assert network_fault(message, "loket.example:443").kind is FailureKind.MONITOR


def test_only_names_that_are_allowed_exist_for_the_browser() -> None:
    reach = Reach(own=frozenset({"loket.example:443", "::1:8781"}), others=frozenset({"cdn.example", "weg.example"}))
    rules = resolver_rules(
        reach, {"loket.example": "192.0.2.7", "::1": "::1", "cdn.example": "2001:db8::7", "proxy.example": "192.0.2.8"}
    )
    assert rules == (
        "MAP [::1]:8781 [::1]:8781, MAP cdn.example [2001:db8::7], MAP loket.example:443 192.0.2.7:443, "
        "MAP proxy.example 192.0.2.8, MAP * ~NOTFOUND"
    )
    assert reach.allows("https://cdn.example/a.css")
    assert reach.allows("data:text/plain,x")
    assert not reach.allows("https://loket.example:8443/")
    assert not reach.allows("wss://elders.example/")
    assert not reach.is_own("https://cdn.example/a.css")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"clik": "#x"}, "Extra inputs"),
        ({"click": "#["}, "not a CSS selector"),
        ({"fill": {"#[": "x"}}, "not a CSS selector"),
        ({"request": {"path": "/x"}}, "a request beside other actions"),
        ({"goto": None}, "the first step needs goto"),
        ({"expect": {}}, "asserts nothing"),
        ({"expect": {"url": "["}}, "not a regular expression"),
        ({"capture": {"secret": {"css": "b"}}}, "a name that templates already use"),
    ],
)
def test_nonsense_is_refused_with_its_reason(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint.replace("[", r"\[")):
        one_page(**changes)


def test_waiting_for_a_turn_is_no_time_of_the_portal() -> None:
    async def scenario() -> tuple[Sample, int]:
        now = iter(range(0, 1_000_000_000, 1_000))
        browsers = Browsers(ChromiumSettings(executable="/nergens/chromium"))
        portal = Portal(name="Loket", base_url="https://loket.example", contact="https://bestuur.example")
        setup = Setup(
            portal=portal,
            now_us=lambda: next(now),
            monotonic_us=lambda: next(now),
            new_id=lambda: "een",
            browsers=browsers,
        )
        async with browsers.turn():
            waiting = asyncio.ensure_future(run(one_page(), slot_us=0, location="hier", setup=setup))
            await asyncio.sleep(0)
            released_us = next(now)
        return await waiting, released_us

    sample, released_us = asyncio.run(scenario())
    assert sample.started_us > released_us
    assert (sample.outcome, sample.duration_us) == (Outcome.UNKNOWN, 0)
