"""The practice portal on sockets of this machine: HTTP, HTTPS, reference targets, mail and names."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from probes.practice.authority import Certificates, certificates
from probes.practice.fault_gate import departure
from probes.practice.faults import FaultBoard
from probes.practice.imap_server import MailDoor
from probes.practice.mail_server import MailServer, reset
from probes.practice.name_server import listen
from probes.practice.portal import PracticePortal
from probes.practice.settings import PracticeSettings

_WATCH_SECONDS = 0.05
_TRANSPORT = "practice.transport"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPractice:
    """A practice portal that listens. Ports are the real ones, also where 0 was asked for."""

    portal: PracticePortal
    host: str
    http_port: int
    https_port: int
    smtp_port: int
    reference_ports: tuple[int, ...]
    imap_port: int | None
    name_port: int | None
    ca_file: Path

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.http_port}"

    @property
    def https_url(self) -> str:
        return f"https://{self.host}:{self.https_port}"

    @property
    def reference_urls(self) -> tuple[str, ...]:
        return tuple(f"http://{self.host}:{port}/" for port in self.reference_ports)


@asynccontextmanager
async def serve(settings: PracticeSettings, *, now_us: Callable[[], int]) -> AsyncIterator[RunningPractice]:
    """Everything of the practice portal, listening on loopback until the block is left.

    Args:
        now_us: microseconds since the epoch, UTC.

    Raises:
        OSError: a port is taken; nothing stays open then.
    """
    # A new seed for every start: an old cookie must not open somebody's new session.
    portal = PracticePortal(
        now_us=now_us,
        seed=f"oefenloket {now_us()}",
        max_dossiers=settings.max_dossiers,
        max_mails=settings.max_mails,
        max_stored_bytes=settings.max_stored_bytes,
    )
    papers = certificates(settings.state_dir, now_us=now_us())
    async with AsyncExitStack() as stack:

        async def open_door(app: ASGIApp, port: int, tls: ssl.SSLContext | None = None) -> _Door:
            door = _Door(app, host=settings.host, port=port, tls=tls)
            await door.open()
            stack.push_async_callback(door.close)
            return door

        http = await open_door(portal.app, settings.http_port)
        https = await open_door(portal.app, settings.https_port, _tls_with_faults(papers, portal.faults))
        references = [await open_door(portal.reference_app, port) for port in settings.reference_ports]
        mail = await _open_mail(settings, portal, papers)
        stack.push_async_callback(_close_mail, *mail)
        if settings.imap_port is not None:
            door = MailDoor(portal.mailbox, papers.mail)
            await door.listen(settings.host, settings.imap_port)
            stack.push_async_callback(door.close)
        names = None if settings.name_port is None else await listen(settings.host, settings.name_port)
        if names is not None:
            stack.push_async_callback(names.close)
        watch = asyncio.create_task(_shut_while_refusing(https, portal.faults))
        stack.push_async_callback(_end, watch)
        yield RunningPractice(
            portal=portal,
            host=settings.host,
            http_port=http.port,
            https_port=https.port,
            smtp_port=_port(mail[0]),
            reference_ports=tuple(door.port for door in references),
            imap_port=None if settings.imap_port is None else door.port,
            name_port=None if names is None else names.port,
            ca_file=papers.ca_file,
        )


class _Door:
    """One listener for an ASGI application. Unlike a production server it can reset connections and stop listening."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._config = Config(
            _with_resets(app),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        self._config.load()
        self._host = host
        self._tls = tls
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self.port = port

    def _protocol(self) -> H11Protocol:
        return _Connection(self._config, self._state, {})

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._protocol, self._host, self.port, ssl=self._tls, reuse_address=True
        )
        self.port = _port(self._server)

    def stop_listening(self) -> None:
        """New connections are refused from now on; those that are open stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    @property
    def listens(self) -> bool:
        return self._server is not None

    async def close(self) -> None:
        self.stop_listening()
        for connection in list(self._state.connections):
            if isinstance(connection, H11Protocol) and connection.transport is not None:
                connection.transport.abort()
        # One turn of the loop, so that every request learns that its visitor is gone before it is cancelled.
        await asyncio.sleep(0)
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Connection(H11Protocol):
    """One connection. Every request finds its transport in the scope, so that it can be broken."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state[_TRANSPORT] = transport
        super().connection_made(transport)


def _with_resets(app: ASGIApp) -> ASGIApp:
    """Turns a broken connection, which the portal raises, into a TCP reset."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        transport = scope["state"].pop(_TRANSPORT)
        try:
            await app(scope, receive, send)
        except ConnectionError:
            reset(transport)
            # The connection must be known as lost when this returns, or the server would want to answer.
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await departure(receive)
        except asyncio.CancelledError:
            transport.abort()
            await asyncio.sleep(0)

    return wrapped


def _tls_with_faults(papers: Certificates, board: FaultBoard) -> ssl.SSLContext:
    """The good certificate, unless this handshake is to meet a bad one."""

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
        if board.hit("expired-certificate", None):
            connection.context = papers.expired
        elif board.hit("wrong-host-certificate", None):
            connection.context = papers.wrong_host

    papers.good.sni_callback = choose
    return papers.good


async def _shut_while_refusing(door: _Door, board: FaultBoard) -> None:
    """Closes the HTTPS door while everything is to be refused. The HTTP door carries the control API and stays open."""
    while True:
        if board.shuts_the_door() and door.listens:
            door.stop_listening()
        elif not board.shuts_the_door() and not door.listens:
            # Somebody may hold the port for a moment; the next turn tries again.
            with suppress(OSError):
                await door.open()
        await asyncio.sleep(_WATCH_SECONDS)


async def _open_mail(
    settings: PracticeSettings, portal: PracticePortal, papers: Certificates
) -> tuple[asyncio.Server, set[asyncio.BaseTransport]]:
    server = MailServer(
        mailbox=portal.mailbox,
        faults=portal.mail_faults,
        tls=papers.mail,
        require_auth=settings.smtp_require_auth,
    )
    loop = asyncio.get_running_loop()
    return await loop.create_server(server.protocol, settings.host, settings.smtp_port), server.open_lines


async def _close_mail(server: asyncio.Server, transports: set[asyncio.BaseTransport]) -> None:
    server.close()
    for transport in list(transports):
        reset(transport)
    await asyncio.sleep(0)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])
