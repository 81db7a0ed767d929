"""`loketwacht alert test` over real mail servers: what it answers, and with which exit code it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa

from monitor.alerts import first_messages
from monitor.cli import main
from monitor.clock import LIVE
from monitor.news import Kind, ReportNews
from monitor.recipients import Recipient
from monitor.store import outbox
from monitor.store.database import Database
from tests.mail_config import AROUND_MAIL
from tests.mail_signatures import dkim_record, dkim_right, pem
from tests.smtp_server import PASSWORD, Mailroom, serving

CONFIG = """
[secrets]
first = {{ file = "first" }}
second = {{ file = "second" }}
dkim = {{ file = "dkim.pem" }}
[mail]
host = "127.0.0.1"
port = {ports[0]}
sender = "loketwacht@example.be"
ca_file = "ca.pem"
username = "loketwacht"
password = "first"
[mail.dkim]
domain = "example.be"
selector = "loket2027"
key = "dkim"
[[mail.relay]]
host = "127.0.0.1"
port = {ports[1]}
ca_file = "ca.pem"
username = "loketwacht"
password = "second"
"""
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True, slots=True)
class Tried:
    """How the command ended: exit code, answer, what people read, and the names of the servers."""

    code: int
    answer: Any
    told: str
    names: list[str]


Try = Callable[..., Tried]


@pytest.fixture
def tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Try:
    """Runs the command over these servers, first and second, with these further words: `{1}` is the second's name."""

    def run(first: Mailroom, second: Mailroom, *more: str, password: str = PASSWORD) -> Tried:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        (tmp_path / "first").write_text(password)
        (tmp_path / "second").write_text(PASSWORD)
        (tmp_path / "dkim.pem").write_text(pem(KEY))

        async def scene() -> tuple[int, list[str]]:
            async with serving(first, authority) as port, serving(second, authority) as other:
                (tmp_path / "config.toml").write_text(AROUND_MAIL + CONFIG.format(ports=(port, other)))
                names = [f"127.0.0.1:{port}", f"127.0.0.1:{other}"]
                words = ["--json", "--config", str(tmp_path / "config.toml"), *(word.format(*names) for word in more)]
                return await asyncio.to_thread(main, ("alert", "test", *words)), names

        code, names = asyncio.run(scene())
        said = capsys.readouterr()
        for secret in (PASSWORD, "falsch", *pem(KEY).splitlines()[1:3]):
            assert secret not in said.out + said.err
        return Tried(code, json.loads(said.out) if said.out else None, said.err, names)

    return run


def test_a_server_that_takes_everything_is_told_for_each_recipient(tried: Try) -> None:
    first, second = Mailroom(), Mailroom()
    found = tried(first, second)
    code, answer, names = found.code, found.answer, found.names
    assert code == 0
    assert [one | {"answer": None} for one in answer] == [
        {
            "to": address,
            "result": "sent",
            "answer": None,
            "server": names[0],
            "servers": [{"server": names[0], "code": 250, "answer": "taken"}],
        }
        for address in ("a@example.be", "b@example.be")
    ]
    assert {one["answer"] for one in answer} == {f"250 taken ({names[0]})"}
    assert f"a@example.be: sent (250 taken ({names[0]}))" in found.told
    assert second.mails == []


@pytest.mark.dkimpy
def test_it_leaves_by_the_real_way_signature_and_all(tried: Try) -> None:
    room = Mailroom()
    tried(room, Mailroom())
    assert all(dkim_right(mail, dkim_record(KEY))[0] for mail in room.raw)
    assert len(room.raw) == 2


def test_what_each_server_said_of_each_recipient_is_told(tried: Try) -> None:
    """The first puts one off, and the second does not know him: he is tried again, and the exit code says so."""
    first = Mailroom(rcpt={"b@example.be": "451 4.7.1 greylisted"})
    found = tried(first, Mailroom(rcpt={"b@example.be": "550 5.1.1 unknown"}))
    code, answer, names = found.code, found.answer, found.names
    assert code == 1
    [a, b] = answer
    assert (a["result"], b["result"]) == ("sent", "pending")
    assert b["servers"] == [
        {"server": names[0], "code": 451, "answer": "4.7.1 greylisted"},
        {"server": names[1], "code": 550, "answer": "5.1.1 unknown"},
    ]
    assert f"    {names[0]}: 451 4.7.1 greylisted\n    {names[1]}: 550 5.1.1 unknown\n" in found.told


def test_a_login_that_the_first_refuses_is_told_beside_what_the_second_took(tried: Try) -> None:
    room = Mailroom()
    found = tried(Mailroom(), room, password="falsch")
    code, answer, names = found.code, found.answer, found.names
    assert (code, {one["result"] for one in answer}) == (0, {"sent"})
    assert [server["code"] for server in answer[0]["servers"]] == [0, 250]
    assert answer[0]["servers"][0]["answer"].startswith("535 ")
    assert answer[0]["answer"] == f"250 taken ({names[1]})"
    assert len(room.mails) == 2


def test_one_server_can_be_tried_by_itself(tried: Try) -> None:
    first, second = Mailroom(), Mailroom()
    found = tried(first, second, "--server", "{1}")
    code, answer, names = found.code, found.answer, found.names
    assert code == 0
    assert [server["server"] for one in answer for server in one["servers"]] == [names[1], names[1]]
    assert (len(first.mails), len(second.mails)) == (0, 2)


def test_a_server_that_is_not_configured_cannot_be_tried(tried: Try) -> None:
    found = tried(Mailroom(), Mailroom(), "--server", "elders.example:25")
    code, answer, names = found.code, found.answer, found.names
    assert (code, answer) == (2, None)
    assert found.told.strip() == f"There is no mail server elders.example:25. Known: {', '.join(names)}."


def test_a_mail_of_the_service_that_it_delivers_and_loses_is_told_to_the_others(tried: Try, tmp_path: Path) -> None:
    """The running service would tell; whoever happens to send it tells as well."""
    url = f"sqlite:///{tmp_path / 'var' / 'loketwacht.db'}"
    (tmp_path / "var").mkdir()
    readers = (Recipient(address="weg@example.be"),)
    news = ReportNews(contract="loket", period="2026-10", number=1)
    with closing(Database.open(url)) as database, database.begin() as tx:
        outbox.add(tx, first_messages("report.x", Kind.REPORT, news, readers), now_us=LIVE.now_us())
    found = tried(Mailroom(rcpt={"weg@example.be": "550 5.1.1 no such user"}), Mailroom())
    assert found.code == 0
    with closing(Database.open(url)) as database, database.read() as tx:
        told = {who.address for one in outbox.read(tx) if one.kind is Kind.UNDELIVERED for who in one.readers}
    assert told == {"a@example.be", "b@example.be"}
