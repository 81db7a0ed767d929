"""The whole way of a mail, from the outbox over a real OpenSMTPD into somebody's maildir."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from monitor.clock import LIVE
from monitor.dkim import DkimSigner
from monitor.mail_message import SendMail
from monitor.mail_settings import RelaySettings
from monitor.mail_signing import Signatures
from monitor.recipients import Recipient
from monitor.relays import by_relays
from monitor.smtp import smtp_sender
from tests.certificates import authority
from tests.heart import MINUTE, Office, at
from tests.mail_signatures import by_certificate, dkim_record, dkim_right, openssl_verify
from tests.new_store import new_store
from tests.opensmtpd import OpenSmtpd, opensmtpd
from tests.stunnel import starttls

pytestmark = pytest.mark.opensmtpd

A, B, C = (Recipient(address=f"{name}@example.be", name=name.upper()) for name in "abc")
ALL = (A, B, C)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database, recipients=ALL)
    database.close()


@pytest.fixture
def server() -> Iterator[OpenSmtpd]:
    with opensmtpd(A.address, B.address, C.address) as found:
        yield found


def posting(office: Office, *servers: OpenSmtpd, signs: Signatures | None = None) -> None:
    """The office's mails go to these servers, the first one first."""
    written = (signs or Signatures()).writer(lambda: office.now_us)
    settings = [RelaySettings(host="127.0.0.1", port=one.port, security="none", timeout="10s") for one in servers]
    senders = [smtp_sender(one, password=None, directory=Path(), written=written) for one in settings]
    office.post = by_relays(senders, monotonic_us=lambda: office.now_us)


def verified(port: int, ca_file: str) -> SendMail:
    """The way to a server over STARTTLS."""
    settings = RelaySettings(host="127.0.0.1", port=port, security="starttls", ca_file=ca_file, timeout="10s")
    return smtp_sender(settings, password=None, directory=Path())


def plain(server: OpenSmtpd) -> SendMail:
    settings = RelaySettings(host="127.0.0.1", port=server.port, security="none", timeout="10s")
    return smtp_sender(settings, password=None, directory=Path())


def counts(server: OpenSmtpd) -> dict[str, int]:
    return {reader.address: len(server.raw(reader.address)) for reader in ALL}


def tries(office: Office, *, until_us: int, step_us: int = 0) -> int:
    """Moves the clock from one try to the next until then, at least a step each time; how many there were."""
    number = 0
    while True:
        due_us = [queued.due_us for queued in office.queue() if queued.state.value == "pending"]
        if not due_us or min(due_us) > until_us:
            office.now_us = until_us
            return number
        office.now_us = max(office.now_us + step_us, min(due_us))
        office.deliver()
        number += 1


def processes(server: OpenSmtpd) -> list[str]:
    """Those on this machine that were started with its folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(server.home).encode() in path.read_bytes():
                found.append(path.parent.name)
    return found


def test_the_server_leaves_no_process_behind(server: OpenSmtpd) -> None:
    with server.running():
        assert len(processes(server)) > 2
    assert processes(server) == []


def test_a_mail_arrives_with_its_headers_and_both_forms(office: Office, server: OpenSmtpd) -> None:
    posting(office, server)
    with server.running():
        office.live("xx")
        [mail] = server.mails(A.address, 1)
    assert mail["Subject"].startswith("[Voorbeeldloket] STORING: Aanvraag indienen")
    assert mail["From"] == "Loketwacht <loketwacht@example.be>"
    assert mail["To"] == "A <a@example.be>, B <b@example.be>, C <c@example.be>"
    assert (mail["Message-ID"], mail["Date"]) == (
        "<incident.indienen-20261123T100000Z@monitor.example>",
        "Mon, 23 Nov 2026 10:01:00 +0000",
    )
    assert (mail["Auto-Submitted"], mail["List-Id"], mail["Importance"]) == (
        "auto-generated",
        "<loketwacht.example.be>",
        "High",
    )
    assert mail["Return-Path"] == "<loketwacht@example.be>"
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for form in (text, html):
        assert "Aanvraag indienen" in form
        assert "23 november 2026 om 11:00" in form
    assert [queued.state.value for queued in office.queue()] == ["sent"]


def test_greylisting_of_one_delays_that_one_only_and_doubles_nobody(office: Office, server: OpenSmtpd) -> None:
    """T7: 451 to one of three; the next attempt is for him alone."""
    posting(office, server)
    server.rules(grey=[B.address])
    with server.running():
        office.live("xx")
        first = {who.address: who.answer for who in office.queue()[0].readers}
        office.live("x")
        for who in ALL:
            server.mails(who.address, 1)
        assert counts(server) == {A.address: 1, B.address: 1, C.address: 1}
    assert first[B.address].startswith("451 4.7.1 Greylisted, try again later")
    assert sorted(office.told.deliveries) == ["delivered", "delivered", "delivered", "retry"]
    assert len({server.mails(who.address, 1)[0]["Message-ID"] for who in ALL}) == 1


def test_the_refusal_of_one_of_three_is_told_and_reaches_the_other_two(office: Office) -> None:
    """T7, T8: OpenSMTPD does not know one of them."""
    with opensmtpd(A.address, C.address) as server, server.running():
        posting(office, server)
        office.live("xx")
        server.mails(A.address, 1)
        server.mails(C.address, 1)
        readers = {who.address: (who.state.value, who.answer) for who in office.queue()[0].readers}
        assert counts(server) == {A.address: 1, B.address: 0, C.address: 1}
    assert readers[B.address] == ("failed", f"550 Invalid recipient: <b@example.be> (127.0.0.1:{server.port})")
    assert sorted(office.told.deliveries) == ["delivered", "delivered", "refused"]


def test_after_an_hour_s_outage_one_mail_leaves_with_its_times_and_says_that_it_is_late(
    office: Office, server: OpenSmtpd
) -> None:
    """T4: the server is not there for an hour of the clock; then exactly one mail for each."""
    posting(office, server)
    office.live("xx")
    assert tries(office, until_us=at("11:01")) == 10
    with server.running():
        tries(office, until_us=at("11:15"))
        for who in ALL:
            [mail] = server.mails(who.address, 1)
            assert mail["Date"] == "Mon, 23 Nov 2026 10:01:00 +0000"
            assert "geschreven op 23 november 2026 om 11:01 (CET)" in mail.get_body(("plain",)).get_content()
        assert tries(office, until_us=at("13:00")) == 0
        assert counts(server) == {A.address: 1, B.address: 1, C.address: 1}


def test_an_outage_and_its_end_behind_an_hour_without_a_server_are_told_in_order(
    office: Office, server: OpenSmtpd
) -> None:
    """T9: no recovery before its opening."""
    posting(office, server)
    office.live("xx..")
    tries(office, until_us=at("11:01"), step_us=5 * MINUTE)
    with server.running():
        tries(office, until_us=at("11:15"))
        opening, recovery = server.mails(A.address, 2)
    assert ("STORING" in opening["Subject"], "HERSTELD" in recovery["Subject"]) == (True, True)
    assert recovery["In-Reply-To"] == opening["Message-ID"]


@pytest.mark.parametrize(
    ("said", "kept", "state"),
    [
        ("451 4.3.0 Later please", "451 4.3.0 Later please", "pending"),
        ("554 5.7.1 Looks like spam", "0 554 5.7.1 Looks like spam", "pending"),
        ("554 5.6.0 Not a mail", "554 5.6.0 Not a mail", "failed"),
    ],
    ids=["later", "about us", "for good"],
)
def test_what_it_says_after_the_text_holds_for_all(
    office: Office, server: OpenSmtpd, said: str, kept: str, state: str
) -> None:
    posting(office, server)
    server.rules(commit=said)
    with server.running():
        office.live("xx")
    assert {who.state.value for who in office.queue()[0].readers} == {state}
    assert {who.answer for who in office.queue()[0].readers} == {f"{kept} (127.0.0.1:{server.port})"}
    assert counts(server) == {A.address: 0, B.address: 0, C.address: 0}


def test_a_second_server_takes_what_the_first_puts_off_and_nobody_hears_twice(
    office: Office, server: OpenSmtpd
) -> None:
    """The first takes it for one, greylists one and does not know one."""
    with opensmtpd(A.address, B.address) as first, first.running(), server.running():
        first.rules(grey=[B.address])
        posting(office, first, server)
        office.live("xx")
        first.mails(A.address, 1)
        server.mails(B.address, 1)
        office.live("x" * 3)
        assert counts(first) == {A.address: 1, B.address: 0, C.address: 0}
        assert counts(server) == {A.address: 0, B.address: 1, C.address: 0}
    took = {who.address: (who.state.value, who.server) for who in office.queue()[0].readers}
    assert took == {
        A.address: ("sent", f"127.0.0.1:{first.port}"),
        B.address: ("sent", f"127.0.0.1:{server.port}"),
        C.address: ("failed", ""),
    }


def test_the_second_server_takes_all_while_the_first_is_away(office: Office, server: OpenSmtpd) -> None:
    """T4: not even late."""
    with opensmtpd(A.address, B.address, C.address) as away, server.running():
        posting(office, away, server)
        office.live("xx")
        (mail,), _, _ = (server.mails(who.address, 1) for who in ALL)
        assert counts(server) == {A.address: 1, B.address: 1, C.address: 1}
    assert "geschreven op" not in mail.get_body(("plain",)).get_content()
    assert (f"127.0.0.1:{away.port}", 0) in office.told.servers


@pytest.mark.dkimpy
def test_both_signatures_outlive_the_way_through_it(office: Office, server: OpenSmtpd, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    by_sender, root = by_certificate(tmp_path, "ec")
    signs = replace(by_sender, dkim=DkimSigner(domain="example.be", selector="s", key=key))
    office.now_us = LIVE.now_us()  # the certificate is of today
    posting(office, server, signs=signs)
    with server.running():
        office.live("xx")
        for who in ALL:
            server.mails(who.address, 1)
        [mail] = server.raw(A.address)
    assert dkim_right(mail, dkim_record(key))[0]
    (tmp_path / "mail.eml").write_bytes(mail)
    done = openssl_verify("cms", tmp_path / "mail.eml", root, tmp_path / "content")
    assert done.returncode == 0, done.stderr


@pytest.mark.stunnel
def test_a_mail_leaves_over_starttls_to_a_server_whose_certificate_is_verified(
    office: Office, server: OpenSmtpd, tmp_path: Path
) -> None:
    trusted = authority(tmp_path)
    with server.running(), starttls(server.port, trusted.ca, "127.0.0.1") as port:
        office.post = by_relays([verified(port, trusted.file)], monotonic_us=lambda: office.now_us)
        office.live("xx")
        [mail] = server.mails(A.address, 1)
    assert mail["Subject"].startswith("[Voorbeeldloket] STORING")
    assert {(who.state.value, who.server) for who in office.queue()[0].readers} == {("sent", f"127.0.0.1:{port}")}


@pytest.mark.stunnel
@pytest.mark.parametrize(
    ("name", "ours", "because"),
    [
        ("mail.elders.example", True, "certificate is not valid for '127.0.0.1'"),
        ("127.0.0.1", False, "unable to get local issuer certificate"),
    ],
    ids=["another name", "an authority we do not know"],
)
def test_a_certificate_that_does_not_hold_gets_no_mail_and_the_second_server_takes_it(
    office: Office,
    server: OpenSmtpd,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    ours: bool,
    because: str,
) -> None:
    """T4: it is told which server showed what; nobody waits, and no word of the mail went there."""
    trusted, other = authority(tmp_path), authority(tmp_path, "other.pem")
    with opensmtpd(*(who.address for who in ALL)) as first, first.running(), server.running():
        with starttls(first.port, (trusted if ours else other).ca, name) as port:
            office.post = by_relays([verified(port, trusted.file), plain(server)], monotonic_us=lambda: office.now_us)
            office.live("xx")
        for who in ALL:
            server.mails(who.address, 1)
        assert counts(first) == {who.address: 0 for who in ALL}
    assert {(who.state.value, who.server) for who in office.queue()[0].readers} == {
        ("sent", f"127.0.0.1:{server.port}")
    }
    assert (f"127.0.0.1:{port}", 0) in office.told.servers
    told = [record for record in caplog.records if record.message == "a mail server did not take a mail"]
    assert {record.server for record in told} == {f"127.0.0.1:{port}"}  # type: ignore[attr-defined]
    assert all(because in record.answer for record in told)  # type: ignore[attr-defined]
