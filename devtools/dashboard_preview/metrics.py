"""What a metric widget shows, worked out: each visible metric or expression with its datapoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devtools.dashboard_preview.expression import evaluate
from devtools.dashboard_preview.series import Points, Series

DEFAULT_PERIOD = 300


@dataclass(frozen=True, slots=True)
class Shown:
    """One visible metric of a widget."""

    label: str
    unit: str
    period: int
    points: Points

    @property
    def newest(self) -> float | None:
        """The last value in the range, which a single value shows."""
        return self.points[max(self.points)] if self.points else None


def shown_metrics(properties: Mapping[str, Any], data: Series, *, start: float, end: float) -> list[Shown]:
    """The visible metrics of a widget, in its order.

    Raises:
        ValueError: an expression, statistic or shorthand that is not drawn here.
    """
    entries = [_parse(entry) for entry in properties.get("metrics", [])]
    default = int(properties.get("period", DEFAULT_PERIOD))
    found: dict[str, Points] = {}
    units: dict[int, str] = {}
    for index, (options, place) in enumerate(entries):
        if place is None:
            continue
        points = data.statistic(
            *place,
            statistic=str(options.get("stat", properties.get("stat", "Average"))),
            period=int(options.get("period", default)),
            start=start,
            end=end,
        )
        found[str(options.get("id", f"#{index}"))] = points
        units[index] = "Count" if options.get("stat") == "SampleCount" else data.unit(*place)
    shown = []
    for index, (options, place) in enumerate(entries):
        if options.get("visible") is False:
            continue
        period = int(options.get("period", default))
        if place is None:
            periods = range(int(start // period) * period, int(end) + 1, period)
            points = evaluate(str(options["expression"]), found, periods)
        else:
            points = found[str(options.get("id", f"#{index}"))]
        label = str(options.get("label") or options.get("expression") or (place[1] if place else ""))
        shown.append(Shown(label, units.get(index, "None"), period, points))
    return shown


def _parse(entry: list[Any]) -> tuple[Mapping[str, Any], tuple[str, str, dict[str, str]] | None]:
    """Options of an entry, and its namespace, name and dimensions; None for an expression."""
    options = entry[-1] if isinstance(entry[-1], dict) else {}
    names = [part for part in entry if not isinstance(part, dict)]
    if "expression" in options and not names:
        return options, None
    if len(names) < 2 or len(names) % 2 or any(name in {".", "..."} for name in names):
        raise ValueError(f"a metric in a way of writing that is not drawn here: {entry}")
    return options, (names[0], names[1], dict(zip(names[2::2], names[3::2], strict=True)))
