"""Content codings undone piece by piece, never beyond the cap. Pure."""

from __future__ import annotations

import zlib

import brotli

from probes.fault import Fault
from probes.sample import FailureKind


class _Plain:
    """No content coding."""

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        return None


class _Inflate:
    """gzip and deflate, piece by piece, never beyond the cap: a bomb costs the cap and no more."""

    def __init__(self, coding: str, cap: int) -> None:
        self._coding = coding
        self._left = cap
        self._cap = cap
        self._zlib = zlib.decompressobj(31 if coding == "gzip" else 15)
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        out = bytearray()
        while data:
            if self._zlib.eof:
                if self._coding != "gzip":
                    break
                self._zlib = zlib.decompressobj(31)  # RFC 1952: a gzip file may have several members
            try:
                piece = self._zlib.decompress(data, self._left + 1)
            except zlib.error as error:
                if self._coding == "deflate" and not self._begun:
                    # Servers that send raw deflate under this name are old and many.
                    self._zlib = zlib.decompressobj(-15)
                    self._begun = True
                    continue
                raise Fault(FailureKind.BODY, "body", expected=f"{self._coding} data", found="damaged data") from error
            self._begun = True
            out += piece
            self._left -= len(piece)
            if self._left < 0:
                raise Fault(
                    FailureKind.TOO_LARGE,
                    "body",
                    expected=f"at most {self._cap} bytes",
                    found="more after decompression",
                )
            data = self._zlib.unconsumed_tail or self._zlib.unused_data
        return bytes(out)

    def end(self) -> None:
        if not self._zlib.eof:
            raise Fault(FailureKind.BODY, "body", expected=f"complete {self._coding} data", found="an early end")


class _Brotli:
    """br, likewise."""

    def __init__(self, cap: int) -> None:
        self._left = cap
        self._cap = cap
        self._brotli = brotli.Decompressor()

    def feed(self, data: bytes) -> bytes:
        if self._brotli.is_finished():
            return b""
        try:
            out: bytes = self._brotli.process(data, output_buffer_limit=self._left + 1)
        except brotli.error as error:
            raise Fault(FailureKind.BODY, "body", expected="br data", found="damaged data") from error
        self._left -= len(out)
        # Where the limit was reached, what is left stays inside and is never unpacked.
        if self._left < 0 or not (self._brotli.can_accept_more_data() or self._brotli.is_finished()):
            raise Fault(
                FailureKind.TOO_LARGE, "body", expected=f"at most {self._cap} bytes", found="more after decompression"
            )
        return out

    def end(self) -> None:
        if not self._brotli.is_finished():
            raise Fault(FailureKind.BODY, "body", expected="complete br data", found="an early end")


def decoder(codings: str, cap: int) -> _Plain | _Inflate | _Brotli:
    """What undoes a Content-Encoding. Raises `Fault` of kind body for one that was not asked for."""
    names = [name for part in codings.split(",") if (name := part.strip().lower()) not in ("", "identity")]
    if not names:
        return _Plain()
    name = names[0].removeprefix("x-")
    if len(names) == 1 and name in ("gzip", "deflate"):
        return _Inflate(name, cap)
    if names == ["br"]:
        return _Brotli(cap)
    raise Fault(
        FailureKind.BODY,
        "header Content-Encoding",
        expected="gzip, deflate or br, as asked for",
        found=", ".join(names),
    )
