"""The samples behind a report as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from sla.measurements import SampleIn
from sla.rendering.tables_csv import Proven, lines, safe
from tests.report_story import report, samples_of


def rows(*samples: SampleIn) -> list[dict[str, str]]:
    body = b"".join(lines(report(), (Proven(sample=s, evidence=("ab" * 32,)) for s in samples)))
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def test_every_sample_of_the_period_has_a_line() -> None:
    samples = tuple(samples_of("indienen", report().period))
    found = rows(*samples)
    assert len(found) == len(samples)
    assert {row["state"] for row in found} <= {"up", "degraded", "down", "excluded", "unmeasured"}


def test_a_line_says_when_what_and_in_whose_window() -> None:
    due_us = next(s.due_us for s in samples_of("indienen", report().period) if s.outcome == "down")
    down = next(s for s in samples_of("indienen", report().period) if s.due_us == due_us)
    [row] = rows(down)
    assert row["due"] == "2026-10-12T10:30:00+02:00"
    assert (row["outcome"], row["state"], row["attempts"], row["interval_s"]) == ("down", "down", "2", "300")
    assert (row["window_B1"], row["window_B2"], row["window_B4"]) == ("yes", "no", "")
    assert row["evidence_sha256"] == "ab" * 32


def test_the_file_has_a_mark_for_utf_8_and_lines_of_rfc_4180() -> None:
    body = b"".join(lines(report(), ()))
    assert body.startswith(b"\xef\xbb\xbfjourney,due,")
    assert body.endswith(b"evidence_sha256\r\n")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_nothing_begins_like_a_formula(text: str) -> None:
    assert safe(text) == "'" + text
