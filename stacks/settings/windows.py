"""Daily and weekly windows of RDS, in UTC, and whether they overlap."""

from __future__ import annotations

import re
from typing import Annotated, Final

from stacks.settings.refusal import accepted_by

MINUTES_PER_DAY: Final = 24 * 60
MINUTES_PER_WEEK: Final = 7 * MINUTES_PER_DAY
MINIMUM_MINUTES: Final = 30
"""Shortest window that RDS accepts, of either kind."""
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"
_DAILY = re.compile(rf"{_CLOCK}-{_CLOCK}")
_WEEKLY = re.compile(rf"({'|'.join(DAYS)}):{_CLOCK}-({'|'.join(DAYS)}):{_CLOCK}")


def daily_window(text: str) -> tuple[int, int] | None:
    """Start in minutes after midnight and length in minutes of ``hh:mm-hh:mm``; None where it is not one."""
    match = _DAILY.fullmatch(text)
    if match is None:
        return None
    start = int(match[1]) * 60 + int(match[2])
    end = int(match[3]) * 60 + int(match[4])
    return start, (end - start) % MINUTES_PER_DAY


def weekly_window(text: str) -> tuple[int, int] | None:
    """Start in minutes after Monday's midnight and length of ``ddd:hh:mm-ddd:hh:mm``; None where it is not one."""
    match = _WEEKLY.fullmatch(text)
    if match is None:
        return None
    start = DAYS.index(match[1]) * MINUTES_PER_DAY + int(match[2]) * 60 + int(match[3])
    end = DAYS.index(match[4]) * MINUTES_PER_DAY + int(match[5]) * 60 + int(match[6])
    return start, (end - start) % MINUTES_PER_WEEK


def overlap(daily: str, weekly: str) -> bool:
    """Whether a daily window meets a weekly one on any day, over midnight and over the end of the week too."""
    every_day, once = daily_window(daily), weekly_window(weekly)
    if every_day is None or once is None:
        raise ValueError(f"not a daily and a weekly window: {daily!r}, {weekly!r}")
    for day in range(7):
        start = day * MINUTES_PER_DAY + every_day[0]
        # Each begins inside the other when the way from one start to the other is shorter than its length.
        if (once[0] - start) % MINUTES_PER_WEEK < every_day[1] or (start - once[0]) % MINUTES_PER_WEEK < once[1]:
            return True
    return False


def daily_window_rule(text: str) -> str | None:
    """Rule that a backup window breaks."""
    window = daily_window(text)
    if window is None:
        return "a daily window is hh:mm-hh:mm in UTC, 00:00 to 23:59"
    if window[1] < MINIMUM_MINUTES:
        return f"RDS asks for a window of at least {MINIMUM_MINUTES} minutes, this has {window[1]}"
    return None


def weekly_window_rule(text: str) -> str | None:
    """Rule that a maintenance window breaks."""
    window = weekly_window(text)
    if window is None:
        return "a weekly window is ddd:hh:mm-ddd:hh:mm in UTC, ddd one of mon tue wed thu fri sat sun"
    if not MINIMUM_MINUTES <= window[1] < MINUTES_PER_DAY:
        return f"RDS asks for a window of {MINIMUM_MINUTES} minutes to less than 24 hours, this has {window[1]} minutes"
    return None


DailyWindow = Annotated[str, accepted_by(daily_window_rule, fix="write for example 02:00-03:00")]
WeeklyWindow = Annotated[str, accepted_by(weekly_window_rule, fix="write for example sun:05:00-sun:06:00")]
