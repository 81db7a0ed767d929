"""Names asked of a real name server on loopback: what it says, and whose fault it is when it says nothing good."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dns.flags
import dns.message
import httpx
import pytest

from probes.checks import NameCheck
from probes.run import run
from probes.sample import Failure, FailureKind, Outcome, Sample
from tests.name_server import Answer, NameServer, by_name, root, says, silence
from tests.scripted_server import LATE_US, setup

LOKET = "loket.example. 300 IN A 192.0.2.10"


def a_check(**more: Any) -> NameCheck:
    table = {
        "id": "naam",
        "title": {"nl": "N", "en": "N"},
        "interval": "60s",
        "deadline": "20s",
        "name": "loket.example",
    }
    return NameCheck.model_validate({**table, **more})


def asked(zone: Mapping[str, Answer], *, servers: int = 1, **more: Any) -> tuple[Sample, list[str]]:
    """A run against a resolver of ours with this zone; `authoritative` makes it the portal's own server."""

    async def go() -> tuple[Sample, list[str]]:
        async with NameServer(by_name(zone)) as server:
            if more.get("authoritative"):
                more["server"] = server.address
            its = setup("http://127.0.0.1", ip=more.pop("ip", "any"))
            its = replace(its, name_servers=lambda: (("127.0.0.1", server.port),) * servers)
            sample = await run(a_check(**more), slot_us=0, location="hier", setup=its)
            return sample, server.asked

    return asyncio.run(go())


def answered(*records: str, code: str = "NOERROR", flags: str = "") -> Answer:
    return lambda question, _: says(question, *records, code=code, flags=flags)


def verdict(sample: Sample) -> tuple[Outcome, FailureKind | None, str | None]:
    failure = sample.failure or Failure(kind=FailureKind.MONITOR)
    return (sample.outcome, failure.kind, failure.found) if sample.failure else (sample.outcome, None, None)


def test_a_name_with_the_expected_address_is_up_and_told_with_its_time_to_live() -> None:
    sample, questions = asked({"loket.example": answered(LOKET)}, values="192.0.2.10")
    assert sample.outcome is Outcome.UP
    assert questions == ["loket.example. A RD"]
    assert sample.reached is not None
    assert sample.reached.address == "127.0.0.1"
    assert sample.reached.answered is not None
    assert sample.reached.answered.records == ("192.0.2.10",)
    assert sample.reached.answered.ttl_us == 300_000_000


@pytest.mark.parametrize(
    ("zone", "more", "found"),
    [
        ({}, {}, "the name does not exist"),
        ({"loket.example": answered()}, {"type": "AAAA"}, "no record of type AAAA"),
        (
            {"loket.example": answered(code="SERVFAIL"), "": root()},
            {},
            "the name server answers SERVFAIL",
        ),
    ],
    ids=["unknown", "empty", "failing"],
)
def test_a_name_without_an_answer_is_down(zone: Mapping[str, Answer], more: dict[str, Any], found: str) -> None:
    sample, _ = asked({**zone, ".": root()}, **more)
    assert verdict(sample) == (Outcome.DOWN, FailureKind.DNS, found)
    assert "loket.example" in sample.evidence[0].request
    assert "QUESTION" in sample.evidence[0].body


def test_another_address_is_down_and_tells_both() -> None:
    sample, _ = asked({"loket.example": answered(LOKET)}, values=["192.0.2.11"])
    assert sample.failure == Failure(
        kind=FailureKind.ASSERTION,
        subject="record A loket.example",
        expected="“192.0.2.11”",
        found="“192.0.2.10”",
    )


def test_signatures_that_do_not_hold_are_told_apart_from_a_server_that_fails() -> None:
    def bogus(question: dns.message.Message, _tcp: bool) -> dns.message.Message:
        return says(question, LOKET) if question.flags & dns.flags.CD else says(question, code="SERVFAIL")

    sample, _ = asked({"loket.example": bogus, ".": root()}, dnssec=True)
    assert verdict(sample) == (Outcome.DOWN, FailureKind.DNS, "the DNSSEC signatures do not hold")


def test_an_answer_that_a_checking_resolver_did_not_check_is_down() -> None:
    sample, questions = asked({"loket.example": answered(LOKET), ".": root("AD")}, dnssec=True)
    assert verdict(sample) == (Outcome.DOWN, FailureKind.ASSERTION, "an answer that was not checked")
    assert questions[0] == "loket.example. A RD AD"


def test_a_resolver_that_checks_nothing_is_our_own_trouble() -> None:
    sample, _ = asked({"loket.example": answered(LOKET), ".": root()}, dnssec=True)
    assert verdict(sample)[:2] == (Outcome.UNKNOWN, FailureKind.MONITOR)


def test_a_checked_answer_is_up() -> None:
    sample, _ = asked({"loket.example": answered(LOKET, flags="AD")}, dnssec=True)
    assert sample.outcome is Outcome.UP
    assert sample.reached is not None
    assert sample.reached.answered is not None
    assert sample.reached.answered.authenticated


def test_simulated_time_has_no_name_servers() -> None:
    its = replace(setup("http://127.0.0.1"), transport=httpx.AsyncBaseTransport)
    sample = asyncio.run(run(a_check(), slot_us=0, location="hier", setup=its))
    assert verdict(sample) == (Outcome.UNKNOWN, FailureKind.MONITOR, "no network in this run")


def test_a_resolver_that_is_silent_about_everything_is_our_own_trouble() -> None:
    """T30"""
    sample, _ = asked({"loket.example": silence, ".": silence}, deadline="6s")
    assert verdict(sample)[:2] == (Outcome.UNKNOWN, FailureKind.MONITOR)
    assert "no answer in time" in (verdict(sample)[2] or "")


def test_a_resolver_that_is_silent_about_this_name_only_leaves_the_name_to_blame() -> None:
    sample, questions = asked({"loket.example": silence, ".": root()}, deadline="6s")
    found = "our name server answers, but not about “loket.example”"
    assert verdict(sample) == (Outcome.DOWN, FailureKind.TIMEOUT, found)
    assert 2 <= questions.count("loket.example. A RD") <= 3


@pytest.mark.parametrize("code", ["REFUSED", "NOTIMP", "FORMERR"])
def test_a_resolver_that_refuses_us_is_our_own_trouble(code: str) -> None:
    """T30"""
    sample, _ = asked({"loket.example": answered(code=code)})
    assert verdict(sample)[:2] == (Outcome.UNKNOWN, FailureKind.MONITOR)
    assert code in (verdict(sample)[2] or "")


def test_a_resolver_that_fails_at_the_root_too_is_our_own_trouble() -> None:
    sample, _ = asked({"loket.example": answered(code="SERVFAIL"), ".": answered(code="SERVFAIL")})
    assert verdict(sample)[:2] == (Outcome.UNKNOWN, FailureKind.MONITOR)


def test_the_second_resolver_is_asked_where_the_first_is_gone() -> None:
    async def go() -> Sample:
        async with NameServer(by_name({"loket.example": answered(LOKET)})) as server:
            async with NameServer(silence) as closed:
                pass
            both = (("127.0.0.1", closed.port), ("127.0.0.1", server.port))
            its = replace(setup("http://127.0.0.1"), name_servers=lambda: both)
            return await run(a_check(), slot_us=0, location="hier", setup=its)

    sample = asyncio.run(go())
    assert sample.outcome is Outcome.UP


def test_the_policy_of_addresses_says_which_resolvers_may_be_asked() -> None:
    sample, questions = asked({"loket.example": answered(LOKET)}, ip="6")
    assert verdict(sample)[:2] == (Outcome.UNKNOWN, FailureKind.MONITOR)
    assert questions == []


@pytest.mark.parametrize(
    ("answer", "kind", "found"),
    [
        (answered(LOKET, flags="AA"), None, None),
        (answered(LOKET), FailureKind.DNS, "the name server has no authority over it"),
        (answered(code="REFUSED"), FailureKind.DNS, "the name server answers REFUSED"),
        (answered(code="SERVFAIL"), FailureKind.DNS, "the name server answers SERVFAIL"),
        (lambda question, _: question.id.to_bytes(2, "big") + b"\x80" * 12, FailureKind.PROTOCOL, None),
    ],
    ids=["right", "lame", "refused", "failing", "garbage"],
)
def test_the_portal_s_own_server_has_to_answer_by_its_own_authority(
    answer: Answer, kind: FailureKind | None, found: str | None
) -> None:
    sample, questions = asked({"loket.example": answer}, authoritative=True)
    assert verdict(sample)[1] is kind
    assert found in (None, verdict(sample)[2])
    assert questions == ["loket.example. A "]


def test_the_silence_of_the_portal_s_own_server_is_the_portal_s() -> None:
    sample, _ = asked({"loket.example": silence}, authoritative=True, deadline="200ms")
    assert verdict(sample)[:2] == (Outcome.DOWN, FailureKind.TIMEOUT)
    assert sample.duration_us < 200_000 + LATE_US


def test_a_closed_port_of_the_portal_s_own_server_is_no_connection() -> None:
    async def go() -> Sample:
        async with NameServer(silence) as server:
            address = server.address
        check = a_check(server=address, authoritative=True)
        return await run(check, slot_us=0, location="hier", setup=setup("http://127.0.0.1"))

    assert verdict(asyncio.run(go())) == (Outcome.DOWN, FailureKind.CONNECT, "connection refused")


def test_a_lost_datagram_is_no_outage() -> None:
    lost: list[bool] = []

    def second_time(question: dns.message.Message, _tcp: bool) -> dns.message.Message | None:
        lost.append(True)
        return says(question, LOKET) if len(lost) > 1 else None

    sample, _ = asked({"loket.example": second_time}, deadline="6s")
    assert sample.outcome is Outcome.UP


def test_an_answer_too_long_for_a_datagram_is_asked_for_over_tcp() -> None:
    def truncated(question: dns.message.Message, tcp: bool) -> dns.message.Message:
        return says(question, LOKET) if tcp else says(question, flags="TC")

    sample, questions = asked({"loket.example": truncated}, values="192.0.2.10")
    assert sample.outcome is Outcome.UP
    assert questions == ["loket.example. A RD", "loket.example. A RD over TCP"]


@pytest.mark.parametrize(
    ("authoritative", "outcome", "kind"),
    [(False, Outcome.UNKNOWN, FailureKind.MONITOR), (True, Outcome.DOWN, FailureKind.CONNECT)],
)
def test_a_long_answer_that_cannot_be_fetched_over_tcp_is_the_server_s_trouble_and_not_the_name_s(
    authoritative: bool, outcome: Outcome, kind: FailureKind
) -> None:
    def truncated(question: dns.message.Message, tcp: bool) -> dns.message.Message | None:
        return None if tcp else says(question, flags="TC")

    sample, _ = asked({"loket.example": truncated, ".": root()}, authoritative=authoritative)
    assert verdict(sample)[:2] == (outcome, kind)


def test_an_answer_to_another_question_is_not_heard() -> None:
    def forged(question: dns.message.Message, _tcp: bool) -> dns.message.Message:
        other = dns.message.make_query("elders.example", "A", id=question.id)
        return says(other, "elders.example. 300 IN A 203.0.113.9")

    sample, _ = asked({"loket.example": forged, ".": root()}, deadline="6s")
    assert verdict(sample)[1] is FailureKind.TIMEOUT


@pytest.mark.parametrize(
    ("records", "more"),
    [
        (
            ("loket.example. 60 IN CNAME Balans.Example.", "balans.example. 30 IN A 192.0.2.10"),
            {"values": "192.0.2.10"},
        ),
        (("loket.example. 60 IN CNAME Balans.Example.",), {"type": "CNAME", "values": "balans.example."}),
        (("loket.example. 60 IN AAAA 2001:db8::10",), {"type": "AAAA", "values": "2001:DB8:0::10"}),
        (("loket.example. 60 IN MX 10 Mail.example.",), {"type": "MX", "values": "10 mail.example"}),
        (('loket.example. 60 IN TXT "v=spf1 " "-all"',), {"type": "TXT", "values": "v=spf1 -all"}),
        (
            ("loket.example. 60 IN SOA ns1.example. h.example. 2026112401 1 1 1 1",),
            {"type": "SOA", "values": "ns1.example"},
        ),
    ],
    ids=["alias", "CNAME", "AAAA", "MX", "TXT", "SOA"],
)
def test_every_type_is_compared_in_one_way_of_writing(records: tuple[str, ...], more: dict[str, Any]) -> None:
    sample, _ = asked({"loket.example": answered(*records)}, **more)
    assert verdict(sample) == (Outcome.UP, None, None)


def test_the_serial_of_a_zone_and_the_smallest_time_to_live_are_kept() -> None:
    soa = "loket.example. 60 IN SOA ns1.example. h.example. 2026112401 1 1 1 1"
    sample, _ = asked({"loket.example": answered(soa)}, type="SOA")
    assert sample.reached is not None
    assert sample.reached.answered is not None
    assert sample.reached.answered.serial == 2_026_112_401
    assert sample.reached.answered.ttl_us == 60_000_000
