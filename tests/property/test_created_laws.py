"""Nothing that a journey makes is ever forgotten, however often the monitor is killed and started again."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from sqlalchemy import delete

from monitor.created import OPEN, Brake, Stage, after_login, announced, due, heard, orphaned, settled, tried
from monitor.store import created
from monitor.store.database import Database
from monitor.store.tables import created_object
from probes.created import Announced, Made, NotMade, Unclear, Undone

MINUTE = 60_000_000
PATIENCE = 2 * MINUTE
#: One store for all examples, emptied before each: making one takes longer than an example.
STORE: list[Database] = []


class AWriteJourney(RuleBasedStateMachine):
    """A portal that makes objects, a monitor that dies at any moment, and a store that keeps what it was given.

    `portal` are the objects that are really there; the monitor knows only what the store says.
    """

    running = Bundle("running")

    @initialize()
    def begin(self):
        self.database = STORE[0] if STORE else Database.open("sqlite://")
        STORE[:] = [self.database]
        with self.database.begin() as tx:
            tx.execute(delete(created_object))
        self.portal: set[str] = set()
        self.now_us = 0
        self.number = 0

    def note(self, key, note):
        with self.database.begin() as tx:
            created.save(tx, heard(created.get(tx, key), note, now_us=self.now_us))

    def make(self, key):
        """A run ends within its patience: after that nothing is sent any more."""
        with self.database.read() as tx:
            if self.now_us < created.get(tx, key).due_us:
                self.portal.add(key)

    @rule(target=running)
    def a_run_announces(self):
        self.number += 1
        key = f"run-{self.number}.maken"
        note = Announced(
            key=key,
            check_id="j",
            step="maken",
            what="project",
            run_id=f"run-{self.number}",
            run_time="",
            patience_us=PATIENCE,
        )
        with self.database.begin() as tx:
            created.add(tx, announced(note, now_us=self.now_us))
        return key

    @rule(key=consumes(running), made=st.booleans())
    def the_monitor_dies_while_the_step_is_sent(self, key, made):
        if made:
            self.make(key)

    @rule(key=consumes(running))
    def the_step_is_refused(self, key):
        self.note(key, NotMade(key=key))

    @rule(key=consumes(running), made=st.booleans())
    def the_step_times_out(self, key, made):
        if made:
            self.make(key)
        self.note(key, Unclear(key=key))

    @rule(key=consumes(running), dies=st.booleans(), undone=st.booleans())
    def the_step_succeeds(self, key, dies, undone):
        self.make(key)
        self.note(key, Made(key=key, name="OMV_1", values=(("nr", "OMV_1"),)))
        if undone:
            self.portal.discard(key)
            if not dies:
                self.note(key, Undone(key=key))

    @rule(minutes=st.integers(1, 90), works=st.booleans())
    def time_passes_and_what_is_due_is_tried(self, minutes, works):
        self.now_us += minutes * MINUTE
        with self.database.begin() as tx:
            things = [thing for thing in created.read(tx) if due(thing, now_us=self.now_us) and thing.values]
            for thing in things:
                if works:
                    self.portal.discard(thing.id)
                created.save(tx, tried(thing, None if works else "refused", now_us=self.now_us))

    @rule()
    def a_person_settles_what_is_left(self):
        with self.database.begin() as tx:
            for thing in created.read(tx):
                if orphaned(thing, now_us=self.now_us):
                    self.portal.discard(thing.id)
                    created.save(tx, settled(thing, by="an", why="gezien", now_us=self.now_us))

    @invariant()
    def whatever_is_at_the_portal_is_on_the_list(self):
        if hasattr(self, "database"):
            with self.database.read() as tx:
                assert self.portal <= {thing.id for thing in created.read(tx)}

    @invariant()
    def the_monitor_never_waits_in_silence(self):
        """What is open is still being run, will be tried, is unclear since a step failed, or people are told."""
        if hasattr(self, "database"):
            with self.database.read() as tx:
                for thing in created.read(tx):
                    assert (
                        thing.stage is Stage.UNCLEAR
                        or thing.values
                        or not due(thing, now_us=self.now_us)
                        or orphaned(thing, now_us=self.now_us)
                    )


AWriteJourney.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestAWriteJourney = AWriteJourney.TestCase

NOTES = st.sampled_from(
    [Made(key="k", name="n", values=(("a", "b"),)), Unclear(key="k"), NotMade(key="k"), Undone(key="k")]
)
FRESH = announced(
    Announced(key="k", check_id="j", step="s", what="w", run_id="r", run_time="", patience_us=1), now_us=0
)


@given(st.lists(NOTES, max_size=8))
def test_what_is_over_stays_over_and_what_is_there_never_becomes_unclear(notes):
    thing = FRESH
    for note in notes:
        before, thing = thing, heard(thing, note, now_us=5)
        assert before.open or thing == before
        assert before.stage is not Stage.MADE or thing.stage in (Stage.MADE, Stage.GONE)


@given(st.lists(st.integers(0, 600), min_size=1, max_size=20))
def test_failed_tries_follow_each_other_and_people_are_told_after_the_third(minutes):
    thing, now_us = replace(FRESH, stage=Stage.MADE), 0
    for number, more in enumerate(minutes, 1):
        now_us += more * MINUTE
        thing = tried(thing, "refused", now_us=now_us)
        assert thing.stage in OPEN
        assert MINUTE <= thing.due_us - now_us <= 60 * MINUTE
        assert orphaned(thing, now_us=now_us) == (number >= 3)


@given(st.lists(st.integers(0, 2), max_size=30), st.integers(1, 5))
def test_an_account_is_tried_at_most_so_often_in_a_row_before_it_rests_an_hour(refusals, most):
    brake, now_us, in_a_row = Brake(account="a"), 0, 0
    for refused in refusals:
        if brake.pauses(now_us):
            now_us = brake.paused_until_us
        before = now_us
        brake = after_login(brake, refused=refused, most=most, now_us=now_us)
        in_a_row = in_a_row + refused if refused else 0
        assert brake.pauses(now_us) == (in_a_row >= most)
        if brake.paused_until_us is not None:
            assert 60 * MINUTE <= brake.paused_until_us - before <= 24 * 60 * MINUTE
