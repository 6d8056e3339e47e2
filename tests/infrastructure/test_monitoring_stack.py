"""Who is told when a backup is missing, failed or too large."""

from __future__ import annotations

from typing import Any

import pytest

from dbbackup.contract import METRICS_NAMESPACE, Metric, Tier, metric_dimensions
from tests.infrastructure.synthesis import Synthesized, Template

ALARM = "AWS::CloudWatch::Alarm"


@pytest.fixture(scope="module")
def monitoring(prod: Synthesized) -> Template:
    return prod["monitoring"]


@pytest.fixture(scope="module")
def alarms(monitoring: Template) -> dict[str, dict[str, Any]]:
    return {found["AlarmName"].removeprefix("ftry-prod-"): found for found in monitoring.all(ALARM)}


def test_there_are_four_alarms(alarms: dict[str, dict[str, Any]]) -> None:
    assert set(alarms) == {"backup-missing-ftry", "backup-too-large-ftry", "backup-errors", "backup-dead-letters"}


def test_no_daily_backup_in_a_day_and_the_run_s_own_hour(alarms: dict[str, dict[str, Any]]) -> None:
    alarm = alarms["backup-missing-ftry"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (METRICS_NAMESPACE, Metric.BACKUP_SUCCESS.value)
    assert _dimensions(alarm) == metric_dimensions("prod", "ftry", Tier.DAILY)
    assert (alarm["Statistic"], alarm["Period"]) == ("Sum", 3600)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (25, 25)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 7 * 24 * 3600, "CloudWatch refuses to look back further"


def test_a_backup_over_ten_gibibytes(alarms: dict[str, dict[str, Any]]) -> None:
    alarm = alarms["backup-too-large-ftry"]
    (largest,) = [found for found in alarm["Metrics"] if found["ReturnData"]]
    sizes = [found for found in alarm["Metrics"] if not found["ReturnData"]]
    assert largest["Expression"] == f"MAX([{','.join(found['Id'] for found in sizes)}])"
    assert [_dimensions(found["MetricStat"]["Metric"]) for found in sizes] == [
        metric_dimensions("prod", "ftry", tier) for tier in Tier
    ]
    assert {
        (found["MetricStat"]["Metric"]["MetricName"], found["MetricStat"]["Stat"], found["MetricStat"]["Period"])
        for found in sizes
    } == {(Metric.BACKUP_SIZE.value, "Maximum", 86400)}
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 10737418240)
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("name", "namespace", "metric", "statistic"),
    [
        ("backup-errors", "AWS/Lambda", "Errors", "Sum"),
        ("backup-dead-letters", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
    ],
)
def test_a_single_failure_is_enough(
    alarms: dict[str, dict[str, Any]], name: str, namespace: str, metric: str, statistic: str
) -> None:
    alarm = alarms[name]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (namespace, metric, statistic)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (300, 1)
    assert alarm["TreatMissingData"] == "notBreaching"


def test_errors_are_those_of_the_backup_function(alarms: dict[str, dict[str, Any]]) -> None:
    (dimension,) = alarms["backup-errors"]["Dimensions"]
    assert dimension["Name"] == "FunctionName"
    assert dimension["Value"]["Fn::ImportValue"].startswith("ftry-prod-backup:ExportsOutputRefBackupFunction")


def test_every_alarm_is_heard_and_says_what_to_do(alarms: dict[str, dict[str, Any]]) -> None:
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"], name
        (topic,) = alarm["AlarmActions"]
        assert topic["Fn::ImportValue"].startswith("ftry-prod-notification:ExportsOutputRefAlarmsTopic"), name
        assert "What to do: docs/runbooks/backup-" in alarm["AlarmDescription"], name
        assert alarm["AlarmDescription"].endswith(".md"), name


def _dimensions(metric: dict[str, Any]) -> dict[str, str]:
    return {found["Name"]: found["Value"] for found in metric["Dimensions"]}
