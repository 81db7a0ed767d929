"""Mail servers on loopback: greeting, what they offer, TLS and its certificate; and no mail, ever."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from probes.checks import MailServerCheck
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from tests.certificates import LONG_AGO, PAST, Authority, authority
from tests.scripted_server import setup

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


def mail_server(
    context: ssl.SSLContext,
    said: list[bytes],
    *,
    greeting: bytes = b"220-mail.example ESMTP\r\n220 welkom\r\n",
    before: bytes = b"250-STARTTLS\r\n250 SIZE 1000\r\n",
    after: bytes = b"250-SIZE 1000\r\n250 AUTH PLAIN\r\n",
) -> Serve:
    """Knows EHLO, STARTTLS and QUIT; offers other things over TLS than before it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        offers = before
        try:
            writer.write(greeting)
            while line := await reader.readline():
                said.append(line.strip())
                match line.split()[0]:
                    case b"EHLO":
                        writer.write(b"250-mail.example\r\n" + offers)
                    case b"STARTTLS":
                        writer.write(b"220 ga je gang\r\n")
                        await writer.start_tls(context)
                        offers = after
                    case _:
                        writer.write(b"221 dag\r\n")
        except (OSError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    return serve


def tried(serve: Serve, ours: Authority, *, tls: ssl.SSLContext | None = None, **more: Any) -> Sample:
    table = {"id": "mail", "title": {"nl": "M", "en": "M"}, "interval": "60s", "deadline": "20s", "host": "127.0.0.1"}
    table["server_name"] = "mail.example"

    async def go() -> Sample:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        try:
            check = MailServerCheck.model_validate({**table, **more, "port": server.sockets[0].getsockname()[1]})
            return await run(check, slot_us=0, location="hier", setup=setup("http://127.0.0.1", ca_file=ours.file))
        finally:
            server.close()

    return asyncio.run(go())


def verdict(sample: Sample) -> tuple[Outcome, FailureKind | None, str | None]:
    failure = sample.failure
    return (sample.outcome, None, None) if failure is None else (sample.outcome, failure.kind, failure.found)


def test_a_mail_server_is_greeted_secured_and_left_and_no_mail_is_begun(ours: Authority) -> None:
    said: list[bytes] = []
    sample = tried(mail_server(ours.server("mail.example"), said), ours, extensions=["size", "AUTH"])
    assert verdict(sample) == (Outcome.UP, None, None)
    assert said == [b"EHLO [127.0.0.1]", b"STARTTLS", b"EHLO [127.0.0.1]", b"QUIT"]
    assert sample.certificate is not None
    assert sample.certificate.names == ("mail.example",)


def test_what_is_offered_only_before_tls_is_not_offered(ours: Authority) -> None:
    said: list[bytes] = []
    serve = mail_server(ours.server("mail.example"), said, after=b"250 AUTH PLAIN\r\n")
    sample = tried(serve, ours, extensions="SIZE")
    assert said[-1] == b"QUIT"
    assert verdict(sample) == (Outcome.DOWN, FailureKind.ASSERTION, "“AUTH”")
    assert "EHLO" in sample.evidence[0].request
    assert "220 ga je gang" in sample.evidence[0].body


@pytest.mark.parametrize(
    ("security", "outcome"), [("starttls", Outcome.DOWN), ("offered", Outcome.DOWN), ("none", Outcome.UP)]
)
def test_starttls_that_is_not_offered_fails_who_wants_it(ours: Authority, security: str, outcome: Outcome) -> None:
    serve = mail_server(ours.server("mail.example"), [], before=b"250 SIZE 1000\r\n")
    sample = tried(serve, ours, security=security)
    assert sample.outcome is outcome
    assert verdict(sample)[2] == (None if outcome is Outcome.UP else "no STARTTLS offered")


def test_where_starttls_need_only_be_offered_no_certificate_is_looked_at(ours: Authority) -> None:
    said: list[bytes] = []
    expired = ours.server("mail.example", since=LONG_AGO, until=PAST)
    sample = tried(mail_server(expired, said), ours, security="offered")
    assert verdict(sample) == (Outcome.UP, None, None)
    assert b"STARTTLS" not in said


@pytest.mark.parametrize(
    ("names", "dates", "found"),
    [
        (("mail.example",), {"since": LONG_AGO, "until": PAST}, "expired on 2020-01-02"),
        (("elders.example",), {}, "for another name: elders.example"),
    ],
    ids=["expired", "another"],
)
def test_a_certificate_not_to_be_trusted_is_down_and_read_all_the_same(
    ours: Authority, names: tuple[str, ...], dates: dict[str, Any], found: str
) -> None:
    """T14"""
    sample = tried(mail_server(ours.server(*names, **dates), []), ours)
    assert verdict(sample) == (Outcome.DOWN, FailureKind.CERTIFICATE, found)
    assert sample.certificate is not None


def test_tls_may_begin_with_the_first_byte(ours: Authority) -> None:
    said: list[bytes] = []
    context = ours.server("mail.example")
    sample = tried(mail_server(context, said), ours, tls=context, security="tls", hello="monitor.example")
    assert verdict(sample) == (Outcome.UP, None, None)
    assert said == [b"EHLO monitor.example", b"QUIT"]


def test_a_mail_server_that_wants_no_http_is_offered_none(ours: Authority) -> None:
    context = ours.server("mail.example")
    context.set_alpn_protocols(["smtp"])
    chosen: list[str | None] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chosen.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        writer.transport.abort()

    assert tried(serve, ours, tls=context, security="tls").outcome is Outcome.DOWN
    assert chosen == [None]


@pytest.mark.parametrize(
    ("greeting", "banner", "kind", "found"),
    [
        (b"220 mail.example ESMTP Postfix\r\n", "Exim", FailureKind.ASSERTION, "“mail.example ESMTP Postfix”"),
        (b"554 niet vandaag\r\n", None, FailureKind.PROTOCOL, "“554 niet vandaag”"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None, FailureKind.PROTOCOL, "no SMTP"),
        (b"", None, FailureKind.TIMEOUT, "still waiting for an SMTP answer"),
    ],
    ids=["other", "closed", "ssh", "silent"],
)
def test_another_greeting_ends_in_a_named_failure(
    ours: Authority, greeting: bytes, banner: str | None, kind: FailureKind, found: str
) -> None:
    serve = mail_server(ours.server("mail.example"), [], greeting=greeting)
    deadline = "500ms" if kind is FailureKind.TIMEOUT else "20s"
    assert verdict(tried(serve, ours, banner=banner, deadline=deadline)) == (Outcome.DOWN, kind, found)
