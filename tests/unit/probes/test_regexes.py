"""Regular expressions are searched within a bound of time."""

from __future__ import annotations

import time

import pytest

from probes import regexes
from probes.regexes import Found, TooSlowError, search_at_once, search_bounded

PAGE = "x" * 20_000 + "nr=0012é;" + "y" * 20_000


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be found is found also where the other process has to wait for its turn."""
    monkeypatch.setattr(regexes, "PATIENCE_SECONDS", 30.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "pattern",
    [r"nr=\d{4}", r"nr=(\d+)", r"(nr)=\w+;", r"x+nr=(\d*)", r"geen", r"(geen)+", r"y\Z", r"[*+]", r"nr=(\d)|(geen)"],
)
def test_the_answer_is_the_same_whichever_way_it_is_found(pattern: str) -> None:
    assert search_bounded(pattern, PAGE) == search_at_once(pattern, PAGE)


@pytest.mark.usefixtures("patient")
def test_a_match_tells_its_first_group() -> None:
    assert search_bounded(r"x+nr=(\d+)(.)", "xxnr=0012é") == Found(whole="xxnr=0012é", group="0012")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(r"(a+)+$", "a" * 40 + "b"), (r"(a|aa)+$", "a" * 60 + "b"), (r"\s+x", " " * 1_000_000), (r".*.*.*=", "a" * 5_000)],
)
def test_an_expression_that_never_ends_is_ended(pattern: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    with pytest.raises(TooSlowError):
        search_bounded(pattern, text)
    assert time.monotonic() - started < 30  # none of them would end in the life of this machine
    monkeypatch.setattr(regexes, "PATIENCE_SECONDS", 30.0)
    assert search_bounded(r"(a+)(b+)", "aabb") == Found(whole="aabb", group="aa")
