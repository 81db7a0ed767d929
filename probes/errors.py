"""What operating systems and libraries say when something fails, in the closed words of this room. Pure."""

from __future__ import annotations

import errno
import re
import socket
import ssl

_BY_NUMBER = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ECONNABORTED: "connection reset",
    errno.EPIPE: "connection reset",
    errno.EHOSTUNREACH: "no way to the host",
    errno.ENETUNREACH: "no way to the network",
    errno.ETIMEDOUT: "no answer in time",
}
_BY_LOOK_UP = {
    socket.EAI_NONAME: "the name does not exist",
    getattr(socket, "EAI_NODATA", -5): "the name has no address",
    socket.EAI_AGAIN: "no name server answered",
}
# OpenSSL's verify codes, from its manual page of X509_STORE_CTX_get_error.
_BY_VERIFY_CODE = {
    9: "not valid yet",
    10: "expired",
    18: "self-signed",
    19: "from an unknown authority",
    20: "from an unknown authority",
    21: "from an unknown authority",
    62: "for another name",
    64: "for another address",
}


_BY_RUSTLS_WORDS = {
    "certificate expired": "expired",
    "not valid yet": "not valid yet",
    "not valid for name": "for another name",
    "UnknownIssuer": "from an unknown authority",
}


_BY_REASON = {
    "WRONG_VERSION_NUMBER": "the other side spoke no TLS",
    "UNEXPECTED_EOF_WHILE_READING": "connection reset",
    "UNSUPPORTED_PROTOCOL": "no TLS version in common",
    "TLSV1_ALERT_PROTOCOL_VERSION": "no TLS version in common",
    "NO_SHARED_CIPHER": "no cipher in common",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "no cipher in common",
}


_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """The text as every database and page can hold it: without control characters and half characters."""
    return _UNPRINTABLE.sub("\ufffd", text)


def quoted(text: str) -> str:
    """A text of somebody else inside a phrase of ours, white space folded, ends visible; never translated."""
    return f"“{' '.join(text.split())}”"


def words(error: BaseException) -> str:
    """An error in a few words; those we do not know are quoted."""
    if isinstance(error, socket.gaierror) and error.errno in _BY_LOOK_UP:
        return _BY_LOOK_UP[error.errno]
    if isinstance(error, ssl.SSLCertVerificationError):
        return refusal(error)
    if isinstance(error, ssl.SSLError):
        return _BY_REASON.get(error.reason or "") or quoted(error.reason or str(error))
    if isinstance(error, OSError) and error.errno in _BY_NUMBER:
        return _BY_NUMBER[error.errno]
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):
        return "connection reset"
    if isinstance(error, OSError) and error.strerror:
        return quoted(error.strerror)
    return quoted(str(error) or type(error).__name__)


def refusal(error: ssl.SSLCertVerificationError) -> str:
    """Why a certificate is not to be trusted."""
    if not error.verify_code:  # rustls, which has no codes, and words of its own
        said = str(error.reason or error)
        return next((words for part, words in _BY_RUSTLS_WORDS.items() if part in said), quoted(said))
    return _BY_VERIFY_CODE.get(error.verify_code) or quoted(error.verify_message)
