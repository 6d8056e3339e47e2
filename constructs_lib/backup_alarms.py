"""The alarms that somebody must hear before a backup is needed."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.alarm_maker import SILENCE_CHANGES_NOTHING, SILENCE_IS_FINE, SILENCE_RINGS, AlarmMaker
from constructs_lib.backup_function import BackupFunction
from constructs_lib.backup_size_alarms import add_size_alarms
from constructs_lib.function_errors import any_error, errors_of
from constructs_lib.our_metrics import our_metric, over_tiers
from constructs_lib.plain_name import plain_name
from dbbackup.contract import Metric, Tier, metric_dimensions
from dbbackup.contract_watch import PROBE_MINUTES, WatchMetric

PROBED: Final = Duration.minutes(PROBE_MINUTES)
PROBES: Final = 3
"""Looks that must agree: one that AWS did not answer wakes nobody, three are a quarter of an hour."""


class BackupAlarms(Construct):
    """For each database: backups missing, failed, not verified, of unusual size, slow; for the function: errors.

    ``promises`` are the alarms that mean that data could not be got back as promised. A run is ended after
    ``timeout_seconds``; a backup is given up in order after ``longest_backup_seconds``, so none ever takes longer.
    """

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
        missing_weekly_days: int = 8,
        missing_monthly_days: int = 32,
        max_backup_bytes: int = 10 * 2**30,
        least_size_ratio: float = 0.5,
        size_deviations: int = 3,
        slow_percent: int = 80,
        timeout_seconds: int = 900,
        longest_backup_seconds: int = 840,
    ) -> None:
        super().__init__(scope, construct_id)
        self._maker = AlarmMaker(self, name_prefix=name_prefix, action=action, runbook_base_url=runbook_base_url)
        self._function = function
        self.promises: list[cloudwatch.IAlarm] = []
        for database in function.database_names:
            self.promises += [
                self._backup_missing(database, missing_backup_hours),
                self._tier_missing(database, Tier.WEEKLY, missing_weekly_days),
                self._tier_missing(database, Tier.MONTHLY, missing_monthly_days),
                self._verification_failed(database),
            ]
            self._backup_failed(database)
            add_size_alarms(
                self._maker,
                environment=function.environment,
                database=database,
                max_bytes=max_backup_bytes,
                least_ratio=least_size_ratio,
                deviations=size_deviations,
                slow_seconds=longest_backup_seconds * slow_percent / 100,
            )
        self._function_errors(timeout_seconds)
        self._dead_letters(dead_letter_queue)
        self.alarms = tuple(self._maker.alarms)

    def _age(self, database: str, tier: Tier) -> cloudwatch.Metric:
        return our_metric(
            WatchMetric.BACKUP_AGE,
            dimensions=metric_dimensions(self._function.environment, database, tier),
            statistic="Maximum",
            period=PROBED,
        )

    def _backup_missing(self, database: str, hours: int) -> cloudwatch.IAlarm:
        return self._maker.add(
            f"BackupMissing-{plain_name(database)}",
            name=f"backup-missing-{plain_name(database)}",
            runbook="backup-missing",
            meaning=f"The newest verified daily backup of {database} is over {hours} hours old, there is none, or the "
            "probe is silent: what is written now could be lost.",
            metric=self._age(database, Tier.DAILY),
            # 25 hours and not 24, so that a run which ends some minutes later than yesterday's wakes nobody.
            threshold=hours * 3600,
            periods=PROBES,
            # No age means that there is no backup, or nobody who looks: the very cases to find.
            missing=SILENCE_RINGS,
        )

    def _tier_missing(self, database: str, tier: Tier, days: int) -> cloudwatch.IAlarm:
        return self._maker.add(
            f"{tier.value.capitalize()}Missing-{plain_name(database)}",
            name=f"backup-{tier.value}-missing-{plain_name(database)}",
            runbook="backup-tier-missing",
            meaning=f"The newest verified {tier.value} backup of {database} is over {days} days old, or there is none: "
            "what is kept for long has a gap.",
            metric=self._age(database, tier),
            threshold=days * 86400,
            periods=PROBES,
            missing=SILENCE_RINGS,
        )

    def _backup_failed(self, database: str) -> None:
        self._maker.add(
            f"BackupFailed-{plain_name(database)}",
            name=f"backup-failed-{plain_name(database)}",
            runbook="backup-failed",
            meaning=f"A backup of {database} failed, and no later one has been verified.",
            metric=over_tiers(
                Metric.BACKUP_FAILURE,
                environment=self._function.environment,
                database=database,
                function="MAX",
                # A try that failed and the next that passed, in the same five minutes, is a verified backup.
                statistic="Minimum",
                period=Duration.minutes(5),
                label=f"Failed backups of {database}",
            ),
            threshold=0,
            # Between two runs there is no data, and a failure is not over because time has passed.
            missing=SILENCE_CHANGES_NOTHING,
        )

    def _verification_failed(self, database: str) -> cloudwatch.IAlarm:
        return self._maker.add(
            f"VerificationFailed-{plain_name(database)}",
            name=f"verification-failed-{plain_name(database)}",
            runbook="verification-failed",
            meaning=f"A backup of {database} could be written, and what was read back was not what was written.",
            metric=over_tiers(
                Metric.VERIFICATION_FAILURE,
                environment=self._function.environment,
                database=database,
                function="MAX",
                # Not forgiven by a second try that passed: storage or memory that changes bytes is looked at.
                statistic="Maximum",
                period=Duration.minutes(5),
                label=f"Backups of {database} that are not what was written",
            ),
            threshold=0,
            missing=SILENCE_CHANGES_NOTHING,
        )

    def _function_errors(self, timeout_seconds: int) -> None:
        self._maker.add(
            "FunctionErrors",
            name="backup-errors",
            meaning="The backup function failed: its log says why, and Lambda tries again by itself.",
            metric=errors_of(self._function.function),
            **any_error(timeout_seconds),
            threshold=0,
            missing=SILENCE_IS_FINE,  # no run, no error
        )

    def _dead_letters(self, queue: sqs.IQueue) -> None:
        self._maker.add(
            "DeadLetters",
            name="backup-dead-letters",
            meaning="A backup was given up after every retry: its event waits in the dead-letter queue for 14 days.",
            metric=queue.metric_approximate_number_of_messages_visible(period=Duration.minutes(5), statistic="Maximum"),
            threshold=0,
            missing=SILENCE_CHANGES_NOTHING,  # SQS falls silent about a queue that nobody touches, empty or not
        )
