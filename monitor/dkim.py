"""DKIM (RFC 6376, Ed25519 by RFC 8463): a domain signs that a mail is its own, and that nobody changed it on the way.

Header and body are canonicalised `relaxed`, so that a server which folds a line or drops a blank at its end does not
break the signature. The body is signed whole: no `l=`, behind which others could add text.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from monitor.mail_fields import name_of, split

DkimKey = RSAPrivateKey | Ed25519PrivateKey

#: Signed where a mail has them. Not the ones that servers on the way add or write anew.
SIGNED = (
    *("from", "to", "subject", "date", "message-id", "in-reply-to", "references", "reply-to", "cc"),
    *("mime-version", "content-type", "content-transfer-encoding", "list-id", "auto-submitted"),
)
#: Signed once more than they are there, so that a second one of the name, which readers might see in place of the
#: first, breaks the signature.
ONLY_ONCE = ("from", "to", "subject", "date", "reply-to", "cc")

_BLANKS = re.compile(rb"[ \t]+")
_LINE = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimSigner:
    """Whose signature it is, where its public key is found, and the key."""

    domain: str
    selector: str
    key: DkimKey

    def signed(self, content: bytes, *, now_us: int) -> bytes:
        """The mail with a DKIM-Signature before it.

        Args:
            content: as it is sent: CR LF, ASCII.
        """
        fields, body = split(content)
        names = signed_names(fields)
        algorithm = "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"
        digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
        tags = [
            *("v=1", f"a={algorithm}", "c=relaxed/relaxed", f"d={self.domain}", f"s={self.selector}"),
            *(f"t={now_us // 1_000_000}", f"h={':'.join(names)}", f"bh={digest}", "b="),
        ]
        field = _folded("DKIM-Signature:", tags)
        covered = [relaxed_field(one) for one in _chosen(fields, names)]
        text = b"".join(covered) + relaxed_field(field.encode()).removesuffix(b"\r\n")
        signature = base64.b64encode(self._signature(text)).decode()
        lines = [signature[at : at + _LINE] for at in range(0, len(signature), _LINE)]
        return (field.removesuffix("\r\n") + "\r\n ".join(lines) + "\r\n").encode() + content

    def _signature(self, text: bytes) -> bytes:
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(text, PKCS1v15(), hashes.SHA256())
        # RFC 8463: Ed25519 signs the SHA-256 of what RSA would sign.
        return self.key.sign(hashlib.sha256(text).digest())


def signed_names(fields: list[bytes]) -> list[str]:
    """The tag `h=`: the names of fields that are signed, each as often as it is there, some once more."""
    there = [name_of(field) for field in fields]
    names = [name for name in SIGNED for _ in range(there.count(name))]
    return [*names, *ONLY_ONCE]


def relaxed_field(field: bytes) -> bytes:
    """A header field as `relaxed` reads it (RFC 6376, 3.4.2)."""
    name, _, value = field.partition(b":")
    unfolded = _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.strip(b" \t").lower() + b":" + unfolded + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """A body as `relaxed` reads it (RFC 6376, 3.4.4)."""
    lines = [_BLANKS.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _chosen(fields: list[bytes], names: list[str]) -> list[bytes]:
    """The fields that the names in `h=` mean: of several of one name the last first (RFC 6376, 5.4.2)."""
    left: dict[str, list[bytes]] = {}
    for field in fields:
        left.setdefault(name_of(field), []).append(field)
    return [left[name].pop() for name in names if left.get(name)]


def _folded(name: str, tags: list[str]) -> str:
    """A header field of tags, folded between them, and at the colons of a long one."""
    lines = [name]
    for tag in tags:
        pieces = tag.split(":") if tag.startswith("h=") else [tag]
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            text = piece + (("" if piece == "b=" else ";") if last else ":")
            space = " " if number == 0 else ""
            if len(lines[-1]) + len(space) + len(text) > _LINE:
                lines.append(f" {text}")
            else:
                lines[-1] += space + text
    return "\r\n".join(lines) + "\r\n"
