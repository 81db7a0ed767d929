"""Every subject, one line a figure, and all of them in `benchmarks/latest.json`."""

from __future__ import annotations

from benchmarks import detection, exposition, probing, scenarios, service, sla_month, starting, years
from benchmarks.harness import keep, tell

#: A subject gives its figures one by one; a new one is added here.
SUBJECTS = (
    probing.figures,
    scenarios.figures,
    service.figures,
    starting.figures,
    detection.figures,
    exposition.figures,
    sla_month.figures,
    years.figures,
)

if __name__ == "__main__":
    found = []
    try:
        for figures in SUBJECTS:
            for figure in figures():
                tell(figure)
                found.append(figure)
    finally:
        keep(found)
