"""The whole life of incidents as a state machine over a real store: runs, maintenance, mail servers, people, restarts.

Whatever comes in whatever order: the incidents are those that a replay of the stored samples gives, and nobody is told
of an end without having been told of the outage, or of the same outage twice.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from monitor import acknowledging
from monitor.alerts import flapping_thread
from monitor.check_run import Finding, save
from monitor.courtesy import DigestRule
from monitor.incidents import HEALTHY, Failed, IncidentRule, Opened, Resolved, advance
from monitor.news import Kind
from monitor.severity import Severity, is_worse
from monitor.store import incidents, ledger, samples
from monitor.store.database import Database
from monitor.store.outbox import Settled
from monitor.telling import follow_up, tell_steady
from probes.sample import Failure, FailureKind, Sample
from sla.ledger import Entry
from tests.heart import INDIENEN, INZAGE, MINUTE, OPS, Office, a_sample
from tests.new_store import new_store

BEHIND = INZAGE.model_copy(update={"depends_on": ("indienen",)})
CHECKS = (INDIENEN, BEHIND)
CHIEF = OPS.model_copy(update={"address": "chef@example.be", "after": 20 * MINUTE})
FOR_EVER = 2**62
OTHER = Failure(kind=FailureKind.TIMEOUT, step="verzenden", subject="total", expected="20 s", found="none")
SEVERITIES = {"inzage": Severity.MINOR, "inzage/timeout": Severity.CRITICAL}
RULE = IncidentRule(open_after=2, close_after=2, flapping_after=2, severities=SEVERITIES)


class Life(RuleBasedStateMachine):
    @initialize(gathers=st.booleans(), among=st.sampled_from([0, 4]))
    def begin(self, gathers: bool, among: int) -> None:
        self.folder, self.severities = tempfile.mkdtemp(), {}
        rule = RULE.model_copy(update={"open_among": among})
        database = new_store(Path(self.folder) / "life.db")
        self.office = Office(database=database, rule=rule, recipients=(OPS, CHIEF), checks=CHECKS)
        if gathers:
            self.office.digest = DigestRule.model_validate({"after": 1, "within": "30m", "every": "3m"})

    def teardown(self) -> None:
        self.office.database.close()
        shutil.rmtree(self.folder)

    # -- what can happen -------------------------------------------------------------------------------------------

    @rule(
        check=st.sampled_from(CHECKS),
        picture=st.sampled_from(["xx", "X", "..", "~.", "xx..xx..xx"])
        | st.text(alphabet=".~xX? ", min_size=1, max_size=5),
        code=st.sampled_from([250, 250, 250, 550, 450, 0]),
    )
    def runs(self, check, picture, code):
        self.office.codes = {OPS.address: code}
        for mark in picture:
            if mark != " ":
                sample = a_sample(mark, self.office.now_us, check.id)
                found = Finding(check=check, sample=sample, alerting=self.office.alerting)
                save(self.office.database, found, now_us=self.office.now_us)
            self.office.now_us += MINUTE
        self.office.deliver()

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes):
        self.office.now_us += minutes * MINUTE
        follow_up(self.office.database, CHECKS, self.office.alerting, now_us=self.office.now_us)
        tell_steady(self.office.database, CHECKS, self.office.alerting, now_us=self.office.now_us)
        self.office.deliver()

    @rule(minutes=st.integers(1, 30), check=st.sampled_from([None, *CHECKS]))
    def maintenance(self, minutes, check):
        entry = Entry(
            kind="maintenance",
            recorded_us=self.office.now_us,
            by="a",
            reason="b",
            from_us=self.office.now_us,
            until_us=self.office.now_us + minutes * MINUTE,
            scope=(check.id,) if check else (),
        )
        with self.office.database.begin() as tx:
            ledger.append(tx, entry)

    @rule(check=st.sampled_from(CHECKS))
    def something_worse_fails(self, check):
        sample = replace(a_sample("x", self.office.now_us, check.id), failure=OTHER)
        found = Finding(check=check, sample=sample, alerting=self.office.alerting)
        save(self.office.database, found, now_us=self.office.now_us)
        self.office.now_us += MINUTE
        self.office.deliver()

    @rule()
    def somebody_is_on_it(self):
        with self.office.database.begin() as tx:
            for incident in incidents.read(tx, only_open=True):
                if acknowledging.about(tx, incident).acknowledged is None:
                    acknowledging.acknowledge(tx, incident.id, by="Ann", now_us=self.office.now_us)

    @rule(code=st.sampled_from([0, 450, 550]))
    def the_mail_server_refuses_the_chief(self, code):
        self.office.codes = {CHIEF.address: code}

    @rule()
    def the_monitor_restarts(self):
        self.office.database.close()
        self.office.database = Database.open(self.office.database.url, durable=False)

    @rule(check=st.sampled_from(CHECKS))
    def a_run_is_saved_twice(self, check):
        """As after a crash between saving and noting that it was saved."""
        before = self.stored(check.id)
        if before:
            found = Finding(check=check, sample=before[-1], alerting=self.office.alerting)
            save(self.office.database, found, now_us=self.office.now_us)

    # -- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def a_replay_of_the_samples_gives_the_same_incidents(self):
        for check in CHECKS:
            with self.office.database.read() as tx:
                kept = incidents.read(tx, check_id=check.id)
                state = incidents.load(tx, check.id)
            replayed, ended = replay(self.stored(check.id), check.interval, self.office.rule)
            assert sorted((one.id, one.since_us, one.until_us, one.last_bad_us) for one in kept) == replayed
            assert state == ended

    @invariant()
    def incidents_of_a_check_never_overlap_and_one_at_most_is_open(self):
        for check in CHECKS:
            with self.office.database.read() as tx:
                kept = sorted(incidents.read(tx, check_id=check.id), key=lambda one: one.since_us)
            assert all(one.until_us is not None and one.until_us <= after.since_us for one, after in pairwise(kept))

    @invariant()
    def nobody_is_told_twice_nor_of_an_end_alone(self):
        told: Counter[tuple[str, str, str]] = Counter()
        for message in sorted(self.office.queue(), key=lambda one: (one.created_us, one.id)):
            if message.incident_id is None or message.incident_id.startswith("flapping"):
                continue
            for who in message.readers:
                words = {"reminder": "reminder", "worse": "worse", "recovered": "end"}
                word = words.get(message.kind.value, "beginning")
                told[message.incident_id, who.address, word] += 1
                if word != "beginning":
                    assert told[message.incident_id, who.address, "beginning"]
                if word == "end" and who.state is Settled.SENT:
                    assert self.reached(message.incident_id, who.address)
        assert all(times == 1 for (_, _, word), times in told.items() if word != "reminder")

    @invariant()
    def whoever_was_told_that_a_check_flaps_is_told_once_that_it_does_so_no_more(self):
        with self.office.database.read() as tx:
            going_on = {flapping_thread(name, state.since_us) for name, state in incidents.flapping(tx).items()}
        begun: Counter[tuple[str, str]] = Counter()
        ended: Counter[tuple[str, str]] = Counter()
        for message in self.office.queue():
            thread = message.incident_id or ""
            if thread.startswith("flapping"):
                (ended if message.kind is Kind.STEADY else begun).update(
                    (thread, who.address) for who in message.readers
                )
        assert all(times == 1 for times in begun.values())
        assert ended == {one: 1 for one in begun if one[0] not in going_on}

    @invariant()
    def an_incident_never_becomes_milder(self):
        with self.office.database.read() as tx:
            now = {one.id: one.severity for one in incidents.read(tx)}
        for name, before in self.severities.items():
            assert now[name] is before or is_worse(now[name], before)
        self.severities = now

    @invariant()
    def every_mail_that_arrived_was_meant_for_whom_it_reached(self):
        for mail, reached in zip(self.office.sent, self.office.accepted, strict=True):
            assert set(reached) <= {box.address for box in mail.to}

    # -- looking ---------------------------------------------------------------------------------------------------

    def stored(self, check_id: str) -> tuple[Sample, ...]:
        with self.office.database.read() as tx:
            return tuple(samples.between(tx, check_id, "lokaal", 0, FOR_EVER))

    def reached(self, incident_id: str, address: str) -> bool:
        return any(
            who.state is Settled.SENT
            for one in self.office.queue()
            if one.incident_id == incident_id and one.kind in (Kind.OPENED, Kind.ESCALATED, Kind.ONGOING)
            for who in one.readers
            if who.address == address
        )


def replay(found: tuple[Sample, ...], interval_us: int, rule: IncidentRule):
    """The incidents that these samples give, and the state they end in."""
    state, kept = HEALTHY, {}
    for sample in found:
        state, happened = advance(state, sample, rule, interval_us=interval_us)
        for event in happened:
            match event:
                case Opened():
                    kept[event.incident_id] = (event.since_us, None, event.confirmed_us)
                case Failed():
                    since_us, until_us, _ = kept[event.incident_id]
                    kept[event.incident_id] = (since_us, until_us, event.last_bad_us)
                case Resolved():
                    since_us, _, last_bad_us = kept[event.incident_id]
                    kept[event.incident_id] = (since_us, event.until_us, last_bad_us)
    return sorted((name, *what) for name, what in kept.items()), state


def test_whatever_happens_incidents_and_mails_hold_together():
    """T5, T9, T10, T12, T48."""
    run_state_machine_as_test(Life, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
