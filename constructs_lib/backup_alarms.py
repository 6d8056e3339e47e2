"""The alarms that somebody must hear before a backup is needed."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.backup_function import BackupFunction
from constructs_lib.plain_name import plain_name
from dbbackup.contract import Metric, Tier


class BackupAlarms(Construct):
    """For each database: no daily backup, backup too large; for the function: errors, events put aside."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        function: BackupFunction,
        dead_letter_queue: sqs.IQueue,
        action: cloudwatch.IAlarmAction,
        runbook_base_url: str,
        missing_backup_hours: int = 25,
        max_backup_bytes: int = 10 * 2**30,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name_prefix = name_prefix
        self._runbook_base_url = runbook_base_url.rstrip("/")
        self._action = action
        self._function = function
        for database in function.database_names:
            self._backup_missing(database, missing_backup_hours)
            self._backup_too_large(database, max_backup_bytes)
        self._function_errors()
        self._dead_letters(dead_letter_queue)

    def _backup_missing(self, database: str, hours: int) -> None:
        self._alarm(
            f"BackupMissing-{plain_name(database)}",
            name=f"backup-missing-{plain_name(database)}",
            runbook="backup-missing",
            meaning=f"No verified daily backup of {database} for {hours} hours: what is written now could be lost.",
            metric=self._function.metric_backup(
                Metric.BACKUP_SUCCESS, database=database, tier=Tier.DAILY, statistic="Sum", period=Duration.hours(1)
            ),
            # Every hour without a success must be one too many in a row. 25 hours and not 24, so that a run which
            # ends some minutes later than yesterday's wakes nobody.
            evaluation_periods=hours,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            # A function that never ran emits nothing, and that is the very case to find.
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _backup_too_large(self, database: str, max_bytes: int) -> None:
        sizes = {
            f"size{number}": self._function.metric_backup(
                Metric.BACKUP_SIZE, database=database, tier=tier, statistic="Maximum", period=Duration.days(1)
            )
            for number, tier in enumerate(Tier)
        }
        self._alarm(
            f"BackupTooLarge-{plain_name(database)}",
            name=f"backup-too-large-{plain_name(database)}",
            runbook="backup-too-large",
            meaning=f"A backup of {database} is larger than {max_bytes} bytes: restores take longer than planned.",
            metric=cloudwatch.MathExpression(
                expression=f"MAX([{','.join(sizes)}])",
                using_metrics=dict(sizes),
                label=f"Largest backup of {database}",
                period=Duration.days(1),
            ),
            # Two days, either of which may breach: today has no backup before its schedule, and the alarm would
            # end and begin anew every night.
            evaluation_periods=2,
            datapoints_to_alarm=1,
            threshold=max_bytes,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # the alarm above is for a missing one
        )

    def _function_errors(self) -> None:
        self._alarm(
            "FunctionErrors",
            name="backup-errors",
            runbook="backup-errors",
            meaning="The backup function failed: its log says why, and Lambda tries again by itself.",
            metric=self._function.function.metric_errors(period=Duration.minutes(5), statistic="Sum"),
            evaluation_periods=1,
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # no run, no error
        )

    def _dead_letters(self, queue: sqs.IQueue) -> None:
        self._alarm(
            "DeadLetters",
            name="backup-dead-letters",
            runbook="backup-dead-letters",
            meaning="A backup was given up after every retry: its event waits in the dead-letter queue for 14 days.",
            metric=queue.metric_approximate_number_of_messages_visible(period=Duration.minutes(5), statistic="Maximum"),
            evaluation_periods=1,
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # SQS is silent about an empty, unused queue
        )

    def _alarm(
        self,
        construct_id: str,
        *,
        name: str,
        runbook: str,
        meaning: str,
        metric: cloudwatch.IMetric,
        evaluation_periods: int,
        threshold: int,
        comparison_operator: cloudwatch.ComparisonOperator,
        treat_missing_data: cloudwatch.TreatMissingData,
        datapoints_to_alarm: int | None = None,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=f"{self._name_prefix}-{name}",
            alarm_description=f"{meaning} What to do: {self._runbook_base_url}/{runbook}.md",
            metric=metric,
            evaluation_periods=evaluation_periods,
            datapoints_to_alarm=datapoints_to_alarm or evaluation_periods,
            threshold=threshold,
            comparison_operator=comparison_operator,
            treat_missing_data=treat_missing_data,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
