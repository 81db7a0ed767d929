"""`python -m tests.killed FOLDER PORT`: processes that store and mail an outage, each killed at another point.

Each life is a process of its own, forked from this one before anything has threads. One JSON line a life on standard
output.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from monitor.mail_message import MailMessage, Receipt
from monitor.mail_settings import MailSettings
from monitor.recipients import Recipient
from monitor.smtp import smtp_sender
from monitor.store.database import Database
from tests.heart import MINUTE, Office, at, run


def dying(dies_at: int | None) -> Callable[..., None]:
    """Called at every point; ends this process at one of them, as `kill -9` does."""
    seen = count()

    def point(*_: object) -> None:
        if next(seen) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    return point


def life(path: Path, port: int, address: str, start_us: int, dies_at: int | None) -> list[str]:
    """One failing run, confirmed at once, and whatever mail is due: the incidents that are open afterwards."""
    point = dying(dies_at)
    database = Database.open(f"sqlite:///{path}", durable=False)
    sa.event.listen(database.engine, "before_cursor_execute", point)
    sa.event.listen(database.engine, "commit", point)
    office = Office(database=database, now_us=start_us, recipients=(Recipient(address=address),))
    settings = MailSettings(host="127.0.0.1", port=port, security="none", sender="loketwacht@example.be")
    post = smtp_sender(settings, password=None, directory=Path())

    async def send(mail: MailMessage) -> Receipt:
        point()
        receipt = await post(mail)
        point()
        return receipt

    office.live("X", mail=False)
    run(replace(office.delivery, send=send, owner=str(os.getpid())).deliver_due())
    point()
    found = office.open_incidents()
    database.close()
    return found


def lived(*arguments: object) -> bool:
    """Whether a life in a process of its own came to its end."""
    pid = os.fork()
    if pid == 0:
        life(*arguments)  # type: ignore[arg-type]
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSIGNALED(status) and status != 0:
        raise SystemExit(f"a life ended by itself: {status}")
    return not os.WIFSIGNALED(status)


def main(folder: Path, port: int) -> None:
    template = folder / "empty.db"
    Database.open(f"sqlite:///{template}").close()
    for dies_at in count():
        path = Path(shutil.copy(template, folder / f"{dies_at}.db"))
        address = f"killed-at-{dies_at}@example.be"
        whole = lived(path, port, address, at("10:00"), dies_at)
        # The next start, when the lease of the dead has run out.
        incidents = life(path, port, address, at("10:00") + 3 * MINUTE, None)
        print(json.dumps({"address": address, "incidents": incidents}), flush=True)
        if whole:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
