"""What point-in-time recovery tells CloudWatch, in embedded metric format."""

from __future__ import annotations

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from dbbackup.contract import METRICS_NAMESPACE, SERVICE, Dimension
from dbbackup.contract_pitr import INSTANCE_DIMENSION, PitrMetric


def _emit(environment: str, instance: str, values: dict[PitrMetric, tuple[MetricUnit, float]]) -> None:
    metrics = EphemeralMetrics(namespace=METRICS_NAMESPACE, service=SERVICE)
    metrics.add_dimension(name=Dimension.ENVIRONMENT.value, value=environment)
    metrics.add_dimension(name=INSTANCE_DIMENSION, value=instance)
    for metric, (unit, number) in values.items():
        metrics.add_metric(name=metric.value, unit=unit, value=number)
    metrics.flush_metrics()


def recovered(
    environment: str, instance: str, seconds: float, *, differences: int, point_age_seconds: float | None = None
) -> None:
    """A restored and verified instance.

    Args:
        environment: where.
        instance: the production instance.
        seconds: how long it took.
        differences: in how many settings it is not as its source.
        point_age_seconds: how far its data lies behind the start; None where that distance was asked for.
    """
    point = {} if point_age_seconds is None else {PitrMetric.RECOVERY_POINT: (MetricUnit.Seconds, point_age_seconds)}
    _emit(
        environment,
        instance,
        {
            PitrMetric.SUCCESS: (MetricUnit.Count, 1),
            PitrMetric.FAILURE: (MetricUnit.Count, 0),
            PitrMetric.RECOVERY_TIME: (MetricUnit.Seconds, seconds),
            PitrMetric.DIFFERENCES: (MetricUnit.Count, differences),
            **point,
        },
    )


def not_recovered(environment: str, instance: str) -> None:
    """A restore that failed."""
    _emit(
        environment,
        instance,
        {PitrMetric.SUCCESS: (MetricUnit.Count, 0), PitrMetric.FAILURE: (MetricUnit.Count, 1)},
    )
