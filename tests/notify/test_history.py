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
from dbbackup.contract import Tier, metric_dimensions
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


def _runs(start: datetime, *, started: dict[int, float], ended: dict[int, float]) -> dict[str, Any]:
    """An answer of runs that began and ended so many minutes after a moment, all of them well."""
    series = {"failures": dict.fromkeys(ended, 0.0), "started": started, "ended": ended}
    return {
        "MetricDataResults": [
            {
                "Id": identifier,
                "Timestamps": [start + each * MINUTES for each in points],
                "Values": list(points.values()),
                "StatusCode": "Complete",
            }
            for identifier, points in series.items()
        ]
    }


@pytest.mark.parametrize(
    ("started", "ended", "killed"),
    [
        ({600: 1}, {}, True),
        ({600: 1}, {601: 1}, False),
        ({600: 1, 620: 1}, {625: 1}, True),
        ({600: 2}, {610: 2}, False),
        ({600: 1}, {1: 1}, True),
        ({700: 1}, {}, False),
        ({}, {1: 1}, False),
    ],
    ids=["killed", "well", "killed-then-well", "two-well", "verdict-of-the-last-one", "this-one", "nothing"],
)
def test_a_run_that_began_and_never_ended_was_killed(
    stub: Stubber, started: dict[int, float], ended: dict[int, float], killed: bool
) -> None:
    start = (ENDED - timedelta(days=1)).replace(second=0)
    stub.add_response("get_metric_data", _runs(start, started=started, ended=ended))
    this_one = start + 700 * MINUTES + timedelta(seconds=30)
    assert _history(stub).failed_between("ftry", Tier.DAILY, start, ENDED, before=this_one) is killed


def test_where_nobody_says_when_this_run_began_only_failures_are_looked_for(stub: Stubber) -> None:
    start = (ENDED - timedelta(days=1)).replace(second=0)
    stub.add_response("get_metric_data", _runs(start, started={600: 1}, ended={}))
    assert not _history(stub).failed_between("ftry", Tier.DAILY, start, ENDED)


def test_beginnings_and_verdicts_are_asked_for_in_the_same_call(stub: Stubber) -> None:
    asked: dict[str, Any] = {}
    stub.client.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData", lambda params, **_: asked.update(params)
    )
    stub.add_response("get_metric_data", _results())
    _history(stub).failed_between("ftry", Tier.WEEKLY, ENDED - timedelta(days=1), ENDED, before=ENDED)
    assert {
        query["Id"]: (query["MetricStat"]["Metric"]["MetricName"], query["MetricStat"]["Stat"])
        for query in asked["MetricDataQueries"]
    } == {
        "failures": ("BackupFailure", "Sum"),
        "started": ("BackupStarted", "Sum"),
        "ended": ("BackupFailure", "SampleCount"),
    }
    wanted = metric_dimensions("prod", "ftry", Tier.WEEKLY)
    for query in asked["MetricDataQueries"]:
        assert {each["Name"]: each["Value"] for each in query["MetricStat"]["Metric"]["Dimensions"]} == wanted


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
    assert {query["MetricStat"]["Period"] for query in asked["MetricDataQueries"]} == {period}
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
