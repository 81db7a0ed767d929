"""Signatures of mails looked at by programs that are not ours: Debian's dkimpy, and OpenSSL."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from monitor.dkim import DkimKey

#: Runs under Debian's own Python; the name server is the one record it is given.
_VERIFIER = """
import base64, json, sys
import dkim
asked = json.load(sys.stdin)
mail = base64.b64decode(asked["mail"])
names = []
def record(name, timeout=5):
    names.append(name.decode() if isinstance(name, bytes) else name)
    return asked["record"].encode()
try:
    right = dkim.DKIM(mail).verify(dnsfunc=record)
except (dkim.DKIMException, ValueError):
    right = False
print(json.dumps({"right": right, "names": names}))
"""


def dkim_record(key: DkimKey) -> str:
    """What is published for a key."""
    public = key.public_key()
    if isinstance(key, RSAPrivateKey):
        return f"v=DKIM1; k=rsa; p={_base64(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))}"
    return f"v=DKIM1; k=ed25519; p={_base64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}"


def dkim_right(mail: bytes, record: str) -> tuple[bool, list[str]]:
    """Whether dkimpy takes the signature, and where it looked for the key."""
    asked = json.dumps({"mail": _base64(mail), "record": record})
    done = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", _VERIFIER], input=asked, capture_output=True, text=True, timeout=30, check=True
    )
    told = json.loads(done.stdout)
    return told["right"], told["names"]


def openssl_verify(program: str, mail: Path, authority: Path, content: Path) -> subprocess.CompletedProcess[str]:
    """`openssl smime -verify` or `openssl cms -verify`: for signing mail, up to that authority."""
    command = ["openssl", program, "-verify", "-in", mail, "-CAfile", authority, "-purpose", "smimesign"]
    return subprocess.run([*command, "-out", content], capture_output=True, text=True, timeout=30, check=False)


def pem(key: object) -> str:
    """A private key as a secret holds it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()  # type: ignore[attr-defined]


def certificate_pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def ed25519_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
