"""Mail out of the house: the only place that speaks SMTP."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from pathlib import Path
from typing import Literal, Self

import aiosmtplib
from pydantic import BaseModel, ConfigDict, Field, model_validator

from monitor.mail_message import Answer, MailMessage, Receipt, SendMail, email_message
from probes.checks import Duration


class MailSettings(BaseModel):
    """The mail server, and as whom we write.

    Attributes:
        security: `starttls` (required, not merely offered), `tls` from the first byte, or `none`, which only a server
            on this machine itself may have.
        username: None: the server wants no authentication.
        password: name of the secret that holds it, never the password itself.
        sender: address in From and on the envelope, where bounces come back.
        timeout: total for one mail.
        ca_file: certificates to trust in addition to the system's; relative to the config file.
        list_id: List-Id of all mails, for filters; None: no such header.
        message_id_host: right-hand side of Message-IDs; None takes the domain of `sender`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: str | None = None
    sender: str = Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$")
    sender_name: str = "Loketwacht"
    timeout: Duration = 30_000_000
    ca_file: str | None = None
    list_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]+$")
    message_id_host: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.-]+$")

    @property
    def id_host(self) -> str:
        return self.message_id_host or self.sender.rpartition("@")[2]

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.security == "none" and not _is_here(self.host):
            raise ValueError(
                'security = "none" would send mails and passwords in the clear to another machine; '
                'write security = "starttls" or "tls"'
            )
        if (self.username is None) != (self.password is None):
            raise ValueError("needs both username and password, or neither; password names a secret")
        return self


def smtp_sender(settings: MailSettings, *, password: str | None, directory: Path) -> SendMail:
    """A `SendMail` over SMTP, on a fresh connection for each mail.

    Args:
        password: the secret's value, where the settings name one.
        directory: what `ca_file` is relative to.
    """
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        context.load_verify_locations(directory / settings.ca_file)

    async def send(mail: MailMessage) -> Receipt:
        message = email_message(mail)
        seconds = settings.timeout / 1_000_000
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=seconds,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=None if settings.security == "none" else context,
            username=settings.username,
            password=password,
        )
        try:
            # The library's limit is for each exchange; a server that answers one byte at a time would outlast them all.
            async with asyncio.timeout(seconds):
                await client.connect()
                refused, said = await client.send_message(
                    message, sender=settings.sender, recipients=list(mail.recipients)
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            return Receipt(
                answers=tuple(Answer(address=r.recipient, code=r.code, text=_line(r.message)) for r in error.recipients)
            )
        except aiosmtplib.SMTPDataError as error:
            return _all(mail, error.code, error.message)
        except aiosmtplib.SMTPResponseException as error:
            # Greeting, STARTTLS, AUTH, MAIL FROM: whatever the code says, it is about us and not about a recipient,
            # and somebody can mend it; so it is tried again, never given up at once.
            return _all(mail, 0, f"{error.code} {error.message}")
        except TimeoutError:
            return _all(mail, 0, f"no answer within {seconds:g} s")
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return _all(mail, 0, f"{type(error).__name__}: {error}")
        else:
            # The server has the mail; a goodbye that fails changes nothing.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await client.quit()
        finally:
            client.close()
        answers: list[Answer] = []
        for address in mail.recipients:
            if address in refused:
                answers.append(
                    Answer(address=address, code=refused[address].code, text=_line(refused[address].message))
                )
            else:
                answers.append(Answer(address=address, code=250, text=_line(said)))
        return Receipt(answers=tuple(answers))

    return send


def _all(mail: MailMessage, code: int, text: str) -> Receipt:
    return Receipt(answers=tuple(Answer(address=a, code=code, text=_line(text)) for a in mail.recipients))


def _line(text: str) -> str:
    return " ".join(text.split())[:300]


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
