"""The metrics of the dashboard, by the names that the running code emits them under."""

from __future__ import annotations

from itertools import count

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from dbbackup.contract import METRICS_NAMESPACE, SERVICE, Dimension, Metric, Tier, metric_dimensions
from dbbackup.contract_pitr import INSTANCE_DIMENSION, PitrMetric
from dbbackup.contract_rehearsal import RehearsalMetric, rehearsal_dimensions
from dbbackup.contract_watch import PROBE_MINUTES, WatchedSetting, WatchMetric, watch_dimensions

PROBE = Duration.minutes(PROBE_MINUTES)
HOUR = Duration.hours(1)
DAY = Duration.days(1)


class DashboardMetrics:
    """Metrics of one environment and its production instance, each with a label in plain words."""

    def __init__(self, environment: str, instance: str) -> None:
        self._environment = environment
        self._instance = instance
        self._numbers = count(1)

    def backup(
        self, metric: Metric | WatchMetric, database: str, tier: Tier, *, label: str, statistic: str, period: Duration
    ) -> cloudwatch.IMetric:
        """A metric of one database and tier, of the function or, with its age, of the probe."""
        dimensions = metric_dimensions(self._environment, database, tier)
        return self._metric(metric.value, dimensions, label=label, statistic=statistic, period=period)

    def watch(self, metric: WatchMetric, *, label: str, setting: WatchedSetting | None = None) -> cloudwatch.IMetric:
        """A metric of the probe, at the worst of each run."""
        dimensions = watch_dimensions(self._environment, self._instance, setting)
        return self._metric(metric.value, dimensions, label=label, statistic="Maximum", period=PROBE)

    def rehearsal(
        self,
        metric: RehearsalMetric,
        *,
        label: str,
        plane: str | None = None,
        statistic: str = "Maximum",
        period: Duration = DAY,
    ) -> cloudwatch.IMetric:
        """A metric of rehearsals, of one of the ways back where ``plane`` names it."""
        dimensions = rehearsal_dimensions(self._environment, self._instance, plane)
        return self._metric(metric.value, dimensions, label=label, statistic=statistic, period=period)

    def recovery(self, metric: PitrMetric, *, label: str, statistic: str) -> cloudwatch.IMetric:
        """A metric of point-in-time recoveries that somebody asked for."""
        dimensions = {
            Dimension.SERVICE.value: SERVICE,
            Dimension.ENVIRONMENT.value: self._environment,
            INSTANCE_DIMENSION: self._instance,
        }
        return self._metric(metric.value, dimensions, label=label, statistic=statistic, period=DAY)

    def instance(self, name: str, *, label: str, statistic: str) -> cloudwatch.IMetric:
        """A metric that RDS emits about the instance.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
        """
        return cloudwatch.Metric(
            namespace="AWS/RDS",
            metric_name=name,
            dimensions_map={"DBInstanceIdentifier": self._instance},
            label=label,
            statistic=statistic,
            period=PROBE,
        )

    def scaled(self, metric: cloudwatch.IMetric, *, by: int, label: str, period: Duration) -> cloudwatch.IMetric:
        """The metric in a unit that people count in: hours of 3600 seconds, say."""
        return self._math("{0}/" + str(by), [metric], label=label, period=period)

    def sum_of(self, metrics: list[cloudwatch.IMetric], *, label: str, period: Duration) -> cloudwatch.IMetric:
        """How often something happened, whichever of the metrics counted it; nothing counted is zero."""
        expression = "+".join(f"FILL({{{number}}}, 0)" for number in range(len(metrics)))
        return self._math(expression, metrics, label=label, period=period)

    def _math(
        self, expression: str, metrics: list[cloudwatch.IMetric], *, label: str, period: Duration
    ) -> cloudwatch.IMetric:
        # Identifiers must differ within one widget; counting over all of them needs no widget to be known here.
        names = [f"m{next(self._numbers)}" for _ in metrics]
        return cloudwatch.MathExpression(
            expression=expression.format(*names),
            using_metrics=dict(zip(names, metrics, strict=True)),
            label=label,
            period=period,
        )

    @staticmethod
    def _metric(
        name: str, dimensions: dict[str, str], *, label: str, statistic: str, period: Duration
    ) -> cloudwatch.IMetric:
        return cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name=name,
            dimensions_map=dimensions,
            label=label,
            statistic=statistic,
            period=period,
        )
