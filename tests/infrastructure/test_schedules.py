"""How far two moments of a schedule lie apart, and what EventBridge would refuse."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stacks.settings.cron import cron_rule, in_words, longest_gap

DAY = timedelta(days=1)
GAPS = [
    ("cron(0 2 * * ? *)", DAY),
    ("cron(0 3 ? * SUN *)", 7 * DAY),
    ("cron(0 4 1 * ? *)", 31 * DAY),
    ("cron(*/15 * * * ? *)", timedelta(minutes=15)),
    ("cron(0 0/6 * * ? *)", timedelta(hours=6)),
    ("cron(0 2,14 * * ? *)", timedelta(hours=12)),
    ("cron(0 1-5 * * ? *)", timedelta(hours=20)),
    ("cron(0 1-23/2 * * ? *)", timedelta(hours=2)),
    ("cron(30 2,3 * * ? *)", timedelta(hours=23)),
    ("cron(0 2 ? * MON-FRI *)", 3 * DAY),
    ("cron(0 2 ? * mon,thu *)", 4 * DAY),
    ("cron(0 2 ? * 2-6 *)", 3 * DAY),
    ("cron(0 2 ? * L *)", 7 * DAY),
    ("cron(0 2 ? * 1#1 *)", 35 * DAY),
    ("cron(0 2 ? * SUN#1 *)", 35 * DAY),
    ("cron(0 2 ? * 6L *)", 35 * DAY),
    ("cron(0 2 ? * FRIL *)", 35 * DAY),
    ("cron(0 2 L * ? *)", 31 * DAY),  # 28 February to 31 March
    ("cron(0 2 31 * ? *)", 61 * DAY),  # 31 March to 31 May
    ("cron(0 2 1,15 * ? *)", 17 * DAY),
    ("cron(0 2 1/10 * ? *)", 10 * DAY),
    ("cron(0 2 1W * ? *)", 33 * DAY),  # Friday the 1st to Monday the 3rd
    ("cron(0 2 31W * ? *)", 63 * DAY),  # Friday 29 March, as the 31st is a Sunday, to Friday 31 May
    ("cron(0 2 1 JAN,JUL ? *)", 184 * DAY),
    ("cron(0 2 1 1 ? *)", 366 * DAY),
    ("cron(0 2 29 2 ? *)", 1461 * DAY),
]
BROKEN = [
    ("cron(0 2 * * ?)", "six fields"),
    ("0 2 * * ? *", "six fields"),
    ("rate(1 day)", "six fields"),
    ("cron(0 2 * * * *)", "exactly one"),
    ("cron(0 2 ? * ? *)", "exactly one"),
    ("cron(60 2 * * ? *)", "minutes is from 0 to 59; this is 60"),
    ("cron(0 24 * * ? *)", "hours is from 0 to 23; this is 24"),
    ("cron(0 2 0 * ? *)", "day-of-month is from 1 to 31; this is 0"),
    ("cron(0 2 32 * ? *)", "day-of-month is from 1 to 31; this is 32"),
    ("cron(0 2 1 13 ? *)", "month is from 1 to 12, or JAN to DEC; this is 13"),
    ("cron(0 2 1 MAI ? *)", "this is MAI"),
    ("cron(0 2 ? * 0 *)", "day-of-week is from 1 to 7, or SUN to SAT; this is 0"),
    ("cron(0 2 ? * 8 *)", "this is 8"),
    ("cron(99 99 99 99 ? *)", "minutes is from 0 to 59"),
    ("cron(0 2 ? * MON#6 *)", "alone only"),
    ("cron(0 2 1W,L * ? *)", "alone only"),
    ("cron(0 2 LW * ? *)", "alone only"),
    ("cron(0 2 32W * ? *)", "this is 32"),
    ("cron(0 2 ? * FRI-MON *)", "two ranges"),
    ("cron(*/0 2 * * ? *)", "number of steps"),
    ("cron(*/ 2 * * ? *)", "number of steps"),
    ("cron(1, 2 * * ? *)", "this is empty"),
    ("cron(-1 2 * * ? *)", "this is empty"),
    ("cron(0 2 30 2 ? *)", "comes never"),
    ("cron(0 2 ? 2 MON#5 *)", "comes never"),  # once in 28 years
    ("cron(0 2 * * ? 2030)", "ends one day"),
]


@pytest.mark.parametrize(("text", "gap"), GAPS, ids=[text for text, _ in GAPS])
def test_the_longest_time_between_two_moments(text: str, gap: timedelta) -> None:
    assert longest_gap(text) == gap
    assert cron_rule(text) is None


@pytest.mark.parametrize(("text", "rule"), BROKEN, ids=[text for text, _ in BROKEN])
def test_what_eventbridge_would_refuse(text: str, rule: str) -> None:
    assert rule in str(cron_rule(text))


def test_gaps_are_said_in_hours_or_days() -> None:
    assert in_words(timedelta(hours=25)) == "25 hours"
    assert in_words(timedelta(minutes=15)) == "0.25 hours"
    assert in_words(31 * DAY) == "31 days"
    assert in_words(timedelta(days=2, hours=12)) == "2.5 days"
