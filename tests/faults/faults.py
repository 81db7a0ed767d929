"""The faults, each a small story: the monitor runs, something breaks, it is mended, and all is well again.

Every story leaves `scene.recovered_s`; what became of samples and mails is reckoned afterwards.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import sleep
from zoneinfo import ZoneInfo

from tests.faults.scene import READERS, Scene, Stuck, environment_of
from tests.faults.world import HOSTILE

_FAKETIME = tuple(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
BRUSSELS = ZoneInfo("Europe/Brussels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A story and what is promised of it.

    Attributes:
        journeys: how many there are.
        more: further configuration, made from the scene.
        may_double: a mail may come twice (with the same Message-ID): the process or the connection may die between
            the server's taking it and our knowing so. Everywhere else that is a fault of ours.
        may_end: the process may end by itself; then the story starts it again.
        needs: why this cannot be played here; None where it can.
    """

    name: str
    story: Callable[[Scene], None]
    journeys: int = 4
    interval_s: float = 1.5
    more: Callable[[Scene], str] = field(default=lambda scene: "")
    host: str = "127.0.0.1"
    may_double: bool = False
    checks_without_incident: bool = False
    needs: Callable[[], str | None] = field(default=lambda: None)


def _broken_and_told(scene: Scene, journey: str = "j01") -> None:
    scene.break_it(journey)
    scene.until(lambda: scene.told("STORING", journey), seconds=30, what="the outage is mailed")


def _mended_and_told(scene: Scene, journey: str = "j01", *, seconds: float = 60) -> None:
    scene.mend(journey)
    scene.until(lambda: scene.told("HERSTELD", journey), seconds=seconds, what="the recovery is mailed")


# -- the process ---------------------------------------------------------------------------------------------------


def killed(scene: Scene) -> None:
    """kill -9 at random points, while an outage begins, is mailed and ends."""
    scene.start()
    for number in range(6):
        journey = scene.chance.choice(scene.journeys)
        broken = number % 2 == 0
        if broken:
            scene.world.modes[journey] = "500"
        sleep(scene.chance.uniform(0.0, 2.0))
        scene.end(signal.SIGKILL)
        sleep(scene.chance.uniform(0.0, 1.5))
        scene.start()
        if broken:
            scene.break_it(journey)
            scene.until(lambda: scene.told("STORING", journey), seconds=45, what="the outage is mailed after all")  # noqa: B023
            _mended_and_told(scene, journey)
        scene.recovered()


def stopped(scene: Scene) -> None:
    """SIGTERM in the middle of runs, five times: what is under way is stored or told, and it ends in time."""
    scene.start()
    for _ in range(5):
        sleep(scene.chance.uniform(0.0, 1.0))
        if (code := scene.end()) != 0:
            raise Stuck(f"SIGTERM ended it with code {code}")
        scene.start()
    scene.recovered()


def asleep(scene: Scene) -> None:
    """The machine sleeps for ten minutes: monotonic time stands still, the wall's clock does not."""
    clock = _clock(scene, 0)
    _broken_and_told(scene)
    scene.signal(signal.SIGSTOP)
    _set(clock, 600)
    sleep(2)
    scene.signal(signal.SIGCONT)
    scene.mend("j01")
    scene.recovered()
    _mended_and_told(scene)


def frozen(scene: Scene) -> None:
    """The process alone stands still for fifteen seconds (SIGSTOP), as on a starved machine."""
    scene.start()
    _broken_and_told(scene)
    scene.signal(signal.SIGSTOP)
    sleep(15)
    scene.signal(signal.SIGCONT)
    scene.recovered()
    _mended_and_told(scene)


# -- the store -----------------------------------------------------------------------------------------------------


def locked(scene: Scene) -> None:
    """Another process holds the store's write lock for thirty seconds, through the beginning of an outage."""
    scene.start()
    with closing(sqlite3.connect(scene.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        scene.break_it("j01")
        sleep(30)
        other.execute("ROLLBACK")
    scene.recovered()
    scene.until(lambda: scene.told("STORING", "j01"), seconds=30, what="the outage is mailed")
    _mended_and_told(scene)


def disk_full(scene: Scene) -> None:
    """Not a byte is left on the disk of the store for twelve seconds."""
    _mount(scene)
    scene.start()
    ballast = scene.data / "ballast"
    scene.break_it("j01")
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(65536)):
                pass
        except OSError:
            pass
        try:
            while file.write(b"\0"):
                pass
        except OSError:
            pass
    sleep(12)
    ballast.unlink()
    scene.recovered()
    scene.until(lambda: scene.told("STORING", "j01"), seconds=30, what="the outage is mailed")
    _mended_and_told(scene)


def read_only(scene: Scene) -> None:
    """Every write to the store's file fails, as on a disk that was remounted read-only after an error.

    A disk with a file that is open for writing cannot be remounted, so the process's own limit stands in for it.
    """
    scene.start()
    assert scene.process is not None
    scene.break_it("j01")
    limit = "--fsize=1:unlimited"
    subprocess.run(["prlimit", f"--pid={scene.process.pid}", limit], check=True)
    sleep(12)
    subprocess.run(["prlimit", f"--pid={scene.process.pid}", "--fsize=unlimited:unlimited"], check=True)
    scene.recovered()
    scene.until(lambda: scene.told("STORING", "j01"), seconds=30, what="the outage is mailed")
    _mended_and_told(scene)


def damaged(scene: Scene) -> None:
    """Pages of the file are overwritten: the start is refused and explained; the file that was whole goes on."""
    scene.start()
    _broken_and_told(scene)
    scene.mend("j01")
    _mended_and_told(scene)
    scene.end()
    whole = scene.database.read_bytes()
    scene.database.write_bytes(whole[:100] + scene.chance.randbytes(4096) + whole[4196:])
    scene.launch()
    assert scene.process is not None
    try:
        code = scene.process.wait(30)
    except subprocess.TimeoutExpired:
        raise Stuck("a damaged store was taken for a whole one") from None
    said = (scene.folder / "run.log").read_text(encoding="utf-8", errors="replace")
    if code == 0 or "restore" not in said:
        raise Stuck(f"a damaged store ended it with code {code}, and it did not explain how to restore it")
    if scene.database.read_bytes()[100:4196] == whole[100:4196]:
        raise Stuck("the damaged file was written over")
    scene.database.write_bytes(whole)
    scene.process = None
    scene.start()
    scene.recovered()


# -- the post ------------------------------------------------------------------------------------------------------


def post_away(scene: Scene) -> None:
    """No mail server for an hour: an outage comes and goes meanwhile, and its mails say when they were written."""
    clock = _clock(scene, 0)
    scene.world.post_away()
    _quietly_broken(scene)
    for minutes in (10, 20, 30, 40, 50, 60):
        _set(clock, minutes * 60)
        sleep(1.5)
    scene.world.post_back()
    # The pause between attempts has grown to ten minutes; they pass.
    _set(clock, 72 * 60)
    scene.recovered()
    scene.until(lambda: scene.told("STORING", "j01"), seconds=30, what="the outage is mailed")
    scene.until(lambda: scene.told("HERSTELD", "j01"), seconds=45, what="the recovery is mailed")


def post_later(scene: Scene) -> None:
    """The mail server says 451 to everything for a while."""
    scene.start()
    scene.world.post.data = "451 4.3.0 later, please"
    _quietly_broken(scene)
    scene.world.post.data = None
    scene.recovered(seconds=90)
    scene.until(lambda: scene.told("HERSTELD", "j01"), seconds=60, what="the recovery is mailed")


def post_refuses(scene: Scene) -> None:
    """One of three recipients is refused for good: the two others hear everything."""
    scene.world.post.rcpt[READERS[1]] = "550 5.1.1 no such user"
    scene.start()
    _broken_and_told(scene)
    _mended_and_told(scene)
    scene.recovered()


def post_hangs(scene: Scene) -> None:
    """The mail server takes DATA and never answers."""
    scene.start()
    scene.world.post.hang = "data"
    _quietly_broken(scene)
    scene.world.post.hang = None
    scene.recovered(seconds=90)
    scene.until(lambda: scene.told("HERSTELD", "j01"), seconds=60, what="the recovery is mailed")


def post_drops(scene: Scene) -> None:
    """The connection breaks after the mail was taken and before that was said."""
    scene.start()
    scene.world.post.hang = "drop"
    scene.break_it("j01")
    scene.until(lambda: bool(scene.world.post.arrived), seconds=20, what="the server took the mail")
    scene.world.post.hang = None
    scene.recovered(seconds=90)
    _mended_and_told(scene)


# -- clocks --------------------------------------------------------------------------------------------------------


def clock_back(scene: Scene) -> None:
    """The wall's clock is set back an hour in the middle of an outage."""
    clock = _clock(scene, 0)
    _broken_and_told(scene)
    _set(clock, -3600)
    sleep(3)
    scene.recovered()
    _mended_and_told(scene)


def clock_forward(scene: Scene) -> None:
    """The wall's clock is set forward an hour in the middle of an outage."""
    clock = _clock(scene, 0)
    _broken_and_told(scene)
    _set(clock, 3600)
    sleep(3)
    scene.recovered()
    _mended_and_told(scene)


def autumn(scene: Scene) -> None:
    """The hour that is lived twice begins while an outage lasts."""
    _night(scene, datetime(2026, 10, 25, 2, 59, 50, tzinfo=BRUSSELS))


def spring(scene: Scene) -> None:
    """The hour that is skipped is skipped while an outage lasts."""
    _night(scene, datetime(2027, 3, 28, 1, 59, 50, tzinfo=BRUSSELS))


def _night(scene: Scene, begins: datetime) -> None:
    from tests.faults.world import now_us

    _clock(scene, round(begins.timestamp() - now_us() / 1_000_000))
    _broken_and_told(scene)
    sleep(10)
    _mended_and_told(scene)
    scene.recovered()


# -- the network and the portal ------------------------------------------------------------------------------------


def no_names(scene: Scene) -> None:
    """Names resolve no more, of the portal and of the references alike: that is our fault, and no outage."""
    hosts = scene.folder / "hosts"
    hosts.write_text("127.0.0.1 localhost proefloket.test\n", encoding="ascii")
    resolver = scene.folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions attempts:1 timeout:1\n", encoding="ascii")
    _bind(hosts, "/etc/hosts")
    _bind(resolver, "/etc/resolv.conf")
    try:
        scene.start()
        hosts.write_text("127.0.0.1 localhost\n", encoding="ascii")
        sleep(10)
        hosts.write_text("127.0.0.1 localhost proefloket.test\n", encoding="ascii")
        scene.recovered()
        if not _ours(scene):
            raise Stuck("without names nothing was noted as our own fault")
    finally:
        for target in ("/etc/hosts", "/etc/resolv.conf"):
            subprocess.run(["umount", target], check=True)


def own_line_gone(scene: Scene) -> None:
    """The portal and every reference fail together: our own line, and no outage of the portal."""
    scene.start()
    scene.world.references_up = False
    for journey in scene.journeys:
        scene.world.modes[journey] = "500"
    sleep(8)
    scene.world.modes.clear()
    scene.world.references_up = True
    scene.recovered()
    if not _ours(scene):
        raise Stuck("with every reference away nothing was noted as our own fault")


def hostile(scene: Scene) -> None:
    """Twenty journeys; eight of them meet portals that hang, drip, flood, burst, go round and shout. Twelve do not."""
    scene.start()
    names = scene.journeys[:: len(scene.journeys) // len(HOSTILE)][: len(HOSTILE)]
    for name, mode in zip(names, HOSTILE, strict=True):
        scene.world.modes[name] = mode
        scene.outages.add(name)
    for name in names:
        scene.until(lambda: scene.told("STORING", name), seconds=60, what=f"{name} is told as an outage")  # noqa: B023
    sleep(15)
    for name in names:
        scene.mend(name)
    for name in names:
        scene.until(lambda: scene.told("HERSTELD", name), seconds=60, what=f"{name} is told as mended")  # noqa: B023
    scene.recovered()


def certificates(scene: Scene) -> None:
    """An expired certificate and one of another name: both down, both told, and nothing else is."""
    scene.outages |= {"verlopen", "vreemd"}
    scene.start()
    for name in ("verlopen", "vreemd"):
        scene.until(lambda: scene.told("STORING", name), seconds=30, what=f"{name} is told as an outage")  # noqa: B023
    scene.recovered()


def _certificate_checks(scene: Scene) -> str:
    return "".join(
        f'\n[[certificate]]\nid = "{name}"\ntitle = {{ nl = "Reis {name}", en = "Journey {name}" }}\n'
        f'interval = "2s"\ndeadline = "900ms"\nhost = "127.0.0.1"\nport = {port}\n'
        for name, port in (("verlopen", scene.world.expired_port), ("vreemd", scene.world.mismatched_port))
    )


# -- tools ---------------------------------------------------------------------------------------------------------


def _quietly_broken(scene: Scene) -> None:
    """An outage that begins and ends while no mail can leave; nobody hears of it yet."""
    scene.break_it("j01")
    scene.until(lambda: scene.waiting() > 0, seconds=30, what="the news lies in the outbox")
    sleep(5)
    scene.mend("j01")
    scene.until(lambda: scene.waiting() > 1, seconds=30, what="the recovery lies in the outbox too")


def _ours(scene: Scene) -> bool:
    with closing(sqlite3.connect(f"file:{scene.database}?mode=ro", uri=True, timeout=5)) as store:
        return bool(store.execute("SELECT count(*) FROM sample WHERE outcome = 'unknown'").fetchone()[0])


def _clock(scene: Scene, seconds: int) -> Path:
    """Start the monitor with a wall clock of its own, so far from the true one; the file that sets it."""
    clock = scene.folder / "clock"
    _set(clock, seconds)
    scene.start(**environment_of(clock, str(_FAKETIME[0])))
    return clock


def _set(clock: Path, seconds: int) -> None:
    beside = clock.with_suffix(".new")
    beside.write_text(f"{seconds:+d}\n", encoding="ascii")
    beside.replace(clock)


def _mount(scene: Scene) -> None:
    """A disk of its own for the store, small enough to be filled; it goes when this process's namespace does."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(scene.data)], check=True)


def _bind(file: Path, over: str) -> None:
    subprocess.run(["mount", "--bind", str(file), over], check=True)


def _needs_clock() -> str | None:
    return None if _FAKETIME else "needs Debian's package faketime"


def _needs_mounts() -> str | None:
    inside = os.environ.get("LOKETWACHT_FAULTS_INSIDE") == "1"
    return None if inside else "needs a mount namespace: run it as root, or where users may make namespaces"


FAULTS: tuple[Fault, ...] = (
    Fault(name="kill -9 at random points", story=killed, may_double=True),
    Fault(name="SIGTERM in the middle of runs", story=stopped),
    Fault(name="machine asleep for 10 minutes", story=asleep, needs=_needs_clock),
    Fault(name="process frozen for 15 s", story=frozen),
    Fault(name="store locked for 30 s", story=locked),
    Fault(name="disk full", story=disk_full, needs=_needs_mounts),
    Fault(name="store cannot be written", story=read_only),
    Fault(name="store's file damaged", story=damaged),
    Fault(name="no mail server for an hour", story=post_away, needs=_needs_clock),
    Fault(name="mail server says 451", story=post_later),
    Fault(name="one of three readers refused", story=post_refuses),
    Fault(name="mail server hangs in DATA", story=post_hangs, may_double=True),
    Fault(name="connection lost after DATA", story=post_drops, may_double=True),
    Fault(name="clock back an hour", story=clock_back, needs=_needs_clock),
    Fault(name="clock forward an hour", story=clock_forward, needs=_needs_clock),
    Fault(name="the night with an hour twice", story=autumn, needs=_needs_clock),
    Fault(name="the night without an hour", story=spring, needs=_needs_clock),
    Fault(name="names resolve no more", story=no_names, host="proefloket.test", needs=_needs_mounts),
    Fault(name="our own line gone", story=own_line_gone),
    Fault(name="20 journeys, 8 hostile portals", story=hostile, journeys=20, interval_s=2.5),
    Fault(name="certificates expired, mismatched", story=certificates, more=_certificate_checks),
)
