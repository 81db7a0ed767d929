"""Taking a configuration over while the process runs: the monitor does it so, and each outpost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, Protocol

from monitor.clock import Clock
from monitor.config import Loaded
from monitor.metrics import Metrics
from monitor.toml_file import ConfigError, unusable

log = logging.getLogger(__name__)


class Follower(Protocol):
    """Whoever goes by a configuration."""

    def read_anew(self) -> Loaded:
        """The configuration as its file says it now; in a thread.

        Raises:
            ConfigError: it is wrong.
            OSError: it cannot be read.
        """

    def take_over(self, loaded: Loaded) -> None:
        """Put a configuration in force. Where it raises anything, the one before is in force as it was."""

    async def taken(self, loaded: Loaded) -> None:
        """It is in force."""

    async def refused(self, error: ConfigError) -> None:
        """It is not, and the one before stays."""


async def reloads(asked: asyncio.Event, follower: Follower, *, path: Path, clock: Clock, metrics: Metrics) -> NoReturn:
    """Take the configuration over whenever `asked` is set. Whatever is wrong with it ends nothing, and is told."""
    while True:
        await asked.wait()
        asked.clear()
        try:
            with or_refused(path, "cannot be read"):
                loaded = await asyncio.to_thread(follower.read_anew)
            with or_refused(path, "cannot be taken into use"):
                follower.take_over(loaded)
        except ConfigError as error:
            log.error("the new configuration is wrong; the old one stays in force: %s", error)
            metrics.reloaded(ok=False, now_us=clock.now_us())
            await follower.refused(error)
            continue
        await follower.taken(loaded)
        metrics.reloaded(ok=True, now_us=clock.now_us())
        log.info("configuration taken over", extra={"sha256": loaded.sha256})


@contextmanager
def or_refused(path: Path, what: str) -> Iterator[None]:
    """Whatever is raised within as a ConfigError: nothing can be made of the configuration."""
    try:
        yield
    except ConfigError:
        raise
    except OSError as error:
        raise unusable(path, f"{what}: {error}") from error
    except Exception as error:
        log.exception("a configuration %s", what)
        raise unusable(path, f"{what}: {type(error).__name__}: {error}") from error
