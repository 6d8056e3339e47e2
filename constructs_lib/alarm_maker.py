"""One way to make an alarm, so that none is silent, unexplained, or surprised by missing data."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

MORE: Final = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
LESS: Final = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
OUTSIDE: Final = cloudwatch.ComparisonOperator.LESS_THAN_LOWER_OR_GREATER_THAN_UPPER_THRESHOLD

# What no data means: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
SILENCE_RINGS: Final = cloudwatch.TreatMissingData.BREACHING
SILENCE_IS_FINE: Final = cloudwatch.TreatMissingData.NOT_BREACHING
SILENCE_CHANGES_NOTHING: Final = cloudwatch.TreatMissingData.IGNORE


class AlarmMaker:
    """Makes the alarms of one construct: each is heard when it begins and when it ends, and leads to its runbook."""

    def __init__(
        self, scope: Construct, *, name_prefix: str, action: cloudwatch.IAlarmAction, runbook_base_url: str
    ) -> None:
        self._scope = scope
        self._name_prefix = name_prefix
        self._action = action
        self._runbook_base_url = runbook_base_url.rstrip("/")
        self.alarms: list[cloudwatch.IAlarm] = []
        """What has been made, in order."""

    def description(self, meaning: str, runbook: str) -> str:
        """What people read: what it means, and where it is written what to do."""
        return f"{meaning} What to do: {self._runbook_base_url}/{runbook}.md"

    def name(self, name: str) -> str:
        """The whole name of an alarm."""
        return f"{self._name_prefix}-{name}"

    def add(
        self,
        construct_id: str,
        *,
        name: str,
        meaning: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        missing: cloudwatch.TreatMissingData,
        runbook: str | None = None,
        comparison: cloudwatch.ComparisonOperator = MORE,
        periods: int = 1,
        datapoints: int | None = None,
    ) -> cloudwatch.IAlarm:
        """Make an alarm.

        Args:
            construct_id: its id; to change one is to replace the alarm.
            name: its name after the prefix.
            meaning: one sentence, what it means that it rings.
            metric: what is looked at, with statistic and period.
            threshold: in the unit of the metric.
            missing: what no data means; there is no default, as the wrong one is an alarm that never rings.
            runbook: page to read; the name where there is none.
            comparison: of the metric with the threshold.
            periods: how many periods are looked at.
            datapoints: how many of them must breach; all, where not given.
        """
        alarm = cloudwatch.Alarm(
            self._scope,
            construct_id,
            alarm_name=self.name(name),
            alarm_description=self.description(meaning, runbook or name),
            metric=metric,
            evaluation_periods=periods,
            datapoints_to_alarm=datapoints or periods,
            threshold=threshold,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        return self._heard(alarm)

    def add_unusual(
        self,
        construct_id: str,
        *,
        name: str,
        meaning: str,
        metric: cloudwatch.IMetric,
        deviations: float,
        missing: cloudwatch.TreatMissingData,
        runbook: str,
        periods: int = 1,
        datapoints: int | None = None,
    ) -> cloudwatch.IAlarm:
        """Make an alarm on values off their own trend, by so many standard deviations to either side.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Anomaly_Detection.html
        """
        alarm = cloudwatch.AnomalyDetectionAlarm(
            self._scope,
            construct_id,
            alarm_name=self.name(name),
            alarm_description=self.description(meaning, runbook),
            metric=metric,
            std_devs=deviations,
            evaluation_periods=periods,
            datapoints_to_alarm=datapoints or periods,
            comparison_operator=OUTSIDE,
            treat_missing_data=missing,
        )
        return self._heard(alarm)

    def _heard(self, alarm: cloudwatch.Alarm) -> cloudwatch.IAlarm:
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        self.alarms.append(alarm)
        return alarm
