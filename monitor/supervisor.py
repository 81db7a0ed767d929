"""What systemd hears of us: ready, alive, stopping. Silent where nobody listens. See sd_notify(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Supervisor:
    """The way to whoever started the service, by the datagram socket that `NOTIFY_SOCKET` names.

    A message that cannot be delivered is dropped: the supervisor then finds out by itself, which is what it is for.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ is a name in Linux's abstract namespace, written there with a zero byte.
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def ready(self) -> None:
        """The start is over: the pages answer and the schedule goes."""
        self._say("READY=1")

    def alive(self) -> None:
        """Stay away longer than `WatchdogSec`, and the service is ended and started again."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        self._say("STOPPING=1")

    def _say(self, word: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as way:
                way.sendto(word.encode(), self._address)
        except OSError:
            return
