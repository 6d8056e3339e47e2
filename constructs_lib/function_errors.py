"""How far back an alarm on the errors of a function must look."""

from __future__ import annotations

from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

PERIOD: Final = Duration.minutes(5)
_LATE_PERIODS: Final = 3
"""The period that a run began in, the one that has just begun, and one for CloudWatch to receive what Lambda sends."""


def errors_of(function: lambda_.IFunction) -> cloudwatch.Metric:
    """How many runs failed, by the period in which they began."""
    return function.metric_errors(period=PERIOD, statistic="Sum")


def any_error(timeout_seconds: int) -> dict[str, Any]:
    """Periods of an alarm on :func:`errors_of` that one error rings, also that of a run ended at its time-out.

    Lambda stamps an error with the time at which its run *began*, and sends it when the run has ended: a run that hangs
    for 15 minutes has its error 15 minutes ago, where an alarm on the last period alone never looks.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html

    Args:
        timeout_seconds: the longest that a run may take.
    """
    return {"periods": -(-timeout_seconds // int(PERIOD.to_seconds())) + _LATE_PERIODS, "datapoints": 1}
