"""A month of the practice portal in minutes: the service's own parts, living in simulated time, with a story.

Real are the schedule, the journeys and the portal they walk, incidents, mails, ledger, assessment and report. Replaced
are the clocks, the network (the portal is called in this process) and the mail server (mails become files).
"""

from __future__ import annotations

import asyncio
import re
import shutil
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from monitor import composition, config, demo_story, sealing
from monitor.alerts import report_messages
from monitor.assessing import note_intervals
from monitor.automatic import due_reports, report_news
from monitor.check_run import Alerting, Recorder, run_check
from monitor.config import Loaded
from monitor.delivery import Delivery, Patience
from monitor.demo_story import STORY, Happening, Note
from monitor.issuing import record
from monitor.mail_message import Answer, MailMessage, Receipt, wire
from monitor.missed import MissedSlots
from monitor.observer import Unobserved
from monitor.reporting import Written, write
from monitor.schedule import ClockJump, Schedule
from monitor.simulation import Simulation
from monitor.store import events, ledger, outbox, samples
from monitor.store.database import Database, Transaction, directly
from monitor.store.events import Event
from probes.checks import Check
from probes.http import Transport
from probes.practice.in_process import InProcessTransport
from probes.practice.portal import PracticePortal
from probes.references import ours_to_blame, references_up
from probes.run import run
from probes.sample import Outcome, Sample
from probes.setup import Setup
from sla.assessment import Assessment, Verdict
from sla.ledger import Entry

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
#: In simulated time nothing stops or starves the process, so looking once a minute is enough.
_GUARD_US = 60 * _SECOND_US
_IDLE_US = 600 * _SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What the month left behind.

    Attributes:
        config: a configuration for this database; every command and page takes it.
        mails: one file per mail, in the order in which they were sent.
        runs: how many samples were stored.
        reports: the files of the month's report by form; empty where the contract did not ask for one.
        took_seconds: of real time.
    """

    config: Path
    database: Path
    mails: tuple[Path, ...]
    runs: int
    reports: dict[str, str]
    without_pdf: str
    assessment: Assessment | None
    took_seconds: float


#: Told the simulated instant (us), and now and then a line of the story.
Tell = Callable[[int, str], None]


def demo(target: Path, *, console: Console | None = None, seed: int = demo_story.SEED) -> DemoResult:
    """Live the demo month into `target`, which is emptied first where an earlier demo left something, and tell it.

    Args:
        console: where it is told: a bar on a terminal, plain lines elsewhere; None is standard error.
    """
    console = console or Console(stderr=True, highlight=False, soft_wrap=True)
    path = prepare(target.resolve())  # the paths that are stored hold from any directory
    begins_us, ends_us = instant_us(demo_story.BEGINS), instant_us(demo_story.ENDS)
    with _shown(console, begins_us, ends_us) as tell:
        result = live(path, begins_us=begins_us, ends_us=ends_us, story=STORY, seed=seed, tell=tell)
    _tell_result(console, result)
    return result


def live(
    path: Path, *, begins_us: int, ends_us: int, story: Sequence[Happening], seed: int, tell: Tell = lambda *_: None
) -> DemoResult:
    """Live from one instant to another with the configuration at `path`. The same seed gives the same samples."""
    began = time.perf_counter()
    loaded = config.load(path, environ={})
    simulation = Simulation(start_us=begins_us, seed=seed)
    database = Database.open(loaded.database_url, durable=False)
    try:
        stage = _Stage(loaded=loaded, simulation=simulation, database=database, mails=path.parent / "mails", tell=tell)
        simulation.run(_play(stage, story, ends_us))
        with database.read() as tx:
            names = [check.id for check in loaded.config.checks]
            runs = sum(1 for _ in samples.stream(tx, names, begins_us, ends_us))
    finally:
        database.close()
    written = stage.written
    return DemoResult(
        config=path,
        database=Path(str(database.engine.url.database)),
        mails=tuple(stage.sent),
        runs=runs,
        reports=dict(written.issued.files) if written else {},
        without_pdf=written.without_pdf if written else "",
        assessment=written.assessment if written else None,
        took_seconds=time.perf_counter() - began,
    )


# -- the configuration -----------------------------------------------------------------------------------------------


def prepare(target: Path) -> Path:
    """A configuration of its own in `target`: the example's, with the intervals of the story."""
    source = _example()
    root = Path(__file__).parent.parent
    shutil.rmtree(target / "var", ignore_errors=True)
    shutil.rmtree(target / "mails", ignore_errors=True)
    target.mkdir(parents=True, exist_ok=True)
    for name, file in _files(source, root):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text(encoding="utf-8")
        copy.write_text(_INTERVAL.sub(_coarser, text), encoding="utf-8")
    return target / source.name


def _example() -> Path:
    """config.toml as it is installed with the package, or at the top of a source tree."""
    here = Path(__file__).parent
    return next(path for path in (here / "example" / "config.toml", here.parent / "config.toml") if path.is_file())


def _files(source: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """The configuration and what it names (includes and contracts), relative to it; those lie below `root`."""
    names = [source.name]
    for name in names:
        file = source if name == source.name else root / name
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
        names += [str(include) for include in tree.get("include", ())]
        names += [str(contract["file"]) for contract in tree.get("contract", ()) if isinstance(contract, dict)]
        yield name, file


_INTERVAL = re.compile(r'(?ms)(^\[\[journey\]\]\nid = "([^"]+)"(?:(?!^\[).)*?^interval = )"[^"]+"')


def _coarser(match: re.Match[str]) -> str:
    return f'{match[1]}"{demo_story.INTERVALS.get(match[2], demo_story.OTHERWISE)}"'


def instant_us(civil: datetime) -> int:
    """A civil time of the story as microseconds since the epoch."""
    return int(civil.replace(tzinfo=ZoneInfo(demo_story.ZONE)).timestamp()) * _SECOND_US


# -- the month -------------------------------------------------------------------------------------------------------


class _Bell(Unobserved):
    """Wakes the delivery when there may be something to send."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()

    def sample(self, sample: Sample) -> None:
        if sample.outcome is not Outcome.UP:
            self.wake.set()

    def incident(self, check_id: str, since_us: int | None) -> None:
        self.wake.set()


@dataclass(slots=True, kw_only=True)
class _Stage:
    """What lasts the whole month, also while the monitor is off."""

    loaded: Loaded
    simulation: Simulation
    database: Database
    mails: Path
    tell: Tell
    sent: list[Path] = field(default_factory=list)
    written: Written | None = None
    portal: PracticePortal = field(init=False)
    setup: Setup = field(init=False)
    _references: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.mails.mkdir(parents=True, exist_ok=True)
        clock = self.simulation.clock
        # Small memories: every run of a journey leaves a dossier and a mail, and some pages list them.
        self.portal = PracticePortal(now_us=clock.now_us, seed=str(clock.new_id()), max_dossiers=60, max_mails=60)
        self._references = frozenset(self.loaded.config.references.urls)
        self.setup = replace(composition.probe_setup(self.loaded, clock), transport=self.way_out)

    def way_out(self) -> Transport:
        return InProcessTransport(self.portal.app, latency=self._latency)

    def reference_way_out(self) -> Transport:
        return InProcessTransport(self.portal.reference_app, latency=self._latency)

    def _latency(self, method: str, _path: str) -> float:
        """Seconds: log-normal, longer for what is written and during office hours."""
        hour = self.simulation.clock.now_us() // (3_600 * _SECOND_US) % 24
        busy = 1.5 if 6 <= hour < 16 else 1.0
        return busy * (1.8 if method == "POST" else 1.0) * self.simulation.random.lognormvariate(-2.5, 0.4)

    async def send(self, mail: MailMessage) -> Receipt:
        """A mail server that takes everything and keeps it as files."""
        path = self.mails / f"{len(self.sent) + 1:04}.eml"
        path.write_bytes(wire(mail))
        self.sent.append(path)
        return Receipt(answers=tuple(Answer(address=a, code=250, text="kept") for a in mail.recipients))


class _Life:
    """One stretch of the monitor being on, from its start to its stop."""

    def __init__(self, stage: _Stage) -> None:
        self._stage = stage
        self._clock = stage.simulation.clock
        self._bell = _Bell()
        settings = stage.loaded.config
        self._alerting = Alerting(
            rule=settings.incidents,
            recipients=settings.recipient,
            titles={check.id: check.title for check in settings.checks},
        )
        self._recorder = Recorder(database=stage.database, in_store=directly, clock=self._clock, observer=self._bell)
        self._delivery = Delivery(
            database=stage.database,
            in_store=directly,
            send=stage.send,
            compose=composition.mail_writer(stage.loaded),
            clock=self._clock,
            observer=self._bell,
            owner="demo",
            chance=stage.simulation.random.random,
            patience=Patience(idle_us=_IDLE_US),
        )

    def start(self) -> None:
        stage, settings = self._stage, self._stage.loaded.config
        with stage.database.begin() as tx:
            now_us = self._clock.now_us()
            events.add(tx, Event(at_us=now_us, kind="start", data={"config_sha256": stage.loaded.sha256}))
            note_intervals(tx, settings.journey, now_us)
            last = samples.last(tx, [journey.id for journey in settings.journey], settings.monitor.location)
        self._schedule = Schedule(
            settings.journey,
            clock=self._clock,
            start=self._run,
            on_missed=self._missed,
            on_jump=self._jumped,
            done={name: sample.slot_us for name, sample in last.items()},
            guard_us=_GUARD_US,
        )
        self._schedule.start()
        self._mailing = asyncio.create_task(self._delivery.run(self._bell.wake))

    async def stop(self) -> None:
        await self._schedule.stop(grace_us=60 * _SECOND_US)
        await self._recorder.drain()
        await self._delivery.deliver_due()
        self._mailing.cancel()
        with self._stage.database.begin() as tx:
            events.add(tx, Event(at_us=self._clock.now_us(), kind="stop"))

    async def issue_reports(self) -> None:
        """What the service does by itself: seal the days that are over; write the past month's report, and mail it."""
        stage, settings = self._stage, self._stage.loaded.config
        now_us = self._clock.now_us()
        digests = sealing.digests_due(stage.loaded.database_url, now_us)
        with stage.database.begin() as tx:
            sealing.record(tx, digests, now_us=now_us)
        for contract in stage.loaded.contracts:
            with stage.database.read() as tx:
                periods, _ = due_reports(tx, contract, self._clock.now_us())
            # The demo begins on the evening before its month; those few hours deserve no report of their own.
            for period in periods[-1:]:
                now_us = self._clock.now_us()
                written = write(composition.report_job(stage.loaded, contract, period, now_us=now_us, automatic=True))
                news = report_news(written, settings.pages.public_url)
                with stage.database.begin() as tx:
                    if record(tx, written.issued, by="loketwacht"):
                        outbox.add(tx, report_messages(news, settings.recipient), now_us=now_us)
                stage.written = stage.written or written
                self._bell.wake.set()

    async def _run(self, check: Check, slot_us: int) -> None:
        await run_check(
            check,
            slot_us,
            measure=self._measure,
            references=self._ask_references,
            alerting=self._alerting,
            recorder=self._recorder,
            clock=self._clock,
            observer=self._bell,
        )

    async def _measure(self, check: Check, slot_us: int) -> Sample:
        location = self._stage.loaded.config.monitor.location
        return await run(check, slot_us=slot_us, location=location, setup=self._stage.setup)

    async def _ask_references(self) -> bool:
        settings = self._stage.loaded.config.references
        setup = replace(self._stage.setup, transport=self._stage.reference_way_out)
        return not ours_to_blame(await references_up(settings.urls, deadline_us=settings.deadline, setup=setup))

    def _missed(self, missed: MissedSlots) -> None:
        self._keep(missed.event(self._stage.loaded.config.monitor.location, now_us=self._clock.now_us()))

    def _jumped(self, jump: ClockJump) -> None:
        self._keep(Event(at_us=jump.at_us, kind="clock-jump", data={"shift_us": jump.shift_us}))

    def _keep(self, event: Event) -> None:
        with self._stage.database.begin() as tx:
            events.add(tx, event)


async def _play(stage: _Stage, story: Sequence[Happening], ends_us: int) -> None:
    begins_us = stage.simulation.clock.now_us()
    life = _Life(stage)
    life.start()
    for happening in sorted(story, key=lambda happening: happening.at):
        if not begins_us <= instant_us(happening.at) < ends_us:
            continue
        await _until(stage, instant_us(happening.at))
        stage.tell(stage.simulation.clock.now_us(), happening.text)
        for order in happening.faults:
            stage.portal.faults.add(order)
        if happening.note is not None:
            _write_down(stage, happening.note)
        if happening.off_seconds:
            await life.stop()
            await _until(stage, instant_us(happening.at) + happening.off_seconds * _SECOND_US)
            life = _Life(stage)
            life.start()
    await _until(stage, ends_us)
    await life.issue_reports()
    await life.stop()


async def _until(stage: _Stage, at_us: int) -> None:
    now_us = stage.simulation.clock.now_us
    while now_us() < at_us:
        await asyncio.sleep(min(_DAY_US // 24, at_us - now_us()) / _SECOND_US)
        stage.tell(now_us(), "")


def _write_down(stage: _Stage, note: Note) -> None:
    with stage.database.begin() as tx:
        ledger.append(tx, _entry(stage, note, tx))


def _entry(stage: _Stage, note: Note, tx: Transaction) -> Entry:
    data = dict(note.data)
    if note.answers:
        data["notification"] = str([s.seq for s in ledger.read(tx, kinds=("notification",))][-1])
    return Entry(
        kind=note.kind,
        recorded_us=stage.simulation.clock.now_us(),
        by=note.by,
        reason=note.reason,
        from_us=instant_us(note.begins),
        until_us=None if note.ends is None else instant_us(note.ends),
        scope=note.scope,
        data=data,
    )


# -- what is shown meanwhile -------------------------------------------------------------------------------------------


@contextmanager
def _shown(console: Console, begins_us: int, ends_us: int) -> Iterator[Tell]:
    every = ", ".join(f"{name} every {interval}" for name, interval in demo_story.INTERVALS.items())
    console.print(f"October 2026 in simulated time: {every}, the other journeys every {demo_story.OTHERWISE}.")
    if not console.is_terminal:
        yield _Lines(console).tell
        return
    columns = (
        TextColumn("{task.fields[moment]}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=ends_us - begins_us, moment="")

        def tell(at_us: int, text: str) -> None:
            bar.update(task, completed=at_us - begins_us, moment=_civil(at_us))
            if text:
                bar.console.print(f"{_civil(at_us)}  {text}")

        yield tell


class _Lines:
    """The story, and a sign of life every third day, as plain lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._day = ""

    def tell(self, at_us: int, text: str) -> None:
        day = _civil(at_us)[:10]
        if text:
            self._console.print(f"{_civil(at_us)}  {text}")
        elif day != self._day and int(day[-2:]) % 3 == 0:
            self._console.print(f"{day} ...")
        self._day = day


def _civil(at_us: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")) + timedelta(microseconds=at_us)
    return moment.astimezone(ZoneInfo(demo_story.ZONE)).strftime("%Y-%m-%d %H:%M")


_VERDICTS = {Verdict.MET: "met", Verdict.MISSED: "missed", Verdict.UNDECIDED: "undecided"}


def _tell_result(console: Console, result: DemoResult) -> None:
    console.print(
        f"\nA month in {result.took_seconds:.0f} s: {result.runs} samples stored, {len(result.mails)} mails sent."
    )
    if result.assessment is not None:
        console.print(_clauses(result.assessment))
        console.print(_outages(result.assessment))
        others = sum(not one.sanctionable for one in result.assessment.outages)
        console.print(f"{others} other outages are not; the report says of each why.\n")
    if result.without_pdf:
        console.print(result.without_pdf)
    for form, path in result.reports.items():
        console.print(f"Report ({form}): {path}", markup=False)
    console.print(f"Mails:    {result.mails[0].parent if result.mails else 'none'}", markup=False)
    console.print(f"Database: {result.database}", markup=False)
    console.print(f"Explore:  loketwacht incidents --config {result.config}", markup=False)
    console.print(f"          loketwacht run --practice --config {result.config}", markup=False)


def _clauses(assessment: Assessment) -> Table:
    table = Table("clause", "verdict", "measured", "target", "proposal", box=None, pad_edge=False)
    for one in assessment.clauses:
        ratio = one.availability.point if one.availability is not None else None
        table.add_row(
            one.clause.id,
            _VERDICTS[one.verdict],
            _percent(ratio) if ratio is not None else "",
            _percent(one.target) if isinstance(one.target, Fraction) else "",
            f"EUR {one.sanction.amount_eur:.2f}" if one.sanctionable else "",
        )
    return table


def _outages(assessment: Assessment) -> Table:
    table = Table("sanctionable outage", "proposal", "because", box=None, pad_edge=False)
    for one in assessment.outages:
        if one.sanctionable:
            table.add_row(one.id, f"EUR {one.amount_eur:.2f}", one.reasons[0].en if one.reasons else "")
    return table


def _percent(ratio: Fraction) -> str:
    hundredths = ratio * 10_000 // 1  # cut, never rounded up
    return f"{hundredths // 100}.{hundredths % 100:02} %"
