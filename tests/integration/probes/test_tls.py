"""TLS on the wire: trusted, expired, for another name, of strangers, and no TLS at all."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from probes.checks import CertificateCheck
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from probes.tls import trust
from tests.certificates import LONG_AGO, PAST, Authority, authority
from tests.scripted_server import LATE_US, ScriptedServer, answer, journey, pages, setup, step

pytestmark = pytest.mark.usefixtures("each_engine")

PAST_US = 1_577_934_245_000_000  # 2020-01-02T03:04:05Z
DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


def certificate_check(port: int, **more: object) -> CertificateCheck:
    table = {"id": "cert", "title": {"nl": "C", "en": "C"}, "interval": "60s", "deadline": "20s", "host": "localhost"}
    return CertificateCheck.model_validate({**table, "port": port, **more})


def checked(context: ssl.SSLContext | None, ours: Authority, **more: object) -> Sample:
    async def go() -> Sample:
        async with ScriptedServer(pages({}), context) as server:
            way = setup("https://localhost", ca_file=ours.file)
            return await run(certificate_check(server.port, **more), slot_us=7, location="hier", setup=way)

    return asyncio.run(go())


def visited(context: ssl.SSLContext, ca_file: str | None) -> Sample:
    async def go() -> Sample:
        async with ScriptedServer(pages({"/": answer("goed")}), context) as server:
            way = setup(f"https://localhost:{server.port}", ca_file=ca_file)
            return await run(journey(step("/")), slot_us=0, location="hier", setup=way)

    return asyncio.run(go())


def reason(sample: Sample) -> tuple[Outcome, FailureKind | None, str | None]:
    failure = sample.failure
    return (sample.outcome, None, None) if failure is None else (sample.outcome, failure.kind, failure.found)


def test_a_journey_over_tls_tells_its_phases_and_certificate(ours: Authority) -> None:
    sample = visited(ours.server("localhost"), ours.file)
    (only,) = sample.steps
    assert sample.outcome is Outcome.UP
    assert only.phases.tls_us > 0
    assert only.phases.resolve_us > 0
    assert (only.tls_version, only.http_version) == ("TLSv1.3", "1.1")
    assert only.certificate_not_after_us is not None


def test_a_journey_refuses_a_certificate_it_cannot_trust(ours: Authority, strangers: Authority) -> None:
    assert reason(visited(strangers.server("localhost"), ours.file)) == (
        Outcome.DOWN,
        FailureKind.TLS,
        "from an unknown authority",
    )
    assert reason(visited(ours.server("elders.example"), ours.file))[2] == "for another name"
    assert reason(visited(ours.server("localhost", since=LONG_AGO, until=PAST), ours.file))[2] == "expired"


def test_a_good_certificate_is_up_and_told(ours: Authority) -> None:
    sample = checked(ours.server("localhost", "loket.example"), ours)
    assert (sample.outcome, sample.slot_us) == (Outcome.UP, 7)
    assert sample.certificate is not None
    assert sample.certificate.names == ("localhost", "loket.example")
    assert sample.certificate.tls_version == "TLSv1.3"
    assert len(sample.certificate.fingerprint_sha256) == 64
    assert sample.certificate.earliest_not_after_us <= sample.certificate.not_after_us


def test_an_expired_certificate_still_tells_when_it_ended(ours: Authority) -> None:
    """T14: the end of validity in the past stays visible, so an alert on it stays."""
    sample = checked(ours.server("localhost", since=LONG_AGO, until=PAST), ours)
    assert reason(sample) == (Outcome.DOWN, FailureKind.CERTIFICATE, "expired on 2020-01-02")
    assert sample.certificate is not None
    assert sample.certificate.not_after_us == PAST_US


def test_an_expired_root_beside_the_chain_we_trust_alarms_nobody(ours: Authority, tmp_path: Path) -> None:
    """T15: the chain that was verified decides, not everything that a server sends along."""
    context = ours.with_an_old_root_beside_it(tmp_path, "localhost")
    sample = checked(context, ours)
    assert reason(sample) == (Outcome.UP, None, None)
    assert sample.certificate is not None
    assert PAST_US < sample.certificate.earliest_not_after_us <= sample.certificate.not_after_us
    assert sample.certificate.earliest is None
    (only,) = visited(context, ours.file).steps
    assert only.certificate_not_after_us == sample.certificate.earliest_not_after_us


def test_an_intermediate_that_ends_before_the_leaf_is_told_by_its_name(ours: Authority, tmp_path: Path) -> None:
    until = datetime(2037, 1, 1, tzinfo=UTC)  # the leaf ends a year later
    sample = checked(ours.with_an_intermediate_until(until, tmp_path, "localhost"), ours)
    assert reason(sample) == (Outcome.UP, None, None)
    facts = sample.certificate
    assert facts is not None
    assert facts.earliest is not None
    assert facts.earliest_not_after_us == int(until.timestamp()) * 1_000_000 < facts.not_after_us
    assert facts.earliest.role == "intermediate"
    assert facts.earliest.subject == facts.issuer != facts.subject
    assert len(facts.earliest.fingerprint_sha256) == 64 != facts.fingerprint_sha256


def test_a_certificate_for_another_name_is_down_with_its_facts(ours: Authority) -> None:
    sample = checked(ours.server("elders.example"), ours)
    assert reason(sample) == (Outcome.DOWN, FailureKind.CERTIFICATE, "for another name: elders.example")
    assert sample.certificate is not None


def test_a_certificate_of_a_stranger_is_down_with_its_facts(ours: Authority, strangers: Authority) -> None:
    sample = checked(strangers.server("localhost"), ours)
    assert reason(sample) == (Outcome.DOWN, FailureKind.CERTIFICATE, "from an unknown authority")
    assert sample.certificate is not None


def test_a_certificate_that_ends_too_soon_is_down_if_the_check_says_so(ours: Authority) -> None:
    sample = checked(ours.server("localhost"), ours, down_before="400000d")
    assert sample.failure is not None
    assert (sample.failure.kind, sample.failure.expected) == (
        FailureKind.CERTIFICATE,
        "at least 400000 days of validity",
    )


def test_a_server_name_of_its_own_is_verified(ours: Authority) -> None:
    assert checked(ours.server("loket.example"), ours, server_name="loket.example").outcome is Outcome.UP


def raw_answer(opening: bytes, ours: Authority, *, deadline: str) -> Sample:
    """A check against a server that says this at once, and then nothing."""

    async def go() -> Sample:
        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                writer.write(opening)
                await asyncio.sleep(60)
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        check = certificate_check(server.sockets[0].getsockname()[1], deadline=deadline)
        sample = await run(check, slot_us=0, location="hier", setup=setup("https://localhost", ca_file=ours.file))
        server.close()
        return sample

    return asyncio.run(go())


def test_a_server_that_speaks_no_tls_is_a_tls_failure(ours: Authority) -> None:
    sample = raw_answer(b"HTTP/1.1 400 Bad Request\r\n\r\n", ours, deadline="20s")
    assert reason(sample) == (Outcome.DOWN, FailureKind.TLS, "the other side spoke no TLS")
    assert sample.certificate is None


def test_a_handshake_that_hangs_ends_at_the_deadline(ours: Authority) -> None:
    sample = raw_answer(b"", ours, deadline="300ms")
    assert reason(sample)[:2] == (Outcome.DOWN, FailureKind.TIMEOUT)
    assert 300_000 <= sample.duration_us < 300_000 + LATE_US


def test_a_missing_file_of_authorities_is_our_own_fault(ours: Authority, tmp_path: Path) -> None:
    """T30"""
    sample = visited(ours.server("localhost"), str(tmp_path / "geen.pem"))
    assert reason(sample)[:2] == (Outcome.UNKNOWN, FailureKind.MONITOR)


def test_trust_is_built_once_and_again_when_the_file_changes(ours: Authority, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(Path(ours.file).read_bytes())
    first = trust(str(file))
    assert trust(str(file)) is first
    file.write_bytes(Path(ours.file).read_bytes() * 2)
    assert trust(str(file)) is not first


def test_simulated_time_has_no_network_for_certificates(ours: Authority) -> None:
    way = replace(setup("https://localhost"), transport=httpx.AsyncBaseTransport)
    sample = asyncio.run(run(certificate_check(1), slot_us=0, location="hier", setup=way))
    assert reason(sample) == (Outcome.UNKNOWN, FailureKind.MONITOR, "no network in this run")
