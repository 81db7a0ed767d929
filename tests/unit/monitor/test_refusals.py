"""A server's refusal of a recipient: about him, which settles it, or about us, which another server need not say.

Likewise its refusal of a text: about that text, which nobody mends, or about us.
"""

from __future__ import annotations

import pytest

from monitor.refusals import about_us, settles_text

#: As servers say it: Postfix, Exim, Exchange, OpenSMTPD, Sendmail, qmail.
OF_US = [
    (554, "5.7.1 <a@example.be>: Relay access denied"),
    (550, "5.7.1 Relaying denied"),
    (550, "relay not permitted"),
    (553, "sorry, that domain isn't in my list of allowed rcpthosts; relaying is not allowed"),
    (550, "5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.example"),
    (550, "5.7.60 SMTP; Client does not have permissions to send as this sender"),
    (554, "Your address is on a blacklist"),
    (550, "Sender verify failed"),
    (550, "5.1.8 Sender address rejected: Domain not found"),
    (530, "5.7.0 Must issue a STARTTLS command first"),
    (530, "Authentication required"),
    (503, "5.5.1 Error: need MAIL command"),
    (552, "5.5.3 Too many recipients"),
    (554, "5.3.2 Not accepting messages"),
]
OF_THE_RECIPIENT = [
    (550, "5.1.1 <a@example.be>: Recipient address rejected: User unknown in virtual mailbox table"),
    (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup; relayed from elsewhere"),
    (550, "Invalid recipient: <a@example.be>"),
    (550, "Unknown user"),
    (550, "no such user"),
    (551, "User not local"),
    (552, "5.2.2 Mailbox full"),
    (550, "5.2.1 The mailbox is disabled"),
    (550, "5.4.1 Recipient address rejected: Access denied"),
    (553, "Mailbox name not allowed"),
]


@pytest.mark.parametrize(("code", "text"), OF_US)
def test_what_is_said_of_us_settles_nobody(code: int, text: str) -> None:
    assert about_us(code, text)


@pytest.mark.parametrize(("code", "text"), OF_THE_RECIPIENT)
def test_what_is_said_of_the_recipient_settles_him(code: int, text: str) -> None:
    assert not about_us(code, text)


#: After the text, about those it was for, or the text itself: the same mail will be refused for ever.
OF_THE_TEXT = ["5.6.0 no", "5.6.1 Media not supported", "5.6.9 UTF-8 header message cannot be transferred"]
OF_THE_ONE_READER = ["5.1.1 no such user", "5.2.2 Mailbox full", "5.4.1 Recipient address rejected: Access denied"]
#: After the text, about us: policy, authentication, content that a filter dislikes, the server as a whole.
OF_US_AFTER_THE_TEXT = [
    "5.7.1 looks like spam",
    "5.7.26 Unauthenticated email from example.be is not accepted due to domain's DMARC policy",
    "5.7.509 Access denied, sending domain does not pass DMARC verification",
    "5.7.0 Our system has detected that this message is suspicious",
    "5.3.0 Message denied by administrator",
    "5.3.4 Message size exceeds fixed limit",
    "5.5.0 Message rejected",
    "5.1.8 Sender address rejected",
    "5.0.0 no",
    "Transaction failed",
    "spam message rejected",
    "",
]


@pytest.mark.parametrize("text", OF_THE_TEXT)
@pytest.mark.parametrize("readers", [1, 2])
def test_what_is_said_of_the_text_itself_settles_everybody(text: str, readers: int) -> None:
    assert settles_text(text, readers)


@pytest.mark.parametrize("text", OF_THE_ONE_READER)
def test_what_is_said_of_one_reader_after_the_text_settles_nobody_but_him(text: str) -> None:
    assert settles_text(text, 1)
    assert not settles_text(text, 2)


@pytest.mark.parametrize("text", OF_US_AFTER_THE_TEXT)
@pytest.mark.parametrize("readers", [1, 2])
def test_what_is_said_of_us_after_the_text_settles_nobody(text: str, readers: int) -> None:
    assert not settles_text(text, readers)
