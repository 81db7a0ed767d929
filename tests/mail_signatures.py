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
from monitor.mail_settings import MailSettings
from monitor.mail_signing import Signatures, signatures

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


def by_certificate(folder: Path, kind: str) -> tuple[Signatures, Path]:
    """What signs as loketwacht@example.be, by a certificate two steps below a root, and the root's file.

    Args:
        kind: of the keys: `rsa:2048` or `ec`.
    """
    _make_certificates(folder, kind)
    smime = {"certificate": "cert.pem", "key": "smime"}
    settings = MailSettings.model_validate({"host": "127.0.0.1", "sender": "loketwacht@example.be", "smime": smime})
    secrets = {"smime": (folder / "leaf.key").read_text()}
    return signatures(settings, secrets=secrets, directory=folder), folder / "root.pem"


def _make_certificates(folder: Path, kind: str) -> None:
    """A root, an authority below it, and the sender's certificate with the authority's behind it."""
    (folder / "root.cnf").write_text("basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n")
    (folder / "below.cnf").write_text("basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n")
    (folder / "leaf.cnf").write_text(
        "extendedKeyUsage=emailProtection\nkeyUsage=critical,digitalSignature\n"
        "subjectAltName=email:loketwacht@example.be\n"
    )
    curve = "-pkeyopt ec_paramgen_curve:P-256" if kind == "ec" else ""
    for name, above in (("root", None), ("below", "root"), ("leaf", "below")):
        by = f"-CA {above}.pem -CAkey {above}.key -CAcreateserial" if above else "-signkey root.key"
        for command in (
            f"openssl req -newkey {kind} {curve} -nodes -subj /CN=Proef-{name} -keyout {name}.key -out {name}.csr",
            f"openssl x509 -req -in {name}.csr {by} -days 36500 -extfile {name}.cnf -out {name}.pem",
        ):
            subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    (folder / "cert.pem").write_bytes((folder / "leaf.pem").read_bytes() + (folder / "below.pem").read_bytes())


def pem(key: object) -> str:
    """A private key as a secret holds it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()  # type: ignore[attr-defined]


def certificate_pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def ed25519_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
