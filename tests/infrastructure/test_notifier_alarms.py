"""The alarm on the notifier goes to the notifier: it must not live on its own messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from devtools.alarm_templates import Alarm, read_alarms
from devtools.alarms import State, state_of
from devtools.metric_data import MetricData
from tests.infrastructure.alarm_cases import CASES, PREFIX
from tests.infrastructure.synthesis import Synthesized

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = 24 * 60
ERRORS = CASES["notifier-errors"].metrics[0]
LAMBDA_REPEATS = (0, 1, 3)
"""Minutes after an event at which Lambda tries it: at once, a minute later and two minutes after that.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""


@pytest.fixture(scope="module")
def alarm(prod: Synthesized) -> Alarm:
    return read_alarms(prod.folder).metric[f"{PREFIX}-notifier-errors"]


def changes(alarm: Alarm, *, first: list[int], fails: Callable[[int, str], bool], minutes: int = DAY) -> list[State]:
    """What the alarm becomes, minute by minute, where each change is one more message to the notifier.

    Args:
        alarm: the alarm on errors of the notifier.
        first: minutes at which a message of somebody else is tried.
        fails: whether a message fails in a minute; the message is ``other``, or the state that it tells.
        minutes: how long to look.
    """
    data, state, found = MetricData(), State.OK, []
    tried: dict[int, list[str]] = defaultdict(list, {minute: ["other"] for minute in first})
    for minute in range(minutes):
        now = START + MINUTE * minute
        for message in tried.pop(minute, []):
            # The metric has the time of the invocation, and counts a success as 0.
            data.put(ERRORS, now + timedelta(seconds=5), float(fails(minute, message)))
        become = state_of(alarm, data, now + MINUTE, state)
        if become is not state:
            found.append(become)
            state = become
            for delay in LAMBDA_REPEATS if fails(minute + 1, become) else (0,):
                tried[minute + 1 + delay].append(become)
    return found


def test_a_broken_webhook_rings_once_and_does_not_excite_itself(alarm: Alarm) -> None:
    assert changes(alarm, first=[0, 1, 3], fails=lambda *_: True) == [State.ALARM]


def test_a_webhook_that_nobody_mends_is_not_over_because_nothing_was_sent(alarm: Alarm) -> None:
    assert changes(alarm, first=[0], fails=lambda minute, _: minute < 60, minutes=2 * DAY) == [State.ALARM]


def test_the_first_message_that_is_taken_ends_it(alarm: Alarm) -> None:
    found = changes(alarm, first=[0, 1, 3, 300], fails=lambda minute, _: minute < 200)
    assert found == [State.ALARM, State.OK]


def test_messages_that_are_taken_between_the_repeats_of_one_that_fails_end_nothing(alarm: Alarm) -> None:
    tried = [0, 1, 3, *range(9, DAY, 9)]
    found = changes(alarm, first=tried, fails=lambda minute, message: message == "other" and minute % 18 < 4)
    assert found == [State.ALARM]
