"""What the probe tells CloudWatch, in embedded metric format."""

from __future__ import annotations

from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from dbbackup.contract import METRICS_NAMESPACE, SERVICE, Dimension, Metric, Tier, metric_dimensions
from dbbackup.contract_watch import WatchedSetting, WatchMetric, rehearsed_dimensions, watch_dimensions


class WatchSignals:
    """The metrics of one look, each on its own line as soon as it is known."""

    def __init__(self, environment: str, instance: str) -> None:
        self._environment = environment
        self._instance = instance

    def recovery_point(self, age_seconds: float) -> None:
        """How far back the newest moment lies that can be restored to."""
        self._emit(self._watched(), {WatchMetric.RECOVERY_POINT_AGE: (MetricUnit.Seconds, age_seconds)})

    def backup(self, database: str, tier: Tier, age_seconds: float) -> None:
        """How old the newest backup is."""
        dimensions = metric_dimensions(self._environment, database, tier)
        self._emit(dimensions, {WatchMetric.BACKUP_AGE: (MetricUnit.Seconds, age_seconds)})

    def setting(self, setting: WatchedSetting, *, drifted: bool) -> None:
        """Whether a setting is not as declared."""
        self._emit(self._watched(setting), {WatchMetric.DRIFT: (MetricUnit.Count, float(drifted))})

    def rehearsed(self, *, failing: bool) -> None:
        """How the database that does not exist is doing: well, or with a failed backup and none to be found."""
        values: dict[str, tuple[MetricUnit, float]] = {Metric.BACKUP_FAILURE: (MetricUnit.Count, float(failing))}
        if not failing:
            values[WatchMetric.BACKUP_AGE] = (MetricUnit.Seconds, 0)
        self._emit(rehearsed_dimensions(self._environment), values)

    def undelivered(self, number: int) -> None:
        """How many alerts of the latest rehearsal did not arrive."""
        self._emit(self._watched(), {WatchMetric.ALERTS_UNDELIVERED: (MetricUnit.Count, number)})

    def _watched(self, setting: WatchedSetting | None = None) -> dict[str, str]:
        return watch_dimensions(self._environment, self._instance, setting)

    def _emit(self, dimensions: Mapping[str, str], values: Mapping[str, tuple[MetricUnit, float]]) -> None:
        metrics = EphemeralMetrics(namespace=METRICS_NAMESPACE, service=SERVICE)
        for name, value in dimensions.items():
            if name != Dimension.SERVICE:  # set by Powertools
                metrics.add_dimension(name=name, value=value)
        for metric, (unit, number) in values.items():
            metrics.add_metric(name=str(metric), unit=unit, value=number)
        metrics.flush_metrics()
