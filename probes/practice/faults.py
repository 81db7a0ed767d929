"""What can be broken on purpose: the list of faults, what is broken now, and how requests suffer from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

#: Path that stands for the reference targets instead of the portal.
REFERENCE = "@reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A whole number that steers one fault."""

    default: int
    lowest: int
    highest: int


_MIB = 1024 * 1024
#: Every fault there is, with the values it understands besides path, share and seconds.
FAULTS: Mapping[str, Mapping[str, Value]] = {
    "delay": {"delay_ms": Value(default=5_000, lowest=1, highest=600_000)},
    "drip": {"bytes_per_second": Value(default=20, lowest=1, highest=1_000_000)},
    "status-500": {"status": Value(default=500, lowest=400, highest=599)},
    "maintenance-200": {},
    "maintenance-503": {"retry_after": Value(default=3_600, lowest=0, highest=86_400)},
    "empty-list": {},
    "wrong-hash": {},
    "lost-upload": {},
    "missing-mail": {},
    "stale-search": {},
    "bot-check": {},
    "soap-fault": {},
    "idp-down": {"status": Value(default=503, lowest=400, highest=599)},
    "expired-certificate": {},
    "wrong-host-certificate": {},
    "redirect-loop": {},
    "huge-body": {"bytes": Value(default=64 * _MIB, lowest=1, highest=4096 * _MIB)},
    "gzip-bomb": {"bytes": Value(default=256 * _MIB, lowest=1, highest=4096 * _MIB)},
    "hang": {},
    "refuse": {},
    "reset": {},
}
#: Faults that the reference targets know; the others need a page to break.
REFERENCE_FAULTS = frozenset({"delay", "status-500", "hang", "refuse", "reset"})

_MILLION = 1_000_000
_LONGEST_PATH = 500


class BadOrder(ValueError):  # noqa: N818 - an answer to who ordered, not an error of ours
    """An order for a fault that cannot be. `problems` says all that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing that is broken now.

    Attributes:
        path: prefix of the paths that suffer; `@reference` for the reference targets.
        share_millionths: of the matching requests that suffer. They are spread evenly and start with a hit, so
            a share of a quarter breaks every fourth request, always the same ones.
        until_us: instant at which it mends by itself; None until it is cleared.
    """

    id: int
    name: str
    path: str
    share_millionths: int
    since_us: int
    until_us: int | None
    values: dict[str, int]
    _debt: int = field(default=_MILLION, repr=False)

    def strikes(self) -> bool:
        """Counts one matching request, and says whether it suffers."""
        if self._debt >= _MILLION:
            self._debt += self.share_millionths - _MILLION
            return True
        self._debt += self.share_millionths
        return False

    def described(self) -> dict[str, object]:
        """As the control API shows it; instants in microseconds since the epoch."""
        seconds = None if self.until_us is None else (self.until_us - self.since_us) / _MILLION
        return {
            "id": self.id,
            "fault": self.name,
            "path": self.path,
            "share": self.share_millionths / _MILLION,
            "seconds": seconds,
            "since_us": self.since_us,
            "until_us": self.until_us,
            **self.values,
        }


def _number(order: Mapping[str, object], key: str, problems: list[str]) -> float | None:
    value = order.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.append(f"{key} is {value!r}, not a number")
        return None
    return value


def _share(order: Mapping[str, object], problems: list[str]) -> int:
    share = _number(order, "share", problems)
    if share is not None and not 0 < share <= 1:
        problems.append(f"share is {share}, it goes from above 0 to 1 (1 breaks every request)")
    return _MILLION if share is None else max(1, round(share * _MILLION))


def _path(order: Mapping[str, object], name: object, problems: list[str]) -> str:
    path = order.get("path", "/")
    if not isinstance(path, str) or not (path.startswith("/") or path == REFERENCE):
        problems.append(f'path is {path!r}, it begins with "/" and is a prefix; or it is "{REFERENCE}"')
        return "/"
    if not path.isprintable() or len(path) > _LONGEST_PATH:
        problems.append(f"path is no path: it is printable and at most {_LONGEST_PATH} characters long")
        return "/"
    if path.startswith("/_practice"):
        problems.append("path is below /_practice, which is never broken")
    if path == REFERENCE and name not in REFERENCE_FAULTS:
        problems.append(f'path "{REFERENCE}" goes with {", ".join(sorted(REFERENCE_FAULTS))} only')
    return path


def _values(order: Mapping[str, object], name: str, problems: list[str]) -> dict[str, int]:
    known = FAULTS[name]
    values = {key: value.default for key, value in known.items()}
    for key in sorted(set(order) - {"fault", "path", "share", "seconds"}):
        if key not in known:
            also = f" and {', '.join(known)}" if known else ""
            problems.append(f"{key} is not known; {name} takes path, share, seconds{also}")
            continue
        value, limits = order[key], known[key]
        if isinstance(value, bool) or not isinstance(value, int) or not limits.lowest <= value <= limits.highest:
            problems.append(f"{key} is {value!r}, it is a whole number from {limits.lowest} to {limits.highest}")
            continue
        values[key] = value
    return values


class FaultBoard:
    """What is broken now. Time comes from `now_us` (microseconds since the epoch, UTC)."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, order: object) -> Fault:
        """Breaks something, as ordered in the words of the control API. Raises BadOrder with all that is wrong."""
        if not isinstance(order, Mapping):
            raise BadOrder(['the body is not a JSON object such as {"fault": "status-500", "path": "/loket"}'])
        name = order.get("fault")
        if not isinstance(name, str) or name not in FAULTS:
            raise BadOrder([f"fault is {name!r}, which is none of {', '.join(FAULTS)}"])
        problems: list[str] = []
        path = _path(order, name, problems)
        share = _share(order, problems)
        seconds = _number(order, "seconds", problems)
        if seconds is not None and not 0 < seconds <= 366 * 86_400:
            problems.append(f"seconds is {seconds}, it is above 0 and at most a year")
        values = _values(order, name, problems)
        if problems:
            raise BadOrder(problems)
        now = self._now_us()
        self._last_id += 1
        fault = Fault(
            id=self._last_id,
            name=name,
            path=path,
            share_millionths=share,
            since_us=now,
            until_us=None if seconds is None else now + round(seconds * _MILLION),
            values=values,
        )
        self._faults.append(fault)
        return fault

    def clear(self) -> int:
        """Mends everything; says how much there was to mend."""
        mended = len(self.active())
        self._faults.clear()
        return mended

    def active(self) -> tuple[Fault, ...]:
        now = self._now_us()
        self._faults = [f for f in self._faults if f.until_us is None or now < f.until_us]
        return tuple(self._faults)

    def hit(self, name: str, path: str | None) -> Fault | None:
        """The fault of this name that this request suffers from, if any. Counts towards its share.

        Args:
            path: of the request; None where there is none yet, as in a TLS handshake: then every path matches.
        """
        if not self._faults:
            return None
        for fault in self.active():
            if fault.name != name or (fault.path == REFERENCE) != (path == REFERENCE):
                continue
            if (path is None or path.startswith(fault.path)) and fault.strikes():
                return fault
        return None

    def still(self, fault: Fault) -> bool:
        """Whether this very fault is still there."""
        return any(f is fault for f in self.active())

    def shuts_the_door(self) -> bool:
        """Whether every connection is to be refused, so that listening can stop."""
        whole = (f for f in self.active() if f.name == "refuse" and f.path == "/")
        return any(f.share_millionths == _MILLION for f in whole)
