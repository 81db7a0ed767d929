"""Debian's promtool and Prometheus judge the rules, the examples and every expression of the dashboards."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest

from dashboards.boards.outcomes import STATE_NOW, success_share
from dashboards.build import Expression, expressions, filled_in
from dashboards.panels import selected
from tests import backfill

RULES = Path(__file__).parents[2] / "dashboards" / "prometheus"
CONFIG = """
global: {scrape_interval: 1h, evaluation_interval: 1s}
rule_files: [rules/*.yml]
"""

pytestmark = [
    pytest.mark.prometheus,
    pytest.mark.skipif(not (shutil.which("prometheus") and shutil.which("promtool")), reason="prometheus is missing"),
]


def promtool(*arguments: str | Path, cwd: Path = RULES) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_promtool_finds_no_fault_in_the_rules() -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", "recording_rules.yml", "alerting_rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_no_fault_in_the_scrape_example() -> None:
    done = promtool("check", "config", "scrape.example.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["rules_test.yml", "report_rules_test.yml"])
def test_the_alerts_fire_when_they_should_and_only_then(name: str) -> None:
    """T14, T31, T36, T44: an ended certificate, a dead schedule, hours without data, a refused configuration."""
    done = promtool("test", "rules", name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("amtool"), reason="amtool (prometheus-alertmanager) is missing")
def test_amtool_finds_no_fault_in_the_alertmanager_example() -> None:
    done = subprocess.run(
        ["amtool", "check-config", RULES / "alertmanager.example.yml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


class Prometheus:
    """A running Prometheus, asked over its API."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=f"http://{address}/api/v1", timeout=30, trust_env=False)

    def get(self, path: str, **parameters: object) -> Any:
        answer = self._client.post(path, data=parameters) if parameters else self._client.get(path)
        assert answer.json()["status"] == "success", answer.text
        return answer.json()["data"]

    def instant(self, expr: str, at: int = backfill.END) -> list[dict[str, Any]]:
        return list(self.get("/query", query=filled_in(expr, REAL), time=at)["result"])

    def over_time(self, expr: str) -> list[dict[str, Any]]:
        span = {"start": backfill.END - 6 * 3600, "end": backfill.END, "step": 300}
        return list(self.get("/query_range", query=filled_in(expr, REAL), **span)["result"])

    def close(self) -> None:
        self._client.close()


REAL = {"__rate_interval": "5m", "__interval": "5m", "__range": "6h"}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    with (folder / "day.om").open("w") as file:
        file.writelines(backfill.lines())
    made = promtool(
        "tsdb", "create-blocks-from", "--max-block-duration=768h", "openmetrics", "day.om", "data", cwd=folder
    )
    assert made.returncode == 0, made.stdout + made.stderr
    (folder / "prometheus.yml").write_text(CONFIG)
    (folder / "rules").mkdir()
    for name in ("recording_rules.yml", "alerting_rules.yml"):
        hurried = (RULES / name).read_text().replace("interval: 1m\n", "interval: 1s\n")
        (folder / "rules" / name).write_text(hurried)
    process = subprocess.Popen(
        [
            "prometheus",
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--storage.tsdb.retention.time=100y",
            "--web.listen-address=127.0.0.1:0",
        ],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        address = ""
        for line in process.stderr:
            if match := re.search(r'msg="Listening on" address=(\S+)', line):
                address = match[1]
            if "Server is ready" in line:
                break
        assert address, "prometheus ended before it listened"
        server = Prometheus(address)
        yield server
        server.close()
    finally:
        process.terminate()
        process.stderr.close()
        process.wait(timeout=20)


@pytest.mark.parametrize("expression", expressions(), ids=lambda e: f"{e.board}: {e.panel} {e.ref}")
def test_every_expression_of_the_dashboards_answers(prometheus: Prometheus, expression: Expression) -> None:
    now = prometheus.instant(expression.expr)
    before = prometheus.over_time(expression.expr)
    assert now
    assert before
    numbers = [float(s["value"][1]) for s in now] + [float(v) for s in before for _, v in s["values"]]
    assert not any(math.isnan(number) or math.isinf(number) for number in numbers)
    shown = set(re.findall(r"\{\{(\w+)\}\}", expression.legend))
    assert all(shown <= series["metric"].keys() for series in now)


def test_a_journey_with_only_failures_has_no_success(prometheus: Prometheus) -> None:
    """T37: errors only are 0 %, and never 100 %."""
    answer = prometheus.instant(selected(success_share(by="journey")))
    assert {s["metric"]["journey"]: float(s["value"][1]) for s in answer} == {"aanmelden": 1, "indienen": 0, "oud": 1}


def test_an_old_state_is_not_shown_as_the_present_one(prometheus: Prometheus) -> None:
    answer = prometheus.instant(selected(STATE_NOW))
    assert {s["metric"]["journey"]: int(s["value"][1]) for s in answer} == {"aanmelden": 0, "indienen": 3, "oud": 4}


def test_without_recent_series_the_dashboard_shows_no_state_at_all(prometheus: Prometheus) -> None:
    """T34: nothing recent is no data, and not the last value."""
    assert prometheus.instant(selected(STATE_NOW), at=backfill.END + 3600) == []


def test_prometheus_evaluates_every_rule_without_error(prometheus: Prometheus) -> None:
    for _ in range(2_000):
        rules = [rule for group in prometheus.get("/rules")["groups"] for rule in group["rules"]]
        absent = next(rule for rule in rules if rule["name"] == "MonitorAbsent")
        if all(rule["health"] != "unknown" for rule in rules) and absent["state"] == "pending":
            break
        sleep(0.05)  # a real server's own clock: it cannot be moved
    written = "".join((RULES / name).read_text() for name in ("recording_rules.yml", "alerting_rules.yml"))
    assert len(rules) == written.count("- alert: ") + written.count("- record: ")
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []
