"""What CloudWatch tells a topic when an alarm changes its state."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from devtools.alarm_templates import Alarm, Composite
from devtools.alarms import State

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"


def notification_of(
    alarm: Alarm | Composite,
    *,
    before: State,
    state: State,
    at: datetime,
    reason: str | None = None,
    raised_by: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The JSON document in an SNS message.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html

    Args:
        alarm: the alarm, of one metric or composite.
        before: its state until then.
        state: its state from then on.
        at: when it changed.
        reason: in CloudWatch's words; a sentence of the same shape where it is not given.
        raised_by: of a composite alarm, the names of those that changed it.
    """
    document: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": ACCOUNT,
        "NewStateValue": state.value,
        "NewStateReason": reason or _reason(alarm, state),
        "StateChangeTime": at.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Region": "US East (N. Virginia)",
        "AlarmArn": _arn(alarm.name),
        "OldStateValue": before.value,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
    }
    if isinstance(alarm, Composite):
        return {
            **document,
            "AlarmRule": alarm.rule,
            "TriggeringChildren": [
                {"Arn": _arn(name), "State": {"Value": state.value, "Timestamp": document["StateChangeTime"]}}
                for name in raised_by
            ],
        }
    return {**document, "Trigger": _trigger(alarm)}


def _arn(name: str) -> str:
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"


def _reason(alarm: Alarm | Composite, state: State) -> str:
    if isinstance(alarm, Composite):
        return f"{_arn(alarm.name)} transitioned to {state.value}"
    wanted = alarm.datapoints_to_alarm if state is State.ALARM else 1
    return (
        f"Threshold Crossed: {wanted} out of the last {alarm.evaluation_periods} datapoints, {alarm.comparison}, "
        f"threshold {alarm.threshold}."
    )


def _trigger(alarm: Alarm) -> dict[str, Any]:
    shared = {
        "Period": int(alarm.period.total_seconds()),
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "ComparisonOperator": alarm.comparison,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.missing,
    }
    if len(alarm.queries) == 1 and alarm.band is None:
        (query,) = alarm.queries.values()
        return {
            **shared,
            "MetricName": query.metric.name,
            "Namespace": query.metric.namespace,
            "StatisticType": "Statistic",
            "Statistic": query.statistic.upper(),
            "Dimensions": [{"name": name, "value": value} for name, value in sorted(query.metric.dimensions)],
        }
    return {**shared, "Metrics": alarm.properties["Metrics"]}
