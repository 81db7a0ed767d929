"""What a configuration may say of a journey."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from probes.checks import Capture, Expect, Step, duration_us
from tests.scripted_server import journey, step


@pytest.mark.parametrize(
    ("text", "expected"),
    [("250ms", 250_000), ("1.5s", 1_500_000), ("0.1s", 100_000), ("5m", 300_000_000), ("2h", 7_200_000_000)],
)
def test_lengths_of_time_are_exact(text: str, expected: int) -> None:
    assert duration_us(text) == expected


@pytest.mark.parametrize("value", ["5", "5 parsecs", "", "-1s", 5, 1.5])
def test_a_length_of_time_needs_its_unit(value: object) -> None:
    with pytest.raises(ValueError, match=r"unit|length of time"):
        duration_us(value)


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        journey(step(**changes))
    return str(refused.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"expect": {}}, "asserts nothing"),
        ({"expect": {"soft": "1s"}}, "asserts nothing"),
        ({"always": True}, "asserts nothing"),
        ({"expect": {"regex": "("}}, "not a regular expression"),
        ({"expect": {"css": {"select": "a["}}}, "not a CSS selector"),
        ({"expect": {"json": {"path": "a["}}}, "not a JMESPath expression"),
        ({"expect": {"statuss": 200}}, "statuss"),
        ({"form": {"a": "b"}}, "has a body, but method GET"),
        ({"method": "POST", "form": {}, "body": "x"}, "more than one body"),
        ({"capture": {"x": {"css": "a", "regex": "b"}}}, "exactly one of"),
        ({"capture": {"x": {"regex": "b", "attribute": "c"}}}, "attribute goes with css"),
        ({"capture": {"run": {"regex": "b"}}}, "already use"),
        ({"method": "POST", "multipart": [{"name": "a"}]}, "a field"),
        ({"method": "POST", "multipart": [{"name": "a", "file_name": "b"}]}, "needs both"),
        ({"name": "Geen Id"}, "pattern"),
    ],
    ids=str,
)
def test_nonsense_is_refused_with_its_reason(changes: dict[str, Any], says: str) -> None:
    """T28: a step that asserts nothing is refused before it ever runs."""
    assert says in refusal(**changes)


def test_two_steps_need_two_ids() -> None:
    with pytest.raises(ValidationError, match='two steps with the id "stap"'):
        journey(step(), step())


def test_a_run_may_not_overlap_the_next() -> None:
    with pytest.raises(ValidationError, match="overlap the next"):
        journey(deadline="61s")


@pytest.mark.parametrize(
    "expect",
    [
        {"css": {"select": "#rij-{{ nr }} td"}},
        {"css": {"select": 'tr[data-uuid="{{ uuid }}"]'}},
        {"regex": r"^{{ nr }}\d{4}$"},
        {"json": {"path": "content[?nr=='{{ nr }}']"}},
    ],
    ids=str,
)
def test_templates_may_stand_in_expressions(expect: dict[str, Any]) -> None:
    assert Expect.model_validate(expect).asserts


def test_one_expectation_may_be_written_without_a_list() -> None:
    assert Expect.model_validate({"status": 200, "text": "a"}) == Expect.model_validate(
        {"status": [200], "text": ["a"]}
    )


def test_values_read_from_a_file_are_frozen() -> None:
    one = Step.model_validate(step())
    with pytest.raises(ValidationError):
        one.path = "/anders"  # type: ignore[misc]
    assert Capture(body_sha256=True).body_sha256


@pytest.mark.parametrize("url", ["loket.example", "ftp://x", "https://", "https://a:b@loket.example", "https://x/?a=b"])
def test_a_base_url_is_a_site_and_nothing_more(url: str) -> None:
    with pytest.raises(ValidationError):
        journey(base_url=url)
