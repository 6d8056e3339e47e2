"""For each alarm of prod: the metric that it must listen to, a value that rings it, and one that must not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dbbackup.contract import METRICS_NAMESPACE, Metric, Tier, metric_dimensions
from dbbackup.contract_rehearsal import PLANE_DUMP, PLANE_POINT_IN_TIME, RehearsalMetric, rehearsal_dimensions
from dbbackup.contract_watch import WatchedSetting, WatchMetric, rehearsed_dimensions, watch_dimensions
from devtools.alarms import State
from devtools.metric_data import MetricName

PREFIX: Final = "ftry-prod"
HOUR: Final = 3600
DAY: Final = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One alarm."""

    metrics: tuple[MetricName, ...]
    """Each of them alone rings it."""
    rings: float
    """Just over the line."""
    quiet: float
    """Just on the right side of it."""
    lasting: int = 1
    """Periods in a row that it takes."""
    silence: State | None = State.OK
    """State that no data lead to; None where they change nothing."""


def _ours(name: str, *dimensions: Mapping[str, str]) -> tuple[MetricName, ...]:
    return tuple(MetricName.of(METRICS_NAMESPACE, name, each) for each in dimensions)


def _tiers(name: str, *tiers: Tier) -> tuple[MetricName, ...]:
    return _ours(name, *(metric_dimensions("prod", "ftry", tier) for tier in tiers or tuple(Tier)))


def _watched(name: str, setting: WatchedSetting | None = None) -> tuple[MetricName, ...]:
    return _ours(name, watch_dimensions("prod", "ftry-prod", setting))


def _rehearsal(name: str, *planes: str) -> tuple[MetricName, ...]:
    return _ours(name, *(rehearsal_dimensions("prod", "ftry-prod", plane) for plane in planes or (None,)))


def _aws(namespace: str, name: str, dimension: str, value: str) -> tuple[MetricName, ...]:
    return (MetricName.of(namespace, name, {dimension: value}),)


def _instance(name: str) -> tuple[MetricName, ...]:
    return _aws("AWS/RDS", name, "DBInstanceIdentifier", "ftry-prod")


def _ends(machine: str) -> tuple[MetricName, ...]:
    return tuple(
        MetricName.of("AWS/States", name, {"StateMachineArn": f"{PREFIX}-{machine}"})
        for name in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
    )


def _errors(function: str) -> tuple[MetricName, ...]:
    return _aws("AWS/Lambda", "Errors", "FunctionName", f"{PREFIX}-{function}")


def _age(tier: Tier, limit: int) -> Case:
    metrics = _tiers(WatchMetric.BACKUP_AGE, tier)
    return Case(metrics=metrics, rings=limit + 1, quiet=limit, lasting=3, silence=State.ALARM)


CASES: Final[Mapping[str, Case]] = {
    "backup-missing-ftry": _age(Tier.DAILY, 25 * HOUR),
    "backup-weekly-missing-ftry": _age(Tier.WEEKLY, 8 * DAY),
    "backup-monthly-missing-ftry": _age(Tier.MONTHLY, 32 * DAY),
    "backup-failed-ftry": Case(metrics=_tiers(Metric.BACKUP_FAILURE), rings=1, quiet=0, silence=None),
    "verification-failed-ftry": Case(metrics=_tiers(Metric.VERIFICATION_FAILURE), rings=1, quiet=0, silence=None),
    "backup-too-large-ftry": Case(metrics=_tiers(Metric.BACKUP_SIZE), rings=10 * 2**30 + 1, quiet=10 * 2**30),
    "backup-size-dropped-ftry": Case(metrics=_tiers(Metric.BACKUP_SIZE_RATIO), rings=0.49, quiet=0.5),
    "backup-too-slow-ftry": Case(metrics=_tiers(Metric.BACKUP_DURATION), rings=673, quiet=672),
    "backup-errors": Case(metrics=_errors("backup"), rings=1, quiet=0),
    "backup-dead-letters": Case(
        metrics=_aws("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", f"{PREFIX}-backup-dead-letters"),
        rings=1,
        quiet=0,
        silence=None,
    ),
    "recovery-point-old": Case(
        metrics=_watched(WatchMetric.RECOVERY_POINT_AGE), rings=901, quiet=900, lasting=3, silence=State.ALARM
    ),
    **{
        f"setting-drifted-{setting.value}": Case(
            metrics=_watched(WatchMetric.DRIFT, setting), rings=1, quiet=0, silence=None
        )
        for setting in WatchedSetting
    },
    "watch-errors": Case(metrics=_errors("watch"), rings=1, quiet=0, lasting=3),
    "storage-low": Case(metrics=_instance("FreeStorageSpace"), rings=5 * 2**30 - 1, quiet=5 * 2**30, silence=None),
    "cpu-high": Case(metrics=_instance("CPUUtilization"), rings=90.1, quiet=90, lasting=3),
    "connections-high": Case(metrics=_instance("DatabaseConnections"), rings=201, quiet=200, lasting=3),
    "memory-low": Case(metrics=_instance("FreeableMemory"), rings=128 * 2**20 - 1, quiet=128 * 2**20, lasting=3),
    "alert-rehearsal-failed": Case(
        metrics=_ours(Metric.BACKUP_FAILURE, rehearsed_dimensions("prod")), rings=1, quiet=0, silence=None
    ),
    "alert-rehearsal-missing": Case(
        metrics=_ours(WatchMetric.BACKUP_AGE, rehearsed_dimensions("prod")),
        rings=25 * HOUR + 1,
        quiet=25 * HOUR,
        lasting=3,
        silence=State.ALARM,
    ),
    "alert-path-broken": Case(
        metrics=_watched(WatchMetric.ALERTS_UNDELIVERED), rings=1, quiet=0, lasting=3, silence=State.ALARM
    ),
    "restore-failed-dump": Case(metrics=(*_ends("restore"), *_errors("restore")), rings=1, quiet=0),
    "restore-failed-point-in-time": Case(metrics=_ends("pitr"), rings=1, quiet=0),
    "promotion-failed": Case(metrics=_ends("pitr-promote"), rings=1, quiet=0),
    "notifier-errors": Case(metrics=_errors("notify"), rings=1, quiet=0, silence=None),
    "notifier-dead-letters": Case(
        metrics=_aws("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", f"{PREFIX}-notify-dead-letters"),
        rings=1,
        quiet=0,
        silence=None,
    ),
    "rehearsal-failed": Case(
        metrics=(
            *_rehearsal(RehearsalMetric.FAILURE),
            *_ends("rehearsal"),
        ),
        rings=1,
        quiet=0,
    ),
    "rehearsal-missing": Case(
        metrics=_rehearsal(RehearsalMetric.AGE), rings=36, quiet=35, lasting=2, silence=State.ALARM
    ),
    "rehearsal-leftover": Case(metrics=_rehearsal(RehearsalMetric.LEFTOVERS), rings=1, quiet=0),
    "rehearsal-too-slow": Case(
        metrics=_rehearsal(RehearsalMetric.RECOVERY_TIME, PLANE_POINT_IN_TIME, PLANE_DUMP),
        rings=120 * 60 + 1,
        quiet=120 * 60,
        silence=None,
    ),
}
UNUSUAL: Final = "backup-size-unusual-ftry"
"""Has no line: a test of its own."""
