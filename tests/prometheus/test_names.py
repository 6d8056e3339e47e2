"""Rules and dashboard ask for nothing that nobody tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dbbackup.core.exposition_names import FAMILIES
from tests.prometheus.test_rules import ALERTED, ALERTS, RECORDED, ROOT
from tests.support.promql import metrics_of
from tests.support.promtool import needs_promtool, promtool

OURS = {family.name for family in FAMILIES}
RECORDS = {rule["record"] for group in RECORDED for rule in group["rules"]}
NODE_EXPORTER = {"node_textfile_mtime_seconds", "node_textfile_scrape_error"}
PROMETHEUS = {"ALERTS"}
DASHBOARD: dict[str, Any] = json.loads((ROOT / "monitoring" / "grafana" / "recovery.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


@pytest.mark.parametrize(
    ("expression", "metrics"),
    [
        ('max without (source) (a{b="c",d=~"e|f"}[5m] offset 7d) > bool 1e3', {"a"}),
        ('x == ignoring (y) group_left (z) count_over_time(w[1h]) unless on (q) r:s_t{u="{v}"}', {"x", "w", "r:s_t"}),
        ("sum by (a) (rate(b[$__range])) / scalar(c) or vector(0)", {"b", "c"}),
        ('label_replace(vector(0), "severity", "none", "", "")', set()),
    ],
)
def test_metrics_are_found_in_expressions(expression: str, metrics: set[str]) -> None:
    assert metrics_of(expression) == metrics


def test_recording_rules_are_made_of_what_is_told() -> None:
    asked = {name for group in RECORDED for rule in group["rules"] for name in metrics_of(rule["expr"])}
    assert asked <= OURS | RECORDS


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_alerts_ask_for_what_is_told_or_recorded(rule: dict[str, Any]) -> None:
    asked = metrics_of(rule["expr"])
    assert asked
    assert asked <= OURS | RECORDS | NODE_EXPORTER


def _expressions() -> Iterator[str]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"]


def test_the_dashboard_asks_for_what_is_told_or_recorded() -> None:
    for expression in _expressions():
        asked = metrics_of(expression)
        assert asked, expression
        assert asked <= OURS | RECORDS | PROMETHEUS, expression
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["server"]["definition"] == "label_values(backup_tier_last_success, server)"
    assert variables["database"]["definition"] == 'label_values(backup_tier_last_success{server=~"$server"}, database)'


def test_the_dashboard_keeps_databases_of_one_name_apart() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            if "$database" in target["expr"]:
                assert 'server=~"$server",database=~"$database"' in target["expr"]
                assert "by (database" not in target["expr"]
                legend = target.get("legendFormat", "")
                assert "{{server}}" in legend or "{{" not in legend, panel["title"]


@needs_promtool
def test_promtool_accepts_every_expression_of_the_dashboard() -> None:
    rules = [{"record": f"panel_{number}", "expr": each} for number, each in enumerate(_expressions())]
    document = json.dumps({"groups": [{"name": "dashboard", "rules": rules}]})
    status, said = promtool("check", "rules", "--lint=none", "/dev/stdin", stdin=document.encode())
    assert status == 0, said
    assert f"{len(rules)} rules found" in said


def test_the_dashboard_says_first_whether_the_database_could_be_got_back() -> None:
    top = [panel for panel in PANELS if panel["gridPos"]["y"] == 0]
    assert (top[0]["title"], top[0]["gridPos"]["x"]) == ("Recoverable", 0)
    assert metrics_of(top[0]["targets"][0]["expr"]) == {"backup_recoverable"}
    assert top[0]["fieldConfig"]["defaults"]["noValue"] == "NOT KNOWN"
    shown = {name for expression in _expressions() for name in metrics_of(expression)}
    assert {
        "backup_last_success",
        "backup_tier_last_success",
        "backup_size_bytes",
        "backup_duration_seconds",
        "backup_duration_limit_seconds",
        "rehearsal_last_success",
        "rehearsal_passed",
        "dbbackup_rehearsal_recovery_time_seconds",
        "rehearsal_recovery_time_objective_seconds",
        "dbbackup_instance_latest_restorable_timestamp_seconds",
    } <= shown


def test_the_dashboard_can_be_imported_anywhere_and_again() -> None:
    assert (DASHBOARD["uid"], DASHBOARD.get("id")) == ("dbbackup-recovery", None)
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))
    for panel in PANELS:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))


def test_panels_lie_beside_each_other_and_not_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_limits_of_the_dashboard_are_those_of_the_alerts() -> None:
    by_title = {panel["title"]: panel["fieldConfig"]["defaults"].get("thresholds", {}) for panel in PANELS}
    alerts = {rule["alert"]: rule["expr"] for group in ALERTED for rule in group["rules"]}

    def limit(title: str) -> int:
        return int(by_title[title]["steps"][-1]["value"])

    assert f"> {limit('Size of the archive')}" in alerts["BackupTooLarge"]
    assert f"> {limit('Metrics of the store')}" in alerts["BackupMetricsStale"]
    assert f"> {limit('Recovery point of RDS')}" in alerts["RecoveryPointOld"]
    assert f"time() - {limit('Weekly') // 86400} * 86400" in alerts["BackupWeeklyMissing"]
    assert f"time() - {limit('Monthly') // 86400} * 86400" in alerts["BackupMonthlyMissing"]
    assert f"time() - {limit('Last good rehearsal') // 86400} * 86400" in alerts["RehearsalMissing"]
