"""What the notifier tells CloudWatch, in embedded metric format."""

from __future__ import annotations

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from dbbackup.contract import METRICS_NAMESPACE, SERVICE, Dimension
from dbbackup.contract_watch import ALERT_DELIVERED, RehearsedAlert, delivered_dimensions


def alert_delivered(environment: str, alert: RehearsedAlert) -> None:
    """A rehearsed alert has come to the end of its way."""
    metrics = EphemeralMetrics(namespace=METRICS_NAMESPACE, service=SERVICE)
    for name, value in delivered_dimensions(environment, alert).items():
        if name != Dimension.SERVICE.value:  # Powertools sets it
            metrics.add_dimension(name=name, value=value)
    metrics.add_metric(name=ALERT_DELIVERED, unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()
