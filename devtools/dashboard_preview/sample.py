"""A fortnight, and what came before it, as the functions of a healthy system would have printed it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from dbbackup.contract import METRICS_NAMESPACE, SERVICE, Dimension, Metric, Tier, metric_dimensions
from dbbackup.contract_pitr import INSTANCE_DIMENSION, PitrMetric
from dbbackup.contract_rehearsal import PLANE_DUMP, PLANE_POINT_IN_TIME, RehearsalMetric, rehearsal_dimensions
from dbbackup.contract_watch import PROBE_MINUTES, WatchedSetting, WatchMetric, watch_dimensions

_MIB = 2**20
_DAYS = 90
_UNITS = {
    Metric.BACKUP_SIZE: "Bytes",
    Metric.DATABASE_SIZE: "Bytes",
    Metric.BACKUP_DURATION: "Seconds",
    Metric.BACKUP_LAST_SUCCESS: "Seconds",
    Metric.BACKUP_THROUGHPUT: "Bytes/Second",
    Metric.BACKUP_SIZE_RATIO: "None",
}


def emf(at: datetime, dimensions: Mapping[str, str], values: Mapping[str, tuple[str, float]], namespace: str) -> str:
    """One line in embedded metric format."""
    directive = {
        "Namespace": namespace,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": unit} for name, (unit, _) in values.items()],
    }
    about = {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": about, **dimensions, **{name: [value] for name, (_, value) in values.items()}})


def history(now: datetime, *, environment: str, instance: str, database: str, probed_days: int = 14) -> Iterator[str]:
    """Log lines up to ``now``, of the probe for ``probed_days`` only; the same for the same arguments."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    made: dict[Tier, datetime] = {}
    sizes: dict[Tier, float] = {}
    runs: list[tuple[datetime, Tier]] = []
    for day in range(_DAYS, -1, -1):
        date = midnight - timedelta(days=day)
        runs.append((date + timedelta(hours=2), Tier.DAILY))
        if date.weekday() == 6:
            runs.append((date + timedelta(hours=3), Tier.WEEKLY))
        if date.day == 1:
            runs.append((date + timedelta(hours=4), Tier.MONTHLY))
            yield from _rehearsal(date + timedelta(hours=6), environment, instance, _wave(day))
        if day in {5, 33}:
            runs.append((date + timedelta(hours=10, minutes=20), Tier.PRE_MIGRATION))
    runs = [run for run in runs if run[0] <= now]
    for due, tier in runs:
        age = (midnight - due).days
        retried = age == 9 and tier is Tier.DAILY
        at = due + timedelta(minutes=11) if retried else due
        size = (140 + (_DAYS - age) * 0.9 + 4 * _wave(age)) * _MIB
        if retried:
            yield _backup(due, environment, database, tier, {Metric.BACKUP_SUCCESS: 0, Metric.BACKUP_FAILURE: 1})
        values = {
            Metric.BACKUP_SUCCESS: 1,
            Metric.BACKUP_FAILURE: 0,
            Metric.VERIFICATION_FAILURE: 0,
            Metric.BACKUP_SIZE: size,
            Metric.DATABASE_SIZE: size * 7.4,
            Metric.BACKUP_DURATION: 210 + (_DAYS - age) * 1.3 + 14 * _wave(age + 3),
            Metric.BACKUP_ROWS: round(3_400_000 + (_DAYS - age) * 21_000),
            Metric.BACKUP_LAST_SUCCESS: at.timestamp(),
            Metric.BACKUP_THROUGHPUT: size * 7.4 / 180,
        }
        if tier in sizes:
            values[Metric.BACKUP_SIZE_RATIO] = size / sizes[tier]
        sizes[tier] = size
        yield _backup(at, environment, database, tier, values)
    done = iter(runs)
    coming = next(done, None)
    at = midnight - timedelta(days=probed_days)
    minute = 0
    while at <= now:
        while coming and coming[0] <= at:
            made[coming[1]] = coming[0]
            coming = next(done, None)
        yield from _probe(at, environment, instance, database, made, minute)
        if minute % 1440 == 8 * 60:
            days = (at - at.replace(day=1, hour=6, minute=0)).total_seconds() / 86_400
            watched = {RehearsalMetric.AGE.value: ("None", days), RehearsalMetric.LEFTOVERS.value: ("Count", 0.0)}
            yield emf(at, rehearsal_dimensions(environment, instance), watched, METRICS_NAMESPACE)
        at += timedelta(minutes=PROBE_MINUTES)
        minute += PROBE_MINUTES
    dimensions = {
        Dimension.SERVICE.value: SERVICE,
        Dimension.ENVIRONMENT.value: environment,
        INSTANCE_DIMENSION: instance,
    }
    recovered = {
        PitrMetric.SUCCESS.value: ("Count", 1.0),
        PitrMetric.FAILURE.value: ("Count", 0.0),
        PitrMetric.RECOVERY_TIME.value: ("Seconds", 2110.0),
    }
    yield emf(midnight - timedelta(days=20, hours=9), dimensions, recovered, METRICS_NAMESPACE)


def _backup(at: datetime, environment: str, database: str, tier: Tier, values: Mapping[Metric, float]) -> str:
    measured = {metric.value: (_UNITS.get(metric, "Count"), value) for metric, value in values.items()}
    return emf(at, metric_dimensions(environment, database, tier), measured, METRICS_NAMESPACE)


def _rehearsal(at: datetime, environment: str, instance: str, wave: float) -> Iterator[str]:
    verdict = {RehearsalMetric.SUCCESS.value: ("Count", 1.0), RehearsalMetric.FAILURE.value: ("Count", 0.0)}
    yield emf(at, rehearsal_dimensions(environment, instance), verdict, METRICS_NAMESPACE)
    for plane, seconds in ((PLANE_POINT_IN_TIME, 2280.0), (PLANE_DUMP, 900.0)):
        times = {RehearsalMetric.RECOVERY_TIME.value: ("Seconds", seconds + 200 * wave)}
        yield emf(at, rehearsal_dimensions(environment, instance, plane), times, METRICS_NAMESPACE)


def _probe(
    at: datetime, environment: str, instance: str, database: str, made: Mapping[Tier, datetime], minute: int
) -> Iterator[str]:
    # RDS ships its log every five minutes; once in the fortnight it was late.
    late = 540 if 9000 <= minute < 9060 else 0
    behind = {WatchMetric.RECOVERY_POINT_AGE.value: ("Seconds", 205 + 60 * _wave(minute) + late)}
    yield emf(at, watch_dimensions(environment, instance), behind, METRICS_NAMESPACE)
    for tier in (Tier.DAILY, Tier.WEEKLY, Tier.MONTHLY):
        if tier in made:
            age = {WatchMetric.BACKUP_AGE.value: ("Seconds", (at - made[tier]).total_seconds())}
            yield emf(at, metric_dimensions(environment, database, tier), age, METRICS_NAMESPACE)
    for setting in WatchedSetting:
        drifted = setting is WatchedSetting.DELETION_PROTECTION and 12_600 <= minute < 12_870
        yield emf(
            at,
            watch_dimensions(environment, instance, setting),
            {WatchMetric.DRIFT.value: ("Count", float(drifted))},
            METRICS_NAMESPACE,
        )
    day = math.sin(minute / 1440 * 2 * math.pi)
    measured = {
        "FreeStorageSpace": ("Bytes", (31 - minute / 1440 * 0.12) * 2**30),
        "CPUUtilization": ("Percent", 19 - 9 * day + 3 * _wave(minute)),
        "DatabaseConnections": ("Count", float(round(24 - 12 * day + 2 * _wave(minute)))),
        "FreeableMemory": ("Bytes", (1.15 + 0.1 * day + 0.03 * _wave(minute)) * 2**30),
    }
    yield emf(at, {"DBInstanceIdentifier": instance}, measured, "AWS/RDS")


def _wave(number: float) -> float:
    """Something between -1 and 1 that looks like chance and is not."""
    return math.sin(number * 12.9898) * math.cos(number * 4.1414)
