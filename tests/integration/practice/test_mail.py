"""The practice mail server and its mailbox, by a real SMTP client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from probes.practice import RunningPractice
from tests.practice_site import practice_site, visitor


def a_mail(*to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Wacht <wacht@voorbeeld.example>"
    message["To"] = ", ".join(to)
    message["Subject"] = "STORING: indienen werkt niet, sinds 10 uur 's ochtends"
    message["Date"] = "Mon, 23 Nov 2026 19:00:00 +0000"
    message["Message-ID"] = "<storing.1@voorbeeld.example>"
    message["In-Reply-To"] = "<storing.0@voorbeeld.example>"
    message["References"] = "<storing.0@voorbeeld.example>"
    message.set_content("Reeds drie keer é mislukt.\n")
    message.add_alternative("<p>Reeds drie keer <b>é</b> mislukt.</p>\n", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="verslag.pdf")
    return message


async def sent(site: RunningPractice, message: EmailMessage, *, patience_s: float = 20, **how: Any) -> Any:
    errors, _ = await aiosmtplib.send(message, hostname=site.host, port=site.smtp_port, timeout=patience_s, **how)
    return errors


def on_a_site(tmp_path: Path, scenario: Callable[[RunningPractice], Awaitable[Any]], **changes: Any) -> Any:
    async def lived() -> Any:
        async with practice_site(tmp_path, **changes) as site:
            return await scenario(site)

    return asyncio.run(lived())


async def order(site: RunningPractice, **fault: Any) -> int:
    async with visitor(site) as somebody:
        return (await somebody.client.post("/_practice/mail/faults", json=fault)).status_code


async def mailbox(site: RunningPractice) -> list[dict[str, Any]]:
    async with visitor(site) as somebody:
        return list((await somebody.client.get("/_practice/mail")).json())


def test_a_mail_sent_with_starttls_and_login_lies_in_the_mailbox_whole(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> list[dict[str, Any]]:
        trust = ssl.create_default_context(cafile=str(site.ca_file))
        login = {"username": "loketwacht", "password": "oefen-wachtwoord"}
        await sent(site, a_mail("ops@voorbeeld.example"), start_tls=True, tls_context=trust, **login)
        return await mailbox(site)

    assert on_a_site(tmp_path, scenario) == [
        {
            "from": "Wacht <wacht@voorbeeld.example>",
            "to": ["ops@voorbeeld.example"],
            "subject": "STORING: indienen werkt niet, sinds 10 uur 's ochtends",
            "date": "Mon, 23 Nov 2026 19:00:00 +0000",
            "message_id": "<storing.1@voorbeeld.example>",
            "in_reply_to": "<storing.0@voorbeeld.example>",
            "references": "<storing.0@voorbeeld.example>",
            "text": "Reeds drie keer é mislukt.\n",
            "html": "<p>Reeds drie keer <b>é</b> mislukt.</p>\n",
            "attachments": [
                {
                    "filename": "verslag.pdf",
                    "content_type": "application/pdf",
                    "size": 4,
                    "sha256": sha256(b"%PDF").hexdigest(),
                }
            ],
        }
    ]


def test_a_wrong_password_is_refused_at_once(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> None:
        trust = ssl.create_default_context(cafile=str(site.ca_file))
        how = {"start_tls": True, "tls_context": trust, "username": "loketwacht", "password": "fout"}
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await sent(site, a_mail("ops@voorbeeld.example"), **how)

    on_a_site(tmp_path, scenario)


def test_mail_without_login_is_taken_unless_logging_in_is_required(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> int:
        await sent(site, a_mail("ops@voorbeeld.example"), start_tls=False)
        return len(await mailbox(site))

    assert on_a_site(tmp_path, scenario) == 1
    with pytest.raises(aiosmtplib.SMTPResponseException, match="Authentication required"):
        on_a_site(tmp_path, scenario, smtp_require_auth=True)


@pytest.mark.parametrize(("mode", "code"), [("tempfail", 451), ("permfail", 550)])
def test_one_recipient_is_refused_and_the_other_gets_its_mail(tmp_path: Path, mode: str, code: int) -> None:
    async def scenario(site: RunningPractice) -> tuple[int, list[Any]]:
        assert await order(site, mode=mode, recipients=["Slecht@voorbeeld.example"]) == 201
        errors = await sent(site, a_mail("slecht@voorbeeld.example", "goed@voorbeeld.example"), start_tls=False)
        return errors["slecht@voorbeeld.example"][0], (await mailbox(site))[0]["to"]

    assert on_a_site(tmp_path, scenario) == (code, ["goed@voorbeeld.example"])


def test_a_refusing_server_takes_no_connection_until_it_is_mended(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> int:
        await order(site, mode="refuse")
        with pytest.raises(aiosmtplib.SMTPException):
            await sent(site, a_mail("ops@voorbeeld.example"), start_tls=False)
        async with visitor(site) as somebody:
            assert (await somebody.client.delete("/_practice/mail/faults")).json() == {"cleared": 1}
        await sent(site, a_mail("ops@voorbeeld.example"), start_tls=False)
        return len(await mailbox(site))

    assert on_a_site(tmp_path, scenario) == 1


@pytest.mark.parametrize("recipients", [None, ["ops@voorbeeld.example"]])
def test_a_hanging_server_makes_the_client_wait(tmp_path: Path, recipients: list[str] | None) -> None:
    async def scenario(site: RunningPractice) -> None:
        await order(site, mode="hang", recipients=recipients)
        with pytest.raises(aiosmtplib.SMTPTimeoutError):
            await sent(site, a_mail("ops@voorbeeld.example"), start_tls=False, patience_s=1)

    on_a_site(tmp_path, scenario)


def test_a_bad_order_for_a_mail_fault_is_refused_with_all_reasons(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> tuple[int, dict[str, Any]]:
        async with visitor(site) as somebody:
            fault = {"mode": "slow", "recipients": [], "seconds": 0, "when": 1}
            answer = await somebody.client.post("/_practice/mail/faults", json=fault)
            return answer.status_code, answer.json()

    status, answer = on_a_site(tmp_path, scenario)
    assert (status, len(answer["problems"])) == (400, 4)
    assert answer["available"] == ["refuse", "tempfail", "permfail", "hang"]


def test_emptying_the_mailbox_and_asking_for_one_recipient(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> tuple[int, int, dict[str, int], int]:
        await sent(site, a_mail("een@voorbeeld.example"), start_tls=False)
        await sent(site, a_mail("twee@voorbeeld.example"), start_tls=False)
        async with visitor(site) as somebody:
            one = (await somebody.client.get("/_practice/mail?to=een@voorbeeld.example")).json()
            page = (await somebody.client.get("/_practice/mail.html")).text
            emptied = (await somebody.client.delete("/_practice/mail")).json()
        return len(one), page.count("<iframe sandbox srcdoc="), emptied, len(await mailbox(site))

    assert on_a_site(tmp_path, scenario) == (1, 2, {"thrown_away": 2}, 0)


def test_mail_that_came_over_smtp_does_not_drown_in_the_portals_own(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> tuple[int, int]:
        await sent(site, a_mail("ops@voorbeeld.example"), start_tls=False)
        for _ in range(120):
            await site.portal.mailbox.deliver(a_mail("burger@voorbeeld.example"))
        box = site.portal.mailbox
        return len(box.mails(to="ops@voorbeeld.example")), len(box.mails(own=True))

    assert on_a_site(tmp_path, scenario) == (1, 100)
