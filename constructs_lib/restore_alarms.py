"""The alarms on restores that somebody asked for, also on those that could not tell of their own failure."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from constructs_lib.alarm_maker import SILENCE_IS_FINE, AlarmMaker
from constructs_lib.function_errors import any_error, errors_of
from constructs_lib.logical_restore import LogicalRestore
from constructs_lib.point_in_time_recovery import PointInTimeRecovery


class RestoreAlarms(Construct):
    """A restore of a dump failed, or one to a moment, or a promotion.

    They count what Step Functions and Lambda say, not what our code does: a function that was ended, an execution that
    was stopped, and an instance that was left behind tell nobody by themselves.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        dumps: LogicalRestore,
        point_in_time: PointInTimeRecovery,
        action: cloudwatch.IAlarmAction,
        runbook_base_url: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._maker = AlarmMaker(self, name_prefix=name_prefix, action=action, runbook_base_url=runbook_base_url)
        self._failed(
            "Dump",
            name="restore-failed-dump",
            runbook="restore-failed",
            meaning="A restore of a dump did not end well, or was refused: its target is as it was or complete, and a "
            "copy may be left.",
            # The function may be called without the machine, and people who do so may be gone before it ends.
            metrics={**ends_of(dumps.machine.machine), "errors": errors_of(dumps.function)},
            timeout_seconds=dumps.timeout_seconds,
        )
        self._failed(
            "PointInTime",
            name="restore-failed-point-in-time",
            runbook="restore-failed",
            meaning="A restore to a point in time did not end well: production is untouched, and the new instance may "
            "be left behind.",
            metrics=ends_of(point_in_time.restore_machine.machine),
        )
        self._failed(
            "Promotion",
            name="promotion-failed",
            runbook="promotion-failed",
            meaning="An instance was not made production, or only half: is there an instance by production's name?",
            metrics=ends_of(point_in_time.promotion_machine.machine),
        )
        self.alarms = tuple(self._maker.alarms)

    def _failed(
        self,
        construct_id: str,
        *,
        name: str,
        runbook: str,
        meaning: str,
        metrics: Mapping[str, cloudwatch.IMetric],
        timeout_seconds: int = 0,  # Step Functions counts an execution when it ends
    ) -> None:
        self._maker.add(
            construct_id,
            name=name,
            runbook=runbook,
            meaning=meaning,
            metric=cloudwatch.MathExpression(
                expression=f"MAX([{','.join(metrics)}])",
                using_metrics=dict(metrics),
                label="Failed, timed out or aborted",
                period=Duration.minutes(5),
            ),
            **any_error(timeout_seconds),
            threshold=0,
            missing=SILENCE_IS_FINE,  # no restore, no failure
        )


def ends_of(machine: sfn.IStateMachine) -> dict[str, cloudwatch.IMetric]:
    """How executions end that do not succeed, counted by Step Functions.

    https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    """
    counted = {"failed": machine.metric_failed, "timed": machine.metric_timed_out, "aborted": machine.metric_aborted}
    return {name: metric(period=Duration.minutes(5), statistic="Sum") for name, metric in counted.items()}
