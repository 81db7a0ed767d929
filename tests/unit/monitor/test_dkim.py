"""DKIM by the letter of RFC 6376 and the example of RFC 8463; other programs judge it in the integration tests."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from monitor.dkim import DkimSigner, relaxed_body, relaxed_field, signed_names
from monitor.mail_fields import split

#: RFC 8463, appendix A: the mail, the public key, and the signature that is right.
EXAMPLE = (
    b"From: Joe SixPack <joe@football.example.com>\r\n"
    b"To: Suzie Q <suzie@shopping.example.net>\r\n"
    b"Subject: Is dinner ready?\r\n"
    b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    b"\r\n"
    b"Hi.\r\n"
    b"\r\n"
    b"We lost the game.  Are you hungry yet?\r\n"
    b"\r\n"
    b"Joe.\r\n"
)
PUBLIC = base64.b64decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
FIELD = (
    b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    b" d=football.example.com; i=@football.example.com;\r\n"
    b" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    b" subject : date : message-id : from : subject : date;\r\n"
    b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    b" b="
)
SIGNATURE = "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="


def test_the_example_of_the_standard_for_header_and_body():
    """RFC 6376, 3.4.5."""
    assert relaxed_field(b"A: X\r\n") + relaxed_field(b"B : Y\t\r\n\tZ  \r\n") == b"a:X\r\nb:Y Z\r\n"
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"


@pytest.mark.parametrize(
    ("body", "relaxed"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"\r\n\r\n", b""),
        (b"a", b"a\r\n"),
        (b"a \r\n\t\r\n", b"a\r\n"),
        (b"\r\na", b"\r\na\r\n"),
    ],
)
def test_the_end_of_a_body(body, relaxed):
    assert relaxed_body(body) == relaxed


def test_the_body_of_the_standard_s_example_has_the_digest_it_says():
    body = split(EXAMPLE)[1]
    digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest())
    assert digest == b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="


def test_the_signature_of_the_standard_s_example_is_over_what_we_would_sign():
    fields = split(EXAMPLE)[0]
    covered = b"".join(map(relaxed_field, fields)) + relaxed_field(FIELD).removesuffix(b"\r\n")
    Ed25519PublicKey.from_public_bytes(PUBLIC).verify(base64.b64decode(SIGNATURE), hashlib.sha256(covered).digest())


def test_our_signature_is_over_the_field_without_its_value():
    key = Ed25519PrivateKey.generate()
    signer = DkimSigner(domain="football.example.com", selector="brisbane", key=key)
    signed = signer.signed(EXAMPLE, now_us=1_528_637_909_000_000)
    field, *fields = split(signed)[0]
    tags = dict(tag.strip().split("=", 1) for tag in re.sub(r"\s+", "", field.partition(b":")[2].decode()).split(";"))
    assert tags["h"].split(":") == signed_names(fields)
    assert (tags["d"], tags["s"], tags["t"], tags["c"]) == (
        "football.example.com",
        "brisbane",
        "1528637909",
        "relaxed/relaxed",
    )
    covered = b"".join(
        relaxed_field(next(one for one in fields if one.lower().startswith(name.encode() + b":")))
        for name in ("from", "to", "subject", "date", "message-id")
    )
    bare = field[: field.index(b"b=", field.index(b"bh=") + 3) + 2]
    text = covered + relaxed_field(bare).removesuffix(b"\r\n")
    public = key.public_key()
    public.verify(base64.b64decode(tags["b"]), hashlib.sha256(text).digest())
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(tags["b"]), hashlib.sha256(text + b" ").digest())
    assert signed.endswith(EXAMPLE)


def test_a_second_sender_recipient_subject_or_date_is_signed_away():
    names = signed_names(split(EXAMPLE)[0])
    assert {name: names.count(name) for name in ("from", "to", "subject", "date", "reply-to", "cc")} == {
        "from": 2,
        "to": 2,
        "subject": 2,
        "date": 2,
        "reply-to": 1,
        "cc": 1,
    }


def test_no_line_of_the_signature_is_too_long_for_a_server():
    signed = DkimSigner(domain="x." * 120 + "be", selector="s", key=Ed25519PrivateKey.generate()).signed(
        EXAMPLE, now_us=0
    )
    lines = split(signed)[0][0].split(b"\r\n")
    assert max(map(len, lines)) < 300
    assert all(line.startswith(b" ") for line in lines[1:-1])
