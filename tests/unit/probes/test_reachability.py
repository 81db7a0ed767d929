"""Names, ports and mail servers as config.toml writes them: what is refused with which words, how values compare."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from probes.names import of_this_machine, verdict
from probes.reachability import MailServerCheck, NameCheck, PortCheck, name_server
from probes.records import RecordType, canonical
from probes.sample import Answered

TIMES = {"interval": "60s", "deadline": "5s", "title": {"nl": "T", "en": "T"}, "id": "c"}


def name(**more: Any) -> NameCheck:
    return NameCheck.model_validate({**TIMES, "name": "loket.example", **more})


@pytest.mark.parametrize(
    ("model", "table", "why"),
    [
        (NameCheck, {"name": "loket..example"}, 'write it as "loket.example"'),
        (NameCheck, {"type": "HINFO"}, "'A', 'AAAA'"),
        (NameCheck, {"values": "2001:db8::1"}, 'write it as "192.0.2.10"'),
        (NameCheck, {"type": "MX", "values": "mail.example"}, 'write it as "10 mail.example"'),
        (NameCheck, {"match": "only"}, "without values"),
        (NameCheck, {"server": "ns1.example"}, 'write it as "192.0.2.53"'),
        (NameCheck, {"server": "192.0.2.53:99999"}, 'write it as "192.0.2.53"'),
        (NameCheck, {"authoritative": True}, "without a server"),
        (NameCheck, {"authoritative": True, "server": "192.0.2.53", "dnssec": True}, "make two checks of it"),
        (NameCheck, {"deadline": "61s"}, "deadline beyond its interval"),
        (PortCheck, {"host": "loket.example:22"}, "port"),
        (PortCheck, {"host": "http://loket.example", "port": 22}, "under `port`"),
        (PortCheck, {"port": 22, "send": "PING"}, "send and answer together"),
        (PortCheck, {"port": 22, "send": "A\r\nB", "answer": "x"}, "is not one line"),
        (PortCheck, {"port": 22, "banner": {}}, "expects nothing"),
        (PortCheck, {"port": 22, "banner": {"matches": "("}}, "is not a regular expression"),
        (PortCheck, {"port": 22, "server_name": "x"}, "without tls"),
        (MailServerCheck, {"security": "tls"}, "write its port, mostly 465"),
        (MailServerCheck, {"extensions": "SIZE 10"}, "is not the name of an extension"),
        (MailServerCheck, {"hello": "a b"}, "hello"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_reason(model: type[Any], table: dict[str, Any], why: str) -> None:
    base = {"name": "loket.example"} if model is NameCheck else {"host": "loket.example"}
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(model).validate_python({**TIMES, **base, **table})
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
        ("[2001:db8::53]", ("2001:db8::53", 53)),
    ],
)
def test_the_address_of_a_name_server_may_have_a_port(text: str, server: tuple[str, int]) -> None:
    assert name_server(text) == server


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("AAAA", "2001:DB8:0:0::1", "2001:db8::1"),
        ("CNAME", "Loket.Example.", "loket.example"),
        ("MX", "10 Mail.Example", "10 mail.example"),
        ("SRV", "0 5 443 Loket.example.", "0 5 443 loket.example"),
        ("TXT", "Zoals het Is", "Zoals het Is"),
        ("NS", "ns1.münchen.example", "ns1.xn--mnchen-3ya.example"),
    ],
)
def test_a_value_has_one_way_of_writing(kind: RecordType, value: str, told: str) -> None:
    assert canonical(kind, value) == told


@pytest.mark.parametrize(
    ("match", "found", "good"),
    [
        ("exactly", ("192.0.2.1", "192.0.2.2"), True),
        ("exactly", ("192.0.2.1",), False),
        ("exactly", ("192.0.2.1", "192.0.2.2", "192.0.2.3"), False),
        ("at-least", ("192.0.2.1", "192.0.2.2", "192.0.2.3"), True),
        ("at-least", ("192.0.2.1",), False),
        ("only", ("192.0.2.1",), True),
        ("only", ("192.0.2.1", "192.0.2.3"), False),
    ],
)
def test_values_match_exactly_at_least_or_only(match: str, found: tuple[str, ...], good: bool) -> None:
    check = name(values=["192.0.2.2", "192.0.2.1"], match=match)
    assert (verdict(check, Answered(code="NOERROR", records=found)) is None) is good


def test_the_name_servers_of_this_machine_are_read_in_their_order(tmp_path: Any) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("# eerst\nsearch example\nnameserver 192.0.2.1\nnameserver x\nnameserver 2001:db8::1\n")
    assert of_this_machine(file) == (("192.0.2.1", 53), ("2001:db8::1", 53))
    assert of_this_machine(tmp_path / "geen") == (("127.0.0.1", 53),)
