"""Taking away what journeys made at the portal: the list is kept, what is left is tried again, people are told.

And what must not go on for ever: more objects than a day may have, and logging in to an account that refuses us.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.alerts import left_behind_messages
from monitor.clock import Clock
from monitor.created import DAY_US, Brake, Stage, Thing, after_login, announced, due, heard, orphaned, tried
from monitor.recipients import Addressee
from monitor.store import created, outbox
from monitor.store.database import Database, InStore, StoreError, StoreUnavailable, Transaction
from probes.browser.definition import BrowserJourney
from probes.checks import Check, Journey, Title
from probes.created import Announced, Note, NotNoted, refused_login
from probes.making import AnyJourney, accounts, maker, makers, needs
from probes.sample import Sample, StepOutcome, StepResult
from probes.sentences import sentence
from probes.setup import Setup
from probes.undo import undo

log = logging.getLogger(__name__)

#: How many objects are taken away in one go, one after the other: the portal is no less busy than its visitors.
_AT_ONCE = 5
_LEASE_US = 60_000_000
_OVER = (StepOutcome.OK, StepOutcome.SLOW)


class Hindrance(StrEnum):
    """Why a journey is not run now although it is due."""

    CREATION_BUDGET = "creation-budget"  # it made as much in the last 24 hours as it may
    LOGIN_PAUSED = "login-paused"  # an account it uses was refused too often


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stand.

    Attributes:
        open: everything whose end is not confirmed.
        orphans: those of it that people must look at.
        paused: accounts that nobody logs in with now.
        told: whether a mail about it was queued just now.
    """

    open: tuple[Thing, ...] = ()
    orphans: tuple[Thing, ...] = ()
    paused: tuple[Brake, ...] = ()
    told: bool = False

    def state(self, thing: Thing) -> str:
        """`orphan`, `unclear`, or `open` while it is being taken away."""
        if thing in self.orphans:
            return "orphan"
        return "unclear" if thing.stage is Stage.UNCLEAR else "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is counted: journey and state of each open object; all journeys, and which of them rest."""

    states: tuple[tuple[str, str], ...]
    journeys: tuple[str, ...]
    resting: frozenset[str]


class CleanUp:
    """Keeps the list of what was made, and works it off. `configured` tells it what is in force.

    Args:
        rests: whether nothing may be asked of the portal for a check now; asked before each object.
    """

    def __init__(
        self,
        *,
        database: Database,
        in_store: InStore,
        clock: Clock,
        rests: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._rests = rests
        self._database = database
        self._in_store = in_store
        self._clock = clock
        self._journeys: Mapping[str, AnyJourney] = {}
        self._setup: Setup | None = None
        self._recipients: tuple[Addressee, ...] = ()
        self._waiting: deque[Note] = deque()

    def configured(self, checks: Sequence[Check], setup: Setup, recipients: Sequence[Addressee] = ()) -> None:
        """A configuration came into force."""
        self._journeys = {check.id: check for check in checks if isinstance(check, Journey | BrowserJourney)}
        self._setup = setup
        self._recipients = tuple(recipients)

    # -- during a run ------------------------------------------------------------------------------------------------

    async def keep(self, note: Note) -> None:
        """Write down what a run tells (`probes.created.Keep`).

        What the store cannot take now is kept in memory and written later; the announcement stands in it already.

        Raises:
            NotNoted: for an announcement only: it cannot be kept, or too much was made in the last 24 hours.
        """
        if not isinstance(note, Announced):
            self._waiting.append(note)
            await self._write_down()
            return
        try:
            refused = await self._in_store(lambda: self._announce(note))
        except StoreError as error:
            raise NotNoted("the list of created objects cannot be written") from error
        if refused:
            raise NotNoted("as much was created in the last 24 hours as may be")

    def _announce(self, note: Announced) -> bool:
        now_us = self._clock.now_us()
        journey = self._journeys.get(note.check_id)
        most = journey.max_created_per_day if journey is not None else None
        with self._database.begin() as tx:
            if most is not None and created.made_since(tx, note.check_id, now_us - DAY_US) >= most:
                return True
            created.add(tx, announced(note, now_us=now_us))
        return False

    async def _write_down(self) -> None:
        while self._waiting:
            note = self._waiting[0]
            try:
                await self._in_store(lambda note=note: self._hear(note))  # type: ignore[misc]
            except StoreUnavailable as error:
                log.warning("a note about a created object waits for the store", extra={"error": str(error)})
                return
            except StoreError as error:
                log.error("the store refused a note", extra={"key": note.key, "error": str(error)})
            if self._waiting and self._waiting[0] is note:
                self._waiting.popleft()

    def _hear(self, note: Note) -> None:
        with self._database.begin() as tx:
            thing = created.get(tx, note.key)
            if thing is not None and not isinstance(note, Announced):
                created.save(tx, heard(thing, note, now_us=self._clock.now_us()))

    # -- before a run ------------------------------------------------------------------------------------------------

    async def hindrance(self, check: Check) -> Hindrance | None:
        """Why a check must not be run now; None where it may."""
        if not isinstance(check, Journey | BrowserJourney):
            return None
        logins, makes = frozenset(accounts(check).values()), len(makers(check))
        if not logins and not (makes and check.max_created_per_day):
            return None
        try:
            return await self._in_store(lambda: self._hindered(check, logins, makes))
        except StoreError:
            # Measuring goes on without the store; what would be made is refused when it is announced.
            return None

    def _hindered(self, check: AnyJourney, logins: frozenset[str], makes: int) -> Hindrance | None:
        now_us = self._clock.now_us()
        with self._database.read() as tx:
            if any(created.brake(tx, account).pauses(now_us) for account in sorted(logins)):
                return Hindrance.LOGIN_PAUSED
            most = check.max_created_per_day
            if makes and most is not None:
                made = created.made_since(tx, check.id, now_us - DAY_US)
                if made + makes > most:
                    return Hindrance.CREATION_BUDGET
        return None

    # -- beside the runs ---------------------------------------------------------------------------------------------

    async def work_off(self) -> Standing:
        """Take away what is due, tell people what stays, and say how things stand."""
        await self._write_down()
        standing = await self._in_store(self._stand)
        now_us = self._clock.now_us()
        # What is unclear and cannot be found is left to people: there is nothing to try.
        resting = frozenset(brake.account for brake in standing.paused)
        waiting = [
            one
            for one in standing.open
            if due(one, now_us=now_us)
            and (one.stage is Stage.MADE or self._can_be_tried(one))
            # What cannot be taken away now takes no turn from what can.
            and not self._rests(one.check_id)
            and not resting & self._logins(one.check_id)
        ]
        for thing in waiting[:_AT_ONCE]:
            if not self._rests(thing.check_id):
                await self.take_away(thing)
        return await self._in_store(self._tell)

    async def take_away(self, thing: Thing) -> Thing | None:
        """Try to take one object away now; None where somebody else is at it. What became of it is kept."""
        journey, setup = self._journeys.get(thing.check_id), self._setup
        until_us = self._clock.now_us() + _LEASE_US + (journey.deadline if journey is not None else 0)
        if setup is None or not await self._in_store(lambda: self._claim(thing, until_us)):
            return None
        results: tuple[StepResult, ...] = ()
        if journey is None:
            trouble: str | None = "the journey that made it is no longer configured"
        elif not self._can_be_tried(thing):
            trouble = "a value that this needs is not known"
        else:
            try:
                failure, results = await undo(
                    journey,
                    thing.step,
                    run_id=thing.run_id,
                    run_time=thing.run_time,
                    values=thing.values,
                    setup=setup,
                )
                trouble = sentence(failure, "en") if failure is not None else None
            except Exception as error:
                # What went wrong may quote the portal, so only its kind is told.
                log.error("taking an object away broke down", extra={"key": thing.id, "error": type(error).__name__})
                trouble = f"a defect of ours: {type(error).__name__}"
        after = await self._in_store(lambda: self._after(thing.id, journey, results, trouble))
        said = {"check": thing.check_id, "object": f"{thing.what} {thing.name or thing.run_id}", "trouble": trouble}
        log.log(
            logging.INFO if trouble is None else logging.WARNING, "a created object was to be taken away", extra=said
        )
        return after

    def figures(self, standing: Standing) -> Figures:
        """How things stand, journey by journey."""
        resting = {brake.account for brake in standing.paused}
        return Figures(
            states=tuple((thing.check_id, standing.state(thing)) for thing in standing.open),
            journeys=tuple(self._journeys),
            resting=frozenset(
                name for name, journey in self._journeys.items() if resting & set(accounts(journey).values())
            ),
        )

    def standing(self) -> Standing:
        """How things stand, by the store."""
        return self._stand()

    def _can_be_tried(self, thing: Thing) -> bool:
        """Whether all values are known that taking it away needs."""
        journey = self._journeys.get(thing.check_id)
        step = maker(journey, thing.step) if journey is not None else None
        return journey is not None and step is not None and needs(journey, step) <= {name for name, _ in thing.values}

    def _claim(self, thing: Thing, until_us: int) -> bool:
        with self._database.begin() as tx:
            logins = self._logins(thing.check_id)
            if any(created.brake(tx, account).pauses(self._clock.now_us()) for account in logins):
                return False
            return created.claim(tx, thing, until_us=until_us)

    def _logins(self, check_id: str) -> frozenset[str]:
        """The accounts that a journey logs in with; none of one that is no longer configured."""
        journey = self._journeys.get(check_id)
        return frozenset(accounts(journey).values()) if journey is not None else frozenset()

    def _after(
        self, name: str, journey: AnyJourney | None, results: Sequence[StepResult], trouble: str | None
    ) -> Thing | None:
        now_us = self._clock.now_us()
        with self._database.begin() as tx:
            if journey is not None:
                note_logins(tx, journey, results, attempts=1, now_us=now_us)
            thing = created.get(tx, name)
            if thing is None:
                return None
            after = tried(thing, trouble, now_us=now_us)
            created.save(tx, after)
        return after

    def _stand(self) -> Standing:
        with self._database.read() as tx:
            return _standing(tx, self._clock.now_us())

    def _tell(self) -> Standing:
        now_us = self._clock.now_us()
        with self._database.read() as tx:
            standing = _standing(tx, now_us)
        if standing.orphans:
            titles = {name: journey.title for name, journey in self._journeys.items()}
            with self._database.begin() as tx:
                messages = left_behind_messages(
                    [_told(thing, titles) for thing in standing.orphans], self._recipients, now_us=now_us
                )
                standing = replace(standing, told=bool(outbox.add(tx, messages, now_us=now_us)))
        return standing


def note_sample(tx: Transaction, check: Check, sample: Sample, *, now_us: int) -> None:
    """What a sample says about the accounts it logged in with. Belongs into the transaction that stores it."""
    if isinstance(check, Journey | BrowserJourney):
        note_logins(tx, check, sample.steps, attempts=sample.attempts, now_us=now_us)


def note_logins(
    tx: Transaction, journey: AnyJourney, results: Sequence[StepResult], *, attempts: int, now_us: int
) -> None:
    """What steps that log in say about their accounts.

    Args:
        attempts: how many runs in a row ended like this one.
    """
    logins = accounts(journey)
    for result in results:
        account = logins.get(result.step)
        if account is None or not (result.outcome in _OVER or refused_login(result)):
            continue
        before = created.brake(tx, account)
        refused = attempts if refused_login(result) else 0
        after = after_login(before, refused=refused, most=journey.max_failed_logins, now_us=now_us)
        if after != before:
            created.save_brake(tx, after)
            if after.pauses(now_us):
                until = {"account": account, "until_us": after.paused_until_us, "refused": after.refused}
                log.warning("logging in pauses, so that the account is not locked out", extra=until)


def _standing(tx: Transaction, now_us: int) -> Standing:
    things = created.read(tx)
    return Standing(
        open=things,
        orphans=tuple(thing for thing in things if orphaned(thing, now_us=now_us)),
        paused=tuple(brake for brake in created.brakes(tx) if brake.pauses(now_us)),
    )


def _told(thing: Thing, titles: Mapping[str, Title]) -> tuple[str, Title]:
    title = titles.get(thing.check_id, Title(nl=thing.check_id, en=thing.check_id))
    return f"{thing.what} {thing.name or thing.run_id}", title
