"""What the probe has rehearsed and the notifier has delivered, as CloudWatch remembers it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from botocore.config import Config

from dbbackup.adapters.rds import calling
from dbbackup.contract import METRICS_NAMESPACE, Metric
from dbbackup.contract_watch import (
    ALERT_DELIVERED,
    PROBE_MINUTES,
    RehearsedAlert,
    delivered_dimensions,
    rehearsed_dimensions,
)
from dbbackup.core.alert_rehearsal import RehearsalRecord

_FAILING: Final = "failing"


def make_client() -> Any:
    """A CloudWatch client that gives up within 15 s: the next look comes in minutes."""
    return boto3.client(
        "cloudwatch", config=Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=2, read_timeout=5)
    )


class CloudWatchDeliveries:
    """The metrics of the probe and of the notifier, asked for in one call.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """

    def __init__(self, client: Any, environment: str) -> None:
        self._client = client
        self._environment = environment

    def record(self, *, start: datetime, end: datetime) -> RehearsalRecord:
        """What is remembered of the time between two moments.

        Raises:
            DbBackupError: CloudWatch does not answer.
        """
        # From the begin of a period on, as CloudWatch answers in whole ones.
        seconds = PROBE_MINUTES * 60
        begin = datetime.fromtimestamp(start.timestamp() // seconds * seconds, UTC)
        # The least of a period, as the alarm looks at it: a period that began well is no failure yet.
        queries = [_query(_FAILING, Metric.BACKUP_FAILURE.value, rehearsed_dimensions(self._environment), "Minimum")]
        queries += [
            _query(alert.value, ALERT_DELIVERED, delivered_dimensions(self._environment, alert), "Maximum")
            for alert in RehearsedAlert
        ]
        points: dict[str, dict[datetime, float]] = {query["Id"]: {} for query in queries}
        with calling("GetMetricData", f"{Metric.BACKUP_FAILURE}, {ALERT_DELIVERED}"):
            pages = self._client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries, StartTime=begin, EndTime=end
            )
            for page in pages:
                for result in page["MetricDataResults"]:
                    points[result["Id"]].update(zip(result["Timestamps"], result["Values"], strict=True))
        return RehearsalRecord(
            failing={moment: value >= 1 for moment, value in points[_FAILING].items()},
            delivered={
                alert: [moment for moment, value in points[alert.value].items() if value >= 1]
                for alert in RehearsedAlert
            },
        )


def _query(identifier: str, metric: str, dimensions: Mapping[str, str], statistic: str) -> dict[str, Any]:
    return {
        "Id": identifier,
        "MetricStat": {
            "Metric": {
                "Namespace": METRICS_NAMESPACE,
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            },
            # Periods of five minutes are kept for 63 days, those of one for 15.
            "Period": PROBE_MINUTES * 60,
            "Stat": statistic,
        },
    }
