"""A real Prometheus scrapes the real service, with the rules and the scrape example users get."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards.build import expressions, filled_in
from tests.promql import selected_in
from tests.running_service import HERE, a_place, running, until

pytestmark = pytest.mark.prometheus

RULES = HERE / "dashboards" / "prometheus"
#: Exported only after something happened that did not happen here.
NOT_HERE = {
    "journey_incident_start_timestamp_seconds",  # no incident is open
    "journey_failures_total",  # nothing failed
    "probe_failure_info",
    "journey_missed_runs_total",  # no slot was missed
    "probe_http_last_modified_timestamp_seconds",  # no page says when it was changed
    "monitor_reference_up",  # the references are asked after a failure
    "monitor_outpost_up",  # there are no outposts
    "monitor_outpost_configuration_current",
    "monitor_handed_in_waiting",
    "ALERTS",  # nothing fired
}


@dataclass(frozen=True)
class Scraped:
    client: httpx.Client

    def get(self, path: str, **parameters: str) -> Any:
        answer = self.client.get(path, params=parameters).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def instant(self, expr: str) -> list[Any]:
        return list(self.get("/query", query=expr)["result"])


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    folder = tmp_path_factory.mktemp("scraped")
    with running(a_place(folder / "service"), "--practice") as service:
        until(lambda: len(service.up()) == 15, seconds=180, what="every check is up")
        until(lambda: service.series("sla_coverage_ratio"), seconds=180, what="the month is assessed")
        prepare(folder, service.metrics.removeprefix("http://"))
        with prometheus(folder) as address:
            client = httpx.Client(base_url=f"http://{address}/api/v1", timeout=30, trust_env=False)
            found = Scraped(client)
            until(lambda: len(found.instant("up == 1")) == 2, seconds=120, what="the first scrape of both jobs")
            until(lambda: settled(found), seconds=180, what="every rule was evaluated")
            yield found
            client.close()


def prepare(folder: Path, target: str) -> None:
    """The example as it is, but hurried and with the address of this service."""
    example = (RULES / "scrape.example.yml").read_text(encoding="utf-8")
    example = example.replace("127.0.0.1:8790", target).replace("15s", "5s")
    example = re.sub(r"alerting:.*?\n(?=scrape_configs)", "", example, flags=re.DOTALL)
    (folder / "prometheus.yml").write_text(example, encoding="utf-8")
    for name in ("recording_rules.yml", "alerting_rules.yml"):
        hurried = (RULES / name).read_text(encoding="utf-8").replace("interval: 1m\n", "interval: 1s\n")
        (folder / name).write_text(hurried, encoding="utf-8")


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """A Prometheus on a port of its own; its address."""
    log = folder / "prometheus.log"
    command = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--web.listen-address=127.0.0.1:0"], cwd=folder, stdout=file, stderr=file
        )  # fmt: skip

        def address() -> str:
            said = log.read_text(encoding="utf-8")
            assert process.poll() is None, said
            match = re.search(r'msg="Listening on" address=(\S+)', said)
            return match[1] if match and "Server is ready" in said else ""

        try:
            yield until(address, seconds=30, what="prometheus is ready")
        finally:
            process.terminate()
            process.wait(timeout=20)


def rules(found: Scraped) -> list[dict[str, Any]]:
    return [rule for group in found.get("/rules")["groups"] for rule in group["rules"]]


def settled(found: Scraped) -> bool:
    all_rules = rules(found)
    return bool(all_rules) and all(rule["health"] != "unknown" for rule in all_rules)


def health(found: Scraped) -> dict[str, tuple[str, str]]:
    targets = found.get("/targets")["activeTargets"]
    return {one["labels"]["job"]: (one["health"], one["lastError"]) for one in targets}


def test_the_service_is_a_healthy_target(scraped: Scraped) -> None:
    well = {"loketwacht": ("up", ""), "blackbox": ("up", "")}
    until(lambda: health(scraped) == well, seconds=60, what="both are scraped without error")


def test_a_check_is_scraped_as_a_target_of_blackbox_exporter(scraped: Scraped) -> None:
    seen = until(lambda: scraped.instant('probe_success{job="blackbox"}'), seconds=60, what="it was scraped")
    [series] = seen
    assert (series["metric"]["instance"], series["value"][1]) == ("startpagina", "1")


def test_every_rule_is_evaluated_without_error(scraped: Scraped) -> None:
    assert [(rule["name"], rule.get("lastError")) for rule in rules(scraped) if rule["health"] != "ok"] == []
    groups = scraped.get("/rules")["groups"]
    assert {Path(group["file"]).name for group in groups} == {"recording_rules.yml", "alerting_rules.yml"}


def test_nothing_is_alarmed_about_while_all_is_well(scraped: Scraped) -> None:
    firing = [rule["name"] for rule in rules(scraped) if rule.get("state") == "firing"]
    assert firing == []


def test_labels_of_the_service_are_honoured(scraped: Scraped) -> None:
    found = 'probe_success{job="loketwacht"}'
    until(lambda: len(scraped.instant(found)) == 15, seconds=60, what="every check was scraped")
    series = scraped.instant(found)
    assert {one["metric"]["location"] for one in series} == {"lokaal"}
    assert not any(label.startswith("exported_") for one in series for label in one["metric"])


def test_every_metric_that_dashboards_name_has_series(scraped: Scraped) -> None:
    named = {selected.metric for expression in expressions() for selected in selected_in(expression.expr)}
    there = set(scraped.get("/label/__name__/values"))
    assert named - there - NOT_HERE == set()


def test_every_expression_of_the_dashboards_can_be_asked(scraped: Scraped) -> None:
    for expression in expressions():
        scraped.instant(filled_in(expression.expr))
