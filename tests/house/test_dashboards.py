"""The dashboards, rules and their documents agree with each other and with the catalogue of metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import build
from dashboards.boards.clauses import INDICATIVE
from dashboards.build import BOARDS, FOLDER, expressions, stale
from monitor.catalogue import CATALOGUE
from tests.promql import selected_in

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "dashboards" / "prometheus"
FILES = sorted(FOLDER.glob("*.json"))
#: Not ours to export, with the reason.
FROM_PROMETHEUS = {
    "up": "written by Prometheus for every scrape",
    "ALERTS": "written by Prometheus for every active alert",
}
#: Rules of Grafana's dashboard linter that are not kept, with the reason.
LINT_EXCEPTIONS = {
    "template-instance-rule": "one monitor answers for a journey; `location` tells where from, figures of agreements "
    "must not be split by process",
    "target-instance-rule": "as template-instance-rule",
    "panel-units-rule: none": "states are shown as words, not as numbers",
}
UNITS = {"none", "short", "s", "percentunit", "bytes", "dtdurations", "dateTimeAsIso"}


def exported() -> set[str]:
    names: set[str] = set()
    for metric in CATALOGUE:
        suffixes = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        names |= {metric.name + suffix for suffix in suffixes}
    return names


def rules(name: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / name).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = rules("alerting_rules.yml")
RECORDED = rules("recording_rules.yml")
KNOWN = exported() | FROM_PROMETHEUS.keys() | {rule["record"] for rule in RECORDED}
RULES = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in ALERTS + RECORDED]


def boards() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in FILES:
        yield path.stem, json.loads(path.read_text())


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


BOARD_CASES = [pytest.param(board, id=name) for name, board in boards()]
EXPRESSION_CASES = [pytest.param(e.expr, id=f"{e.board}: {e.panel} {e.ref}") for e in expressions()]


def test_the_committed_dashboards_are_what_the_generator_writes() -> None:
    assert stale() == ()


def test_a_dashboard_edited_by_hand_is_noticed(tmp_path: Path) -> None:
    build.write(tmp_path)
    (tmp_path / "sla.json").write_text("{}\n")
    (tmp_path / "stray.json").write_text("{}\n")
    assert stale(tmp_path) == ("sla.json", "stray.json")


def test_the_generator_refuses_other_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--help-me"]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("expr", EXPRESSION_CASES)
def test_every_metric_on_a_dashboard_is_exported(expr: str) -> None:
    assert {found.metric for found in selected_in(expr)} <= KNOWN


@pytest.mark.parametrize(("name", "expr"), RULES)
def test_every_metric_in_a_rule_is_exported(name: str, expr: str) -> None:
    assert {found.metric for found in selected_in(expr)} <= KNOWN, name


def test_every_label_that_is_matched_exists_on_its_metric() -> None:
    labels = {metric.name: {*metric.labels, "job", "instance", "le"} for metric in CATALOGUE}
    for expr in (*(e.expr for e in expressions()), *(expr for _, expr in RULES)):
        for found in selected_in(expr):
            plain = re.sub(r"_(bucket|sum|count)$", "", found.metric)
            assert found.matchers.keys() <= labels.get(plain, found.matchers.keys()), expr


@pytest.mark.parametrize("expr", EXPRESSION_CASES)
def test_every_selector_keeps_to_the_chosen_job(expr: str) -> None:
    assert 'job=~"$job"' in expr
    assert all("job" in found.matchers for found in selected_in(expr))


def test_counters_are_only_read_as_rates_or_increases() -> None:
    counters = {metric.name for metric in CATALOGUE if metric.kind == "counter"}
    for expr in (*(e.expr for e in expressions()), *(expr for _, expr in RULES)):
        for found in selected_in(expr):
            if found.metric in counters or found.metric.endswith(("_bucket", "_count", "_sum")):
                assert found.functions[:1] in (("rate",), ("increase",)), expr


def test_rates_follow_the_scrape_interval() -> None:
    for expression in expressions():
        if re.search(r"\b(rate|irate)\(", expression.expr):
            assert set(re.findall(r"\[([^\]]+)\]", expression.expr)) == {"$__rate_interval"}, expression


@pytest.mark.parametrize("board", BOARD_CASES)
def test_a_dashboard_is_fixed_tagged_and_cannot_be_edited(board: dict[str, Any]) -> None:
    assert board["editable"] is False
    assert board["tags"] == ["loketwacht"]
    assert re.fullmatch(r"loketwacht-[a-z]+", board["uid"])
    assert board["timezone"] == "Europe/Brussels"


def test_the_uids_of_dashboards_are_unique() -> None:
    uids = [board["uid"] for _, board in boards()]
    assert len(uids) == len(set(uids)) == len(BOARDS)


@pytest.mark.parametrize("board", BOARD_CASES)
def test_the_first_variable_chooses_the_data_source(board: dict[str, Any]) -> None:
    first, *others = board["templating"]["list"]
    assert (first["type"], first["name"], first["label"]) == ("datasource", "datasource", "Data source")
    for variable in others:
        assert variable["refresh"] == 2
        assert variable["datasource"]["uid"] == "${datasource}"
        assert variable.get("allValue") == (".+" if variable["multi"] else None)


@pytest.mark.parametrize("board", BOARD_CASES)
def test_variables_are_defined_before_they_are_used(board: dict[str, Any]) -> None:
    defined: set[str] = set()
    for variable in board["templating"]["list"][1:]:
        used = set(re.findall(r"\$(\w+)", variable["query"]["query"]))
        assert used <= defined, variable["name"]
        defined.add(variable["name"])
    for panel in panels(board):
        for target in panel["targets"]:
            assert set(re.findall(r"\$(?!__)(\w+)", target["expr"])) <= defined, panel["title"]


def test_the_variables_of_annotations_exist_on_every_dashboard() -> None:
    used = {name for e in expressions() if e.board == "annotations" for name in re.findall(r"\$(\w+)", e.expr)}
    for name, board in boards():
        assert used <= {variable["name"] for variable in board["templating"]["list"]}, name


def test_every_variable_asks_for_an_exported_metric_and_its_label() -> None:
    labels = {metric.name: {*metric.labels, "job"} for metric in CATALOGUE}
    for _, board in boards():
        for variable in board["templating"]["list"][1:]:
            match = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", variable["query"]["query"])
            assert match, variable["query"]
            assert match[2] in labels[match[1]]


@pytest.mark.parametrize("board", BOARD_CASES)
def test_every_panel_has_a_title_a_description_queries_and_a_unit(board: dict[str, Any]) -> None:
    for panel in panels(board):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["targets"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["fieldConfig"]["defaults"]["noValue"]


@pytest.mark.parametrize("board", BOARD_CASES)
def test_states_are_words_and_not_only_colours(board: dict[str, Any]) -> None:
    for panel in panels(board):
        defaults = panel["fieldConfig"]["defaults"]
        if defaults["unit"] == "none" and panel["type"] != "table" and panel["title"] != "Last HTTP status":
            assert defaults["mappings"], panel["title"]


@pytest.mark.parametrize("board", BOARD_CASES)
def test_ids_and_query_letters_are_unique(board: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in panels(board):
        letters = [target["refId"] for target in panel["targets"]]
        assert len(letters) == len(set(letters))


@pytest.mark.parametrize("board", BOARD_CASES)
def test_no_panel_lies_on_another_or_off_the_grid(board: dict[str, Any]) -> None:
    places = [(panel["title"], panel["gridPos"]) for panel in board["panels"]]
    assert all(p["x"] >= 0 and p["x"] + p["w"] <= 24 for _, p in places)
    for (one, a), (other, b) in combinations(places, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        apart = apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert apart, (one, other)


def test_links_between_dashboards_lead_somewhere() -> None:
    variables = {b["uid"]: {v["name"] for v in b["templating"]["list"]} for _, b in boards()}
    texts = [path.read_text() for path in FILES] + [str(rule.get("annotations")) for rule in ALERTS]
    found = [link for text in texts for link in re.findall(r"/d/([\w-]+)(?:\?var-(\w+)=)?", text)]
    assert found
    for uid, variable in found:
        assert uid in variables
        assert not variable or variable in variables[uid]


def test_every_figure_about_an_agreement_says_that_it_is_indicative() -> None:
    for _, board in boards():
        for panel in panels(board):
            if any("sla_" in target["expr"] for target in panel["targets"]):
                assert INDICATIVE in panel["description"], panel["title"]


def test_state_timelines_do_not_lose_short_outages() -> None:
    for _, board in boards():
        for panel in panels(board):
            if panel["type"] == "state-timeline":
                assert all(re.search(r"(min|max)_over_time\(", t["expr"]) for t in panel["targets"]), panel["title"]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: f"{rule['alert']} {rule['labels']['severity']}")
def test_every_alert_says_how_grave_it_is_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url", "dashboard_url"}
    assert "$value" not in rule["annotations"]["summary"]  # a value that flaps would make a new mail each time


def test_every_runbook_section_belongs_to_an_alert_and_every_alert_has_one() -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbooks.md").read_text(), re.MULTILINE)
    assert {heading.lower() for heading in headings} == {
        rule["annotations"]["runbook_url"].removeprefix("docs/runbooks.md#") for rule in ALERTS
    }
    assert set(headings) == {rule["alert"] for rule in ALERTS}


def test_links_inside_the_runbooks_resolve() -> None:
    text = (ROOT / "docs" / "runbooks.md").read_text()
    anchors = {heading.lower() for heading in re.findall(r"^## (\w+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", text)) <= anchors


def test_every_alert_is_tested_before_while_and_after_it_fires() -> None:
    seen: dict[str, list[bool]] = {}
    for name in ("rules_test.yml", "report_rules_test.yml"):
        for test in yaml.safe_load((PROMETHEUS / name).read_text())["tests"]:
            for case in test["alert_rule_test"]:
                seen.setdefault(case["alertname"], []).append(bool(case["exp_alerts"]))
    for alert in {rule["alert"] for rule in ALERTS}:
        fired = seen[alert].index(True)
        assert False in seen[alert][:fired], alert
        assert False in seen[alert][fired:], alert


def test_recording_rules_are_named_level_metric_operation() -> None:
    for rule in RECORDED:
        level, metric, operation = rule["record"].split(":")
        assert all((level, metric, operation)), rule["record"]
        assert set(level.split("_")) <= {"job", "journey", "contract", "clause"}


def test_grafana_finds_the_dashboards_where_compose_puts_them() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    provider = yaml.safe_load((FOLDER / "provisioning/dashboards/loketwacht.yaml").read_text())["providers"][0]
    mounts = dict(volume.split(":")[:2] for volume in compose["grafana"]["volumes"])
    assert mounts["./dashboards/grafana"] == provider["options"]["path"]
    assert provider["allowUiUpdates"] is False
    for source in (mount for service in compose.values() for mount in service["volumes"] if mount.startswith("./")):
        assert (ROOT / source.split(":")[0]).is_dir()


def test_every_service_of_compose_listens_on_loopback_only() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for service in compose.values():
        assert service["network_mode"] == "host"
        assert "127.0.0.1" in str(service.get("command", service.get("environment")))


def test_grafana_steps_as_often_as_prometheus_scrapes() -> None:
    source = yaml.safe_load((FOLDER / "provisioning/datasources/loketwacht.yaml").read_text())["datasources"][0]
    scrape = yaml.safe_load((PROMETHEUS / "scrape.example.yml").read_text())
    assert source["jsonData"]["timeInterval"] == scrape["global"]["scrape_interval"]
    assert scrape["scrape_configs"][0]["honor_labels"] is True


def test_exceptions_from_the_linter_carry_a_reason() -> None:
    assert all(len(reason) > 20 for reason in (*LINT_EXCEPTIONS.values(), *FROM_PROMETHEUS.values()))
