"""All faults that are played, and what is promised of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.scene import Scene
from tests.faults.stories import around, clocks, post, process, store
from tests.faults.stories.clocks import needs_a_clock
from tests.faults.stories.store import needs_mounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A story and what is promised of it.

    Attributes:
        journeys: how many there are.
        more: further configuration, made from the scene.
        host: of the portal.
        over_https: journeys that go to the portal's encrypted door.
        blinds: it keeps us from measuring for a while, so the report must tell of that.
        on_time: the journeys that are served well are measured at every slot meanwhile, and begin in time.
        may_double: a mail may come twice (with the same Message-ID): the process or the connection may die between
            the server's taking it and our knowing so. Everywhere else that is a fault of ours.
        refuses: the server refuses a mail for good; then what is promised is that this is on record.
        needs: why this cannot be played here; None where it can.
    """

    name: str
    story: Callable[[Scene], None]
    journeys: int = 4
    interval_s: float = 1.5
    more: Callable[[Scene], str] = field(default=lambda scene: "")
    host: str = "127.0.0.1"
    over_https: tuple[str, ...] = ()
    blinds: bool = False
    on_time: bool = False
    may_double: bool = False
    refuses: bool = False
    needs: Callable[[], str | None] = field(default=lambda: None)


def _twenty(name: str, story: Callable[[Scene], None]) -> Fault:
    return Fault(name=name, story=story, journeys=20, interval_s=2.5, on_time=True)


def _certificate(name: str, story: Callable[[Scene], None]) -> Fault:
    return Fault(name=name, story=story, over_https=("j01",), more=around.certificate_check, on_time=True)


FAULTS: tuple[Fault, ...] = (
    Fault(name="kill -9 at random points", story=process.killed, may_double=True, blinds=True),
    Fault(name="SIGTERM in the middle of runs", story=process.stopped),
    Fault(name="machine asleep for 10 minutes", story=process.asleep, blinds=True, needs=needs_a_clock),
    Fault(name="process frozen for 15 s", story=process.frozen, blinds=True),
    Fault(name="store locked for 30 s", story=store.locked, on_time=True),
    Fault(name="disk full", story=store.disk_full, needs=needs_mounts),
    Fault(name="store cannot be written", story=store.unwritable, on_time=True),
    Fault(name="file system turns read-only", story=store.turns_read_only, blinds=True, needs=needs_mounts),
    Fault(name="power cut at random points", story=store.power_cut, may_double=True, needs=needs_mounts),
    Fault(name="store's file damaged", story=store.damaged, blinds=True),
    Fault(name="no mail server for an hour", story=post.away, needs=needs_a_clock),
    Fault(name="mail server gives no greeting", story=post.silent, on_time=True),
    Fault(name="mail server says 451", story=post.later, on_time=True),
    Fault(name="mail server says 550 to us", story=post.refuses_us, on_time=True),
    Fault(name="mail server says 554 to a mail", story=post.refuses_a_mail, refuses=True, on_time=True),
    Fault(name="one of three readers refused", story=post.refuses_one, on_time=True),
    Fault(name="mail server hangs in DATA", story=post.hangs, may_double=True, on_time=True),
    Fault(name="connection lost after DATA", story=post.drops, may_double=True, on_time=True),
    Fault(name="clock back an hour", story=clocks.set_back, needs=needs_a_clock),
    Fault(name="clock forward an hour", story=clocks.set_forward, blinds=True, needs=needs_a_clock),
    Fault(name="the night with an hour twice", story=clocks.autumn, needs=needs_a_clock),
    Fault(name="the night without an hour", story=clocks.spring, needs=needs_a_clock),
    Fault(name="names resolve no more", story=around.no_names, host="proefloket.test", blinds=True, needs=needs_mounts),
    Fault(
        name="name server never answers",
        story=around.names_hang,
        host="proefloket.test",
        blinds=True,
        needs=needs_mounts,
    ),
    Fault(name="our own line gone", story=around.own_line_gone, blinds=True),
    _twenty("1 of 20 journeys hangs", around.meets("hang")),
    _twenty("1 of 20 drips (slowloris)", around.meets("drip")),
    _twenty("1 of 20 has a body without end", around.meets("endless")),
    _twenty("1 of 20 meets a zip bomb", around.meets("bomb")),
    _twenty("1 of 20 redirects in a circle", around.meets("loop")),
    _twenty("1 of 20 has giant headers", around.meets("headers")),
    _twenty("1 of 20 has giant cookies", around.meets("cookies")),
    _twenty("1 of 20 speaks no HTTP", around.meets("garbage")),
    _twenty("8 of 20 do all that at once", around.all_at_once),
    _certificate("certificate has expired", around.expired),
    _certificate("certificate of another name", around.mismatched),
)
