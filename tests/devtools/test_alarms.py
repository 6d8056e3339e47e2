"""The evaluator of alarms follows CloudWatch's documented examples.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from devtools.alarm_templates import Alarm, Query
from devtools.alarms import State, holds, state_of
from devtools.metric_data import MetricData, MetricName
from devtools.metric_math import calculate

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PERIOD = timedelta(minutes=5)
METRIC = MetricName.of("N", "m", {"a": "b"})
RETAIN = "retain"


def alarm(missing: str, *, of: int = 3, wanted: int = 3) -> Alarm:
    return Alarm(
        name="x",
        description="",
        queries={"m": Query(METRIC, "Maximum", PERIOD)},
        expression="m",
        band=None,
        comparison="GreaterThanThreshold",
        threshold=0,
        evaluation_periods=of,
        datapoints_to_alarm=wanted,
        missing=missing,
        properties={},
    )


def data(pattern: str) -> MetricData:
    """0 within the threshold, X over it, - without data; the newest last."""
    found = MetricData()
    for number, sign in enumerate(reversed(pattern.replace(" ", ""))):
        if sign != "-":
            found.put(METRIC, NOW - PERIOD * number - timedelta(seconds=1), 1 if sign == "X" else 0)
    return found


@pytest.mark.parametrize(
    ("pattern", "wanted", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0 - X - X", 3, "OK", "OK", "OK", "OK"),
        ("- - - - 0", 3, "OK", "OK", "OK", "OK"),
        ("- - - - -", 3, "INSUFFICIENT_DATA", RETAIN, "ALARM", "OK"),
        ("0 X X - X", 3, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("- - X - -", 3, "ALARM", RETAIN, "ALARM", "OK"),
        ("0 - X - X", 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("0 0 X 0 X", 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("0 - X - -", 2, "OK", "OK", "ALARM", "OK"),
        ("- - - - 0", 2, "OK", "OK", "ALARM", "OK"),
        ("- - - - X", 2, "ALARM", RETAIN, "ALARM", "OK"),
    ],
)
@pytest.mark.parametrize("before", [State.OK, State.ALARM])
def test_missing_data_as_in_the_tables_of_the_documentation(
    pattern: str, wanted: int, missing: str, ignore: str, breaching: str, not_breaching: str, before: State
) -> None:
    expected = {"missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching}
    for treatment, state in expected.items():
        found = state_of(alarm(treatment, wanted=wanted), data(pattern), NOW, before)
        assert found == (before if state == RETAIN else state), treatment


def test_a_comparison_or_an_expression_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="SomethingElse is not known here"):
        state_of(replace(alarm("missing"), comparison="SomethingElse"), data("X"), NOW)
    for expression in ("RATE(m)", "FILL(m, 0)", "FILL(m, 0)+FILL(m, 0)"):
        with pytest.raises(ValueError, match="is not known here"):
            calculate(expression, {"m": [1.0]})


def test_metric_math() -> None:
    series: dict[str, list[float | None]] = {"a": [1, None, 3], "b": [None, None, 5]}
    assert calculate("MAX([a,b])", series) == [1, None, 5]
    assert calculate("MIN([a, b])", series) == [1, None, 3]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('ALARM("a")', True),
        ('ALARM("b") OR ALARM("a")', True),
        ('ALARM("a") AND ALARM("b")', False),
        ('NOT ALARM("b") AND (OK("b") OR FALSE)', True),
        ('(ALARM("b") OR INSUFFICIENT_DATA("c"))', True),
    ],
)
def test_rules_of_composite_alarms(rule: str, expected: bool) -> None:
    assert holds(rule, {"a": State.ALARM, "b": State.OK, "c": State.INSUFFICIENT_DATA}) is expected


@pytest.mark.parametrize("rule", ['ALARM("a"', 'ALARM("a") ALARM("b")', 'ALARM("unknown")', "(TRUE", ""])
def test_a_rule_that_is_not_understood_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="the rule"):
        holds(rule, {"a": State.ALARM, "b": State.OK})


def test_lines_in_embedded_metric_format() -> None:
    line = (
        '{"_aws": {"Timestamp": 1700000000000, "CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["a"]], '
        '"Metrics": [{"Name": "m", "Unit": "Count"}]}]}, "a": "b", "m": [2.0]}'
    )
    found = MetricData()
    assert found.put_lines(["START RequestId", '{"level": "INFO"}', line]) == 1
    assert found.points[METRIC] == [(datetime.fromtimestamp(1700000000, UTC), 2.0)]
