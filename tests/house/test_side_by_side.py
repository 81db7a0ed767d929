"""The table in docs/side-by-side.md is that of the targets which `make side-by-side` probes."""

from __future__ import annotations

from benchmarks.side_by_side import DOCUMENT, TARGETS, reasons


def test_the_document_tells_of_every_target_and_of_every_reason_for_a_difference() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    assert rows[1:] == [target.name for target in TARGETS]
    assert [line for line in text.splitlines() if line.startswith("- ")] == reasons(TARGETS)


def test_at_least_twenty_targets_are_probed() -> None:
    assert len({target.name for target in TARGETS}) == len(TARGETS) >= 20
