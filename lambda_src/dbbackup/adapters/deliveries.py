"""What the notifier has delivered, as CloudWatch remembers it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config

from dbbackup.adapters.rds import calling
from dbbackup.contract import METRICS_NAMESPACE
from dbbackup.contract_watch import ALERT_DELIVERED, PROBE_MINUTES, RehearsedAlert, delivered_dimensions


def make_client() -> Any:
    """A CloudWatch client that gives up within 15 s: the next look comes in minutes."""
    return boto3.client(
        "cloudwatch", config=Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=2, read_timeout=5)
    )


class CloudWatchDeliveries:
    """The metric of the notifier.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """

    def __init__(self, client: Any, environment: str) -> None:
        self._client = client
        self._environment = environment

    def delivered(self, alert: RehearsedAlert, *, start: datetime, end: datetime) -> bool:
        """Whether the message of a rehearsed alert was taken between two moments.

        Raises:
            DbBackupError: CloudWatch does not answer.
        """
        dimensions = delivered_dimensions(self._environment, alert)
        query = {
            "Id": alert.value,
            "MetricStat": {
                "Metric": {
                    "Namespace": METRICS_NAMESPACE,
                    "MetricName": ALERT_DELIVERED,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                },
                # Periods of five minutes are kept for 63 days, those of one for 15.
                "Period": PROBE_MINUTES * 60,
                "Stat": "Maximum",
            },
        }
        with calling("GetMetricData", f"{ALERT_DELIVERED} {alert.value}"):
            pages = self._client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=[query], StartTime=start, EndTime=end
            )
            values = [value for page in pages for result in page["MetricDataResults"] for value in result["Values"]]
        return any(value >= 1 for value in values)
