"""What the monitor itself stands on, looked at while nothing fails: its own resolver, its references, its clock.

Each of them is asked about again when a journey fails; but one that is broken for long would make a failure `unknown`
that was the portal's. So it is told before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.clock import AHEAD_US, Clock
from monitor.config import Config
from monitor.doubt import Resolve, resolver_answers
from monitor.metrics import Metrics
from monitor.news import Trouble
from monitor.own_troubles import tell_over, tell_trouble
from monitor.store import samples
from monitor.store.database import Database, InStore
from probes.references import references_up
from probes.setup import Setup
from sla.period import instant_text

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
#: After so long without an answer for any watched name people are told.
RESOLVER_SILENT_US = 5 * _MINUTE_US
#: After so long without an answer, while others gave one, people are told of a reference.
REFERENCE_SILENT_US = 15 * _MINUTE_US
#: References belong to others: they are asked no more often than this while nothing fails.
REFERENCES_EVERY_US = 5 * _MINUTE_US
_CLOCK_EVERY_US = 5 * _MINUTE_US
#: A start so long after the newest sample is told: it is a long rest, or a clock that is years ahead.
_LONG_REST_US = 366 * 86_400 * _SECOND_US


@dataclass(slots=True)
class Silence:
    """Since when (monotonic) each of some parties gives no answer."""

    _since_us: dict[str, int] = field(default_factory=dict)

    def heard(self, answers: Mapping[str, bool], now_us: int) -> None:
        """What they answered just now; whoever was not asked is forgotten."""
        self._since_us = {who: self._since_us.get(who, now_us) for who, up in answers.items() if not up}

    def lasting(self, now_us: int, *, at_least_us: int) -> tuple[str, ...]:
        """Those who have been silent for so long."""
        return tuple(who for who, since_us in self._since_us.items() if now_us - since_us >= at_least_us)


@dataclass(slots=True, kw_only=True)
class Footing:
    """Each of its methods may be called as often as one likes; whether something is due it finds out itself.

    Attributes:
        settings, setup: of the configuration in force.
        tells: whether people are told; an outpost only shows it in its figures.
        resolve: asks our own resolver; None takes the system's.
    """

    settings: Callable[[], Config]
    setup: Callable[[], Setup]
    location: str
    tells: bool
    database: Database
    in_store: InStore
    clock: Clock
    metrics: Metrics
    resolve: Resolve | None = None
    _resolver: Silence = field(default_factory=Silence, init=False)
    _references: Silence = field(default_factory=Silence, init=False)
    _asked_us: int | None = field(default=None, init=False)  # monotonic; when the references were
    _looked_us: int | None = field(default=None, init=False)  # monotonic; when the clock was looked at
    _long_rest: tuple[str, ...] = field(default=(), init=False)
    #: What the store knows by us; of what is not in it, only the store knows whether it was told.
    _told: dict[Trouble, tuple[str, ...]] = field(default_factory=dict, init=False)

    async def ask_resolver(self) -> None:
        """The watched names, regularly, so that a resolver that fails shows before a journey fails for it."""
        settings = self.settings().references
        answers = await resolver_answers(settings.names, deadline_us=settings.deadline, resolve=self.resolve)
        for name, answered in zip(settings.names, answers, strict=True):
            self.metrics.set("monitor_resolver_up", float(answered), name)
        now_us = self.clock.monotonic_us()
        self._resolver.heard(dict(zip(settings.names, answers, strict=True)), now_us)
        silent = self._resolver.lasting(now_us, at_least_us=RESOLVER_SILENT_US)
        if any(answers) or not answers:
            await self._say(Trouble.RESOLVER_SILENT, ())
        elif len(silent) == len(answers):
            await self._say(Trouble.RESOLVER_SILENT, silent, lasted_us=RESOLVER_SILENT_US)

    async def ask_references(self) -> None:
        """Now and then, so that one that never answers is known before a failure is attributed by its silence."""
        now_us = self.clock.monotonic_us()
        if self._asked_us is not None and now_us - self._asked_us < REFERENCES_EVERY_US:
            return
        self._asked_us = now_us
        settings = self.settings().references
        answers = await references_up(settings.urls, deadline_us=settings.deadline, setup=self.setup())
        for url, up in zip(settings.urls, answers, strict=True):
            self.metrics.set("monitor_reference_up", float(up), url)
        if settings.urls and not any(answers):
            # Our own way out, and no fault of one of them: nothing is told, nothing is over, and it counts for none.
            self._references.heard({}, now_us)
            return
        self._references.heard(dict(zip(settings.urls, answers, strict=True)), now_us)
        silent = self._references.lasting(now_us, at_least_us=REFERENCE_SILENT_US)
        if silent or all(answers):
            await self._say(Trouble.REFERENCE_SILENT, silent, lasted_us=REFERENCE_SILENT_US)

    async def look_at_clock(self) -> None:
        """Whether the clock and the newest stored sample contradict each other: at the start, and now and then."""
        monotonic_us = self.clock.monotonic_us()
        if self._looked_us is not None and monotonic_us - self._looked_us < _CLOCK_EVERY_US:
            return
        checks = tuple(check.id for check in self.settings().checks_at(self.location))

        def newest() -> int | None:
            with self.database.read() as tx:
                return samples.newest_us(tx, checks, self.location)

        at_us, now_us = await self.in_store(newest), self.clock.now_us()
        ahead_us = at_us - now_us if at_us is not None else 0
        self.metrics.set("monitor_store_ahead_seconds", max(0, ahead_us) / _SECOND_US)
        if at_us is not None and self._looked_us is None and -ahead_us > _LONG_REST_US:
            self._long_rest = (instant_text(at_us),)
        self._looked_us = monotonic_us
        wrong = (instant_text(at_us),) if at_us is not None and ahead_us > AHEAD_US else self._long_rest
        await self._say(Trouble.CLOCK_WRONG, wrong, said=f"the clock says {instant_text(now_us)}")

    async def _say(self, what: Trouble, subjects: Sequence[str], *, said: str = "", lasted_us: int = 0) -> None:
        """Tell a trouble of these, or its end where there are none, unless that was told already."""
        said = said or f"no answer for {lasted_us // _MINUTE_US} minutes"
        if self._told.get(what) == tuple(subjects):
            return
        now_us, readers = self.clock.now_us(), self.settings().addressees

        def tell() -> tuple[str, ...]:
            with self.database.begin() as tx:
                if not subjects:
                    return tell_over(tx, what, now_us=now_us)
                return tell_trouble(tx, what, subjects, said, readers, since_us=now_us - lasted_us, now_us=now_us)

        if subjects:
            log.error("the monitor's own footing is in trouble", extra={"what": what.value, "of": ", ".join(subjects)})
        if self.tells:
            await self.in_store(tell)
        self._told[what] = tuple(subjects)
