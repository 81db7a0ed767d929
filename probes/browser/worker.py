"""The process of one browser run: reads a job, walks it, says how it went, ends. `python -m probes.browser.worker`."""

from __future__ import annotations

import asyncio
import pickle
import sys
import time

from probes.browser.channel import Done, Line
from probes.browser.exchange import Job
from probes.browser.visit import visit


def main() -> None:
    hears, tells = sys.stdin.buffer, sys.stdout.buffer
    # The job says its own length: what follows on the same pipe are answers.
    job = pickle.loads(hears.read(int.from_bytes(hears.read(8), "big")))  # noqa: S301 - from whoever started this
    assert isinstance(job, Job)
    line = Line(hears, tells)
    line.tell(Done(visited=asyncio.run(visit(job, line, monotonic_us=lambda: time.monotonic_ns() // 1_000))))


if __name__ == "__main__":
    main()
