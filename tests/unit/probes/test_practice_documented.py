"""What the documentation says of the practice portal is what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.practice.faults import FAULTS
from probes.practice.mail_server import MAIL_FAULTS, SMTP_PASSWORD, SMTP_USER

PAGE = (Path(__file__).parents[3] / "docs" / "practice-portal.md").read_text()
VALUES = sorted({value for known in FAULTS.values() for value in known})


@pytest.mark.parametrize("word", [*FAULTS, *VALUES, *MAIL_FAULTS, SMTP_USER, SMTP_PASSWORD])
def test_every_fault_value_and_account_is_documented(word: str) -> None:
    assert f"`{word}`" in PAGE
