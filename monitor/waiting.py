"""What waits for the store, in bounded room. Measurements go before what proves them, and the older before the newer.

Nothing here is written or told: whoever adds to it says what was given up.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from monitor.store.events import Event
from monitor.telling import Alerting
from probes.checks import Check
from probes.sample import Evidence, Sample

#: In one transaction: enough to share its cost, few enough to let others write.
BATCH = 100
_BATCH_BYTES = 16 * 1024 * 1024
#: What stands in the place of a body that was given up. It is nothing that the portal said.
GIVEN_UP = (
    "[Loketwacht: bewijs niet bewaard. De opslag nam niets aan en er wachtte meer dan het geheugen mag houden. / "
    "Evidence was not kept. The store took nothing, and more waited than memory may hold.]"
)
_KEPT_OF_A_TEXT = 300
#: Bytes in memory of a finding and of one step of it, without the texts they hold; generous.
_FINDING, _STEP, _HOP, _OTHER = 1_500, 1_500, 900, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A sample on its way to the store, with what decides about its consequences."""

    check: Check
    sample: Sample
    alerting: Alerting


class GivenUp(NamedTuple):
    """What had to go for something new: so many samples lost their evidence, so many were lost, so many events."""

    evidence: int = 0
    samples: int = 0
    events: int = 0


class _Held(NamedTuple):
    what: Finding | Event
    weight: int


class Waiting:
    """Findings and events in the order they came.

    Where a bound is reached, evidence is given up first: that of what comes now, then that of the newest that wait, for
    it repeats what the first failures show. Only then the oldest go. What is in hand, on its way to the store, stays as
    it is; by that much at most (16 MiB, or one finding) the bounds may be passed.

    Args:
        most: findings and events.
        most_bytes: of memory, reckoned by `weight`.
    """

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._proven: dict[int, None] = {}  # those not in hand that have evidence to give up, oldest first
        self._in_hand = 0
        self._number = 0
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def bytes(self) -> int:
        """Of memory, that all of it takes."""
        return self._bytes

    def add(self, what: Finding | Event) -> GivenUp:
        """Put something behind all the others, and make room for it."""
        evidence = samples = events = 0
        self._number += 1
        self._put(self._number, what)
        while self._bytes > self._most_bytes and self._proven:
            number, _ = self._proven.popitem()
            held = self._held[number].what
            assert isinstance(held, Finding)
            self._put(number, replace(held, sample=without_evidence(held.sample)))
            evidence += 1
        while len(self._held) > self._most or self._bytes > self._most_bytes:
            oldest = next(islice(self._held, self._in_hand, None), None)
            if oldest is None or oldest == self._number:
                break  # all else is in hand, and will be gone or waiting again soon
            if isinstance(self._remove(oldest), Finding):
                samples += 1
            else:
                events += 1
        return GivenUp(evidence, samples, events)

    def held(self) -> dict[int, Finding | Event]:
        """All of it, by numbers that tell the order in which it came."""
        return {number: held.what for number, held in self._held.items()}

    def take(self) -> tuple[Finding | Event, ...]:
        """The oldest, as many as one transaction should hold; they are in hand until `saved` or `put_back`."""
        assert not self._in_hand
        room = _BATCH_BYTES
        batch: list[Finding | Event] = []
        for number, held in islice(self._held.items(), BATCH):
            room -= held.weight
            if batch and room < 0:
                break
            batch.append(held.what)
            self._proven.pop(number, None)
        self._in_hand = len(batch)
        return tuple(batch)

    def saved(self) -> None:
        """The store took what is in hand."""
        for number in tuple(islice(self._held, self._in_hand)):
            self._remove(number)
        self._in_hand = 0

    def put_back(self) -> None:
        """It did not; it waits on in its place."""
        back = {number: None for number in islice(self._held, self._in_hand) if _has_evidence(self._held[number].what)}
        self._proven = back | self._proven
        self._in_hand = 0

    def _put(self, number: int, what: Finding | Event) -> None:
        before = self._held.get(number)
        held = _Held(what, weight(what))
        self._held[number] = held  # one that is there keeps its place
        self._bytes += held.weight - (before.weight if before else 0)
        if _has_evidence(what):
            self._proven[number] = None

    def _remove(self, number: int) -> Finding | Event:
        held = self._held.pop(number)
        self._proven.pop(number, None)
        self._bytes -= held.weight
        return held.what


def weight(what: Finding | Event) -> int:
    """How many bytes of memory it takes while it waits, rather too many than too few."""
    if isinstance(what, Event):
        return _FINDING
    sample = what.sample
    steps = sum(_STEP + _HOP * len(step.hops) + _size(step.urls) for step in sample.steps)
    pieces = sum(_OTHER + _size((one.request, one.response_head, one.body, *one.addresses)) for one in sample.evidence)
    bundles = sum(
        _OTHER + len(one.packed) + sum(_OTHER + len(file.content) for file in one.files) for one in sample.bundles
    )
    other = [sample.failure, sample.blip, *(step.failure for step in sample.steps)]
    failures = sum(_OTHER + _size((one.found or "", one.expected or "")) for one in other if one is not None)
    return _FINDING + steps + failures + pieces + bundles


def without_evidence(sample: Sample) -> Sample:
    """The sample with its verdict, times and failure as they are; of what proves it, that it was given up.

    Of each piece the first lines of request and answer stay, and the SHA-256 of the body that was received.
    """
    pieces = sample.evidence or (_nothing_of(sample),)
    return replace(sample, bundles=(), evidence=tuple(_without_content(piece) for piece in pieces))


def _has_evidence(what: Finding | Event) -> bool:
    if not isinstance(what, Finding):
        return False
    given_up = all(piece.body == GIVEN_UP for piece in what.sample.evidence)
    return bool(what.sample.bundles) or not given_up


def _without_content(piece: Evidence) -> Evidence:
    return replace(
        piece,
        request=_first_line(piece.request),
        response_head=_first_line(piece.response_head),
        body=GIVEN_UP,
        body_truncated=True,
        addresses=tuple(address[:_KEPT_OF_A_TEXT] for address in piece.addresses[:8]),
    )


def _nothing_of(sample: Sample) -> Evidence:
    failure = sample.failure or sample.blip
    step = failure.step if failure is not None and failure.step is not None else ""
    return Evidence(step=step, request="", response_head="", body="", body_truncated=True, body_sha256=None)


def _first_line(text: str) -> str:
    return text[:_KEPT_OF_A_TEXT].partition("\n")[0].rstrip("\r")


def _size(texts: Iterable[str]) -> int:
    return sum(sys.getsizeof(text) for text in texts)
