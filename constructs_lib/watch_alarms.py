"""The alarms on what the probe sees of the instance and of the settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib.alarm_maker import SILENCE_CHANGES_NOTHING, SILENCE_IS_FINE, SILENCE_RINGS, AlarmMaker
from constructs_lib.our_metrics import our_metric
from dbbackup.contract_watch import PROBE_MINUTES, WatchedSetting, WatchMetric, watch_dimensions

MEANINGS: Final = {
    WatchedSetting.BACKUP_RETENTION: "Automated backups are kept for fewer days than declared: point-in-time recovery "
    "reaches back less far.",
    WatchedSetting.MULTI_AZ: "The instance has no standby any more, although one is declared.",
    WatchedSetting.DELETION_PROTECTION: "The instance can be deleted, although that is to be refused.",
    WatchedSetting.PUBLIC_ACCESS: "The instance can be reached from the internet.",
    WatchedSetting.STORAGE_ENCRYPTION: "The storage of the instance is not encrypted.",
    WatchedSetting.BUCKET_VERSIONING: "The bucket of the backups keeps no versions: what is overwritten or deleted is "
    "gone.",
    WatchedSetting.BUCKET_LOCK: "New backups are locked for a shorter time, or less strictly, than declared.",
    WatchedSetting.BUCKET_LIFECYCLE: "Backups are kept for another time, or elsewhere, than declared.",
    WatchedSetting.BUCKET_PUBLIC_ACCESS: "Public access to the bucket of the backups is not blocked any more.",
}
PROMISED: Final = frozenset(
    {
        WatchedSetting.BACKUP_RETENTION,
        WatchedSetting.DELETION_PROTECTION,
        WatchedSetting.BUCKET_VERSIONING,
        WatchedSetting.BUCKET_LOCK,
        WatchedSetting.BUCKET_LIFECYCLE,
    }
)
"""Settings that decide whether data can be got back; the others are about who can see it, and about standing still."""
PROBES: Final = 3
"""Looks that must agree: one that AWS did not answer wakes nobody, three are a quarter of an hour."""


class WatchAlarms(Construct):
    """The recovery point is old, a setting is not as declared, or the probe cannot look.

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
        watched: Iterable[WatchedSetting],
        probe: lambda_.IFunction,
        action: cloudwatch.IAlarmAction,
        runbook_base_url: str,
        recovery_point_minutes: int = 15,
    ) -> None:
        super().__init__(scope, construct_id)
        self._maker = AlarmMaker(self, name_prefix=name_prefix, action=action, runbook_base_url=runbook_base_url)
        self._environment = environment
        self._instance = instance
        self.promises = [self._recovery_point(recovery_point_minutes)]
        for setting in watched:
            alarm = self._drifted(setting)
            if setting in PROMISED:
                self.promises.append(alarm)
        self._errors(probe)
        self.alarms = tuple(self._maker.alarms)

    def _recovery_point(self, minutes: int) -> cloudwatch.IAlarm:
        return self._maker.add(
            "RecoveryPoint",
            name="recovery-point-old",
            meaning=f"The latest moment that RDS can restore to lies over {minutes} minutes back, RDS names none, or "
            "the probe is silent.",
            metric=self._metric(WatchMetric.RECOVERY_POINT_AGE),
            threshold=minutes * 60,
            # RDS stores its log every five minutes, so ages of up to ten minutes are everyday.
            periods=PROBES,
            missing=SILENCE_RINGS,  # no automated backups, no instance, or nobody who looks
        )

    def _drifted(self, setting: WatchedSetting) -> cloudwatch.IAlarm:
        return self._maker.add(
            f"Drifted-{setting.value}",
            name=f"setting-drifted-{setting.value}",
            runbook="setting-drifted",
            meaning=MEANINGS[setting],
            metric=self._metric(WatchMetric.DRIFT, setting),
            threshold=0,
            # A setting that could not be read has no data, and neither begins nor ends an alarm; a silent probe is
            # heard by the alarm on the recovery point.
            missing=SILENCE_CHANGES_NOTHING,
        )

    def _errors(self, probe: lambda_.IFunction) -> None:
        self._maker.add(
            "ProbeErrors",
            name="watch-errors",
            meaning="The probe could not look at everything for a quarter of an hour: a setting may be unwatched.",
            metric=probe.metric_errors(period=Duration.minutes(PROBE_MINUTES), statistic="Sum"),
            threshold=0,
            periods=PROBES,
            missing=SILENCE_IS_FINE,  # a probe that does not run is heard by the alarm on the recovery point
        )

    def _metric(self, name: WatchMetric, setting: WatchedSetting | None = None) -> cloudwatch.Metric:
        return our_metric(
            name,
            dimensions=watch_dimensions(self._environment, self._instance, setting),
            statistic="Maximum",
            period=Duration.minutes(PROBE_MINUTES),
        )
