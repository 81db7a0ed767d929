"""One HTTP/1.1 answer, read as its bytes come in.

llhttp (by httptools) reads it; a head that is too odd for llhttp, such as a Content-Length sent twice, is read again by
h11, which is what stock httpx uses: no verdict hangs on how strict one parser is.
"""

from __future__ import annotations

import h11
import httptools

from probes.engine.settings import HEAD_LIMIT
from probes.errors import quoted
from probes.fault import Fault
from probes.sample import FailureKind

_WITHOUT_BODY = frozenset({204, 304})


def broken(found: str) -> Fault:
    """An answer that is not HTTP, or not all of it. Whose, the connection adds."""
    return Fault(FailureKind.PROTOCOL, expected="a complete HTTP answer", found=found)


class Answer:
    """What came so far.

    Attributes:
        status: 0 until the head is complete; interim answers (1xx) are passed over.
        parts, waiting: pieces of the body nobody took yet, as sent (content codings not undone), and their length.
        complete: the last byte is in.
        reusable: another request may follow on this connection. Bytes after the end make that impossible: they are
            never taken for the next answer.
    """

    def __init__(self, method: str) -> None:
        self.status = 0
        self.reason = b""
        self.version = "1.1"
        self.headers: list[tuple[bytes, bytes]] = []
        self.parts: list[bytes] = []
        self.waiting = 0
        self.complete = False
        self.reusable = False
        self._begun = False  # any byte at all
        self._method = method
        self._raw: list[bytes] | None = []  # all bytes since the beginning, while the head may have to be read again
        self._head_bytes = 0
        self._until_closed = False
        self._interim = False
        self._patient: _Patient | None = None
        self._parser = httptools.HttpResponseParser(self)
        # As forgiving as browsers are: lines ended by LF alone, spaces after a chunk's size, both lengths at once.
        self._parser.set_dangerous_leniencies(
            lenient_chunked_length=True,
            lenient_data_after_close=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )

    @property
    def begun(self) -> bool:
        """Whether any byte came."""
        return self._begun

    @property
    def head_complete(self) -> bool:
        return self.status != 0

    def feed(self, data: bytes) -> None:
        """Reads on.

        Raises:
            Fault: of kind protocol.
        """
        if not self._begun and not data.startswith(b"H"):
            # llhttp passes over line ends before an answer, which are none of its own.
            self._patient, self._raw = _Patient(self, self._method), None
        self._begun = True
        if self.complete:
            self.reusable = False
            return
        if self._patient is not None:
            self._patient.feed(data)
            return
        if self._raw is not None:
            self._raw.append(data)
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.reusable = False  # it announced another protocol in a complete answer, such as 426
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, Fault):
                raise error.__context__ from error
            raise
        except httptools.HttpParserError as error:
            self._refused(error)
        if self._raw is not None and (self.head_complete or self._head_bytes > HEAD_LIMIT):
            self._raw = None
        if not self.head_complete and self._head_bytes > HEAD_LIMIT and self._patient is None:
            raise broken("no HTTP: “headers without end”")

    def _refused(self, error: httptools.HttpParserError) -> None:
        if self.complete:
            self.reusable = False  # what came after the end
        elif self.head_complete or self._raw is None:
            raise broken(f"no HTTP: {quoted(str(error))}") from error
        else:
            self._patient = _Patient(self, self._method)
            self.headers = []
            raw, self._raw = b"".join(self._raw), None
            self._patient.feed(raw)

    def end(self) -> None:
        """The other side closed.

        Raises:
            Fault: of kind protocol, where more should have come.
        """
        self.reusable = False
        if self.complete:
            return
        if self._patient is not None:
            self._patient.feed(b"")
            return
        if not self.head_complete:
            raise broken("the connection closed before an answer")
        if not self._until_closed:
            raise broken("the connection closed in the middle of the answer")
        self.complete = True

    def take(self) -> bytes:
        """The body's pieces that came since the last time, as one."""
        taken = b"".join(self.parts) if len(self.parts) != 1 else self.parts[0]
        self.parts.clear()
        self.waiting = 0
        return taken

    def over(self) -> None:
        """Nothing of it follows. It and its parser know each other: both would stay until garbage is collected."""
        del self._parser

    # What llhttp calls.

    def on_message_begin(self) -> None:
        if self.complete:
            self.reusable = False
        self._head_bytes = 0

    def on_status(self, status: bytes) -> None:
        if not self.complete:
            self.reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status or self.complete:
            return  # a trailer
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > 2 * HEAD_LIMIT:
            raise broken("no HTTP: “headers without end”")
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.complete:
            return
        status = self._parser.get_status_code()
        if status < 100:
            raise broken(f"no HTTP: “status {status:03}”")  # RFC 9112, 4: no class of answers begins with 0
        self._interim = 100 <= status < 200
        if self._interim:
            if status == 101:
                raise broken("no HTTP: “another protocol”")
            self.headers, self.reason = [], b""
            return
        self.version = self._parser.get_http_version()
        self._frame(status)
        self.status = status

    def _frame(self, status: int) -> None:
        """Where the body ends: RFC 9112, 6.3."""
        coding, sized = [], False
        for name, value in self.headers:
            known = name.lower()
            if known == b"transfer-encoding":
                coding.append(value.lower().strip())
            elif known == b"content-length":
                sized = True
        if coding and coding != [b"chunked"]:
            raise broken(f"no HTTP: {quoted('Transfer-Encoding ' + coding[0].decode('latin-1'))}")
        bodiless = self._method == "HEAD" or status in _WITHOUT_BODY
        if bodiless or (self._method == "CONNECT" and 200 <= status < 300):
            self.complete = True
            # llhttp does not know that this was a HEAD and would take what follows for a body.
            self.reusable = bodiless and self._parser.should_keep_alive()
            if self._method == "CONNECT":
                self.reusable = True
            return
        self._until_closed = not coding and not sized

    def on_body(self, body: bytes) -> None:
        if self.complete:
            self.reusable = False
            return
        self.parts.append(body)
        self.waiting += len(body)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
            return
        if not self.complete:
            self.complete = True
            self.reusable = self._parser.should_keep_alive()


class _Patient:
    """h11 in llhttp's place, for the rest of this answer."""

    def __init__(self, answer: Answer, method: str) -> None:
        self._answer = answer
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
        # It must believe that it asked; nothing of this is sent.
        self._connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        self._connection.send(h11.EndOfMessage())

    def feed(self, data: bytes) -> None:
        """Reads on; nothing says that the other side closed."""
        answer = self._answer
        try:
            self._connection.receive_data(data)
            while not answer.complete:
                event = self._connection.next_event()
                match event:
                    case h11.NEED_DATA | h11.PAUSED:
                        return
                    case h11.Response():
                        answer.headers = list(event.headers.raw_items())
                        answer.reason = event.reason
                        answer.version = event.http_version.decode("ascii")
                        answer.status = event.status_code
                    case h11.Data():
                        answer.on_body(bytes(event.data))
                    case h11.EndOfMessage():
                        answer.complete = True
                        # An answer this odd is not asked twice on one connection.
                        answer.reusable = False
                    case h11.ConnectionClosed():
                        raise broken("the connection closed before an answer")
                    case _:
                        pass  # an interim answer
        except h11.RemoteProtocolError as error:
            if data:
                raise broken(f"no HTTP: {quoted(str(error))}") from error
            where = "in the middle of the" if answer.head_complete else "before an"
            raise broken(f"the connection closed {where} answer") from error
