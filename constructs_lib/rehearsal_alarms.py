"""The alarms that say that the way back is no longer known to work."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from constructs_lib.alarm_maker import SILENCE_CHANGES_NOTHING, SILENCE_IS_FINE, SILENCE_RINGS, AlarmMaker
from constructs_lib.our_metrics import our_metric
from constructs_lib.restore_alarms import ends_of
from dbbackup.contract_rehearsal import PLANE_DUMP, PLANE_POINT_IN_TIME, RehearsalMetric, rehearsal_dimensions


class RehearsalAlarms(Construct):
    """A rehearsal failed, none has passed for too long, something was left over, or it took too long.

    ``promises`` are the alarms that mean that data could not be got back as promised.
    """

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
        self._maker = AlarmMaker(self, name_prefix=name_prefix, action=action, runbook_base_url=runbook_base_url)
        self._environment = environment
        self._instance = instance
        self._failed(machine)
        # Not the failure itself, which is over after five minutes while nothing is mended: what it leaves is missing.
        self.promises = (self._missing(missing_days), self._too_slow(objective_minutes))
        self._leftover()
        self.alarms = tuple(self._maker.alarms)

    def _failed(self, machine: sfn.IStateMachine) -> None:
        ends = {
            # What the function counts, and what Step Functions does, should that function not have come to it.
            "counted": self._metric(RehearsalMetric.FAILURE, "Sum", Duration.minutes(5)),
            **ends_of(machine),
        }
        self._maker.add(
            "Failed",
            name="rehearsal-failed",
            meaning="A rehearsal of the way back failed: its evidence and its execution say why.",
            metric=cloudwatch.MathExpression(
                # Not a sum of what is filled in: a zero that nobody counted would be the newest value, and a failure
                # that arrives late would lie behind it, where an alarm on one period does not look.
                expression=f"MAX([{','.join(ends)}])",
                using_metrics=dict(ends),
                label="Failed rehearsals",
                period=Duration.minutes(5),
            ),
            threshold=0,
            missing=SILENCE_IS_FINE,  # no rehearsal, no failure
        )

    def _missing(self, days: int) -> cloudwatch.IAlarm:
        return self._maker.add(
            "Missing",
            name="rehearsal-missing",
            meaning=f"No rehearsal has passed for {days} days, or nobody looked: the way back is not known to work.",
            metric=self._metric(RehearsalMetric.AGE, "Minimum", Duration.days(1)),
            # Two days, both of which must breach: the day that has just begun has no datapoint before the watch runs.
            periods=2,
            threshold=days,
            # No age means that no rehearsal has ever passed, or that the watch does not run: the very case to find.
            missing=SILENCE_RINGS,
        )

    def _leftover(self) -> None:
        self._maker.add(
            "Leftover",
            name="rehearsal-leftover",
            meaning="A temporary instance is over a day old: it costs money and holds production's data.",
            metric=self._metric(RehearsalMetric.LEFTOVERS, "Maximum", Duration.days(1)),
            # Either of two days: the day that has just begun would end the alarm every midnight.
            periods=2,
            datapoints=1,
            threshold=0,
            missing=SILENCE_IS_FINE,  # the alarm above hears a silent watch
        )

    def _too_slow(self, minutes: int) -> cloudwatch.IAlarm:
        times = {
            f"time{number}": self._metric(RehearsalMetric.RECOVERY_TIME, "Maximum", Duration.minutes(5), plane)
            for number, plane in enumerate((PLANE_POINT_IN_TIME, PLANE_DUMP))
        }
        return self._maker.add(
            "TooSlow",
            name="rehearsal-too-slow",
            meaning=f"Getting the database back took longer than the objective of {minutes} minutes.",
            metric=cloudwatch.MathExpression(
                expression=f"MAX([{','.join(times)}])",
                using_metrics=dict(times),
                label="Longest recovery time",
                # Not a day: a second rehearsal on the same day, which was fast enough, would not end the alarm.
                period=Duration.minutes(5),
            ),
            threshold=minutes * 60,
            # Between two rehearsals there is no data, and the way back does not become faster because time has passed.
            missing=SILENCE_CHANGES_NOTHING,
        )

    def _metric(
        self, metric: RehearsalMetric, statistic: str, period: Duration, plane: str | None = None
    ) -> cloudwatch.Metric:
        return our_metric(
            metric,
            dimensions=rehearsal_dimensions(self._environment, self._instance, plane),
            statistic=statistic,
            period=period,
        )
