"""Certificate checks take the portal's way: proxy, pinned address, policy of addresses, STARTTLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from probes.checks import CertificateCheck
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from tests.certificates import LONG_AGO, PAST, Authority, authority
from tests.scripted_server import ScriptedServer, answer, pages, setup

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


async def checked(host: str, port: int, ca_file: str, *, deadline: str = "20s", **portal: Any) -> Sample:
    starttls = portal.pop("starttls", None)
    table = {"id": "cert", "title": {"nl": "C", "en": "C"}, "interval": "60s", "deadline": deadline, "host": host}
    check = CertificateCheck.model_validate({**table, "port": port, "starttls": starttls})
    return await run(check, slot_us=0, location="hier", setup=setup("https://localhost", ca_file=ca_file, **portal))


def verdict(sample: Sample) -> tuple[Outcome, FailureKind | None, str | None]:
    failure = sample.failure
    return (sample.outcome, None, None) if failure is None else (sample.outcome, failure.kind, failure.found)


def test_a_pinned_address_keeps_the_name(ours: Authority) -> None:
    async def go() -> Sample:
        async with ScriptedServer(pages({}), ours.server("loket.example")) as server:
            pins = {"loket.example": "127.0.0.1"}
            return await checked("loket.example", server.port, ours.file, addresses=pins)

    assert verdict(asyncio.run(go())) == (Outcome.UP, None, None)


def test_the_policy_of_addresses_is_obeyed(ours: Authority) -> None:
    async def go(ip: str) -> Sample:
        async with ScriptedServer(pages({}), ours.server("localhost"), host="127.0.0.1") as server:
            return await checked("localhost", server.port, ours.file, ip=ip)

    assert asyncio.run(go("4")).outcome is Outcome.UP
    assert asyncio.run(go("6")).outcome is Outcome.DOWN


@pytest.mark.parametrize(("status", "kind"), [(407, FailureKind.MONITOR), (503, FailureKind.CONNECT)])
def test_a_proxy_is_asked_and_may_refuse(ours: Authority, status: int, kind: FailureKind) -> None:
    heads: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer("nee", status=status))
        await writer.drain()
        writer.close()

    async def go() -> Sample:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await checked("loket.example", 443, ours.file, proxy=f"http://127.0.0.1:{port}")
        finally:
            server.close()

    sample = asyncio.run(go())
    assert sample.failure is not None
    assert sample.failure.kind is kind
    assert heads[0].startswith(b"CONNECT loket.example:443 HTTP/1.1\r\n")


def smtp(context: ssl.SSLContext, said: list[bytes], extensions: bytes = b"250 STARTTLS\r\n") -> Serve:
    """A mail server that knows EHLO, STARTTLS and QUIT."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220-mail.example\r\n220 welkom\r\n")
            while line := await reader.readline():
                said.append(line.strip())
                match line.split()[0]:
                    case b"EHLO":
                        writer.write(b"250-mail.example\r\n" + extensions)
                    case b"STARTTLS":
                        writer.write(b"220 ga je gang\r\n")
                        await writer.start_tls(context)
                    case _:
                        writer.write(b"221 dag\r\n")
        except (OSError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    return serve


def mailed(serve: Serve, ours: Authority, deadline: str = "20s") -> Sample:
    async def go() -> Sample:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await checked("localhost", port, ours.file, starttls="smtp", deadline=deadline, ip="4")
        finally:
            server.close()

    return asyncio.run(go())


def test_a_mail_servers_certificate_is_read_over_starttls_and_we_say_goodbye(ours: Authority) -> None:
    said: list[bytes] = []
    sample = mailed(smtp(ours.server("localhost"), said), ours)
    assert verdict(sample) == (Outcome.UP, None, None)
    assert sample.certificate is not None
    assert said == [b"EHLO [127.0.0.1]", b"STARTTLS", b"QUIT"]


def test_an_expired_certificate_over_starttls_tells_when_it_ended(ours: Authority) -> None:
    sample = mailed(smtp(ours.server("localhost", since=LONG_AGO, until=PAST), []), ours)
    assert verdict(sample) == (Outcome.DOWN, FailureKind.CERTIFICATE, "expired on 2020-01-02")


def test_a_mail_server_without_starttls_is_a_protocol_failure(ours: Authority) -> None:
    sample = mailed(smtp(ours.server("localhost"), [], b"250 SIZE\r\n"), ours)
    assert verdict(sample) == (Outcome.DOWN, FailureKind.PROTOCOL, "no STARTTLS offered")


@pytest.mark.parametrize(
    ("opening", "kind", "found"),
    [
        (b"554 niet vandaag\r\n", FailureKind.PROTOCOL, "“554 niet vandaag”"),
        (b"x" * 100_000, FailureKind.PROTOCOL, "a longer line"),
        (b"220-en verder\r\n" * 5_000, FailureKind.PROTOCOL, "no SMTP"),
        (b"\xff\x00 HTTP/1.1 400\r\n", FailureKind.PROTOCOL, "no SMTP"),
        (b"", FailureKind.TIMEOUT, "still waiting for an SMTP answer"),
    ],
)
def test_a_hostile_banner_ends_in_a_named_failure(
    ours: Authority, opening: bytes, kind: FailureKind, found: str
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(opening)
        await reader.read()
        writer.transport.abort()

    deadline = "500ms" if kind is FailureKind.TIMEOUT else "20s"
    assert verdict(mailed(serve, ours, deadline)) == (Outcome.DOWN, kind, found)


def test_lines_slipped_in_before_tls_are_no_tls(ours: Authority) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x\r\n")
        await reader.readline()
        writer.write(b"250-x\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 ga\r\n221 ingesmokkeld\r\n")
        await reader.read()
        writer.transport.abort()

    assert verdict(mailed(serve, ours))[1] is FailureKind.TLS


def test_starttls_wants_its_port_written() -> None:
    table = {"id": "cert", "title": {"nl": "C", "en": "C"}, "interval": "60s", "deadline": "2s", "host": "mail.example"}
    with pytest.raises(ValueError, match="write its port"):
        CertificateCheck.model_validate({**table, "starttls": "smtp"})
