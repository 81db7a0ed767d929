"""Whatever a name server says, it is understood or refused by name; and a value has one way of writing."""

from __future__ import annotations

import dns.message
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from probes.fault import Fault
from probes.names import read, understood, verdict
from probes.reachability import NameCheck
from probes.records import TYPES, RecordType, canonical
from probes.sample import FailureKind

CHECK = NameCheck.model_validate(
    {"id": "c", "title": {"nl": "C", "en": "C"}, "interval": "60s", "deadline": "5s", "name": "loket.example"}
)
QUESTION = dns.message.make_query("loket.example", "A", id=7)
_ANSWER = dns.message.make_response(QUESTION)
for _owner, _type, _value in (
    ("loket.example.", "CNAME", "b.example."),
    ("b.example.", "A", "192.0.2.1"),
    ("b.example.", "TXT", '"x" "y"'),
    ("loket.example.", "SOA", "ns1.example. h.example. 1 1 1 1 1"),
):
    _ANSWER.answer.append(dns.rrset.from_text(_owner, 60, "IN", _type, _value))
WIRE = _ANSWER.to_wire()

changes = st.lists(st.tuples(st.integers(2, len(WIRE) - 1), st.integers(0, 255)), max_size=12)


@given(changes, st.integers(12, len(WIRE)))
def test_a_damaged_answer_is_judged_or_refused_and_never_breaks_the_run(
    damage: list[tuple[int, int]], length: int
) -> None:
    wire = bytearray(WIRE)
    for at, value in damage:
        wire[at] = value
    try:
        answer = understood(bytes(wire[:length]))
        if QUESTION.is_response(answer):
            verdict(CHECK, read(answer, CHECK))
    except Fault as fault:
        assert fault.kind in (FailureKind.PROTOCOL, FailureKind.DNS)


@given(st.sampled_from(TYPES), st.text(max_size=40))
def test_what_is_accepted_as_a_value_is_written_in_one_way(kind: RecordType, text: str) -> None:
    try:
        once = canonical(kind, text)
    except ValueError:
        return
    assert canonical(kind, once) == once
