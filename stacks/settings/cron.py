"""Schedules of EventBridge: on which days and at which minutes, and how far two moments lie apart at most.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Annotated, Final

from stacks.settings.refusal import accepted_by

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIRST_DAY: Final = date(2000, 1, 1)
_LAST_DAY: Final = date(2028, 12, 31)
"""In 28 years every date falls on every day of the week; one more holds the gap over the end."""

Days = Callable[[date], bool]


class CronError(ValueError):
    """Rule that an expression breaks."""


@cache
def longest_gap(text: str) -> timedelta:
    """The longest time between two moments of ``cron(minutes hours day-of-month month day-of-week year)``, in any year.

    Raises:
        CronError: EventBridge would refuse it, it never comes, or it is of a kind that is not known here.
    """
    schedule = _parse(text)
    minutes = schedule.minutes
    days = [day for day in _every_day() if schedule.on(day)]
    if len(days) < 2:
        raise CronError("it comes never, or once in a generation: look at the day and the month")
    within_a_day = max((later - sooner for sooner, later in pairwise(minutes)), default=0)
    days_apart = max((later - sooner).days for sooner, later in pairwise(days))
    return timedelta(minutes=max(within_a_day, days_apart * 24 * 60 - minutes[-1] + minutes[0]))


def in_words(gap: timedelta) -> str:
    """A gap in days, or in hours where it is shorter than two days."""
    hours = gap / timedelta(hours=1)
    return f"{hours / 24:.4g} days" if hours >= 48 else f"{hours:.4g} hours"


def cron_rule(text: str) -> str | None:
    """Rule of EventBridge Scheduler that a schedule breaks."""
    try:
        longest_gap(text)
    except CronError as problem:
        return str(problem)
    return None


Cron = Annotated[str, accepted_by(cron_rule, fix="write for example cron(0 2 * * ? *), in UTC")]


@dataclass(frozen=True, slots=True)
class _Schedule:
    """Moments in UTC."""

    minutes: tuple[int, ...]
    """Of the day, in order."""
    on: Days


def _every_day() -> Iterator[date]:
    for number in range((_LAST_DAY - _FIRST_DAY).days + 1):
        yield _FIRST_DAY + timedelta(days=number)


def _parse(text: str) -> _Schedule:
    match = re.fullmatch(r"cron\(((?:\S+ ){5}\S+)\)", text)
    if match is None:
        raise CronError("a schedule is cron(minutes hours day-of-month month day-of-week year), six fields")
    minute, hour, of_month, month, of_week, year = match[1].split(" ")
    if (of_month == "?") == (of_week == "?"):
        raise CronError("EventBridge wants ? in exactly one of day-of-month and day-of-week")
    if year != "*":
        raise CronError("the year is *: a schedule with years ends one day, and nobody is told")
    minutes = _numbers("minutes", minute, 0, 59)
    hours = _numbers("hours", hour, 0, 23)
    months = _numbers("month", month, 1, 12, names=MONTHS)
    on = _of_month(of_month) if of_week == "?" else _of_week(of_week)
    return _Schedule(
        tuple(sorted(60 * hour + minute for hour in hours for minute in minutes)),
        lambda day: day.month in months and on(day),
    )


def _numbers(field: str, text: str, low: int, high: int, *, names: Sequence[str] = ()) -> frozenset[int]:
    """Values of one field: ``*``, ``4``, ``MON``, ``2-5``, ``*/15``, ``3/10``, ``1-30/7``, or several with commas."""

    def value(word: str) -> int:
        if word.upper() in names:
            return names.index(word.upper()) + low
        if re.search(r"[LW#]", word):
            raise CronError(f"{field} takes L, W and # alone only, as in L, 3W, 6L and 3#2; this is {text}")
        if not re.fullmatch(r"\d{1,2}", word) or not low <= int(word) <= high:
            named = f", or {names[0]} to {names[-1]}" if names else ""
            raise CronError(f"{field} is from {low} to {high}{named}; this is {word or 'empty'}")
        return int(word)

    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and (not re.fullmatch(r"\d{1,2}", step) or int(step) == 0):
            raise CronError(f"{field} after / has a number of steps, 1 or more; this is {step or 'empty'}")
        first, dash, last = span.partition("-")
        begin = low if span == "*" else value(first)
        end = value(last) if dash else (high if slash or span == "*" else begin)
        if end < begin:
            raise CronError(f"{field} has the lower end of {span} second: write two ranges with a comma")
        found |= set(range(begin, end + 1, int(step) if slash else 1))
    return frozenset(found)


def _of_month(text: str) -> Days:
    if text == "L":
        return lambda day: day.day == _length(day)
    if nearest := re.fullmatch(r"(\d{1,2})W", text):
        (wanted,) = _numbers("day-of-month", nearest[1], 1, 31)
        return lambda day: day.day == _nearest_weekday(day, wanted)
    days = _numbers("day-of-month", text, 1, 31)
    return lambda day: day.day in days


def _of_week(text: str) -> Days:
    if text == "L":  # the last day of the week
        return lambda day: _weekday(day) == len(WEEKDAYS)
    if last := re.fullmatch(r"(\w+)L", text):
        (wanted,) = _numbers("day-of-week", last[1], 1, 7, names=WEEKDAYS)
        return lambda day: _weekday(day) == wanted and day.day > _length(day) - 7
    if nth := re.fullmatch(r"(\w+)#([1-5])", text):
        (wanted,) = _numbers("day-of-week", nth[1], 1, 7, names=WEEKDAYS)
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == int(nth[2])
    days = _numbers("day-of-week", text, 1, 7, names=WEEKDAYS)
    return lambda day: _weekday(day) in days


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday(day: date) -> int:
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1


def _nearest_weekday(day: date, wanted: int) -> int | None:
    """Day of the month that is a weekday and nearest to the wanted one, in the same month; None where it has none."""
    if wanted > _length(day):
        return None
    weekday = day.replace(day=wanted).isoweekday()
    if weekday == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 7:
        return wanted + 1 if wanted < _length(day) else wanted - 2
    return wanted
