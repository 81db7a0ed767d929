"""docs/evidence.md tells every field, word and bound of a bundle, and no other."""

from __future__ import annotations

import json
import re

from probes.bundle import LIMIT, unpacked
from probes.evidence import BODY_LIMIT
from probes.har import HEAD_LIMIT, SENT_LIMIT
from probes.replay import Lacking
from tests.bundles import seen_in_a_browser
from tests.heart import a_sample, at
from tests.running_service import HERE

TEXT = (HERE / "docs/evidence.md").read_text(encoding="utf-8")


def words(heading: str) -> set[str]:
    """What stands in backquotes in the first column of the first table under a heading."""
    part = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    return {word for row in rows for word in re.findall(r"`(\w+)`", row)}


def test_every_field_of_a_bundle_is_told() -> None:
    [bundle] = seen_in_a_browser(a_sample("x", at("10:00"))).bundles
    assert words("What it tells") == set(json.loads(unpacked(bundle.packed))) | {"shortened"}


def test_every_word_of_what_a_line_lacks_is_told() -> None:
    assert words("The line to replay it") == {one.value for one in Lacking}


def test_the_bounds_are_those_that_hold() -> None:
    assert (BODY_LIMIT, HEAD_LIMIT, SENT_LIMIT, LIMIT) == (65_536, 16_384, 16_384, 2**20)
    assert all(text in TEXT for text in ("| 65,536 characters |", "| 16,384 characters |", "| 1 MiB;"))
