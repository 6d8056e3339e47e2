"""The rules in promtool's hands: each alert rings in one situation and is quiet in another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.prometheus.rule_cases import CASES, SHOP, Case, always, backup, rehearsal, until
from tests.support.promtool import RULES, needs_promtool, promtool

ROOT = RULES.parents[1]
FILES = (RULES / "recording.rules.yml", RULES / "backup.rules.yml")
RECORDED, ALERTED = (yaml.safe_load(file.read_text())["groups"] for file in FILES)
ALERTS: list[dict[str, Any]] = [rule for group in ALERTED for rule in group["rules"]]
BY_NAME = {rule["alert"]: rule for rule in ALERTS}


def _run(tmp_path: Path, tests: list[dict[str, Any]], *alerts: str) -> tuple[int, str]:
    """Try tests of one interval on the recording rules and these alerts alone, as evaluating rules takes the time."""
    groups = [
        {"name": group["name"], "rules": [rule for rule in group["rules"] if rule["alert"] in alerts]}
        for group in ALERTED
    ]
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump({"groups": [*RECORDED, *(group for group in groups if group["rules"])]}))
    document = {
        "rule_files": [str(rules)],
        "group_eval_order": [group["name"] for group in (*RECORDED, *groups) if group["rules"]],
        "evaluation_interval": tests[0]["interval"],
        "tests": tests,
    }
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump(document))
    return promtool("test", "rules", file)


def _selector(labels: dict[str, str]) -> str:
    return "ALERTS{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _test(case: Case) -> dict[str, Any]:
    common = {"alertname": case.alert, "alertstate": "firing", "severity": BY_NAME[case.alert]["labels"]["severity"]}
    return {
        "name": case.name,
        "interval": case.interval,
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{case.alert}", alertstate="firing"}}',
                "eval_time": case.at,
                "exp_samples": [{"labels": _selector({**labels, **common}), "value": 1} for labels in case.labels],
            }
        ],
    }


# Starting promtool takes longer than a case: those of an alert share a run, whose output names each that fails.
@needs_promtool
@pytest.mark.parametrize(("alert", "interval"), sorted({(case.alert, case.interval) for case in CASES}))
def test_an_alert_rings_when_it_should_and_only_then(alert: str, interval: str, tmp_path: Path) -> None:
    cases = [case for case in CASES if (case.alert, case.interval) == (alert, interval)]
    status, said = _run(tmp_path, [_test(case) for case in cases], alert)
    assert status == 0, said


def test_each_alert_has_a_case_that_rings_and_one_that_does_not() -> None:
    assert {case.alert for case in CASES if case.labels} == set(BY_NAME)
    assert {case.alert for case in CASES if not case.labels} == set(BY_NAME)


@needs_promtool
def test_the_text_of_an_alert_names_database_and_values_as_people_read_them(tmp_path: Path) -> None:
    labels = {**SHOP, "severity": "critical"}
    status, said = _run(
        tmp_path,
        [
            {
                "interval": "30m",
                "input_series": [
                    {"series": backup("last_success_timestamp_seconds"), "values": always(0)},
                    {"series": backup("size_bytes"), "values": always(12 * 2**30)},
                ],
                "alert_rule_test": [
                    {
                        "alertname": "BackupFailed",
                        "eval_time": "26h",
                        "exp_alerts": [
                            {
                                "exp_labels": labels,
                                "exp_annotations": {
                                    "summary": "No backup in 24 hours: shop (shop-prod)",
                                    "description": "The newest verified backup of shop (db1) is of "
                                    "1970-01-01 00:00:00 +0000 UTC.",
                                    "runbook_url": "docs/runbooks/backup-missing.md",
                                },
                            }
                        ],
                    },
                    {
                        "alertname": "BackupTooLarge",
                        "eval_time": "30m",
                        "exp_alerts": [
                            {
                                "exp_labels": {**labels, "severity": "warning", "tier": "daily"},
                                "exp_annotations": {
                                    "summary": "Backup > 10GB: shop (shop-prod), daily",
                                    "description": "The newest daily backup of shop has 12GiB. It is good, but dumps "
                                    "and restores take longer than was planned for.",
                                    "runbook_url": "docs/runbooks/backup-too-large.md",
                                },
                            }
                        ],
                    },
                ],
            }
        ],
        "BackupFailed",
        "BackupTooLarge",
    )
    assert status == 0, said


_YOUNG = {backup("last_success_timestamp_seconds"): always(0)}


def _rehearsed(passed: float, **labels: str) -> dict[str, str]:
    return {
        rehearsal("last_run_success", **labels): always(passed),
        rehearsal("last_run_timestamp_seconds", **labels): always(0),
    }


@needs_promtool
@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ({**_YOUNG, **_rehearsed(1)}, 1),
        ({**_YOUNG, **_rehearsed(0)}, 0),
        ({**_YOUNG, **_rehearsed(0, instance="mon")}, 0),
        ({**_YOUNG, **_rehearsed(0, server="shop-dev")}, 1),
        ({backup("last_success_timestamp_seconds"): always(-90_000), **_rehearsed(1)}, 0),
        ({backup("last_success_timestamp_seconds"): until(1, 0)}, 0),
    ],
    ids=[
        "recoverable",
        "a rehearsal failed",
        "a rehearsal failed, as another machine tells",
        "a rehearsal of another server failed",
        "too old",
        "not known any more",
    ],
)
def test_recoverable_is_a_young_backup_and_no_failed_rehearsal(
    series: dict[str, str], expected: int, tmp_path: Path
) -> None:
    labels = ",".join(f'{name}="{value}"' for name, value in SHOP.items())
    status, said = _run(
        tmp_path,
        [
            {
                "interval": "5m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": "backup_recoverable",
                        "eval_time": "10m",
                        "exp_samples": [{"labels": f"backup_recoverable{{{labels}}}", "value": expected}],
                    }
                ],
            }
        ],
    )
    assert status == 0, said


@needs_promtool
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_promtool_accepts_the_rules(file: Path) -> None:
    status, said = promtool("check", "rules", file)
    assert status == 0, said


def test_the_alerts_of_the_specification_are_there_word_for_word() -> None:
    assert BY_NAME["BackupFailed"]["expr"] == "backup_last_success < (time() - 86400)"
    assert BY_NAME["BackupFailed"]["annotations"]["summary"].startswith("No backup in 24 hours")
    assert BY_NAME["BackupTooLarge"]["expr"] == "backup_size_bytes > 10737418240"
    assert BY_NAME["BackupTooLarge"]["annotations"]["summary"].startswith("Backup > 10GB")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_has_a_severity_a_text_and_a_runbook_that_exists(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    page, _, heading = rule["annotations"]["runbook_url"].partition("#")
    assert (ROOT / page).is_file()
    if heading:
        headings = [line.strip("# ").lower().replace(" ", "-") for line in (ROOT / page).read_text().splitlines()]
        assert heading in headings
