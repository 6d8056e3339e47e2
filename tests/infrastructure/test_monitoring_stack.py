"""Who is told when a backup is missing, failed or too large."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dbbackup.contract import METRICS_NAMESPACE, Metric, Tier, metric_dimensions
from dbbackup.contract_watch import WatchMetric
from tests.infrastructure.synthesis import Synthesized, Template, settings_of, synthesize

ALARM = "AWS::CloudWatch::Alarm"


@pytest.fixture(scope="module")
def monitoring(prod: Synthesized) -> Template:
    return prod["monitoring"]


@pytest.fixture(scope="module")
def alarms(monitoring: Template) -> dict[str, dict[str, Any]]:
    return {found["AlarmName"].removeprefix("ftry-prod-"): found for found in monitoring.all(ALARM)}


def test_a_missing_backup_is_seen_by_its_age_every_five_minutes(alarms: dict[str, dict[str, Any]]) -> None:
    alarm = alarms["backup-missing-ftry"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (METRICS_NAMESPACE, WatchMetric.BACKUP_AGE.value)
    assert _dimensions(alarm) == metric_dimensions("prod", "ftry", Tier.DAILY)
    assert (alarm["Statistic"], alarm["Period"]) == ("Maximum", 300)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3, 3)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 25 * 3600)
    assert alarm["TreatMissingData"] == "breaching"


def test_cloudwatch_accepts_how_far_each_alarm_looks_back(alarms: dict[str, dict[str, Any]]) -> None:
    """A day, or a week where the periods are an hour or longer."""
    for name, alarm in alarms.items():
        period = alarm.get("Period") or max(
            found["MetricStat"]["Period"] for found in alarm["Metrics"] if "MetricStat" in found
        )
        assert period * alarm["EvaluationPeriods"] <= (604800 if period >= 3600 else 86400), name


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


def test_the_slowest_backup_that_can_be_made_is_too_slow_whatever_the_settings() -> None:
    settings = settings_of(
        "prod",
        backup__timeout_seconds=600,
        backup__deadline_margin_seconds=300,
        monitoring__slow_backup_percent=99,
        rehearsal__enabled=False,
    )
    found = {each["AlarmName"]: each for each in synthesize(settings)["monitoring"].all(ALARM)}
    assert found["ftry-prod-backup-too-slow-ftry"]["Threshold"] == 297
    assert found["ftry-prod-backup-errors"]["EvaluationPeriods"] == 5


@pytest.mark.parametrize(
    ("name", "namespace", "metric", "statistic", "periods", "missing"),
    [
        ("backup-errors", "AWS/Lambda", "Errors", "Sum", 6, "notBreaching"),
        ("backup-dead-letters", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", 1, "ignore"),
    ],
)
def test_a_single_failure_is_enough(
    alarms: dict[str, dict[str, Any]],
    name: str,
    namespace: str,
    metric: str,
    statistic: str,
    periods: int,
    missing: str,
) -> None:
    alarm = alarms[name]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (namespace, metric, statistic)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (300, periods, 1)
    assert alarm["TreatMissingData"] == missing


def test_errors_are_those_of_the_backup_function(alarms: dict[str, dict[str, Any]]) -> None:
    (dimension,) = alarms["backup-errors"]["Dimensions"]
    assert dimension["Name"] == "FunctionName"
    assert dimension["Value"]["Fn::ImportValue"].startswith("ftry-prod-backup:ExportsOutputRefBackupFunction")


def test_every_alarm_is_heard_and_says_what_to_do(alarms: dict[str, dict[str, Any]]) -> None:
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"], name
        (topic,) = alarm["AlarmActions"]
        assert topic["Fn::ImportValue"].startswith("ftry-prod-notification:ExportsOutputRefAlarmsTopic"), name
        assert re.search(r" What to do: docs/runbooks/[a-z-]+\.md$", alarm["AlarmDescription"]), name
        assert len(alarm["AlarmDescription"]) <= 1024, name
        assert alarm["TreatMissingData"] in {"breaching", "notBreaching", "ignore"}, name


def _dimensions(metric: dict[str, Any]) -> dict[str, str]:
    return {found["Name"]: found["Value"] for found in metric["Dimensions"]}
