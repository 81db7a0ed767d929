"""The table that `make faults` prints: a row per fault, over all the times it was played."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.faults.faults import Fault
from tests.faults.playing import Played
from tests.faults.scene import Memory

_COLUMNS = "{:<33} {:>5} {:>7} {:>5} {:>7} {:>8} {:>7} {:>16} {:>8}  {}"


def head() -> str:
    above = ("fault", "times", "samples", "mails", "mails", "identity", "time to", "memory, MB", "not", "")
    below = ("", "", "lost", "lost", "doubled", "holds", "recover", "from, most, to", "measured", "")
    return "\n".join(_COLUMNS.format(*words).rstrip() for words in (above, below))


@dataclass(kw_only=True)
class Row:
    """What became of one fault, over all its repetitions."""

    fault: Fault
    times: int = 0
    by: str = ""
    wrong: list[str] = field(default_factory=list)
    lost: int = 0
    mails_lost: int = 0
    mails_doubled: int = 0
    slots: int = 0
    recovered_s: float = 0.0
    memory: Memory | None = None
    unmeasured: int = 0
    untold: int = 0
    pace: float = 1.0
    not_played: str | None = None

    def add(self, played: Played) -> None:
        if played.not_played is not None:
            # In a soak the last round may be cut short; what was played before it counts.
            self.not_played = played.not_played if not self.times else None
            return
        self.times += 1
        self.by = played.by or self.by
        self.wrong += played.wrong
        self.lost += played.lost
        self.mails_lost += played.mails_lost
        self.mails_doubled += played.mails_doubled
        self.slots += played.slots
        self.unmeasured += played.unmeasured
        self.untold += played.untold
        self.recovered_s = max(self.recovered_s, played.recovered_s)
        self.pace = max(self.pace, played.pace)
        if played.memory and (self.memory is None or played.memory.growth > self.memory.growth):
            self.memory = played.memory

    def line(self) -> str:
        if self.not_played is not None:
            return _COLUMNS.format(self.fault.name, 0, *"-------", f"not played: {self.not_played}")
        memory, told = self.memory, f"{self.unmeasured} told" if self.unmeasured else "-"
        said = ("" if self.kept else "BROKEN", f"({self.by})" if self.by else "")
        return _COLUMNS.format(
            self.fault.name,
            self.times,
            self.lost,
            self.mails_lost,
            f"{self.mails_doubled}*" if self.fault.may_double else str(self.mails_doubled),
            "yes" if self.slots == 0 else "NO",
            f"{self.recovered_s:.1f} s",
            f"{memory.before:.0f}, {memory.highest:.0f}, {memory.after:.0f}" if memory else "-",
            f"{self.untold} HID" if self.untold else told,
            " ".join(filter(None, said)),
        ).rstrip()

    @property
    def kept(self) -> bool:
        return not self.wrong and self.not_played is None
