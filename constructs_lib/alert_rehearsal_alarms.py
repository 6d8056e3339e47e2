"""The alarms of the weekly rehearsal of the alert path: two ring on purpose, one when those were not heard."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.alarm_maker import SILENCE_CHANGES_NOTHING, SILENCE_RINGS, AlarmMaker
from constructs_lib.our_metrics import our_metric
from dbbackup.contract import Metric
from dbbackup.contract_watch import (
    ALERT_REHEARSAL,
    PROBE_MINUTES,
    RehearsedAlert,
    WatchMetric,
    rehearsed_dimensions,
    watch_dimensions,
)

MARK: Final = "REHEARSAL, nothing to do:"
PROBES: Final = 3


class AlertRehearsalAlarms(Construct):
    """Alarms with the policies of the real ones, on a database that does not exist; and one on undelivered alerts."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        environment: str,
        instance: str,
        action: cloudwatch.IAlarmAction,
        runbook_base_url: str,
        missing_backup_hours: int = 25,
    ) -> None:
        super().__init__(scope, construct_id)
        maker = AlarmMaker(self, name_prefix=name_prefix, action=action, runbook_base_url=runbook_base_url)
        every_probe = Duration.minutes(PROBE_MINUTES)
        maker.add(
            "Failed",
            name=f"{ALERT_REHEARSAL}-{RehearsedAlert.FAILED.value}",
            runbook=ALERT_REHEARSAL,
            meaning=f"{MARK} a backup that nobody made has failed, to see that you hear of it.",
            metric=our_metric(
                Metric.BACKUP_FAILURE,
                dimensions=rehearsed_dimensions(environment),
                statistic="Minimum",
                period=every_probe,
            ),
            threshold=0,
            missing=SILENCE_CHANGES_NOTHING,
        )
        maker.add(
            "Missing",
            name=f"{ALERT_REHEARSAL}-{RehearsedAlert.MISSING.value}",
            runbook=ALERT_REHEARSAL,
            meaning=f"{MARK} backups of a database that does not exist are missing, to see that you hear of it.",
            metric=our_metric(
                WatchMetric.BACKUP_AGE,
                dimensions=rehearsed_dimensions(environment),
                statistic="Maximum",
                period=every_probe,
            ),
            threshold=missing_backup_hours * 3600,
            periods=PROBES,
            missing=SILENCE_RINGS,
        )
        maker.add(
            "PathBroken",
            name="alert-path-broken",
            meaning="The latest rehearsal of the alert path was not heard, or the probe is silent: a real alert might "
            "not reach you.",
            metric=our_metric(
                WatchMetric.ALERTS_UNDELIVERED,
                dimensions=watch_dimensions(environment, instance),
                statistic="Maximum",
                period=every_probe,
            ),
            threshold=0,
            periods=PROBES,
            missing=SILENCE_RINGS,
        )
        self.alarms = tuple(maker.alarms)
