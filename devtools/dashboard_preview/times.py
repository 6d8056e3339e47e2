"""Ranges of time as a dashboard writes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

_RELATIVE: Final = re.compile(r"-P(?:(?P<days>\d+)D|(?P<weeks>\d+)W|T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)")


def start_of(text: str, now: datetime) -> float:
    """Where a range begins, in seconds since 1970: ``-P14D`` and the like, or a moment in ISO 8601.

    Raises:
        ValueError: it is neither.
    """
    if not text.startswith("-P"):
        return datetime.fromisoformat(text).timestamp()
    found = _RELATIVE.fullmatch(text)
    length = timedelta(**{unit: int(number) for unit, number in found.groupdict().items() if number}) if found else None
    if not length:
        raise ValueError(f"{text!r} is no range of time that is drawn here, such as -P14D or -PT30M")
    return (now - length).timestamp()
