"""The monitoring stack: everything that looks at the other stacks. Deployed last, so that it can see all of them."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib import (
    AlertRehearsalAlarms,
    BackupAlarms,
    InstanceAlarms,
    NotifierAlarms,
    RdsEvents,
    Recoverability,
    RestoreAlarms,
    Watch,
    WatchAlarms,
)
from constructs_lib.recoverability import TooManyPromisesError
from constructs_lib.watch import AlertRehearsal
from stacks.architecture import ARCHITECTURES
from stacks.backup import BackupStack
from stacks.base import RecoveryStack
from stacks.dashboard import add_dashboard
from stacks.declared import declared
from stacks.network import NetworkStack
from stacks.notification import NotificationStack
from stacks.rehearsal import RehearsalStack
from stacks.restore import RestoreStack
from stacks.restore_dump import RestoreDumpStack
from stacks.settings import Settings, SettingsError
from stacks.settings.refusal import Refusal, refused
from stacks.settings.windows import DAYS
from stacks.storage import StorageStack


class MonitoringStack(RecoveryStack):
    """Everything that notices."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        network: NetworkStack,
        storage: StorageStack,
        backup: BackupStack,
        restore_dump: RestoreDumpStack,
        restore: RestoreStack,
        rehearsal: RehearsalStack | None,
        notification: NotificationStack,
    ) -> None:
        super().__init__(
            scope,
            "monitoring",
            settings=settings,
            description="Probe and alarms on missing, failed and unusual backups, and on what endangers a recovery",
        )
        chosen = settings.monitoring
        instance = settings.database.instance.identifier
        watched = declared(settings)
        heard: dict[str, Any] = {
            "name_prefix": settings.prefix,
            "action": notification.alarms.action(),
            "runbook_base_url": settings.runbook_base_url,
        }
        of_instance: dict[str, Any] = {**heard, "environment": settings.environment, "instance": instance}
        self.backup_alarms = BackupAlarms(
            self,
            "BackupAlarms",
            **heard,
            function=backup.function,
            dead_letter_queue=backup.dead_letters,
            missing_backup_hours=chosen.missing_backup_hours,
            missing_weekly_days=chosen.missing_weekly_days,
            missing_monthly_days=chosen.missing_monthly_days,
            max_backup_bytes=chosen.max_backup_bytes,
            least_size_ratio=chosen.least_size_ratio,
            size_deviations=chosen.size_deviations,
            slow_percent=chosen.slow_backup_percent,
            timeout_seconds=settings.backup.timeout_seconds,
            longest_backup_seconds=settings.backup.longest_backup_seconds,
        )
        self.watch = Watch(
            self,
            "Watch",
            name_prefix=settings.prefix,
            environment=settings.environment,
            instance=instance,
            database_names=settings.database.names,
            bucket=storage.backups.bucket,
            bucket_key=storage.backups.key,
            declared=watched,
            log_key=network.log_key,
            alert_rehearsal=_alert_rehearsal(settings) if notification.notifier is not None else None,
            client_major=settings.backup.client_major,
            architecture=ARCHITECTURES[settings.backup.architecture],
            log_retention_days=chosen.log_retention_days,
            log_level=settings.backup.log_level,
        )
        self.watch_alarms = WatchAlarms(
            self,
            "WatchAlarms",
            **of_instance,
            watched=watched,
            probe=self.watch.function.function,
            recovery_point_minutes=chosen.recovery_point_minutes,
        )
        self.instance_alarms = InstanceAlarms(
            self,
            "InstanceAlarms",
            **heard,
            instance=instance,
            least_storage_bytes=chosen.instance.least_storage_gib * 2**30,
            most_cpu_percent=chosen.instance.most_cpu_percent,
            most_connections=chosen.instance.most_connections,
            least_memory_bytes=chosen.instance.least_memory_mib * 2**20,
        )
        self.restore_alarms = RestoreAlarms(
            self, "RestoreAlarms", **heard, dumps=restore_dump.dumps, point_in_time=restore.recovery
        )
        RdsEvents(
            self,
            "RdsEvents",
            subscription_name=f"{settings.prefix}-rds-events",
            instance=instance,
            topic=notification.alarms.topic,
        )
        alert_alarms: list[cloudwatch.IAlarm] = []
        if notification.slack is not None:
            rehearsed = AlertRehearsalAlarms(
                self, "AlertRehearsal", **of_instance, missing_backup_hours=chosen.missing_backup_hours
            )
            notifier = NotifierAlarms(
                self,
                "NotifierAlarms",
                **heard,
                notifier=notification.slack.function,
                dead_letter_queue=notification.slack.dead_letter_queue,
            )
            alert_alarms += [*notifier.alarms, *rehearsed.alarms]
        promises = [
            *self.backup_alarms.promises,
            *self.watch_alarms.promises,
            *(rehearsal.alarms.promises if rehearsal is not None else ()),
        ]
        try:
            self.recoverability = Recoverability(self, "Recoverability", **heard, promises=promises)
        except TooManyPromisesError as problem:
            raise _too_many_databases(settings, problem) from None
        add_dashboard(
            self,
            settings=settings,
            bucket=storage.backups.bucket,
            recoverability=self.recoverability.alarm,
            alarms={
                "Backups": self.backup_alarms.alarms,
                "Recovery point and settings": self.watch_alarms.alarms,
                "Rehearsals": rehearsal.alarms.alarms if rehearsal is not None else (),
                "Restores": self.restore_alarms.alarms,
                "The instance": self.instance_alarms.alarms,
                "Alerts reach people (the rehearsed ones ring once a week)": alert_alarms,
            },
            watched=watched,
        )


def _too_many_databases(settings: Settings, problem: TooManyPromisesError) -> SettingsError:
    return refused(
        Refusal(
            path="database.names",
            value=f"{len(settings.database.names)} databases: {problem.value}",
            rule=f"the alarm recoverability is one for all of them, and {problem.rule}",
            fix="name fewer databases here, and the others in another block, with this instance as existing_instance",
        ),
        environment=settings.environment,
    )


def _alert_rehearsal(settings: Settings) -> AlertRehearsal:
    chosen = settings.monitoring.alert_rehearsal
    return AlertRehearsal(weekday=DAYS.index(chosen.weekday), hour=chosen.hour, minutes=chosen.minutes)
