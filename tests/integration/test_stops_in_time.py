"""The real service, measuring https servers that never say goodbye, stops when it is told to."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
from pathlib import Path
from threading import Thread

import pytest

from tests.certificates import authority
from tests.running_service import Place, running, until

CONFIG = """
[portal]
name = "Loket"
base_url = "https://localhost:{port}"
contact = "https://bestuur.example/meting"
ca_file = "ca.pem"
engine = "{engine}"
[pages]
port = 0
[metrics]
port = 0
[mail]
host = "127.0.0.1"
sender = "loketwacht@bestuur.example"
[[recipient]]
address = "ops@bestuur.example"
[[journey]]
id = "een"
title = {{ nl = "Een", en = "One" }}
interval = "3s"
deadline = "2900ms"
[[journey.step]]
id = "openen"
path = "/"
expect.status = 200
"""


def _serve(listener: socket.socket, context: ssl.SSLContext, held: list[ssl.SSLSocket]) -> None:
    """Begins an answer over TLS, and neither ends it nor closes."""
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        with contextlib.suppress(OSError):
            plain.settimeout(5)
            held.append(context.wrap_socket(plain, server_side=True))
            held[-1].recv(65536)
            held[-1].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhallo")


@pytest.mark.parametrize("engine", ["own", "httpx"])
def test_sigterm_ends_the_service_within_seconds(tmp_path: Path, engine: str) -> None:
    context, held = authority(tmp_path).server("localhost"), list[ssl.SSLSocket]()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        (tmp_path / "config.toml").write_text(CONFIG.format(port=port, engine=engine))
        thread = Thread(target=_serve, args=(listener, context, held), daemon=True)
        thread.start()
        with running(Place(folder=tmp_path, portal="")) as service:
            until(lambda: held, seconds=60, what="a run is under way")
            assert service.end(signal.SIGTERM) < 25
            assert service.process.returncode == 0
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)
    for one in held:
        one.close()
