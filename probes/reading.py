"""What a run of a name, port or mail server check found out so far, for a deadline may cut in anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from probes.fault import Fault
from probes.sample import Answered, CertificateFacts, Reached
from probes.trail import Trail


@dataclass(slots=True, kw_only=True)
class Reading:
    """Not redacted.

    Attributes:
        trail: the way there, what was asked (`request`) and what was said (`body`).
        so_far: what is wrong if time runs out now; None: nothing but that.
    """

    trail: Trail = field(default_factory=Trail)
    answered: Answered | None = None
    certificate: CertificateFacts | None = None
    so_far: Fault | None = None

    def reached(self, kind: str) -> Reached:
        """What the sample of a check of this kind keeps of it, also when all is well."""
        last = self.trail.attempts[-1] if self.trail.attempts else None
        address = last.address if last is not None and last.refusal is None else ""
        return Reached(kind=kind, address=address, phases=self.trail.phases, answered=self.answered)
