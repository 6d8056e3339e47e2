"""What of this system the dashboard shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.dashboard_graphs import InstanceLimits
from constructs_lib.dashboard_text import Contact, WayBack
from constructs_lib.recovery_dashboard import RecoveryDashboard
from dbbackup.contract_watch import WatchedSetting
from stacks.settings import Settings


def add_dashboard(
    scope: Construct,
    *,
    settings: Settings,
    bucket: s3.IBucket,
    recoverability: cloudwatch.IAlarm,
    alarms: Mapping[str, Sequence[cloudwatch.IAlarm]],
    watched: Iterable[WatchedSetting],
) -> RecoveryDashboard:
    """The dashboard of one environment, with the limits that its settings set."""
    chosen = settings.monitoring
    prefix = settings.prefix
    return RecoveryDashboard(
        scope,
        "Dashboard",
        dashboard_name=f"{prefix}-recovery",
        environment=settings.environment,
        instance=settings.database.instance.identifier,
        database_names=settings.database.names,
        longest_backup_seconds=settings.backup.longest_backup_seconds,
        recoverability=recoverability,
        alarms=alarms,
        runbook_base_url=settings.runbook_base_url,
        ways_back=[
            WayBack(
                situation="To a moment before it happened, on a new instance",
                command=f"dbbackup pitr window {settings.database.instance.identifier}\n"
                f"dbbackup pitr restore 2025-01-11T14:30:00Z --system {prefix}",
                runbook="point-in-time-recovery",
            ),
            WayBack(
                situation="From a dump: everything, or one table",
                command=f"dbbackup list --bucket {bucket.bucket_name}\n"
                f"dbbackup restore latest --bucket {bucket.bucket_name} --plan",
                runbook="restore",
            ),
        ],
        contacts=[Contact(**each.model_dump()) for each in settings.notification.contacts],
        watched_settings=tuple(watched),
        slow_percent=chosen.slow_backup_percent,
        least_size_ratio=chosen.least_size_ratio,
        recovery_point_minutes=chosen.recovery_point_minutes,
        rehearsal_objective_minutes=settings.restore.objective_minutes if settings.rehearsal.enabled else None,
        instance_limits=InstanceLimits(
            free_storage_bytes=chosen.instance.least_storage_gib * 2**30,
            cpu_percent=chosen.instance.most_cpu_percent,
            connections=chosen.instance.most_connections,
            free_memory_bytes=chosen.instance.least_memory_mib * 2**20,
        ),
    )
