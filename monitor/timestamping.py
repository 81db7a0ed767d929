"""Timestamps (RFC 3161) of the ledger's head: a third party says that the ledger stood so at that time.

What is stamped is the SHA-256 of the head's 64 hexadecimal digits as text, so that anybody can check a token without
us: `openssl ts -verify -data HEAD.txt -in TOKEN.tsr -CAfile CA.pem`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from monitor import outbound, sealing
from monitor.store import ledger
from monitor.store.database import Transaction
from sla.ledger import Entry, Sealed
from sla.period import instant_text, instant_us

KIND = "timestamp"
BY = "loketwacht"
#: How long after a failure the authority is asked again.
RETRY_US = 3_600 * 1_000_000
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")

Roots = tuple[x509.Certificate, ...]


class TimestampError(Exception):
    """No timestamp that holds; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A head with the answer that stamps it.

    Attributes:
        entry: number of the ledger entry whose hash is the head.
        at_us: the time that the authority states.
        answer: its whole answer (a TimeStampResp, DER).
    """

    entry: int
    head: str
    at_us: int
    authority: str
    answer: bytes

    def to_record(self, now_us: int) -> Entry:
        return Entry(
            kind=KIND,
            recorded_us=now_us,
            by=BY,
            reason=f"tijdstempel van post {self.entry}, {instant_text(self.at_us)}",
            data={
                "entry": str(self.entry),
                "head": self.head,
                "time": instant_text(self.at_us),
                "authority": self.authority,
                "token": base64.b64encode(self.answer).decode(),
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BadStamp:
    """A timestamp of the ledger that does not hold."""

    seq: int
    text: str

    def __str__(self) -> str:
        return f"The timestamp in entry {self.seq} does not hold: {self.text}."


def read_roots(path: Path) -> Roots:
    """The trusted certificates of a PEM file.

    Raises:
        TimestampError: it cannot be read, or holds none.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except OSError as error:
        raise TimestampError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise TimestampError(f"{path} holds no certificate in PEM") from error


def head_due(tx: Transaction) -> Sealed | None:
    """The head to be stamped; None where no day was sealed since the last timestamp."""
    seals = tuple(ledger.read(tx, kinds=(sealing.KIND,)))
    stamped = max((int(s.entry.data["entry"]) for s in ledger.read(tx, kinds=(KIND,))), default=0)
    return ledger.head(tx) if seals and seals[-1].seq > stamped else None


async def ask(head: Sealed, *, url: str, roots: Roots, timeout_us: int) -> Stamp:
    """Have a head stamped, and check what came back before anybody relies on it.

    Raises:
        TimestampError: the authority cannot be reached, refuses, or answers with something that does not hold.
    """
    request = TimestampRequestBuilder().data(head.hash.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        answer = await outbound.post(
            url,
            request.as_bytes(),
            headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
            timeout_us=timeout_us,
        )
    except outbound.OutboundError as error:
        raise TimestampError(str(error)) from error
    if answer.status != 200:
        raise TimestampError(f"{url} answered with status {answer.status}")
    found = _decoded(answer.body)
    if found.status == 0 and found.tst_info.nonce != request.nonce:
        raise TimestampError(f"{url} answered another question than ours (its nonce differs)")
    at_us = _checked(found, head.hash, roots)
    return Stamp(entry=head.seq, head=head.hash, at_us=at_us, authority=url, answer=answer.body)


def record(tx: Transaction, stamp: Stamp, *, now_us: int) -> Sealed | None:
    """Put a timestamp into the ledger; None, and nothing done, where somebody else stamped as much meanwhile."""
    due = head_due(tx)
    return None if due is None or due.seq < stamp.entry else ledger.append(tx, stamp.to_record(now_us))


def count(entries: Iterable[Sealed]) -> int:
    return sum(s.entry.kind == KIND for s in entries)


def first_bad(entries: Sequence[Sealed], roots: Roots | None) -> BadStamp | None:
    """The first timestamp that does not hold; None where all do.

    Args:
        entries: the whole ledger, in order, with a chain that holds.
        roots: of the authority; None checks only what is stamped, not who stamped it.
    """
    hashes = {s.seq: s.hash for s in entries}
    for sealed in entries:
        if sealed.entry.kind != KIND:
            continue
        try:
            _check_entry(sealed, hashes, roots)
        except TimestampError as error:
            return BadStamp(seq=sealed.seq, text=str(error))
    return None


def _check_entry(sealed: Sealed, hashes: dict[int, str], roots: Roots | None) -> None:
    data = sealed.entry.data
    text, head = data.get("entry", ""), data.get("head", "")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    if number >= sealed.seq or hashes.get(number) != head:
        raise TimestampError(f"entry {text or '?'} of the ledger does not have the head it names")
    try:
        answer = base64.b64decode(data.get("token", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise TimestampError("its token is no base64") from error
    at_us = _checked(_decoded(answer), head, roots)
    if instant_text(at_us) != data.get("time"):
        raise TimestampError(f"it says {data.get('time')}, its token {instant_text(at_us)}")


def _decoded(answer: bytes) -> TimeStampResponse:
    try:
        return decode_timestamp_response(answer)
    except ValueError as error:
        raise TimestampError("that is no answer of a timestamp authority") from error


def _checked(found: TimeStampResponse, head: str, roots: Roots | None) -> int:
    """The time that a stamp states, once it was found to be of this head and, by `roots`, of the authority."""
    if found.status != 0:
        why = "; ".join(found.status_string) or "no reason given"
        raise TimestampError(f"the authority refused (status {found.status}: {why})")
    imprint = found.tst_info.message_imprint
    digest = hashlib.sha256(head.encode()).digest()
    if imprint.hash_algorithm != _SHA256 or imprint.message != digest:
        raise TimestampError(f"its token is not of the head {head}")
    if roots is not None:
        builder = VerifierBuilder(roots=list(roots))
        try:
            builder.build().verify(found, digest)
        except (VerificationError, ValueError) as error:
            why = str(error).partition(": ErrorStack")[0]
            raise TimestampError(f"its signature is not of the trusted authority ({why})") from error
    return instant_us(found.tst_info.gen_time)
