"""Says in which state an alarm of the templates is, given datapoints, by CloudWatch's own rules.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from devtools.alarm_templates import Alarm, Alarms
from devtools.metric_data import MetricData
from devtools.metric_math import Series, band, calculate

LOOKED_BACK: Final = 2
"""Periods that CloudWatch looks at besides those it evaluates, for late data; how many, it does not say."""
HISTORY: Final = 14
"""Periods before those that a band is made of."""

_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_OUTSIDE: Final = "LessThanLowerOrGreaterThanUpperThreshold"
_TOKEN: Final = re.compile(r'\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\(\s*"?([^")]+)"?\s*\)|(AND|OR|NOT|TRUE|FALSE|\(|\)))')


class State(StrEnum):
    """What an alarm can be in."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


def state_of(alarm: Alarm, data: MetricData, now: datetime, before: State = State.INSUFFICIENT_DATA) -> State:
    """State of one alarm at a moment; ``before`` is what it was until then, which missing data may leave as it is.

    Raises:
        ValueError: the alarm uses something that is not known here.
    """
    count = alarm.evaluation_periods + LOOKED_BACK
    extended = count + (HISTORY if alarm.band else 0)
    series = {
        name: data.periods(query.metric, statistic=query.statistic, period=alarm.period, end=now, count=extended)
        for name, query in alarm.queries.items()
    }
    breaches = _breaching(alarm, series, extended - count)
    known = [each for each in breaches if each is not None][-alarm.evaluation_periods :]
    absent = alarm.evaluation_periods - len(known)
    bad = known.count(True)
    if bad >= alarm.datapoints_to_alarm:
        return State.ALARM
    if not absent:
        return State.OK
    if alarm.missing == "breaching":
        return State.ALARM if bad + absent >= alarm.datapoints_to_alarm else State.OK
    if alarm.missing == "notBreaching":
        return State.OK
    if False in known:
        return State.OK
    if alarm.missing == "ignore":
        return before
    if alarm.missing == "missing":
        return State.ALARM if bad else State.INSUFFICIENT_DATA
    raise ValueError(f"{alarm.name}: {alarm.missing} is not known here")


def _breaching(alarm: Alarm, series: Mapping[str, Series], history: int) -> list[bool | None]:
    values = calculate(alarm.expression, series)[history:]
    if alarm.band is not None:
        if alarm.comparison != _OUTSIDE:
            raise ValueError(f"{alarm.name}: {alarm.comparison} is not known here")
        bounds = band(alarm.band, {name: each[:history] for name, each in series.items()})
        if bounds is None:
            return [None] * len(values)
        return [None if value is None else not bounds[0] <= value <= bounds[1] for value in values]
    if alarm.threshold is None or alarm.comparison not in _COMPARISONS:
        raise ValueError(f"{alarm.name}: {alarm.comparison} is not known here")
    compare = _COMPARISONS[alarm.comparison]
    return [None if value is None else compare(value, alarm.threshold) for value in values]


def states_of(
    alarms: Alarms, data: MetricData, now: datetime, before: Mapping[str, State] | None = None
) -> dict[str, State]:
    """States of all alarms at a moment, composite ones too."""
    former = before or {}
    states = {
        name: state_of(alarm, data, now, former.get(name, State.INSUFFICIENT_DATA))
        for name, alarm in alarms.metric.items()
    }
    for name, composite in alarms.composite.items():
        states[name] = State.ALARM if holds(composite.rule, states) else State.OK
    return states


def holds(rule: str, states: Mapping[str, State]) -> bool:
    """Whether the rule of a composite alarm holds.

    Raises:
        ValueError: the rule is not understood, or names an alarm that there is not.
    """
    tokens: list[str | bool] = []
    place = 0
    text = rule.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"the rule is not understood from here: {text[place:]}")
        place = match.end()
        if match[1]:
            if match[2] not in states:
                raise ValueError(f"the rule names {match[2]}, which is no alarm here")
            tokens.append(states[match[2]] == match[1])
        else:
            tokens.append({"TRUE": True, "FALSE": False}.get(match[3], match[3]))
    value, rest = _either(tokens)
    if rest:
        raise ValueError(f"the rule is not understood: {rule}")
    return value


def _either(tokens: list[str | bool]) -> tuple[bool, list[str | bool]]:
    value, rest = _both(tokens)
    while rest[:1] == ["OR"]:
        other, rest = _both(rest[1:])
        value = value or other
    return value, rest


def _both(tokens: list[str | bool]) -> tuple[bool, list[str | bool]]:
    value, rest = _one(tokens)
    while rest[:1] == ["AND"]:
        other, rest = _one(rest[1:])
        value = value and other
    return value, rest


def _one(tokens: list[str | bool]) -> tuple[bool, list[str | bool]]:
    match tokens:
        case [bool() as value, *rest]:
            return value, rest
        case ["NOT", *rest]:
            value, rest = _one(rest)
            return not value, rest
        case ["(", *rest]:
            value, rest = _either(rest)
            if rest[:1] == [")"]:
                return value, rest[1:]
    raise ValueError("the rule is not understood: a parenthesis or a condition is missing")
