"""A mail is waited for in a real IMAP mailbox on loopback."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from probes.imap import Account, MailboxTrouble
from probes.mail import Wanted, as_response, wait_for
from probes.tls import trust
from tests.certificates import Authority, authority
from tests.imap_server import NOW, PASSWORD, USER, Folder, a_mail, serving


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


NOW_US = int(NOW.timestamp()) * 1_000_000


def wait(
    folder: Folder,
    ca: Authority,
    *,
    starttls: bool = False,
    seconds: float = 10,
    trusted: str | None = "",
    remove_before_us: int | None = None,
    **wanted: str,
) -> EmailMessage:
    """The mail of this test, waited for at most so long."""

    async def go() -> EmailMessage:
        async with serving(folder, ca.server("127.0.0.1"), starttls=starttls) as port:
            account = Account(
                host="127.0.0.1",
                port=port,
                starttls=starttls,
                user=USER,
                password=PASSWORD,
                folder="INBOX",
                context=trust(ca.file if trusted == "" else trusted),
            )
            async with asyncio.timeout(seconds):
                return await wait_for(
                    Wanted(since_us=NOW_US, **wanted), account, most=8 << 20, remove_before_us=remove_before_us
                )

    return asyncio.run(go())


def a_folder(*mails: EmailMessage, trouble: str | None = None) -> Folder:
    folder = Folder(trouble=trouble)
    for mail in mails:
        folder.arrive(mail)
    return folder


MAIL = a_mail(to="a+1@oefen.example", subject="Bevestiging van uw aanvraag é", text="Nummer OMV_2099000001\n")


@pytest.mark.parametrize("starttls", [False, True], ids=["implicit", "starttls"])
def test_a_mail_is_found_and_thrown_away(ca: Authority, starttls: bool) -> None:
    other = a_mail(to="b@oefen.example", subject="Bevestiging", text="Nummer")
    folder = a_folder(other, MAIL)
    found = wait(folder, ca, starttls=starttls, to="A+1@oefen.example", subject="aanvraag é", text="OMV_2099000001")
    assert (found["subject"], sorted(folder.mails)) == ("Bevestiging van uw aanvraag é", [1])


def test_a_mail_that_comes_later_is_waited_for(ca: Authority) -> None:
    folder = Folder()

    async def arrive() -> EmailMessage:
        asyncio.get_running_loop().call_later(0.3, folder.arrive, MAIL)
        return await asyncio.to_thread(wait, folder, ca, subject="Bevestiging")

    assert asyncio.run(arrive())["to"] == "a+1@oefen.example"


def test_a_mail_from_before_the_run_is_never_the_one(ca: Authority) -> None:
    folder = Folder()
    folder.arrive(MAIL, received=NOW - timedelta(minutes=1))
    with pytest.raises(TimeoutError):
        wait(folder, ca, seconds=1, subject="Bevestiging")
    assert list(folder.mails) == [1]


def test_a_large_mail_over_starttls_is_read_to_its_end(ca: Authority) -> None:
    big = a_mail(to="a@b.example", subject="groot", text="x" * 70 + "\n", html="<p>" + "y" * 5_000_000 + "</p>")
    found = as_response(wait(a_folder(big), ca, starttls=True, subject="groot"))
    assert len(found.body) > 5_000_000


def test_what_is_read_is_its_html_or_its_text_as_asked() -> None:
    mail = a_mail(to="a@b.example", subject="één", text="tekst\n", html='<a href="https://x.example/é">hier</a>')
    page = as_response(mail)
    assert (page.is_html, page.document.css("a::attr(href)").get()) == (True, "https://x.example/é")
    assert (as_response(mail, part="text").text, page.header("subject")) == ("tekst\n", ("één",))


@pytest.mark.parametrize(
    ("trouble", "starttls", "said"),
    [
        ("refuse", False, "LOGIN refused: “NO [AUTHENTICATIONFAILED] wrong name or password”"),
        ("drop", False, "connection closed"),
        ("garbage", False, "greeted with"),
        ("inject", True, "more than an answer before TLS"),
    ],
)
def test_trouble_of_our_own_mailbox_is_told_as_such(ca: Authority, trouble: str, starttls: bool, said: str) -> None:
    with pytest.raises(MailboxTrouble, match=said[:20].replace("[", r"\[")) as told:
        wait(a_folder(MAIL, trouble=trouble), ca, starttls=starttls)
    assert PASSWORD not in str(told.value)


def test_no_password_is_sent_to_a_server_nobody_vouches_for(ca: Authority) -> None:
    folder = a_folder(MAIL)
    with pytest.raises(MailboxTrouble, match="from an unknown authority"):
        wait(folder, ca, starttls=True, trusted=None)
    assert folder.said == ["STARTTLS"]


def test_the_deadline_holds_while_the_server_says_nothing(ca: Authority) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        wait(a_folder(trouble="hang"), ca, seconds=0.3)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(("uidplus", "trouble", "left"), [(False, None, 0), (True, "keep", 1)])
def test_a_server_that_expunges_otherwise_or_not_at_all_does_not_spoil_the_step(
    ca: Authority,
    uidplus: bool,
    trouble: str | None,
    left: int,
) -> None:
    folder = a_folder(MAIL, trouble=trouble)
    folder.uidplus = uidplus
    wait(folder, ca, subject="Bevestiging")
    assert len(folder.mails) == left


def test_mail_of_long_ago_is_thrown_away_where_that_is_asked(ca: Authority) -> None:
    folder = a_folder(MAIL)
    old = folder.arrive(MAIL, received=datetime(2026, 1, 1, tzinfo=UTC))
    wait(folder, ca, subject="Bevestiging", remove_before_us=NOW_US)
    assert old not in folder.mails
