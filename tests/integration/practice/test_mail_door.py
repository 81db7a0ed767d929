"""The practice mailbox as a mail program reads it: here Python's own client, which nobody here wrote."""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from probes.practice import RunningPractice
from probes.practice.mail_server import SMTP_PASSWORD, SMTP_USER
from tests.practice_site import practice_site

Asked = Callable[[imaplib.IMAP4_SSL], Any]


def a_mail(subject: str, text: str = "Dag é\n") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@voorbeeld.example", "b@voorbeeld.example", subject
    message.set_content(text)
    return message


def read(tmp_path: Path, *mails: EmailMessage, asked: Asked, password: str = SMTP_PASSWORD) -> tuple[Any, int]:
    """What a mail program finds in a mailbox with these mails, and how many mails the portal keeps then."""

    def talk(site: RunningPractice) -> Any:
        assert site.imap_port is not None
        trust = ssl.create_default_context(cafile=str(site.ca_file))
        with imaplib.IMAP4_SSL(site.host, site.imap_port, ssl_context=trust, timeout=10) as box:
            box.login(SMTP_USER, password)
            box.select("INBOX")
            return asked(box)

    async def lived() -> tuple[Any, int]:
        async with practice_site(tmp_path, imap_port=0) as site:
            for mail in mails:
                await aiosmtplib.send(mail, hostname=site.host, port=site.smtp_port, start_tls=False)
            found = await asyncio.to_thread(talk, site)
            return found, len(site.portal.mailbox.mails())

    return asyncio.run(lived())


def test_a_mail_is_read_as_it_was_sent(tmp_path: Path) -> None:
    (_, found), _ = read(tmp_path, a_mail("Eén"), a_mail("Twee"), asked=lambda box: box.fetch("2", "(RFC822)"))
    assert b"Subject: Twee\r\n" in found[0][1]


def test_what_is_thrown_away_is_gone_for_everybody(tmp_path: Path) -> None:
    def thrown(box: imaplib.IMAP4_SSL) -> Any:
        box.store("1", "+FLAGS", r"(\Deleted)")
        return box.expunge(), box.search(None, "ALL")

    ((_, went), (_, left)), kept = read(tmp_path, a_mail("Eén"), a_mail("Twee"), asked=thrown)
    assert (went, left, kept) == ([b"1"], [b"1"], 1)


def test_a_mark_that_is_taken_off_again_throws_nothing_away(tmp_path: Path) -> None:
    def kept_after_all(box: imaplib.IMAP4_SSL) -> Any:
        box.store("1", "+FLAGS", r"(\Deleted)")
        box.store("1", "-FLAGS", r"(\Deleted)")
        return box.expunge()

    assert read(tmp_path, a_mail("Eén"), asked=kept_after_all)[1] == 1


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        (["SINCE", "01-Jan-2020"], b"1"),
        (["BEFORE", "01-Jan-2020"], b""),
        (["SINCE", "01-Jan-2020", "BEFORE", "01-Jan-2021"], b""),
    ],
)
def test_mail_is_found_by_the_day_on_which_it_came(tmp_path: Path, criteria: list[str], found: bytes) -> None:
    assert read(tmp_path, a_mail("Eén"), asked=lambda box: box.search(None, *criteria))[0] == ("OK", [found])


@pytest.mark.parametrize(
    "command",
    [
        lambda box: box.search(None, "SUBJECT", "x"),
        lambda box: box.search(None, "SINCE", "gisteren"),
        lambda box: box.fetch("een", "(UID)"),
        lambda box: box.fetch("1", "(ENVELOPE)"),
        lambda box: box.store("1", "FLAG", "x"),
        lambda box: box.create("Archief"),
    ],
    ids=["search", "day", "numbers", "items", "store", "command"],
)
def test_what_is_not_spoken_is_refused_and_the_line_goes_on(tmp_path: Path, command: Asked) -> None:
    def refused(box: imaplib.IMAP4_SSL) -> Any:
        with pytest.raises(imaplib.IMAP4.error, match="BAD"):
            command(box)
        return box.noop()[0]

    assert read(tmp_path, a_mail("Eén"), asked=refused) == ("OK", 1)


def test_a_wrong_password_opens_nothing(tmp_path: Path) -> None:
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        read(tmp_path, asked=lambda box: box.noop(), password="fout")


def test_a_mail_too_large_to_be_kept_whole_is_not_offered(tmp_path: Path) -> None:
    large = a_mail("Groot", text="x" * 300_000)
    assert read(tmp_path, large, asked=lambda box: box.search(None, "ALL")) == (("OK", [b""]), 1)
