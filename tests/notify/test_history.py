"""What CloudWatch is asked, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from dbbackup.adapters.cloudwatch_history import CloudWatchHistory
from dbbackup.contract import Tier
from dbbackup.core.errors import DbBackupError

ENDED = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client = boto3.client("cloudwatch", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield stubber


def _history(stub: Stubber) -> CloudWatchHistory:
    return CloudWatchHistory(stub.client, "prod")


def _changes(*changes: tuple[str, timedelta]) -> dict[str, Any]:
    return {
        "AlarmHistoryItems": [
            {
                "AlarmName": "a",
                "Timestamp": ENDED - ago,
                "HistoryItemType": "StateUpdate",
                "HistoryData": json.dumps({"newState": {"stateValue": state}}),
            }
            for state, ago in changes
        ]
    }


def _results(*values: float, status: str = "Complete", **more: Any) -> dict[str, Any]:
    result = {"Id": "failures", "Values": list(values), "Timestamps": [ENDED] * len(values), "StatusCode": status}
    return {"MetricDataResults": [result], **more}


MINUTES = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changes", "began"),
    [
        ((("OK", 0 * MINUTES), ("ALARM", 23 * MINUTES), ("OK", 90 * MINUTES)), 23 * MINUTES),
        ((("OK", 0 * MINUTES), ("INSUFFICIENT_DATA", 5 * MINUTES), ("ALARM", 23 * MINUTES)), 23 * MINUTES),
        ((("OK", 0 * MINUTES), ("INSUFFICIENT_DATA", 5 * MINUTES), ("OK", 90 * MINUTES)), None),
        ((("OK", 0 * MINUTES), ("INSUFFICIENT_DATA", 5 * MINUTES)), None),
        ((), None),
    ],
)
def test_an_alarm_began_when_it_was_last_raised(
    stub: Stubber, changes: tuple[tuple[str, timedelta], ...], began: timedelta | None
) -> None:
    stub.add_response(
        "describe_alarm_history",
        _changes(*changes),
        {
            "AlarmName": "a",
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "HistoryItemType": "StateUpdate",
            "StartDate": ANY,
            "EndDate": ANY,
            "ScanBy": "TimestampDescending",
            "MaxRecords": 100,
        },
    )
    expected = None if began is None else ENDED - began
    assert _history(stub).alarm_began("a", ENDED) == expected


@pytest.mark.parametrize(
    ("values", "failed"), [((), False), ((0, 0), False), ((0, 1, 0), True)], ids=["none", "well", "failed"]
)
def test_a_failure_is_any_point_above_zero(stub: Stubber, values: tuple[float, ...], failed: bool) -> None:
    stub.add_response("get_metric_data", _results(*values))
    assert _history(stub).failed_between("ftry", Tier.DAILY, ENDED - timedelta(days=1), ENDED) is failed


def test_all_pages_are_read(stub: Stubber) -> None:
    stub.add_response("get_metric_data", _results(0, NextToken="more"))
    stub.add_response("get_metric_data", _results(1))
    assert _history(stub).failed_between("ftry", Tier.DAILY, ENDED - timedelta(days=1), ENDED)


@pytest.mark.parametrize(("days", "period"), [(1, 60), (20, 300), (100, 3600)])
def test_old_points_are_asked_for_as_coarsely_as_they_are_kept(stub: Stubber, days: int, period: int) -> None:
    asked: dict[str, Any] = {}
    stub.client.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData", lambda params, **_: asked.update(params)
    )
    stub.add_response("get_metric_data", _results())
    start = ENDED - timedelta(days=days)
    _history(stub).failed_between("ftry", Tier.DAILY, start, ENDED)
    (query,) = asked["MetricDataQueries"]
    assert query["MetricStat"]["Period"] == period
    assert timedelta(0) < asked["StartTime"] - start <= timedelta(seconds=period)
    assert asked["StartTime"].timestamp() % period == 0


def test_two_successes_in_one_minute_leave_nothing_to_ask(stub: Stubber) -> None:
    assert not _history(stub).failed_between("ftry", Tier.DAILY, ENDED, ENDED + timedelta(milliseconds=1))


def test_no_answer_is_said_so(stub: Stubber) -> None:
    stub.add_client_error("get_metric_data", "AccessDenied")
    stub.add_client_error("describe_alarm_history", "AccessDenied")
    stub.add_response("get_metric_data", _results(status="InternalError"))
    start = ENDED - timedelta(days=1)
    with pytest.raises(DbBackupError, match="AccessDenied"):
        _history(stub).failed_between("ftry", Tier.DAILY, start, ENDED)
    with pytest.raises(DbBackupError, match="AccessDenied"):
        _history(stub).alarm_began("a", ENDED)
    with pytest.raises(DbBackupError, match="InternalError"):
        _history(stub).failed_between("ftry", Tier.DAILY, start, ENDED)
