"""What a step sends is the same for the same run."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from probes.bodies import content, file_bytes, file_facts
from probes.checks import Step
from tests.scripted_server import step


def sent(hidden: tuple[tuple[str, str], ...] = (), **more: Any) -> tuple[bytes, str | None]:
    made = content(
        Step.model_validate(step(method="POST", **more)),
        run_id="run-1",
        fill=lambda text: text.replace("{{ x }}", "a b&é"),
        hidden=hidden,
    )
    return made.body, made.content_type


def test_a_form_sends_hidden_fields_first_in_their_order() -> None:
    body, kind = sent((("_csrf", "0012"), ("rol", "1"), ("rol", "2")), form={"naam": "{{ x }}"}, form_from="f")
    assert body == b"_csrf=0012&rol=1&rol=2&naam=a+b%26%C3%A9"
    assert kind == "application/x-www-form-urlencoded"


def test_a_field_of_the_form_takes_the_place_of_a_hidden_one() -> None:
    assert sent((("stap", "1"), ("a", "b")), form={"stap": "2"}, form_from="f")[0] == b"a=b&stap=2"


def test_json_fills_its_texts_and_keeps_its_numbers() -> None:
    body, kind = sent(json={"naam": "{{ x }}", "lijst": [1, True, None, Decimal("0.10")]})
    assert body == '{"naam":"a b&é","lijst":[1,true,null,0.10]}'.encode()
    assert kind == "application/json"


def test_a_raw_body_is_sent_as_it_is() -> None:
    assert sent(body="<a>{{ x }}</a>")[0] == "<a>a b&é</a>".encode()


def test_parts_are_read_back_by_a_parser_of_its_own() -> None:
    parts = [
        {"name": "soort", "text": "plan {{ x }}"},
        {"name": "bestand", "file_name": 'p"l.pdf', "size": 5000},
        {"name": "bestand", "file_name": "tweede.txt", "size": 3, "content_type": "text/plain"},
    ]
    body, kind = sent(multipart=parts)
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    first, second, third = message.iter_parts()
    assert first.get_content().rstrip() == "plan a b&é" or first.get_payload(decode=True) == "plan a b&é".encode()
    assert second.get_payload(decode=True) == file_bytes(run_id="run-1", part="bestand", size=5000)
    assert (second.get_content_type(), third.get_content_type()) == ("application/pdf", "text/plain")


def test_a_file_is_the_same_for_the_same_run_and_another_for_the_next() -> None:
    one = file_bytes(run_id="run-1", part="bestand", size=100)
    assert one == file_bytes(run_id="run-1", part="bestand", size=100)
    assert one != file_bytes(run_id="run-2", part="bestand", size=100)
    assert len(one) == 100
    assert one.startswith(b"%PDF-")


def test_the_hash_of_a_file_is_known() -> None:
    part = {"name": "bestand", "file_name": "x.pdf", "size": 100}
    facts = file_facts(Step.model_validate(step(method="POST", multipart=[part])), "run-1")
    expected = hashlib.sha256(file_bytes(run_id="run-1", part="bestand", size=100)).hexdigest()
    assert facts == {"bestand": {"sha256": expected, "size": "100"}}
