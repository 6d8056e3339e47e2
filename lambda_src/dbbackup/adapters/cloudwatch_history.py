"""What CloudWatch remembers: failed backups by their metric, and when an alarm was raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dbbackup.adapters.aws_errors import code_of
from dbbackup.contract import METRICS_NAMESPACE, Metric, Tier, metric_dimensions
from dbbackup.core.errors import DbBackupError

_KEPT_DAYS: Final = ((15, 60), (63, 300), (455, 3600))
"""How many days CloudWatch keeps data points of so many seconds.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""
_ALARM_HISTORY_DAYS: Final = 30
_SAME_MOMENT: Final = timedelta(seconds=2)


def make_client() -> Any:
    """A CloudWatch client that gives up soon: what it is asked for is only nice to know."""
    return boto3.client(
        "cloudwatch",
        config=Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=3, read_timeout=5),
    )


class CloudWatchHistory:
    """The memory of one environment."""

    def __init__(self, client: Any, environment: str) -> None:
        self._client = client
        self._environment = environment

    def failed_between(
        self, database: str, tier: Tier, start: datetime, end: datetime, *, before: datetime | None = None
    ) -> bool:
        """Whether a backup failed after the one moment and before the other, or was killed.

        A run that was killed has counted that it began and nothing after it.

        Args:
            database: whose backups.
            tier: which of them.
            start: when the last backup that is known to be good was finished.
            end: when this one was.
            before: when this one began, whose own beginning does not count; None where nobody knows, and then killed
                runs are not looked for.

        Raises:
            DbBackupError: CloudWatch did not say.
        """
        period = next((seconds for days, seconds in _KEPT_DAYS if _age(start) < timedelta(days=days)), 3600)
        # The period of the last success may hold the failure that it ended, so the next one is the first to count.
        begin = datetime.fromtimestamp((start.timestamp() // period + 1) * period, UTC)
        if begin >= end:
            return False
        asked = [
            _query("failures", Metric.BACKUP_FAILURE, "Sum", period),
            _query("started", Metric.BACKUP_STARTED, "Sum", period),
            _query("ended", Metric.BACKUP_FAILURE, "SampleCount", period),  # a verdict is 0 or 1, and always one
        ]
        for query in asked:
            query["MetricStat"]["Metric"]["Dimensions"] = [
                {"Name": name, "Value": value}
                for name, value in metric_dimensions(self._environment, database, tier).items()
            ]
        points = self._points({"MetricDataQueries": asked, "StartTime": begin, "EndTime": end})
        if any(value > 0 for _, value in points["failures"]):
            return True
        return before is not None and _killed(
            points, datetime.fromtimestamp(before.timestamp() // period * period, UTC)
        )

    def _points(self, request: dict[str, Any]) -> dict[str, list[tuple[datetime, float]]]:
        """Moment and value of every point of each query, in no order."""
        found: dict[str, list[tuple[datetime, float]]] = {query["Id"]: [] for query in request["MetricDataQueries"]}
        with _asking("GetMetricData"):
            while True:
                answer = self._client.get_metric_data(**request)
                for result in answer["MetricDataResults"]:
                    if result["StatusCode"] not in ("Complete", "PartialData"):
                        raise _unknown("GetMetricData", result["StatusCode"])
                    found[result["Id"]] += zip(result["Timestamps"], result["Values"], strict=True)
                token = answer.get("NextToken")
                if not token:
                    return found
                request["NextToken"] = token

    def alarm_began(self, name: str, ended: datetime) -> datetime | None:
        """When an alarm that ended then was raised; None where it was not raised before.

        Raises:
            DbBackupError: CloudWatch did not say.
        """
        with _asking("DescribeAlarmHistory"):
            items = self._client.describe_alarm_history(
                AlarmName=name,
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],  # without this only those of a metric are looked for
                HistoryItemType="StateUpdate",
                StartDate=ended - timedelta(days=_ALARM_HISTORY_DAYS),
                EndDate=ended + _SAME_MOMENT,
                ScanBy="TimestampDescending",
                MaxRecords=100,
            )["AlarmHistoryItems"]
        for item in items:
            state = _new_state(item.get("HistoryData", ""))
            when: datetime = item["Timestamp"]
            if state == "ALARM":
                return when
            if state == "OK" and when < ended - _SAME_MOMENT:
                return None
        return None


def _query(identifier: str, metric: Metric, statistic: str, period: int) -> dict[str, Any]:
    """A query for :meth:`CloudWatchHistory._points`, without its dimensions."""
    stat = {"Metric": {"Namespace": METRICS_NAMESPACE, "MetricName": metric.value}, "Period": period, "Stat": statistic}
    return {"Id": identifier, "MetricStat": stat}


def _killed(points: dict[str, list[tuple[datetime, float]]], until: datetime) -> bool:
    """Whether more runs began before that moment than ended.

    Ends before the first beginning are of the backup that the window follows: its verdict is written a little later
    than its manifest.
    """
    started = [(when, value) for when, value in points["started"] if when < until and value > 0]
    first = min((when for when, _ in started), default=until)
    ended = sum(value for when, value in points["ended"] if first <= when < until)
    return sum(value for _, value in started) > ended


def _age(moment: datetime) -> timedelta:
    return datetime.now(UTC) - moment


def _new_state(data: str) -> str:
    try:
        return str(json.loads(data)["newState"]["stateValue"])
    except (ValueError, KeyError, TypeError):
        return ""


@contextmanager
def _asking(call: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _unknown(call, code_of(error)) from error
    except BotoCoreError as error:
        raise _unknown(call, type(error).__name__) from error


def _unknown(call: str, why: str) -> DbBackupError:
    return DbBackupError(
        f"CloudWatch did not answer {call}: {why}.",
        untouched="The message is sent all the same, with less in it.",
        action="If this goes on, check that the notifier's role may do it.",
    )
