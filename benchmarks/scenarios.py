"""What a journey of five steps costs, beside a web scenario of a Zabbix proxy: in turns, on one core, at one rate.

Its HTTP poller walks the scenarios that are due each second one after the other, and then rests; so do we. Both open a
connection per journey, keep cookies for it, and look at the status and for a text on each page.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from statistics import median

from benchmarks import peers
from benchmarks.harness import Figure, Process
from benchmarks.probers import paced_cost
from benchmarks.zabbix import Proxy, Scenario, proxy

_ROUNDS, _EACH_SECOND, _SECONDS = 3, 30, 5
#: After a rest the proxy catches up for a moment; that is not counted.
_SETTLE_S = 2
_PATHS = tuple(f"/stap{number}.html" for number in range(1, 6))
_TEXT = "Welkom aan het loket"
#: What of the proxy's CPU time is aimed at; and that time in ms, measured in November 2026 on two cores like these, for
#: where there is no proxy.
_AIMS = {"http": (0.8, 1.26), "https": (0.6, 2.98)}


def figures() -> Iterator[Figure]:
    absent = peers.missing()
    if absent:
        print(f"web scenarios are left out; missing: {', '.join(absent)} (see .ci/setup bench)", file=sys.stderr)
        return
    first, last = peers.cores()
    prober = Process(last)
    try:
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            folder = Path(name)
            http, https = stack.enter_context(peers.nginx(folder, core=first))
            sites = {"http": f"http://localhost:{http}", "https": f"https://localhost:{https}"}
            proxies = {}
            if peers.ZABBIX.exists():
                _prove(folder, sites["https"], f"https://127.0.0.1:{https}", core=last)
                for scheme, site in sites.items():
                    proxies[scheme] = stack.enter_context(proxy(_place(folder, scheme), _scenarios(site), core=last))
                    proxies[scheme].rest()
            yield from _compared(_costs(prober, sites, str(folder / "ca.pem"), proxies))
    finally:
        prober.end()


def _costs(prober: Process, sites: dict[str, str], ca_file: str, proxies: dict[str, Proxy]) -> dict[str, float]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(_ROUNDS):
        for scheme, site in sites.items():
            found[scheme].append(prober(paced_cost, f"{site}/", _PATHS, ca_file, _EACH_SECOND, _SECONDS))
            if scheme in proxies:
                poller, whole = _walked(proxies[scheme], sites["http"])
                found[f"{scheme} poller"].append(poller)
                found[f"{scheme} proxy"].append(whole)
    return {name: median(values) for name, values in found.items()}


def _compared(cost: dict[str, float]) -> Iterator[Figure]:
    for scheme, (aim, recorded) in _AIMS.items():
        about = f"{scheme} journey of 5 steps / Zabbix web scenario"
        if f"{scheme} poller" not in cost:
            yield Figure(
                figure=f"{about} (recorded earlier, not run here): CPU ms",
                ours=cost[scheme], peer=recorded, limit=aim, limits="ratio",
            )  # fmt: skip
            continue
        yield Figure(
            figure=f"{about}, its poller: CPU ms",
            ours=cost[scheme], peer=cost[f"{scheme} poller"], limit=aim, limits="ratio",
        )  # fmt: skip
        yield Figure(figure=f"{about}, its whole proxy: CPU ms", ours=cost[scheme], peer=cost[f"{scheme} proxy"])


def _walked(running: Proxy, site: str) -> tuple[float, float]:
    """CPU ms for each scenario, of the poller and of the whole proxy."""
    running.go_on()
    time.sleep(_SETTLE_S)
    poller, whole, pages = running.poller_cpu_s, running.whole_cpu_s, _pages(site)
    time.sleep(_SECONDS)
    poller, whole, pages = running.poller_cpu_s - poller, running.whole_cpu_s - whole, _pages(site) - pages - 1
    running.rest()
    walked = pages / len(_PATHS)
    if not 0.6 < walked / (_EACH_SECOND * _SECONDS) < 1.4:
        raise RuntimeError(f"the proxy walked {walked:g} scenarios in {_SECONDS} s, not {_EACH_SECOND} a second")
    return poller * 1000 / walked, whole * 1000 / walked


def _pages(site: str) -> int:
    """How many requests nginx has had, this one included."""
    with urllib.request.urlopen(f"{site}/standing", timeout=10) as answer:  # noqa: S310 - the target of our own
        return int(answer.read().split(b"requests")[1].split()[2])


def _scenarios(site: str) -> tuple[Scenario, ...]:
    pages = tuple(f"{site}{path}" for path in _PATHS)
    return tuple(Scenario(name=f"reis {n}", addresses=pages, texts=(_TEXT,) * 5) for n in range(_EACH_SECOND))


def _place(folder: Path, name: str) -> Path:
    place = folder / f"zabbix-{name}"
    (place / "authorities").mkdir(parents=True)
    shutil.copy(folder / "ca.pem", place / "authorities")
    return place


def _prove(folder: Path, site: str, wrong_site: str, *, core: int) -> None:
    """The proxy does what it is compared for: all five pages with the cookie of the first, on one verified connection,
    and no further than a page without its text.

    Raises:
        RuntimeError: it does not; a comparison would say nothing.
    """

    def asked(name: str, base: str, *texts: str) -> Scenario:
        return Scenario(name=name, addresses=tuple(f"{base}{path}?asked={name}" for path in _PATHS), texts=texts)

    scenarios = (
        asked("whole", site, *(_TEXT,) * 5),
        asked("textless", site, _TEXT, _TEXT, "staat er niet", _TEXT, _TEXT),
        asked("untrusted", wrong_site, *(_TEXT,) * 5),
    )
    log = folder / "asked.log"
    with proxy(_place(folder, "proof"), scenarios, core=core):
        deadline = time.monotonic() + 30
        while log.read_text(encoding="utf-8").count("whole") < 15 and time.monotonic() < deadline:
            time.sleep(0.2)
    rows = [line.split(" ", 3) for line in log.read_text(encoding="utf-8").splitlines()]
    walks: dict[str, list[str]] = {name: [] for name in ("whole", "textless", "untrusted")}
    for (name, _), pages in groupby(rows, key=lambda row: (row[0], row[1])):
        walks[name].append(" ".join(f"{path}{'+' * ('sessie=' in cookie)}" for _, _, path, cookie in pages))
    whole = " ".join([_PATHS[0], *(f"{path}+" for path in _PATHS[1:])])
    expected = {"whole": {whole}, "textless": {" ".join(whole.split()[:3])}, "untrusted": set[str]()}
    found = {name: set(each[:-1]) for name, each in walks.items()}  # the last one may have been cut off
    if found != expected or walks["untrusted"]:
        raise RuntimeError(f"the Zabbix proxy walks otherwise than it should: {walks}")
