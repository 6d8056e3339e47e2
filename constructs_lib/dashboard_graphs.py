"""The rest of the dashboard: how the answers came about, over time and against their limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.dashboard_answers import FRESH, PLANES, SCHEDULED, recovery_point, recovery_time
from constructs_lib.dashboard_metrics import DAY, PROBE, DashboardMetrics
from dbbackup.contract import Metric, Tier
from dbbackup.contract_pitr import PitrMetric
from dbbackup.contract_watch import WatchedSetting, WatchMetric

QUARTER: Final = "-P90D"
"""Range of what happens once a day or more rarely: a fortnight has two weekly backups and no monthly one."""
HALF_YEAR: Final = "-P180D"
GIB: Final = 2**30
_LIMIT: Final = "#b3261e"
_WARNING: Final = "#b26a00"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceLimits:
    """Where the alarms of the instance are raised, drawn into its graphs; None where there is no such alarm."""

    free_storage_bytes: int | None = None
    cpu_percent: int | None = None
    connections: int | None = None
    free_memory_bytes: int | None = None


def backup_graphs(
    metrics: DashboardMetrics, database: str, *, longest_seconds: int, slow_percent: float, least_size_ratio: float
) -> list[list[cloudwatch.IWidget]]:
    """Two rows for one database: sizes and durations; rows, change of size, failures."""

    def of(metric: Metric, label: str, statistic: str, tiers: Sequence[Tier] = tuple(Tier)) -> list[cloudwatch.IMetric]:
        return [
            metrics.backup(metric, database, tier, label=label.format(tier=tier.value), statistic=statistic, period=DAY)
            for tier in tiers
        ]

    slow = longest_seconds * slow_percent / 100
    return [
        [
            _graph(f"{database}: size of the archive", of(Metric.BACKUP_SIZE, "{tier}", "Maximum"), start=QUARTER),
            _graph(f"{database}: size of the database", of(Metric.DATABASE_SIZE, "{tier}", "Maximum"), start=QUARTER),
            _graph(
                f"{database}: duration of a backup, and its limit",
                of(Metric.BACKUP_DURATION, "{tier}", "Maximum"),
                start=QUARTER,
                lines=[
                    _line(longest_seconds, f"a backup is given up ({longest_seconds} s)", _LIMIT),
                    _line(slow, f"{slow_percent:g} %: alarm", _WARNING),
                ],
            ),
        ],
        [
            _graph(
                f"{database}: size by the size before it (1: unchanged)",
                of(Metric.BACKUP_SIZE_RATIO, "{tier}", "Minimum"),
                start=QUARTER,
                lines=[_line(least_size_ratio, f"{least_size_ratio:g}: alarm", _WARNING)],
            ),
            _graph(f"{database}: rows in a backup", of(Metric.BACKUP_ROWS, "{tier}", "Maximum"), start=QUARTER),
            _graph(
                f"{database}: failed backups and verifications",
                [
                    *of(Metric.BACKUP_FAILURE, "{tier} failed", "Sum"),
                    metrics.sum_of(
                        of(Metric.VERIFICATION_FAILURE, "{tier}", "Sum"), label="of any tier not as written", period=DAY
                    ),
                ],
                start=QUARTER,
            ),
        ],
    ]


def recovery_point_graph(
    metrics: DashboardMetrics, *, most_minutes: float, width: int, height: int
) -> cloudwatch.IWidget:
    """How much would have been lost at each moment."""
    return _graph(
        "What would be lost, in minutes of writes",
        [recovery_point(metrics)],
        lines=[_line(most_minutes, f"{most_minutes:g} minutes: alarm", _LIMIT)],
        width=width,
        height=height,
    )


def recovery_graphs(
    metrics: DashboardMetrics, databases: Sequence[str], *, objective_minutes: int | None
) -> list[cloudwatch.IWidget]:
    """How long a way back takes, and what was really restored."""
    times = [recovery_time(metrics, plane) for plane in PLANES] if objective_minutes else []
    really = metrics.recovery(PitrMetric.RECOVERY_TIME, label="seconds", statistic="Maximum")
    times.append(metrics.scaled(really, by=60, label="to a moment, asked for by somebody, minutes", period=DAY))
    return [
        _graph(
            "Time to recover, in minutes",
            times,
            start=HALF_YEAR,
            lines=[_line(objective_minutes, f"objective: {objective_minutes} minutes", _LIMIT)]
            if objective_minutes
            else [],
            width=12,
        ),
        _graph("Restores and recoveries, by day", _restores(metrics, databases), start=QUARTER, width=12),
    ]


def setting_widgets(metrics: DashboardMetrics, watched: Sequence[WatchedSetting]) -> list[cloudwatch.IWidget]:
    """Which settings are no longer as they were declared."""

    def drift() -> list[cloudwatch.IMetric]:
        return [
            metrics.watch(WatchMetric.DRIFT, label=setting.value.replace("-", " "), setting=setting)
            for setting in watched
        ]

    return [
        cloudwatch.SingleValueWidget(
            title="Settings (0: as declared, 1: changed)", metrics=drift(), start=FRESH, width=16, height=6
        ),
        _graph("Changed settings, over time", drift(), stacked=True),
    ]


def instance_graphs(metrics: DashboardMetrics, limits: InstanceLimits) -> list[cloudwatch.IWidget]:
    """Free storage, CPU, connections and free memory of the instance."""

    def gibibytes(name: str, label: str) -> cloudwatch.IMetric:
        # The minimum: the moment at which it ran short is what matters.
        free = metrics.instance(name, label="bytes", statistic="Minimum")
        return metrics.scaled(free, by=GIB, label=label, period=PROBE)

    def limit(value: float | None, unit: str) -> list[cloudwatch.HorizontalAnnotation]:
        return [] if value is None else [_line(value, f"{value:g} {unit}: alarm", _LIMIT)]

    storage = limits.free_storage_bytes and limits.free_storage_bytes / GIB
    memory = limits.free_memory_bytes and limits.free_memory_bytes / GIB
    return [
        _graph("Free storage, in GiB", [gibibytes("FreeStorageSpace", "free")], lines=limit(storage, "GiB"), width=6),
        _graph(
            "CPU, in percent",
            [metrics.instance("CPUUtilization", label="used", statistic="Average")],
            lines=limit(limits.cpu_percent, "%"),
            width=6,
        ),
        _graph(
            "Connections",
            [metrics.instance("DatabaseConnections", label="open", statistic="Maximum")],
            lines=limit(limits.connections, "connections"),
            width=6,
        ),
        _graph("Free memory, in GiB", [gibibytes("FreeableMemory", "free")], lines=limit(memory, "GiB"), width=6),
    ]


def age_graphs(metrics: DashboardMetrics, databases: Sequence[str]) -> list[cloudwatch.IWidget]:
    """How old the newest backup of each tier has become: a saw, whose teeth are the backups."""
    return [
        _graph(
            f"Age of the newest {tier.value} backup, in {unit}",
            [
                metrics.scaled(
                    metrics.backup(
                        WatchMetric.BACKUP_AGE, database, tier, label=database, statistic="Maximum", period=PROBE
                    ),
                    by=seconds,
                    label=database,
                    period=PROBE,
                )
                for database in databases
            ],
        )
        for tier, (seconds, unit) in SCHEDULED.items()
    ]


def _restores(metrics: DashboardMetrics, databases: Sequence[str]) -> list[cloudwatch.IMetric]:
    def ends(metric: Metric, label: str) -> list[cloudwatch.IMetric]:
        return [
            metrics.sum_of(
                [
                    metrics.backup(metric, database, tier, label=tier.value, statistic="Sum", period=DAY)
                    for tier in Tier
                ],
                label=f"{database}: dumps {label}",
                period=DAY,
            )
            for database in databases
        ]

    return [
        *ends(Metric.RESTORE_SUCCESS, "restored"),
        *ends(Metric.RESTORE_FAILURE, "not restored"),
        metrics.recovery(PitrMetric.SUCCESS, label="recovered to a moment", statistic="Sum"),
        metrics.recovery(PitrMetric.FAILURE, label="not recovered to a moment", statistic="Sum"),
    ]


def _line(value: float, label: str, color: str) -> cloudwatch.HorizontalAnnotation:
    return cloudwatch.HorizontalAnnotation(value=value, label=label, color=color)


def _graph(
    title: str,
    metrics: list[cloudwatch.IMetric],
    *,
    lines: Sequence[cloudwatch.HorizontalAnnotation] = (),
    start: str | None = None,
    stacked: bool = False,
    width: int = 8,
    height: int = 6,
) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=metrics,
        left_annotations=list(lines),
        # From zero, so that a small change looks small.
        left_y_axis=cloudwatch.YAxisProps(min=0),
        start=start,
        stacked=stacked,
        width=width,
        height=height,
    )
