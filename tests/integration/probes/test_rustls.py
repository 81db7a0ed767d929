"""The same verdicts over rustls (`tls = "rustls"`) as over OpenSSL, against real servers on loopback."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from probes.checks import CertificateCheck, Portal
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from tests.certificates import LONG_AGO, PAST, Authority, authority
from tests.scripted_server import ScriptedServer, answer, journey, pages, setup, step


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


def visited(context: ssl.SSLContext, ours: Authority, tls: str, *, body: bytes = b"goed") -> Sample:
    async def go() -> Sample:
        async with ScriptedServer(pages({"/": answer(body.decode())}), context) as server:
            way = setup(f"https://localhost:{server.port}", ca_file=ours.file, engine="own", tls=tls)
            return await run(journey(step("/"), step("/", name="nog-eens")), slot_us=0, location="hier", setup=way)

    return asyncio.run(go())


def test_a_page_comes_with_the_facts_of_its_handshake(ours: Authority) -> None:
    context = ours.server("localhost")
    over = {tls: visited(context, ours, tls, body=b"g" * 300_000) for tls in ("openssl", "rustls")}
    assert {sample.outcome for sample in over.values()} == {Outcome.UP}
    told = {
        (step.tls_version, step.certificate_not_after_us, step.body_bytes)
        for sample in over.values()
        for step in sample.steps
    }
    assert len(told) == 1
    assert over["rustls"].steps[0].phases.tls_us > 0
    assert over["rustls"].steps[1].phases.tls_us == 0  # the connection is kept


@pytest.mark.parametrize("wrong", ["expired", "of another name", "of strangers"])
def test_what_is_wrong_with_a_certificate_is_found_and_said_alike(wrong: str, ours: Authority, tmp_path: Path) -> None:
    match wrong:
        case "expired":
            context = ours.server("localhost", since=LONG_AGO, until=PAST)
        case "of another name":
            context = ours.server("elders.example")
        case _:
            context = authority(tmp_path).server("localhost")
    said = []
    for tls in ("openssl", "rustls"):
        failure = visited(context, ours, tls).failure
        assert failure is not None
        assert failure.kind is FailureKind.TLS
        said.append((failure.expected, failure.found))
    assert said[0] == said[1]


def test_a_portal_may_change_its_authority_and_strangers_are_refused_as_ever(ours: Authority, tmp_path: Path) -> None:
    other, stranger = authority(tmp_path, "other.pem"), authority(tmp_path, "stranger.pem")
    both = tmp_path / "both.pem"
    both.write_bytes(Path(ours.file).read_bytes() + Path(other.file).read_bytes())

    async def go() -> tuple[list[Sample], list[int]]:
        way = setup("https://localhost", ca_file=str(both), engine="own", tls="rustls")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        samples: list[Sample] = []
        tried: list[int] = []
        async with ScriptedServer(pages({"/": answer("goed")}), context) as server:
            check = journey(step("/"), base_url=f"https://localhost:{server.port}")
            for signer in (ours, ours, other, other, stranger, stranger, ours):
                signer.ca.issue_cert("localhost").configure_cert(context)
                samples.append(await run(check, slot_us=0, location="hier", setup=way))
                tried.append(len(samples[-1].steps[0].hops[0].attempts))
        return samples, tried

    samples, tried = asyncio.run(go())
    up, down = Outcome.UP, Outcome.DOWN
    assert [sample.outcome for sample in samples] == [up, up, up, up, down, down, up]
    assert {sample.failure.found for sample in samples if sample.failure} == {"from an unknown authority"}
    # A second connection is made only where the authorities that were enough before are not any more.
    assert tried == [1, 1, 2, 1, 2, 1, 1]


def test_an_expired_certificate_still_tells_when_it_ended(ours: Authority) -> None:
    check = CertificateCheck.model_validate(
        {"id": "cert", "title": {"nl": "C", "en": "C"}, "interval": "60s", "deadline": "20s", "host": "localhost"}
    )

    async def go() -> Sample:
        context = ours.server("localhost", since=LONG_AGO, until=PAST)
        async with ScriptedServer(pages({}), context) as server:
            way = setup("https://localhost", ca_file=ours.file, engine="own", tls="rustls")
            here = check.model_copy(update={"port": server.port})
            return await run(here, slot_us=0, location="hier", setup=way)

    sample = asyncio.run(go())
    assert sample.outcome is Outcome.DOWN
    assert sample.certificate is not None
    assert sample.certificate.not_after_us == round(PAST.timestamp()) * 1_000_000


def test_only_the_own_engine_can_speak_it() -> None:
    with pytest.raises(ValueError, match="only engine"):
        Portal(name="P", base_url="https://p.example", contact="mailto:a@p.example", engine="httpx", tls="rustls")
