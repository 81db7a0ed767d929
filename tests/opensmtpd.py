"""OpenSMTPD as Debian has it, on a free port of 127.0.0.1, in a namespace of its own.

Its queue and its socket have fixed places; in a mount namespace they are this server's alone, and whatever runs on the
machine is left as it is. Its processes live in a PID namespace, so that none is left when the first one ends.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from itertools import count
from pathlib import Path

from tests.running_service import free_ports, until

_places = count()

_FILTER = Path(__file__).with_name("opensmtpd_filter.py")
_CONFIG = """
table people {{ {people} }}
table everybody {{ "@" = nobody }}
filter practice proc-exec "{python} -I {filter} {home}/rules.json" user root
listen on 127.0.0.1 port {port} hostname mail.example.be filter practice
action keep maildir "{home}/mail/%{{dest.user}}@%{{dest.domain}}" virtual <everybody> user nobody
match from any for rcpt-to <people> action keep
"""
#: An empty place for the queue and one for the socket; what was there is hidden from this process alone.
_START = 'mount -t tmpfs none /run && mount -t tmpfs none /var/spool && exec smtpd -d -f "$0"'


@cache
def is_here() -> bool:
    """Whether it is installed, and we may give it a namespace."""
    if os.geteuid() != 0 or not shutil.which("smtpd") or not shutil.which("unshare"):
        return False
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, timeout=60, check=False
    )
    return tried.returncode == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSmtpd:
    """A place for a server, running or not."""

    home: Path
    port: int

    def rules(self, *, grey: Sequence[str] = (), commit: str = "") -> None:
        """Whom it puts off the first time, and what it says after the text of every mail; empty: it takes it."""
        (self.home / "rules.json").write_text(json.dumps({"grey": list(grey), "commit": commit}))

    def raw(self, address: str) -> list[bytes]:
        """The mails in somebody's maildir, oldest first, with the line ends that they had on the wire."""
        found = sorted((self.home / "mail" / address / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in found]

    def mails(self, address: str, number: int) -> list[EmailMessage]:
        """So many mails, as soon as they are there."""
        what = f"{number} mails for {address}"
        until(lambda: len(self.raw(address)) >= number, seconds=60, what=what)
        return [message_from_bytes(mail, policy=policy.default) for mail in self.raw(address)]  # type: ignore[misc]

    @contextmanager
    def running(self) -> Iterator[None]:
        """From when it answers until none of its processes is left."""
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _START]
        with (
            (self.home / "log").open("ab") as log,
            subprocess.Popen([*command, self.home / "smtpd.conf"], stdout=log, stderr=log) as process,
        ):
            try:
                until(self._answers, seconds=60, what="OpenSMTPD answers")
                yield
            finally:
                # The first process of its namespace takes all others with it; who started it waits for it and ends.
                for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)
                process.wait(60)
        until(lambda: not self._answers(), seconds=60, what="OpenSMTPD is gone")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            return False


@contextmanager
def opensmtpd(*people: str) -> Iterator[OpenSmtpd]:
    """A place for a server that takes mail for these people and refuses everybody else's."""
    home = Path(tempfile.mkdtemp(prefix="lw-smtpd-", dir="/tmp"))
    try:
        home.chmod(0o711)
        mail = home / "mail"
        mail.mkdir()
        os.chown(mail, pwd.getpwnam("nobody").pw_uid, -1)
        # Two that stand side by side must not be given the same one; only a server that runs keeps its own.
        port = free_ports(1 + next(_places) % 20)[-1]
        names = ", ".join(f'"{address}"' for address in people)
        (home / "smtpd.conf").write_text(
            _CONFIG.format(people=names, home=home, python=sys.executable, filter=_FILTER, port=port)
        )
        place = OpenSmtpd(home=home, port=port)
        place.rules()
        yield place
    finally:
        shutil.rmtree(home, ignore_errors=True)
