"""What the exceptions of httpx and httpcore mean, in the closed list of failures. Ours raises `Fault` by itself."""

from __future__ import annotations

import ssl

import httpcore
import httpx

from probes.engine.settings import OUR_OWN_ERRORS
from probes.errors import quoted, refusal, words
from probes.fault import Fault
from probes.sample import FailureKind


def classified(error: Exception, where: str, waiting_for: str) -> Fault:
    """Which kind of trouble an exception of a transport is. What nobody foresaw is the monitor's own fault.

    Args:
        where: `host:port` that was asked.
        waiting_for: as in `Trail`.
    """
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    fault = next((link for link in chain if isinstance(link, Fault)), None)
    if fault is not None:
        return fault
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            return Fault(FailureKind.TLS, where, expected="a valid certificate", found=refusal(link))
    for link in chain:
        if isinstance(link, ssl.SSLError):
            return Fault(FailureKind.TLS, where, expected="a TLS connection", found=words(link))
    if waiting_for == "the TLS handshake":
        return Fault(FailureKind.TLS, where, expected="a TLS connection", found=next(map(words, reversed(chain))))
    match error:
        case httpcore.ConnectError() | httpx.ConnectError() | httpcore.ConnectTimeout() | httpx.ConnectTimeout():
            own = next((link for link in chain if isinstance(link, OSError) and link.errno in OUR_OWN_ERRORS), None)
            if own is not None:
                return Fault(FailureKind.MONITOR, where, found=words(own))
            return Fault(FailureKind.CONNECT, where, expected="a connection", found=_connect_words(chain))
        case httpcore.TimeoutException() | httpx.TimeoutException():
            return Fault(FailureKind.TIMEOUT, where, found="no answer in time")
        case httpcore.RemoteProtocolError() | httpx.RemoteProtocolError() | httpcore.ReadError() | httpx.ReadError():
            return Fault(FailureKind.PROTOCOL, where, expected="a complete HTTP answer", found=_protocol_words(error))
        case httpcore.WriteError() | httpx.WriteError() | httpx.CloseError():
            return Fault(FailureKind.PROTOCOL, where, expected="a complete HTTP answer", found="connection broken")
        case _:
            return Fault(FailureKind.MONITOR, where, found=quoted(f"{type(error).__name__}: {error}"))


def _connect_words(chain: list[BaseException]) -> str:
    found = [words(link) for link in chain if isinstance(link, OSError)]
    return found[-1] if found else words(chain[0])


def _protocol_words(error: Exception) -> str:
    text = str(error)
    if "without sending a response" in text:
        return "the connection closed before an answer"
    if "without sending complete message" in text or "incomplete" in text:
        return "the connection closed in the middle of the answer"
    if isinstance(error, httpcore.ReadError | httpx.ReadError):
        return "the connection broke"
    return f"no HTTP: {quoted(text)}" if text else "no HTTP"
