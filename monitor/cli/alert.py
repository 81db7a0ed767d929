"""`loketwacht alert test`: a test by the real way, and what each mail server and webhook said to it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cyclopts import App

from monitor import composition, config
from monitor.alerts import test_messages
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, say
from monitor.clock import LIVE
from monitor.delivery import Delivery
from monitor.mail_message import Answer, MailMessage, Receipt, SendMail
from monitor.observer import Unobserved
from monitor.store import outbox
from monitor.store.database import Database, directly
from monitor.troubles import Troubles
from monitor.webhooks import webhook_sender

alert = App(name="alert", help="Try the way mails take.")


@dataclass
class _Listening:
    """Sends mails the real way, and keeps what each mail server said of the tests.

    Attributes:
        post: the way of all mails.
        through: a new way for each test, which no server's silence towards the one before has changed; other mails that
            are due meanwhile go the way of all.
        tests: ids of the test messages.
    """

    post: SendMail
    through: Callable[[], SendMail]
    tests: Sequence[str]
    heard: dict[str, list[Answer]] = field(default_factory=dict)

    async def send(self, mail: MailMessage) -> Receipt:
        if mail.message_id.rpartition("@")[0] not in self.tests:
            return await self.post(mail)
        receipt = await self.through()(mail)
        for one in receipt.tried:
            self.heard.setdefault(one.address, []).append(one)
        return receipt


@alert.command
def test(*, config_path: ConfigPath = DEFAULT_CONFIG, server: str | None = None, json_: Json = False) -> int:
    """Send a test to every recipient and webhook by the real way, and tell each answer of the other side.

    Exit code 1 where somebody was not reached.

    Parameters
    ----------
    server
        Ask this one mail server only, as HOST:PORT: so that a relay is tried before it is needed.
    """
    loaded = config.load(config_path)
    config.require_files(loaded, config_path)
    config.require_mail_keys(loaded, config_path)
    known = [one.called for one in loaded.config.mail.servers]
    if server is not None and server not in known:
        raise CommandError(f"There is no mail server {server}. Known: {', '.join(known)}.", Exit.USAGE)
    now_us = LIVE.now_us()
    database = Database.open(loaded.database_url)
    try:
        with database.begin() as tx:
            queued = outbox.add(tx, test_messages(loaded.config.addressees, asked_us=now_us), now_us=now_us)
        listening = _Listening(
            post=composition.mail_sender(loaded, LIVE),
            through=lambda: composition.mail_sender(loaded, LIVE, only=server),
            tests=queued,
        )
        # A mail of the running service that happens to leave here is told of like any other where it is lost.
        troubles = Troubles(
            loaded=lambda: loaded,
            signs=lambda: composition.mail_signatures(loaded),
            database=database,
            in_store=directly,
            clock=LIVE,
            wake=lambda: None,
        )
        mails = Delivery(
            database=database,
            in_store=directly,
            send=listening.send,
            compose=composition.mail_writer(loaded),
            clock=LIVE,
            observer=Unobserved(),
            owner=f"alert-test-{LIVE.new_id()}",
            chance=random.random,
            patience=composition.mail_patience(loaded),
            at_once=composition.MAILS_AT_ONCE,
            courtesy=lambda: loaded.config.courtesy,
            lost=troubles.lost,
            unreadable=troubles.unreadable,
        )
        asyncio.run(mails.deliver_due())
        programs = Delivery(
            database=database,
            in_store=directly,
            send=webhook_sender(lambda: composition.webhooks(loaded), LIVE),
            compose=composition.webhook_writer(loaded),
            clock=LIVE,
            observer=Unobserved(),
            owner=f"alert-test-{LIVE.new_id()}",
            chance=random.random,
            channel="webhook",
            lost=troubles.lost,
            unreadable=troubles.unreadable,
            apart=True,
        )
        asyncio.run(programs.deliver_due())
        with database.read() as tx:
            sent = [message for name in queued if (message := outbox.get(tx, name)) is not None]
    finally:
        database.close()
    results = [
        {
            "to": reader.address,
            "result": reader.state.value,
            "answer": reader.answer,
            "server": reader.server,
            "servers": [
                {"server": one.server, "code": one.code, "answer": one.text}
                for one in listening.heard.get(reader.address, [])
            ],
        }
        for reader in sorted((reader for m in sent for reader in m.readers), key=lambda reader: reader.address)
    ]
    if json_:
        answer(results)
    for result in results:
        say(f"{result['to']}: {result['result']} ({result['answer'] or 'no answer yet'})")
        for one in listening.heard.get(str(result["to"]), []):
            say(f"    {one.server}: {one.code or 'nothing about this recipient:'} {one.text}")
    return Exit.FINE if results and all(r["result"] == "sent" for r in results) else Exit.BAD_NEWS
