"""Who may be told: an address that no mail could hold is refused where it is written."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from monitor.recipients import Recipient


@pytest.mark.parametrize("address", ["ops@example.be", "o'neil+wacht@sub.example.be", "wacht@localhost"])
def test_these_are_mail_addresses(address: str) -> None:
    assert Recipient(address=address).address == address


@pytest.mark.parametrize(
    "address",
    [
        "example.be",
        "Ops <ops@example.be>",
        "rené@example.be",
        "a..b@example.be",
        "a.@example.be",
        "a@example..be",
        "a@example.be.",
    ],
)
def test_one_that_no_header_can_hold_is_refused(address: str) -> None:
    """Else everybody in the same mail would go without it, until somebody mended it."""
    with pytest.raises(ValidationError, match="is not a mail address"):
        Recipient(address=address)
