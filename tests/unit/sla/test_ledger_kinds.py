"""What each kind of ledger entry must say before it may enter."""

from __future__ import annotations

import pytest

from sla.ledger import Entry, seal
from sla.ledger_kinds import KINDS, Earlier, completed, excerpt, problems, renumbered
from tests.agreements import at, span


def an_entry(kind: str, *when: str, supersedes: int | None = None, scope: tuple[str, ...] = (), **data: str) -> Entry:
    start, end = (*(at(text) for text in when), None, None)[:2]
    return Entry(
        kind=kind, recorded_us=at("2026-11-20 09:00"), by="An Peeters", reason="omdat het zo is", from_us=start,
        until_us=end, scope=scope, data=data, supersedes=supersedes,
    )  # fmt: skip


HOUR = ("2026-11-02 10:00", "2026-11-02 11:00")
CLAIM = an_entry("exclusion-claimed", *HOUR, ground="authority", scope=("indienen",))


def earlier(*entries: Entry) -> Earlier:
    found = Earlier()
    for seq, entry in enumerate(entries, start=1):
        found.add(seq, entry)
    return found


def wrong(entry: Entry, *before: Entry) -> list[str]:
    return list(problems(entry, earlier(*before)))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (an_entry("releas"), '"releas" is no kind of entry'),
        (an_entry("samples-digest", *HOUR), "written by the service itself"),
        (an_entry("release", version="2.1"), "needs its start"),
        (an_entry("maintenance", "2026-11-02 10:00"), "needs its end"),
        (an_entry("release", "2026-11-02 10:00"), 'needs "version"'),
        (an_entry("release", "2026-11-02 10:00", version="  "), 'needs "version"'),
        (an_entry("release", "2026-11-02 10:00", version="2", colour="red"), 'has no "colour"'),
        (an_entry("acknowledged"), "needs one of incident, outage"),
        (an_entry("attribution", outage="O-1", party="the cat"), "write one of supplier, authority"),
        (an_entry("exclusion-claimed", *HOUR, ground="third-party"), "go together"),
        (an_entry("exclusion", *HOUR, ground="authority", dependency="fas"), "go together"),
        (an_entry("decision", *HOUR, amount_eur="duizend"), "is no amount"),
        (an_entry("decision", amount_eur="1000"), "needs the period"),
        (an_entry("maintenance-cancelled"), "needs the number of the entry"),
        (an_entry("maintenance-cancelled", supersedes=9), "which is not there"),
        (an_entry("maintenance-cancelled", supersedes=1), "which is exclusion-claimed"),
        (an_entry("defence", "2026-11-02 10:00", position="contested", findings="1"), "should be findings-sent"),
        (an_entry("defence", "2026-11-02 10:00", position="contested", findings="x"), "no number of an entry"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
def test_what_is_half_said_is_refused(entry: Entry, said: str) -> None:
    [found] = wrong(entry, CLAIM)
    assert said in found


@pytest.mark.parametrize(
    "entry",
    [
        an_entry("maintenance", *HOUR),
        an_entry("exclusion", *HOUR, ground="third-party", dependency="fas", evidence="mail", reference="DOC-1"),
        an_entry("exclusion-accepted", *HOUR, ground="authority", supersedes=1),
        an_entry("exclusion-refused", *HOUR, supersedes=1),
        an_entry("attribution", outage="O-1", party="authority"),
        an_entry("acknowledged", incident="I-1"),
        an_entry("findings-drafted", period="2026-11", clause="B1"),
        an_entry("findings-sent", "2026-11-05 00:00", findings="2"),
        an_entry("defence", "2026-11-06 00:00", findings="3", position="contested"),
        an_entry("decision", *HOUR, amount_eur="1000.00", findings="3"),
        an_entry("release", "2026-11-02 10:00", version="2.1"),
        an_entry("user-report", "2026-11-02 10:00", channel="telefoon"),
        an_entry("document-delivered", "2026-11-02 10:00", document="maandverslag"),
        an_entry("report", contract="C", period="2026-10", number="1", sha256="0" * 64),
    ],
    ids=lambda entry: entry.kind,
)
def test_what_is_said_whole_may_enter(entry: Entry) -> None:
    drafted = an_entry("findings-drafted", period="2026-11")
    assert wrong(entry, CLAIM, drafted, an_entry("findings-sent", "2026-11-04 00:00", findings="2")) == []


def test_an_entry_is_corrected_once_so_that_two_answers_never_stand_side_by_side() -> None:
    accepted = an_entry("exclusion-accepted", *HOUR, ground="authority", supersedes=1)
    refused = an_entry("exclusion-refused", *HOUR, supersedes=1)
    assert wrong(refused, CLAIM, accepted) == [
        "supersedes entry 1, which entry 2 corrected already; supersede that one"
    ]
    assert wrong(an_entry("exclusion-refused", *HOUR, supersedes=2), CLAIM, accepted) == []


def test_an_accepted_claim_keeps_ground_dependency_and_scope_of_the_claim() -> None:
    claim = an_entry("exclusion-claimed", *HOUR, ground="third-party", dependency="fas", scope=("indienen",))
    answer = completed(an_entry("exclusion-accepted", supersedes=1), claim)
    assert (answer.from_us, answer.until_us, answer.scope) == (claim.from_us, claim.until_us, ("indienen",))
    assert answer.data == {"ground": "third-party", "dependency": "fas"}


def test_an_excerpt_holds_a_claim_with_its_answer_and_no_other_month() -> None:
    other = an_entry("release", "2026-09-01 10:00", version="1")
    answer = an_entry("exclusion-accepted", "2026-12-02 10:00", "2026-12-02 11:00", ground="authority", supersedes=2)
    kept = excerpt(seal([other, CLAIM, answer]), span("2026-11-01 00:00", "2026-12-01 00:00"))
    assert [sealed.seq for sealed in kept] == [2, 3]


def test_pointers_follow_new_numbers() -> None:
    sent = an_entry("findings-sent", "2026-11-05 00:00", findings="1", supersedes=2)
    moved = renumbered(sent, {1: 41, 2: 42})
    assert (moved.supersedes, moved.data["findings"]) == (42, "41")


def test_no_data_key_hides_a_key_of_the_interchange() -> None:
    taken = {"kind", "from", "to", "recorded_at", "scope", "by", "reason", "supersedes", "seq", "previous", "hash"}
    assert not any(taken & kind.keys for kind in KINDS.values())
