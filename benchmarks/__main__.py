"""Every subject, one line a figure, and all of them in `benchmarks/latest.json`."""

from __future__ import annotations

from benchmarks import sla_month
from benchmarks.harness import keep, tell

#: A subject gives its figures one by one; a new one is added here.
SUBJECTS = (sla_month.figures,)

if __name__ == "__main__":
    found = []
    for figures in SUBJECTS:
        for figure in figures():
            tell(figure)
            found.append(figure)
    keep(found)
