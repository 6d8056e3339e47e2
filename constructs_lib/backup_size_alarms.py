"""Alarms on backups that are there and not as they were: too large, much smaller, off their trend, slow."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration

from constructs_lib.alarm_maker import LESS, SILENCE_IS_FINE, AlarmMaker
from constructs_lib.our_metrics import our_metric, over_tiers
from constructs_lib.plain_name import plain_name
from dbbackup.contract import Metric, Tier, metric_dimensions


def add_size_alarms(
    maker: AlarmMaker,
    *,
    environment: str,
    database: str,
    max_bytes: int,
    least_ratio: float,
    deviations: float,
    slow_seconds: float,
) -> None:
    """Alarms on the backups of one database.

    Args:
        maker: makes them.
        environment: dimension of the metrics.
        database: whose backups.
        max_bytes: size above which restores take longer than planned.
        least_ratio: of a backup's size to the one before it.
        deviations: standard deviations that a daily backup's size may lie off its trend.
        slow_seconds: duration above which the end of the time that a backup has is near.
    """
    plain = plain_name(database)
    day = Duration.days(1)
    # Two days, either of which may breach: today has no backup before its schedule, and the alarm would end and
    # begin anew every night. A missing backup has alarms of its own.
    either_of_two_days: dict[str, Any] = {"periods": 2, "datapoints": 1, "missing": SILENCE_IS_FINE}
    every_tier: dict[str, Any] = {"environment": environment, "database": database, "period": day}
    maker.add(
        f"BackupTooLarge-{plain}",
        name=f"backup-too-large-{plain}",
        runbook="backup-too-large",
        meaning=f"A backup of {database} is larger than {max_bytes} bytes: restores take longer than planned.",
        metric=over_tiers(
            Metric.BACKUP_SIZE,
            function="MAX",
            statistic="Maximum",
            label=f"Largest backup of {database}",
            **every_tier,
        ),
        threshold=max_bytes,
        **either_of_two_days,
    )
    maker.add(
        f"BackupSizeDropped-{plain}",
        name=f"backup-size-dropped-{plain}",
        runbook="backup-size-changed",
        meaning=f"A backup of {database} has less than {least_ratio:g} of the size of the last: was data lost?",
        metric=over_tiers(
            Metric.BACKUP_SIZE_RATIO,
            function="MIN",
            statistic="Minimum",
            label=f"Smallest ratio of a backup of {database} to the one before it",
            **every_tier,
        ),
        threshold=least_ratio,
        comparison=LESS,
        **either_of_two_days,
    )
    maker.add_unusual(
        f"BackupSizeUnusual-{plain}",
        name=f"backup-size-unusual-{plain}",
        runbook="backup-size-changed",
        meaning=f"The daily backup of {database} is larger or smaller than its own trend foretells.",
        metric=our_metric(
            Metric.BACKUP_SIZE,
            dimensions=metric_dimensions(environment, database, Tier.DAILY),
            statistic="Maximum",
            period=day,
        ),
        deviations=deviations,
        **either_of_two_days,
    )
    maker.add(
        f"BackupTooSlow-{plain}",
        name=f"backup-too-slow-{plain}",
        runbook="backup-too-slow",
        meaning=f"A backup of {database} took over {slow_seconds:g} seconds: soon one will be given up for its time.",
        metric=over_tiers(
            Metric.BACKUP_DURATION,
            function="MAX",
            statistic="Maximum",
            label=f"Longest backup of {database}",
            **every_tier,
        ),
        threshold=slow_seconds,
        **either_of_two_days,
    )
