"""A key file of a house that signs its documents, made for the tests that need one."""

from __future__ import annotations

import subprocess
from pathlib import Path

from monitor.seal_settings import SignatureSettings
from monitor.signing import Signing

SECRET = "geheim"


def make(folder: Path) -> Signing:
    """`key.pem`, `cert.pem` and, of both, `key.p12`; and how to sign with them."""
    usage = "keyUsage=critical,digitalSignature,nonRepudiation"
    made = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 3650 -subj /CN=Proefzegel -addext"
    packed = f"pkcs12 -export -inkey key.pem -in cert.pem -out key.p12 -passout pass:{SECRET}"
    for words in ([*made.split(), usage], packed.split()):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    return Signing(settings=SignatureSettings(key_file="key.p12"), directory=folder, secret=SECRET)
