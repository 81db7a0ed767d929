"""A server on loopback that takes what the monitor sends out, keeps it, and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One request; names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """Where it listens and what it was sent. `status` decides about each request; 0 hangs up without an answer."""

    url: str = ""
    taken: list[Taken] = field(default_factory=list)
    status: Callable[[Taken], int] = lambda _: 200
    answer: bytes = b"OK"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Takes whatever comes until the end."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            taken = Taken(method=self.command, path=self.path, headers=headers, body=body)
            found.taken.append(taken)
            status = found.status(taken)
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(found.answer)))
            self.end_headers()
            self.wfile.write(found.answer)

        def do_GET(self) -> None:
            self._take()

        def do_POST(self) -> None:
            self._take()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
