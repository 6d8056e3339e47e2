"""The alarms that say that the way back is no longer known to work."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from dbbackup.contract import METRICS_NAMESPACE
from dbbackup.contract_rehearsal import PLANE_DUMP, PLANE_POINT_IN_TIME, RehearsalMetric, rehearsal_dimensions

_GREATER = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD


class RehearsalAlarms(Construct):
    """A rehearsal failed, none has passed for too long, something was left over, or it took too long."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        environment: str,
        instance: str,
        machine: sfn.IStateMachine,
        action: cloudwatch.IAlarmAction,
        runbook_base_url: str,
        missing_days: int = 35,
        objective_minutes: int = 120,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name_prefix = name_prefix
        self._environment = environment
        self._instance = instance
        self._action = action
        self._runbook_base_url = runbook_base_url.rstrip("/")
        self._failed(machine)
        self._missing(missing_days)
        self._leftover()
        self._too_slow(objective_minutes)

    def _failed(self, machine: sfn.IStateMachine) -> None:
        ends = {
            # What the function counts, and what Step Functions does, should that function not have come to it.
            "counted": self._metric(RehearsalMetric.FAILURE, "Sum", Duration.minutes(5)),
            "failed": machine.metric_failed(period=Duration.minutes(5), statistic="Sum"),
            "timed": machine.metric_timed_out(period=Duration.minutes(5), statistic="Sum"),
            "aborted": machine.metric_aborted(period=Duration.minutes(5), statistic="Sum"),
        }
        self._alarm(
            "Failed",
            name="rehearsal-failed",
            meaning="A rehearsal of the way back failed: its evidence and its execution say why.",
            metric=cloudwatch.MathExpression(
                expression="+".join(f"FILL({name}, 0)" for name in ends),
                using_metrics=dict(ends),
                label="Failed rehearsals",
                period=Duration.minutes(5),
            ),
            evaluation_periods=1,
            datapoints_to_alarm=1,
            threshold=0,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # no rehearsal, no failure
        )

    def _missing(self, days: int) -> None:
        self._alarm(
            "Missing",
            name="rehearsal-missing",
            meaning=f"No rehearsal has passed for {days} days, or nobody looked: the way back is not known to work.",
            metric=self._metric(RehearsalMetric.AGE, "Minimum", Duration.days(1)),
            # Two days, both of which must breach: the day that has just begun has no datapoint before the watch runs.
            evaluation_periods=2,
            datapoints_to_alarm=2,
            threshold=days,
            # No age means that no rehearsal has ever passed, or that the watch does not run: the very case to find.
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _leftover(self) -> None:
        self._alarm(
            "Leftover",
            name="rehearsal-leftover",
            meaning="A temporary instance is over a day old: it costs money and holds production's data.",
            metric=self._metric(RehearsalMetric.LEFTOVERS, "Maximum", Duration.days(1)),
            # Either of two days: the day that has just begun would end the alarm every midnight.
            evaluation_periods=2,
            datapoints_to_alarm=1,
            threshold=0,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # the alarm above hears a silent watch
        )

    def _too_slow(self, minutes: int) -> None:
        times = {
            f"time{number}": self._metric(RehearsalMetric.RECOVERY_TIME, "Maximum", Duration.days(1), plane)
            for number, plane in enumerate((PLANE_POINT_IN_TIME, PLANE_DUMP))
        }
        self._alarm(
            "TooSlow",
            name="rehearsal-too-slow",
            meaning=f"Getting the database back took longer than the objective of {minutes} minutes.",
            metric=cloudwatch.MathExpression(
                expression=f"MAX([{','.join(times)}])",
                using_metrics=dict(times),
                label="Longest recovery time",
                period=Duration.days(1),
            ),
            evaluation_periods=2,
            datapoints_to_alarm=1,
            threshold=minutes * 60,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # on most days nothing is rehearsed
        )

    def _metric(
        self, metric: RehearsalMetric, statistic: str, period: Duration, plane: str | None = None
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name=metric.value,
            dimensions_map=rehearsal_dimensions(self._environment, self._instance, plane),
            statistic=statistic,
            period=period,
        )

    def _alarm(
        self,
        construct_id: str,
        *,
        name: str,
        meaning: str,
        metric: cloudwatch.IMetric,
        evaluation_periods: int,
        datapoints_to_alarm: int,
        threshold: int,
        treat_missing_data: cloudwatch.TreatMissingData,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=f"{self._name_prefix}-{name}",
            alarm_description=f"{meaning} What to do: {self._runbook_base_url}/{name}.md",
            metric=metric,
            evaluation_periods=evaluation_periods,
            datapoints_to_alarm=datapoints_to_alarm,
            threshold=threshold,
            comparison_operator=_GREATER,
            treat_missing_data=treat_missing_data,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
