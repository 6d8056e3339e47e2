"""The part of CloudWatch's metric math that our alarms use; anything else is refused, not passed over.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from statistics import fmean, pstdev
from typing import Final

Series = list[float | None]
"""A value for each period, the oldest first; None where there is none."""

_OVER: Final = re.compile(r"(MAX|MIN)\(\[([\w, ]+)\]\)")
_BAND: Final = re.compile(r"ANOMALY_DETECTION_BAND\((\w+), *(\d+(?:\.\d+)?)\)")
LEAST_HISTORY: Final = 3


def calculate(expression: str, series: Mapping[str, Series]) -> Series:
    """Value of an expression for each period.

    ``MAX`` and ``MIN`` over several leave out those without data. ``FILL`` is not known on purpose: what it fills in is
    the newest value, so that an alarm on one period never sees data that arrive late.

    Raises:
        ValueError: an expression that is not known here.
    """
    if expression in series:
        return series[expression]
    if over := _OVER.fullmatch(expression):
        chosen = [series[name.strip()] for name in over[2].split(",")]
        combine = max if over[1] == "MAX" else min
        columns = [[value for value in column if value is not None] for column in zip(*chosen, strict=True)]
        return [combine(column) if column else None for column in columns]
    raise ValueError(f"the expression {expression} is not known here")


def band(expression: str, history: Mapping[str, Series]) -> tuple[float, float] | None:
    """Lower and upper bound by mean and deviation of what went before; None where that is too little.

    CloudWatch learns hours, days and trends, too; this is the simplest model with the same meaning.

    Raises:
        ValueError: an expression that is not known here.
    """
    match = _BAND.fullmatch(expression)
    if match is None:
        raise ValueError(f"the expression {expression} is not known here")
    values = [value for value in history[match[1]] if value is not None]
    if len(values) < LEAST_HISTORY:
        return None
    middle, width = fmean(values), float(match[2]) * pstdev(values)
    return middle - width, middle + width
