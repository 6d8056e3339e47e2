"""What a run tells CloudWatch: metrics in embedded metric format, on standard output, without a network call."""

from __future__ import annotations

import sys

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from dbbackup.contract import METRICS_NAMESPACE, SERVICE, Dimension, Metric, metric_dimensions
from dbbackup.core.manifest import Manifest

UNKNOWN = "unknown"
"""Value of a dimension when a run fails before it is known."""


class Signals:
    """The metrics of one run."""

    def __init__(self, environment: str, database: str, tier: str) -> None:
        self.environment = environment
        self.database = database
        self.tier = tier
        self._dimensions = {
            Dimension.ENVIRONMENT.value: environment,
            Dimension.DATABASE.value: database,
            Dimension.TIER.value: tier,
        }

    def _emit(self, values: dict[Metric, tuple[MetricUnit, float]]) -> None:
        metrics = EphemeralMetrics(namespace=METRICS_NAMESPACE, service=SERVICE)
        for name, value in self._dimensions.items():
            metrics.add_dimension(name=name, value=value)
        for metric, (unit, number) in values.items():
            metrics.add_metric(name=metric.value, unit=unit, value=number)
        metrics.flush_metrics()

    def started(self) -> None:
        """A run that has begun; it is told at once, as a run that is killed tells nothing more."""
        self._emit({Metric.BACKUP_STARTED: (MetricUnit.Count, 1)})
        sys.stdout.flush()

    def succeeded(self, manifest: Manifest, duration_seconds: float) -> None:
        """A verified backup."""
        expected = metric_dimensions(
            self._dimensions[Dimension.ENVIRONMENT.value], manifest.source.database, manifest.tier
        )
        assert expected.items() >= self._dimensions.items(), "metrics must have the dimensions that alarms ask for"
        self._emit(
            {
                Metric.BACKUP_SUCCESS: (MetricUnit.Count, 1),
                Metric.BACKUP_FAILURE: (MetricUnit.Count, 0),
                Metric.BACKUP_SIZE: (MetricUnit.Bytes, manifest.archive.size_bytes),
                Metric.BACKUP_DURATION: (MetricUnit.Seconds, duration_seconds),
                Metric.DATABASE_SIZE: (MetricUnit.Bytes, manifest.source.database_size_bytes),
                Metric.BACKUP_LAST_SUCCESS: (MetricUnit.Seconds, manifest.finished_at.timestamp()),
                Metric.BACKUP_ROWS: (MetricUnit.Count, manifest.total_rows),
                Metric.VERIFICATION_FAILURE: (MetricUnit.Count, 0),
                **_throughput(manifest),
            }
        )

    def compared(self, manifest: Manifest, previous: Manifest | None) -> None:
        """A verified backup beside the one before it; without that there is nothing to tell."""
        if previous is not None:
            ratio = manifest.archive.size_bytes / previous.archive.size_bytes
            self._emit({Metric.BACKUP_SIZE_RATIO: (MetricUnit.NoUnit, ratio)})

    def failed(self, *, verification: bool = False) -> None:
        """A run that made no backup.

        Args:
            verification: whether what was read back was not what was written. A run that did not come so far says
                nothing about that.
        """
        self._emit(
            {
                Metric.BACKUP_SUCCESS: (MetricUnit.Count, 0),
                Metric.BACKUP_FAILURE: (MetricUnit.Count, 1),
                **({Metric.VERIFICATION_FAILURE: (MetricUnit.Count, 1)} if verification else {}),
            }
        )

    def restored(self, duration_seconds: float) -> None:
        """A dump that was restored, compared and put in place."""
        self._emit(
            {
                Metric.RESTORE_SUCCESS: (MetricUnit.Count, 1),
                Metric.RESTORE_FAILURE: (MetricUnit.Count, 0),
                Metric.RESTORE_DURATION: (MetricUnit.Seconds, duration_seconds),
            }
        )

    def not_restored(self) -> None:
        """A failed restore of a dump."""
        self._emit({Metric.RESTORE_SUCCESS: (MetricUnit.Count, 0), Metric.RESTORE_FAILURE: (MetricUnit.Count, 1)})


def _throughput(manifest: Manifest) -> dict[Metric, tuple[MetricUnit, float]]:
    if manifest.dump_seconds <= 0:
        return {}
    speed = manifest.source.database_size_bytes / manifest.dump_seconds
    return {Metric.BACKUP_THROUGHPUT: (MetricUnit.BytesPerSecond, speed)}
