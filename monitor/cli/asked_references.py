"""What commands tell of references that give no answer."""

from __future__ import annotations

import asyncio

from monitor.advice import silent_references
from monitor.cli.output import say
from monitor.clock import LIVE
from monitor.composition import probe_setup
from monitor.config import Loaded


def tell_silent_references(loaded: Loaded) -> None:
    """Ask the references of a configuration once, and say which of them are silent though others answer."""
    if not loaded.config.references.urls:
        return
    for url in asyncio.run(silent_references(loaded.config, probe_setup(loaded, LIVE))):
        say(f"Mind: the reference {url} does not answer, though others do. It is no vote for us; name another.")
