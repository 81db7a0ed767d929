"""How long measurements are kept. What proves a failure is kept for ever; of good runs, the figures of each day are."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from probes.checks import Definition, Duration

YEAR_US = 365 * 86_400 * 1_000_000


class RetentionSettings(Definition):
    """What `db retention` may take away: samples of runs that were good at once, of days that are sealed.

    Attributes:
        after_contract: how long they are kept behind the end of the last contract that was in force on their day.
        without_contract: how long where no contract was in force.
    """

    after_contract: Duration = YEAR_US
    without_contract: Duration = 3 * YEAR_US

    @model_validator(mode="after")
    def _a_year(self) -> Self:
        if min(self.after_contract, self.without_contract) < YEAR_US:
            raise ValueError('keeps less than a year ("365d")')
        return self
