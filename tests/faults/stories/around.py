"""What lies around the monitor breaks: names, our own line, and portals that hang, flood and shout."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.faults import disks
from tests.faults.scene import READERS, Scene, Stuck
from tests.faults.stories.outages import until_told
from tests.faults.world import HOSTILE, Arrived, Mode

#: A name server of ours that never answers. Port 53 of an address of this machine that nobody else uses.
_SILENT = "127.53.53.53"


def no_names(scene: Scene) -> None:
    """Names resolve no more, of the portal and of the references alike: that is our fault, and no outage."""
    _nameless(scene, "127.0.0.1")


def names_hang(scene: Scene) -> None:
    """The name server takes every question and answers none: the same, and nothing waits for it for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind((_SILENT, 53))
        _nameless(scene, _SILENT)


def _nameless(scene: Scene, server: str) -> None:
    with _names(scene, server) as known:
        scene.start()
        known(False)
        _until_blind(scene)
        known(True)
        scene.recovered()
        _told_once_of_ourselves(scene)


@contextmanager
def _names(scene: Scene, server: str) -> Iterator[Callable[[bool], None]]:
    """Names of this namespace's own; gives what makes the portal's known or unknown."""
    hosts, resolver = scene.folder / "hosts", scene.folder / "resolv.conf"
    resolver.write_text(f"nameserver {server}\noptions attempts:1 timeout:1\n", encoding="ascii")

    def known(yes: bool) -> None:
        hosts.write_text(f"127.0.0.1 localhost{' proefloket.test' if yes else ''}\n", encoding="ascii")

    known(True)
    disks.bind(hosts, "/etc/hosts")
    disks.bind(resolver, "/etc/resolv.conf")
    try:
        yield known
    finally:
        for target in ("/etc/hosts", "/etc/resolv.conf"):
            disks.unbind(target)


def own_line_gone(scene: Scene) -> None:
    """The portal and every reference fail together: our own line, and no outage of the portal."""
    scene.start()
    scene.world.references_up = False
    for journey in scene.journeys:
        scene.world.modes[journey] = "500"
    _until_blind(scene)
    scene.world.modes.clear()
    scene.world.references_up = True
    scene.recovered()
    _told_once_of_ourselves(scene)


def meets(mode: Mode) -> Callable[[Scene], None]:
    """Of all journeys the first meets such a portal for a while; the others are served well, and go on."""

    def story(scene: Scene) -> None:
        _hostile(scene, {scene.journeys[0]: mode}, lasts=5)

    return story


def all_at_once(scene: Scene) -> None:
    """Twenty journeys; eight of them meet portals that hang, drip, flood, burst, go round and shout. Twelve do not."""
    names = scene.journeys[:: len(scene.journeys) // len(HOSTILE)][: len(HOSTILE)]
    _hostile(scene, dict(zip(names, HOSTILE, strict=True)), lasts=15)


def _hostile(scene: Scene, modes: dict[str, Mode], *, lasts: float) -> None:
    scene.start()
    scene.world.modes |= modes
    scene.outages |= modes.keys()
    for name in modes:
        until_told(scene, "STORING", name, seconds=60)
    scene.pause(lasts)
    for name in modes:
        scene.mend(name)
    for name in modes:
        until_told(scene, "HERSTELD", name, seconds=60)
    scene.recovered()


def expired(scene: Scene) -> None:
    """The portal's certificate has expired until somebody renews it."""
    _certificate(scene, "expired")


def mismatched(scene: Scene) -> None:
    """The portal shows the certificate of another until somebody puts that right."""
    _certificate(scene, "mismatched")


def _certificate(scene: Scene, which: str) -> None:
    scene.start()
    scene.world.certificate("expired" if which == "expired" else "mismatched")
    told = ("bewijs", *scene.over_https)
    scene.outages |= set(told)
    for name in told:
        until_told(scene, "STORING", name, seconds=60)
    scene.world.certificate("good")
    for name in told:
        until_told(scene, "HERSTELD", name, seconds=60)
    scene.recovered()


def certificate_check(scene: Scene) -> str:
    """A check of the certificate itself, beside the journey that meets it."""
    return (
        '\n[[certificate]]\nid = "bewijs"\ntitle = { nl = "Reis bewijs", en = "Journey bewijs" }\n'
        f'interval = "{round(2000 * scene.pace)}ms"\ndeadline = "{round(900 * scene.pace)}ms"\n'
        f'host = "127.0.0.1"\nport = {scene.world.https_port}\n'
    )


def _until_blind(scene: Scene) -> None:
    """Until people were told that we cannot measure; and a while longer, in which they are told no more."""
    scene.until(lambda: len(_of_ourselves(scene)) >= len(READERS), seconds=40, what="our own trouble is mailed")
    scene.pause(4)


def _told_once_of_ourselves(scene: Scene) -> None:
    """However many journeys were blind: one mail that says so and one that it is over, for each reader."""
    scene.until(lambda: len(_of_ourselves(scene)) >= 2 * len(READERS), seconds=40, what="its end is mailed")
    told = Counter(mail.recipient for mail in _of_ourselves(scene))
    if set(told) != set(READERS) or set(told.values()) != {2}:
        raise Stuck(f"of our own trouble and its end there were {dict(told)} mails, and not two for each reader")


def _of_ourselves(scene: Scene) -> list[Arrived]:
    return [mail for mail in scene.world.post.arrived if "MONITOR" in mail.subject]
