"""The top of the dashboard: the four answers that a person looks for in the first seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.dashboard_metrics import DAY, HOUR, PROBE, DashboardMetrics
from dbbackup.contract import Tier
from dbbackup.contract_rehearsal import PLANE_DUMP, PLANE_POINT_IN_TIME, RehearsalMetric
from dbbackup.contract_watch import WatchMetric

SCHEDULED: Final = {Tier.DAILY: (3600, "hours"), Tier.WEEKLY: (86_400, "days"), Tier.MONTHLY: (86_400, "days")}
"""Tiers whose age is watched, and the unit that it is read in."""
PLANES: Final = {PLANE_POINT_IN_TIME: "to a moment", PLANE_DUMP: "from a dump"}

# A single value is the newest one in its range, and yesterday's would look like now's if the probe were dead. So the
# ranges are as short as the metric's rhythm allows, and what is missing shows as missing.
FRESH: Final = "-PT30M"
SINCE_YESTERDAY: Final = "-P2D"
SINCE_LAST_MONTH: Final = "-P60D"
ALARMS_OF_A_WIDGET: Final = 100
"""What CloudWatch shows in one widget.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""


def answers(
    metrics: DashboardMetrics,
    *,
    recoverability: cloudwatch.IAlarm,
    databases: Sequence[str],
    objective_minutes: int | None,
) -> list[cloudwatch.IWidget]:
    """Recoverable or not, how old the newest backups are, how far behind the instance is, the last rehearsal.

    Args:
        metrics: where the values come from.
        recoverability: the alarm above all others.
        databases: names of the databases with backups.
        objective_minutes: how long a way back may take; None where none is rehearsed.
    """
    height = max(4, 2 + 2 * len(databases))
    return [
        cloudwatch.AlarmStatusWidget(
            title="Could we recover now, as promised?", alarms=[recoverability], width=4, height=height
        ),
        cloudwatch.SingleValueWidget(
            title="Age of the newest verified backup",
            metrics=[_age(metrics, database, tier) for database in databases for tier in SCHEDULED],
            start=FRESH,
            width=7,
            height=height,
        ),
        cloudwatch.SingleValueWidget(
            title="Would be lost now",
            metrics=[recovery_point(metrics)],
            start=FRESH,
            width=3,
            height=height,
        ),
        *(_rehearsals(metrics, objective_minutes, height) if objective_minutes else [_no_rehearsal(height)]),
    ]


def recovery_point(metrics: DashboardMetrics) -> cloudwatch.IMetric:
    """How far RDS's latest restorable time lies behind, in minutes."""
    behind = metrics.watch(WatchMetric.RECOVERY_POINT_AGE, label="seconds")
    return metrics.scaled(behind, by=60, label="minutes of writes", period=PROBE)


def recovery_time(metrics: DashboardMetrics, plane: str) -> cloudwatch.IMetric:
    """How long a rehearsed way back took, in minutes."""
    took = metrics.rehearsal(RehearsalMetric.RECOVERY_TIME, label="seconds", plane=plane)
    return metrics.scaled(took, by=60, label=f"{PLANES[plane]}, minutes", period=DAY)


def alarm_tiles(groups: Mapping[str, Sequence[cloudwatch.IAlarm]], *, width: int) -> list[cloudwatch.IWidget]:
    """Every alarm as a tile, in groups with a title."""
    a_row = max(1, width // 4)
    tiles: list[cloudwatch.IWidget] = []
    for title, alarms in groups.items():
        for start in range(0, len(alarms), ALARMS_OF_A_WIDGET):
            some = alarms[start : start + ALARMS_OF_A_WIDGET]
            height = 1 + -(-len(some) // a_row)
            tiles.append(
                cloudwatch.AlarmStatusWidget(title=title, alarms=list(some), width=width, height=max(height, 2))
            )
    return tiles


def _age(metrics: DashboardMetrics, database: str, tier: Tier) -> cloudwatch.IMetric:
    seconds, unit = SCHEDULED[tier]
    label = f"{database}, {tier.value}"
    age = metrics.backup(WatchMetric.BACKUP_AGE, database, tier, label=label, statistic="Maximum", period=PROBE)
    return metrics.scaled(age, by=seconds, label=f"{label}: {unit}", period=PROBE)


def _rehearsals(metrics: DashboardMetrics, objective_minutes: int, height: int) -> list[cloudwatch.IWidget]:
    # The worst of a day: of two rehearsals on one day, the one that failed is the one to know of.
    verdict = metrics.rehearsal(RehearsalMetric.SUCCESS, label="1: passed, 0: failed", statistic="Minimum")
    return [
        cloudwatch.SingleValueWidget(
            title="A rehearsal passed",
            metrics=[metrics.rehearsal(RehearsalMetric.AGE, label="days ago", period=HOUR)],
            start=SINCE_YESTERDAY,
            width=3,
            height=height,
        ),
        cloudwatch.SingleValueWidget(
            title=f"Last rehearsal of the way back (objective: {objective_minutes} minutes)",
            metrics=[verdict, *(recovery_time(metrics, plane) for plane in PLANES)],
            start=SINCE_LAST_MONTH,
            width=7,
            height=height,
        ),
    ]


def _no_rehearsal(height: int) -> cloudwatch.IWidget:
    return cloudwatch.TextWidget(
        markdown="### Last rehearsal of the way back\n\n**Rehearsals are switched off:** nobody knows whether the way "
        "back works.",
        width=10,
        height=height,
    )
