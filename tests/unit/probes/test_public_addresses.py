"""A name that leads behind our own firewall is not followed, unless the configuration says that it may."""

from __future__ import annotations

import asyncio
import socket

import pytest

from probes.engine.names import Names, public
from probes.fault import Fault
from probes.trail import Trail


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1%eth0", "fd00:ec2::254", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_these_are_not_addresses_of_the_internet(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "193.191.245.1", "2001:4860:4860::8888", "64:ff9b::101:101"])
def test_these_are(address: str) -> None:
    assert public(address)


def looked_up(monkeypatch: pytest.MonkeyPatch, *answers: str, private: frozenset[str] = frozenset()) -> list[str]:
    """What a name leads to that a name server answers so, one answer for each question."""
    left = list(answers)

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        return [(2, 1, 6, "", (left.pop(0), port))]

    async def ask() -> list[str]:
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        names = Names(monotonic_us=lambda: 0, private=private)
        return [(await names.addresses("Loket.example", 443, Trail()))[0] for _ in answers]

    return asyncio.run(ask())


def test_a_name_that_leads_inside_is_a_failure_that_says_how_to_allow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fault) as refused:
        looked_up(monkeypatch, "169.254.169.254")
    assert refused.value.kind == "dns"
    assert refused.value.found == "169.254.169.254"
    assert "portal.private_hosts" in str(refused.value.expected)


def test_a_name_that_turns_inwards_after_its_first_answer_is_caught_at_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: what is connected to is the very address that was looked at."""
    with pytest.raises(Fault):
        looked_up(monkeypatch, "193.191.245.1", "10.0.0.1")


def test_a_name_that_the_configuration_calls_private_may_lead_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_up(monkeypatch, "10.0.0.1", private=frozenset({"loket.example"})) == ["10.0.0.1"]
