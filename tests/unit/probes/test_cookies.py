"""What RFC 6265 says of cookies, case by case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.cookies import MOST_COOKIES, Cookies, date_us

NOW = 1_790_000_000_000_000


def sent(line: str, *, host: str = "loket.example", path: str = "/", secure: bool = True, later_us: int = 0) -> str:
    """What a cookie that loket.example set under /map/blad makes another request send."""
    jar = Cookies()
    jar.take(line, host="loket.example", path="/map/blad", now_us=NOW)
    return jar.header(host=host, path=path, secure=secure, now_us=NOW + later_us)


@pytest.mark.parametrize(
    ("line", "host", "goes"),
    [
        ("a=1; Path=/", "loket.example", True),
        ("a=1; Path=/", "diep.loket.example", False),
        ("a=1; Path=/; Domain=loket.example", "diep.loket.example", True),
        ("a=1; Path=/; Domain=.LOKET.example", "diep.loket.example", True),
        ("a=1; Path=/; Domain=loket.example", "nietloket.example", False),
        ("a=1; Path=/; Domain=ander.example", "ander.example", False),
        ("a=1; Path=/; Domain=ander.example", "loket.example", False),
        ("a=1; Path=/; Domain=diep.loket.example", "diep.loket.example", False),
        ("a=1; Path=/; Domain=example", "loket.example", False),
        ("a=1; Path=/; Domain=", "loket.example", True),
    ],
)
def test_a_cookie_goes_to_its_own_domain_only(line: str, host: str, goes: bool) -> None:
    assert sent(line, host=host) == ("a=1" if goes else "")


@pytest.mark.parametrize(
    ("line", "path", "goes"),
    [
        ("a=1", "/map/ander", True),
        ("a=1", "/map", True),
        ("a=1", "/mapje", False),
        ("a=1", "/", False),
        ("a=1; Path=/map/", "/map", False),
        ("a=1; Path=/x", "/x/y", True),
        ("a=1; Path=/x", "/xy", False),
        ("a=1; Path=x", "/map/y", True),
        ("a=1; Path=/x; Path=/", "/y", True),
    ],
)
def test_a_cookie_goes_to_its_own_path_only(line: str, path: str, goes: bool) -> None:
    assert sent(line, path=path) == ("a=1" if goes else "")


def test_a_secure_cookie_never_leaves_without_tls() -> None:
    assert sent("a=1; Path=/; SECURE", secure=True) == "a=1"
    assert sent("a=1; Path=/; secure", secure=False) == ""


@pytest.mark.parametrize(
    ("line", "later_s", "goes"),
    [
        ("a=1; Path=/; Max-Age=60", 59, True),
        ("a=1; Path=/; Max-Age=60", 60, False),
        ("a=1; Path=/; Max-Age=0", 0, False),
        ("a=1; Path=/; Max-Age=-1", 0, False),
        ("a=1; Path=/; Max-Age=een", 10**6, True),
        ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0, False),
        ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", 59, True),
        ("a=1; Path=/; Expires=ooit", 10**6, True),
    ],
)
def test_a_cookie_ends_when_it_says(line: str, later_s: int, goes: bool) -> None:
    assert sent(line, later_us=later_s * 1_000_000) == ("a=1" if goes else "")


@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "6 nov 94 8:49:37"],
)
def test_dates_are_read_as_they_are_written(text: str) -> None:
    assert date_us(text) == 784_111_777_000_000


@pytest.mark.parametrize(
    "text", ["", "Sun, 31 Feb 2026 08:00:00 GMT", "06 Nov 1994", "6 Nov 1500 1:1:1", "6 nov 94 25:0:0"]
)
def test_what_is_no_date_says_nothing(text: str) -> None:
    assert date_us(text) is None


def test_a_new_value_takes_the_old_ones_place_and_an_ended_one_takes_it_away() -> None:
    jar = Cookies()
    for line in ("a=1; Path=/", "b=2; Path=/map", "c=3; Path=/", "a=4; Path=/"):
        jar.take(line, host="loket.example", path="/", now_us=NOW)
    assert jar.header(host="loket.example", path="/map", secure=True, now_us=NOW) == "b=2; a=4; c=3"
    jar.take("c=; Path=/; Max-Age=0", host="loket.example", path="/", now_us=NOW)
    assert jar.pairs(NOW) == (("a", "4"), ("b", "2"))


@pytest.mark.parametrize("line", ["", "a", "=1", ";Path=/", "a=1\x00", "a=" + "x" * 9000])
def test_what_is_no_cookie_is_ignored(line: str) -> None:
    assert sent(line, path="/map/blad") == ""


def test_an_address_shares_its_cookies_with_no_domain() -> None:
    jar = Cookies()
    jar.take("a=1; Domain=0.0.1", host="127.0.0.1", path="/", now_us=NOW)
    assert len(jar) == 0


def test_a_server_cannot_fill_the_jar_without_end() -> None:
    jar = Cookies()
    for number in range(MOST_COOKIES + 5):
        jar.take(f"a{number}=1", host="loket.example", path="/", now_us=NOW)
    assert len(jar) == MOST_COOKIES
    assert jar.pairs(NOW)[0] == ("a5", "1")


@given(line=st.text(max_size=80), host=st.sampled_from(["a.example", "b.a.example", "ba.example", "127.0.0.1"]))
def test_whatever_is_set_stays_within_the_domain_that_set_it(line: str, host: str) -> None:
    jar = Cookies()
    jar.take("a=1;" + line, host="a.example", path="/", now_us=NOW)
    header = jar.header(host=host, path="/", secure=True, now_us=NOW)
    assert header == "" or host in ("a.example", "b.a.example")
    assert "\r" not in header
    assert "\n" not in header
