"""A secret is found in whatever clothes it comes (T47)."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from probes.redaction import MASK, Redactor

SECRET = 'p&ss "wörd"/+<é>'
redact = Redactor([SECRET, "andere-sleutel"])


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        quote(quote(SECRET, safe=""), safe=""),
        html.escape(SECRET),
        html.escape(SECRET, quote=False),
        "".join(f"&#{ord(c)};" for c in SECRET),
        "".join(f"&#x{ord(c):X};" for c in SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(SECRET).replace("/", "\\/"),
    ],
)
def test_a_secret_is_masked_in_every_form(form: str) -> None:
    clean = redact(f"voor {form} na")
    assert MASK in clean
    assert clean.startswith("voor ")
    assert clean.endswith(" na")
    assert "rd" not in clean


@given(before=st.binary(max_size=8), after=st.binary(max_size=8), secret=st.text(min_size=8, max_size=30))
def test_base64_gives_nothing_away_at_any_alignment(before: bytes, after: bytes, secret: str) -> None:
    raw = secret.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(before + raw + after).decode()
        clean = Redactor([secret])(f"<{encoded}>")
        first, last = -(-len(before) * 4 // 3), (len(before) + len(raw)) * 4 // 3
        assert encoded[first:last] not in clean


@given(text=st.text(max_size=60), secret=st.text(min_size=1, max_size=12))
def test_a_secret_never_survives(text: str, secret: str) -> None:
    assume("\ufffd" not in secret)  # what stands for a character that cannot be shown
    clean = Redactor([secret])(text + secret + text)
    assert secret not in clean.replace(MASK, "\x00") or secret in MASK or "\x00" in secret


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ("Authorization: Bearer abc", "Authorization: ***"),
        ("cookie: a=1; b=2", "cookie: a=***; b=***"),
        ("Set-Cookie: sessie=abc; Path=/; HttpOnly", "Set-Cookie: sessie=***; Path=/; HttpOnly"),
        ("GET /cb?code=abc&state=d&page=2 HTTP/1.1", "GET /cb?code=***&state=***&page=2 HTTP/1.1"),
        ("/x?access_token=abc#id_token=def", "/x?access_token=***#id_token=***"),
        ("/x;jsessionid=abc?y=1", "/x;jsessionid=***?y=1"),
        ('{"access_token": "abc", "naam": "x"}', '{"access_token": "***", "naam": "x"}'),
        ("gewone tekst, code is iets", "gewone tekst, code is iets"),
        ("rijksregister 85.07.30-033.28", "rijksregister ***"),
        ("postcode=9000&keyword=park", "postcode=9000&keyword=park"),
    ],
)
def test_what_grants_access_is_known_by_its_name(line: str, clean: str) -> None:
    assert redact(line) == clean


def test_a_cut_never_leaves_the_beginning_of_a_secret() -> None:
    secret = "abcdefghijklmnop"
    mine = Redactor([secret])
    for length in range(80, 120):
        clean, cut = mine.capped("x" * length + secret * 50 + "y" * 2000, 100)
        assert cut
        assert "abc" not in clean
        assert len(clean) <= 100


def test_a_short_text_is_one_line_with_an_ellipsis() -> None:
    assert redact.short("a\n b") == "a b"
    assert redact.short("x" * 20, 5) == "xxxxx…"
    assert redact.short(None) is None


def test_what_no_database_holds_is_replaced() -> None:
    assert redact("a\x00b\ud800c\x1b[31m\n\td\x85") == "a\ufffdb\ufffdc\ufffd[31m\n\td\ufffd"
