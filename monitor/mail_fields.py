"""A mail as it goes over the wire, taken apart: its header fields and its body. Signatures are over exact bytes."""

from __future__ import annotations


def split(content: bytes) -> tuple[list[bytes], bytes]:
    """The header fields in order, each with its folded lines and its last CR LF, and the body behind the empty line.

    Args:
        content: lines end with CR LF.
    """
    head, _, body = content.partition(b"\r\n\r\n")
    fields: list[bytes] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += line + b"\r\n"
        else:
            fields.append(line + b"\r\n")
    return fields, body


def name_of(field: bytes) -> str:
    """The name of a header field in lower case."""
    return field.partition(b":")[0].strip().decode("ascii", "replace").lower()
