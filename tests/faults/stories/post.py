"""The mail server is away, says no, says nothing, or is lost."""

from __future__ import annotations

from time import sleep

from tests.faults.scene import READERS, Scene
from tests.faults.stories.clocks import own_clock, set_clock
from tests.faults.stories.outages import broken_and_told, mended_and_told, quietly_broken, until_told


def away(scene: Scene) -> None:
    """No mail server for an hour: an outage comes and goes meanwhile, and its mails say when they were written."""
    clock = own_clock(scene, 0)
    scene.world.post_away()
    quietly_broken(scene)
    for minutes in (10, 20, 30, 40, 50, 60):
        set_clock(clock, minutes * 60)
        sleep(1.5)
    scene.world.post_back()
    # The pause between attempts has grown to ten minutes; they pass.
    set_clock(clock, 72 * 60)
    scene.recovered()
    until_told(scene, "STORING")
    until_told(scene, "HERSTELD", seconds=45)


def silent(scene: Scene) -> None:
    """Somebody listens at the mail server's port and says nothing, not even a greeting."""
    scene.start()
    scene.world.post_silent()
    quietly_broken(scene)
    scene.world.post_back()
    _caught_up(scene)


def later(scene: Scene) -> None:
    """The mail server says 451 to everything for a while."""
    scene.start()
    scene.world.post.data = "451 4.3.0 later, please"
    quietly_broken(scene)
    scene.world.post.data = None
    _caught_up(scene)


def refuses_us(scene: Scene) -> None:
    """The mail server says 550 to our own address for a while: somebody will mend that, so nothing is given up."""
    scene.start()
    scene.world.post.sender = "550 5.7.1 you may not send here"
    quietly_broken(scene)
    scene.world.post.sender = None
    _caught_up(scene)


def refuses_a_mail(scene: Scene) -> None:
    """The mail server refuses the mail itself, for good: that is on record for each reader, and the next one comes."""
    scene.start()
    scene.world.post.data = "554 5.6.0 we do not like what it says"
    scene.break_it("j01")
    scene.until(lambda: scene.waiting() > 0, seconds=30, what="the news lies in the outbox")
    scene.until(lambda: scene.waiting() == 0, seconds=30, what="the refusal is taken for what it is")
    scene.world.post.data = None
    scene.mend("j01")
    scene.recovered()
    broken_and_told(scene, "j02")
    mended_and_told(scene, "j02")


def refuses_one(scene: Scene) -> None:
    """One of three recipients is refused for good: the two others hear everything."""
    scene.world.post.rcpt[READERS[1]] = "550 5.1.1 no such user"
    scene.start()
    broken_and_told(scene)
    mended_and_told(scene)
    scene.recovered()


def hangs(scene: Scene) -> None:
    """The mail server takes DATA and never answers."""
    scene.start()
    scene.world.post.hang = "data"
    quietly_broken(scene)
    scene.world.post.hang = None
    _caught_up(scene)


def drops(scene: Scene) -> None:
    """The connection breaks after the mail was taken and before that was said."""
    scene.start()
    scene.world.post.hang = "drop"
    scene.break_it("j01")
    scene.until(lambda: bool(scene.world.post.arrived), seconds=20, what="the server took the mail")
    scene.world.post.hang = None
    scene.recovered(seconds=90)
    mended_and_told(scene)


def _caught_up(scene: Scene) -> None:
    scene.recovered(seconds=90)
    until_told(scene, "STORING", seconds=60)
    until_told(scene, "HERSTELD", seconds=60)
