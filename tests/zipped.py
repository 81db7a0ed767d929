"""Archives of evidence as their files, and made anew from altered ones as a careful forger would."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path


def members(path: Path) -> dict[str, bytes]:
    """The files in an archive, by name."""
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def rewritten(content: Mapping[str, bytes], path: Path) -> Path:
    """An archive of these files, its checksums renewed."""
    kept = {name: body for name, body in content.items() if name != "SHA256SUMS"}
    sums = "".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in sorted(kept.items()))
    with zipfile.ZipFile(path, "w") as into:
        for name, body in (kept | {"SHA256SUMS": sums.encode()}).items():
            into.writestr(name, body)
    return path
