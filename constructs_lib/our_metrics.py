"""Metrics that the running code emits, as alarms ask for them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from dbbackup.contract import METRICS_NAMESPACE, Tier, metric_dimensions


def our_metric(name: StrEnum, *, dimensions: dict[str, str], statistic: str, period: Duration) -> cloudwatch.Metric:
    """One metric; all of its dimensions must be named, or CloudWatch looks at another one, which has no data."""
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name.value,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
    )


def over_tiers(
    name: StrEnum,
    *,
    environment: str,
    database: str,
    function: str,
    statistic: str,
    period: Duration,
    label: str,
    tiers: Iterable[Tier] = tuple(Tier),
) -> cloudwatch.MathExpression:
    """The largest or smallest value over tiers: ``function`` is MAX or MIN. Tiers without data are left out."""
    each = {
        f"tier{number}": our_metric(
            name, dimensions=metric_dimensions(environment, database, tier), statistic=statistic, period=period
        )
        for number, tier in enumerate(tiers)
    }
    return cloudwatch.MathExpression(
        expression=f"{function}([{','.join(each)}])", using_metrics=dict(each), label=label, period=period
    )
