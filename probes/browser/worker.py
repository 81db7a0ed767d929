"""The process of one browser run: reads a job, walks it, writes one line, ends. `python -m probes.browser.worker`."""

from __future__ import annotations

import asyncio
import pickle
import sys
import time

from probes.browser.exchange import VISITED, Job
from probes.browser.visit import visit


def main() -> None:
    job = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    assert isinstance(job, Job)
    visited = asyncio.run(visit(job, monotonic_us=lambda: time.monotonic_ns() // 1_000))
    sys.stdout.buffer.write(VISITED.dump_json(visited) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
