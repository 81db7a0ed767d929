"""The samples behind a report as CSV: one line a sample, with what became of it.

RFC 4180: commas, CRLF, quotes where needed; UTF-8 with a byte order mark. Names and codes are English and numbers have
a point, for programs read this file; people have the workbook. A spreadsheet in Dutch expects semicolons: there, import
it "from text/CSV" and name the comma. RFC 4180 knows no other separator, and a file that says `sep=` in its first line
is no CSV to anybody else.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from sla.intervals import IntervalSet
from sla.measurements import SampleIn
from sla.period import instant_text
from sla.report import Report
from sla.service_hours import service_time

BOM = "\ufeff"
COLUMNS = ("journey", "due", "interval_s", "outcome", "duration_ms", "location", "failure", "attempts")
_A_PIECE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A sample with the SHA-256 of each piece of its evidence, as they are sealed; none where nothing was kept."""

    sample: SampleIn
    evidence: tuple[str, ...] = ()


def lines(report: Report, proven: Iterable[Proven]) -> Iterator[bytes]:
    """The file piece by piece, samples in the order given; those due outside the report's period are left out.

    After the columns of a sample: `state`, its journey's class at the instant it was due, whatever the windows; per
    clause `window_ID`, whether it was due in that clause's service time (empty where the clause is not about the
    journey); and `evidence_sha256`. How a clause counts an instant, with its own rules, `sla explain` tells.
    """
    clauses: dict[str, tuple[frozenset[str], IntervalSet]] = {}
    for result in report.assessment.clauses:
        open_ = service_time(result.version, result.clause.window, result.period, report.timezone)
        before = clauses.get(result.clause.id)
        clauses[result.clause.id] = (
            frozenset(result.clause.scope) | (before[0] if before else frozenset()),
            IntervalSet.of((*open_.spans, *(before[1].spans if before else ()))),
        )
    windows = {name: (scope, [s.start_us for s in when.spans], when.spans) for name, (scope, when) in clauses.items()}
    states = {
        timeline.journey: ([span.start_us for span, _ in timeline.spans], timeline.spans)
        for timeline in report.assessment.timelines
    }
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    out.write(BOM)
    writer.writerow((*COLUMNS, "state", *(f"window_{name}" for name in windows), "evidence_sha256"))
    period = report.period
    for number, one in enumerate(proven, start=1):
        sample = one.sample
        if not period.start_us <= sample.due_us < period.end_us:
            continue
        starts, spans = states.get(sample.journey, ([], ()))
        place = bisect_right(starts, sample.due_us) - 1
        state = spans[place][1] if place >= 0 and sample.due_us < spans[place][0].end_us else ""
        inside = []
        for scope, opens, open_spans in windows.values():
            here = bisect_right(opens, sample.due_us) - 1
            is_open = here >= 0 and sample.due_us < open_spans[here].end_us
            inside.append("" if sample.journey not in scope else "yes" if is_open else "no")
        writer.writerow(
            (
                safe(sample.journey),
                instant_text(sample.due_us, report.timezone),
                _thousandths(sample.interval_us, 6),
                sample.outcome,
                "" if sample.duration_us is None else _thousandths(sample.duration_us, 3),
                safe(sample.location),
                safe(sample.failure),
                sample.attempts,
                state,
                *inside,
                " ".join(one.evidence),
            )
        )
        if number % _A_PIECE == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe before it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _thousandths(us: int, places: int) -> str:
    """Microseconds as a plain number of so many places more, exact."""
    text = f"{Decimal(us).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
