"""Whether the SLA report says everything that was not measured, in its file for machines and on its pages."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor import config
from monitor.assessing import intervals
from monitor.composition import report_job
from monitor.reporting import ReportJob, draw
from monitor.schedule import grid
from monitor.store import samples
from monitor.store.database import Database, Transaction
from probes.sample import Outcome
from sla.contract import Contract
from sla.intervals import IntervalSet, Span
from sla.rendering import html
from sla.rendering import json as json_form
from sla.rendering.page import LANGUAGES
from sla.rendering.words import Words

_FOR_EVER_US = 2**62
_MINUTE_US = 60_000_000

#: Stretches per journey, each from (included) to (excluded).
Stretches = Mapping[str, list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Said:
    """What became of the instants at which a journey was due and was not measured.

    Attributes:
        instants: how many there were, of all journeys together.
        wrong: where the report keeps silent about one, or tells of one that was measured; empty where it is true.
    """

    instants: int
    wrong: list[str] = field(default_factory=list)


def said(folder: Path, location: str) -> Said:
    """Draw up the reports of every month that was lived in, and compare them with the samples. The monitor has ended.

    Args:
        folder: with the configuration and its store.
        location: of the monitor.
    """
    loaded = config.load(folder / "config.toml")
    agreed = loaded.contracts[0]
    database = Database.open(loaded.database_url, migrate=False)
    try:
        with database.read() as tx:
            return compared(
                tx, agreed.contract, location, lambda period, now_us: report_job(loaded, agreed, period, now_us=now_us)
            )
    finally:
        database.close()


def compared(tx: Transaction, contract: Contract, location: str, job: Callable[[str, int], ReportJob]) -> Said:
    """What the reports tell of the instants that were not measured.

    Args:
        job: what a report is drawn up from, given its month and the instant at which that is done.
    """
    dark, measured, unknown = _unmeasured(tx, contract.journeys(), location)
    told: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    wrong: list[str] = []
    instants = sorted(us for slots in measured.values() for us in slots)
    for period in sorted({_month_of(us, ZoneInfo(contract.timezone)) for us in instants}):
        report, _ = draw(tx, job(period, instants[-1] + _MINUTE_US))
        gaps = json.loads(json_form.render(report))["report"]["gaps"]
        for gap in gaps:
            for journey in set(contract.journeys()) & set(gap["journeys"]):
                told[journey].append((_instant(gap["from"]), _instant(gap["to"])))
        for language in LANGUAGES:
            rows = _rows(html.render(report, language), Words(language))
            if rows != len(gaps):
                wrong.append(f"the {language} report of {period} shows {rows} of {len(gaps)} gaps")
    return Said(sum(map(len, dark.values())), [*wrong, *_silent(dark, told), *_idle(dark, told, measured, unknown)])


def _month_of(us: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(us / 1_000_000, zone):%Y-%m}"


def _unmeasured(
    tx: Transaction, journeys: Iterable[str], location: str
) -> tuple[Stretches, Mapping[str, list[int]], Stretches]:
    """Per journey the stretches that nothing was measured in, the instants at which something was, and the stretches
    before the first sample and after the last, of which nobody but the monitor knows what was due in them.

    Instants that were lived again after the clock went back lie a millisecond beside the grid. Of those only what could
    not be judged is a stretch: what was due then was measured when it was lived first.
    """
    dark: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    measured: defaultdict[str, list[int]] = defaultdict(list)
    unknown: dict[str, list[tuple[int, int]]] = {}
    known = intervals(tx, _FOR_EVER_US)
    for journey in journeys:
        every_us = known.at(journey, _FOR_EVER_US)
        phase_us = grid(journey, every_us).phase_us
        own: list[int] = []
        for sample in samples.between(tx, journey, location, 0, _FOR_EVER_US):
            if sample.outcome is Outcome.UNKNOWN:
                dark[journey].append((sample.slot_us, sample.slot_us + every_us))
            else:
                measured[journey].append(sample.slot_us)
            if (sample.slot_us - phase_us) % every_us == 0:
                own.append(sample.slot_us)
        for before_us, after_us in pairwise(own):
            dark[journey] += [(us, us + every_us) for us in range(before_us + every_us, after_us, every_us)]
        if own:
            unknown[journey] = [(0, own[0]), (own[-1] + every_us, _FOR_EVER_US)]
    return dark, measured, unknown


def _silent(dark: Stretches, told: Stretches) -> Iterator[str]:
    for journey, stretches in dark.items():
        # Two reports tell of what lies on both sides of a month's end; together they say all of it.
        whole = IntervalSet.of(Span(start_us=since, end_us=until) for since, until in told[journey])
        for start_us, end_us in stretches:
            if IntervalSet.of((Span(start_us=start_us, end_us=end_us),)) - whole:
                yield f"{journey} at {start_us}: not measured, and no report says so"


def _idle(dark: Stretches, told: Stretches, measured: Mapping[str, list[int]], unknown: Stretches) -> Iterator[str]:
    """Gaps of several journeys are told as one, so each must hold something of each of them, and no more is asked."""
    for journey, gaps in told.items():
        for since, until in gaps:
            holds = any(
                since < end_us and start_us < until for start_us, end_us in [*dark[journey], *unknown.get(journey, ())]
            )
            if not holds and any(since <= slot_us < until for slot_us in measured[journey]):
                yield f"{journey} from {since} to {until}: told as not measured, and it was"


def _instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


def _rows(page: str, words: Words) -> int:
    """How many gaps a reader finds on the page."""
    _, _, section = page.partition(f"<h3>{words('coverage.gaps')}</h3>")
    section = section.partition("<h3>")[0]
    if words("coverage.gaps_none") in section:
        return 0
    return section.partition("</table>")[0].count('<th scope="row">')
