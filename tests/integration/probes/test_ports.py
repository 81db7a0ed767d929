"""Ports on loopback: what they say by themselves, what they answer, and what becomes of those that say nothing good."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from probes.checks import PortCheck
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from tests.certificates import LONG_AGO, PAST, Authority, authority
from tests.scripted_server import setup

#: For what comes, on a machine that may have other things to do; and for what never does.
PATIENT, WAITED_OUT = "20s", "500ms"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


def tried(serve: Serve, *, context: ssl.SSLContext | None = None, ca_file: str | None = None, **more: Any) -> Sample:
    table = {
        "id": "poort",
        "title": {"nl": "P", "en": "P"},
        "interval": "60s",
        "deadline": PATIENT,
        "host": "127.0.0.1",
    }

    async def go() -> Sample:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        try:
            check = PortCheck.model_validate({**table, **more, "port": server.sockets[0].getsockname()[1]})
            return await run(check, slot_us=0, location="hier", setup=setup("http://127.0.0.1", ca_file=ca_file))
        finally:
            server.close()

    return asyncio.run(go())


def verdict(sample: Sample) -> tuple[Outcome, FailureKind | None, str | None]:
    failure = sample.failure
    return (sample.outcome, None, None) if failure is None else (sample.outcome, failure.kind, failure.found)


def saying(*pieces: bytes, then_close: bool = False, heard: list[bytes] | None = None) -> Serve:
    """Says its pieces one by one, each after a turn of the loop, and hears one line."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if not then_close:
                line = await reader.readline()
                if heard is not None:
                    heard.append(line)
                if line == b"PING\r\n":
                    writer.write(b"+PONG\r\n")
                await reader.read()
        except (OSError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    return serve


def test_a_port_that_takes_a_connection_is_up() -> None:
    sample = tried(saying())
    assert verdict(sample) == (Outcome.UP, None, None)
    assert sample.reached is not None
    assert sample.reached.address == "127.0.0.1"
    assert sample.reached.phases.connect_us > 0


@pytest.mark.parametrize(
    "banner",
    ["OpenSSH", {"contains": "SSH-2.0"}, {"matches": r"^SSH-2\.\d-OpenSSH_(\d+)"}, {"contains": "SSH", "matches": "9"}],
)
def test_a_banner_is_what_is_said_first_by_text_or_expression(banner: object) -> None:
    assert verdict(tried(saying(b"SSH-2", b".0-OpenSSH_9", b".2\r\n"), banner=banner))[0] is Outcome.UP


def test_another_banner_is_told_and_not_called_a_timeout() -> None:
    sample = tried(saying(b"220 ProFTPD\r\n"), banner="SSH-2.0", deadline="2s")
    assert verdict(sample) == (Outcome.DOWN, FailureKind.ASSERTION, "“220 ProFTPD”")
    assert sample.failure is not None
    assert sample.failure.expected == "contains “SSH-2.0”"
    assert sample.evidence[0].body == "220 ProFTPD\n"


def test_a_line_is_said_and_its_answer_heard() -> None:
    heard: list[bytes] = []
    assert tried(saying(heard=heard), send="PING", answer="+PONG").outcome is Outcome.UP
    assert heard == [b"PING\r\n"]


def test_the_banner_is_heard_before_the_line_is_said_and_is_no_answer_to_it() -> None:
    sample = tried(saying(b"+PONG\r\n"), banner="+PONG", send="STIL", answer="+PONG", deadline="200ms")
    assert verdict(sample)[:2] == (Outcome.DOWN, FailureKind.TIMEOUT)


@pytest.mark.parametrize(
    ("serve", "kind", "found"),
    [
        (saying(), FailureKind.TIMEOUT, "still waiting for the banner"),
        (saying(then_close=True), FailureKind.PROTOCOL, "the connection closed before an answer"),
        (saying(b"hallo\n", then_close=True), FailureKind.ASSERTION, "“hallo”"),
        (saying(b"x" * 100_000), FailureKind.ASSERTION, f"“{'x' * 200}”"),
        (saying(b"\x00\xff\x1b[2J\n", then_close=True), FailureKind.ASSERTION, "“��\ufffd[2J”"),
    ],
    ids=["silent", "closed", "other", "endless", "garbage"],
)
def test_what_says_no_banner_ends_in_a_named_failure(serve: Serve, kind: FailureKind, found: str) -> None:
    assert verdict(tried(serve, banner="SSH", deadline=WAITED_OUT if kind is FailureKind.TIMEOUT else PATIENT)) == (
        Outcome.DOWN,
        kind,
        found,
    )


def test_an_expression_that_takes_for_ever_is_our_own_trouble() -> None:
    sample = tried(saying(b"a" * 4000 + b"!\n"), banner={"matches": "(a+)+$"})
    assert verdict(sample)[:2] == (Outcome.UNKNOWN, FailureKind.MONITOR)


def test_a_port_with_tls_shows_its_certificate(ours: Authority) -> None:
    context = ours.server("loket.example")
    more = {"tls": True, "server_name": "loket.example", "banner": "* OK"}
    sample = tried(saying(b"* OK IMAP4\r\n"), context=context, ca_file=ours.file, **more)
    assert verdict(sample) == (Outcome.UP, None, None)
    assert sample.certificate is not None
    assert sample.certificate.names == ("loket.example",)


def test_an_expired_certificate_on_a_port_is_read_all_the_same(ours: Authority) -> None:
    """T14"""
    context = ours.server("loket.example", since=LONG_AGO, until=PAST)
    sample = tried(saying(), context=context, ca_file=ours.file, tls=True, server_name="loket.example")
    assert verdict(sample) == (Outcome.DOWN, FailureKind.CERTIFICATE, "expired on 2020-01-02")
    assert sample.certificate is not None


def test_no_secret_stands_in_what_is_kept_of_a_banner() -> None:
    table = {"id": "p", "title": {"nl": "P", "en": "P"}, "interval": "60s", "deadline": "2s", "host": "127.0.0.1"}

    async def go() -> Sample:
        server = await asyncio.start_server(saying(b"welkom geheim-van-ons\n"), "127.0.0.1", 0)
        try:
            check = PortCheck.model_validate({**table, "port": server.sockets[0].getsockname()[1], "banner": "SSH"})
            its = setup("http://127.0.0.1", secrets={"sleutel": "geheim-van-ons"})
            return await run(check, slot_us=0, location="hier", setup=its)
        finally:
            server.close()

    sample = asyncio.run(go())
    assert verdict(sample)[2] == "“welkom ***”"
    assert "geheim" not in repr(sample)
