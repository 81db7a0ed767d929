"""stunnel in front of a mail server: it speaks STARTTLS with our clients and plain SMTP with the server behind it.

Debian 12's OpenSMTPD (6.8.0p2) cannot do it by itself. It keeps its key in a process of its own, and OpenSSL 3 hands
out a copy of the key where it marks it so, whereupon every handshake ends in "missing private key": OpenSMTPD's issue
1171, mended in its later versions.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from tests.running_service import free_ports, until

_CONFIG = """
foreground = yes
pid =
syslog = no
[mail]
protocol = smtp
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{behind}
cert = {home}/server.pem
"""


def is_here() -> bool:
    return shutil.which("stunnel") is not None


@contextmanager
def starttls(behind: int, authority: trustme.CA, name: str) -> Iterator[int]:
    """A port of 127.0.0.1 at which the server behind that port speaks STARTTLS.

    Args:
        name: whom the certificate is for.
    """
    with tempfile.TemporaryDirectory(prefix="lw-stunnel-", dir="/tmp") as home:
        folder = Path(home)
        authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
        (folder / "server.pem").chmod(0o600)
        [port] = free_ports(1)
        (folder / "stunnel.conf").write_text(_CONFIG.format(port=port, behind=behind, home=home))
        with (
            (folder / "log").open("ab") as log,
            subprocess.Popen(["stunnel", folder / "stunnel.conf"], stdout=log, stderr=log) as process,
        ):
            try:
                until(lambda: _answers(port), seconds=60, what="stunnel answers")
                yield port
            finally:
                process.terminate()
                process.wait(60)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False
