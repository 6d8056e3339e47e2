"""Datapoints out of a log: the lines in embedded metric format that our functions print, counted as CloudWatch does.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

Points = dict[int, float]
"""Start of a period in seconds since 1970, and the value in it. A period without data is not there."""
Key = tuple[str, str, frozenset[tuple[str, str]]]

_STATISTICS: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "Average": lambda values: sum(values) / len(values),
    "Sum": sum,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}


@dataclass(slots=True)
class Series:
    """Every datapoint that was printed."""

    _values: dict[Key, list[tuple[float, float]]] = field(default_factory=dict)
    _units: dict[Key, str] = field(default_factory=dict)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> Self:
        """Read a log; lines without metrics are passed over.

        Raises:
            ValueError: a line has metrics that are not in the format; it names the line.
        """
        series = cls()
        for number, line in enumerate(lines, 1):
            if '"_aws"' not in line:
                continue
            try:
                document = json.loads(line)
                if "_aws" in document:
                    series._read(document)
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"line {number} is not in embedded metric format: {error!r}") from error
        return series

    def add(
        self, namespace: str, name: str, dimensions: Mapping[str, str], *, at: float, value: float, unit: str = "None"
    ) -> None:
        """One datapoint; ``at`` in seconds since 1970."""
        key = (namespace, name, frozenset(dimensions.items()))
        self._values.setdefault(key, []).append((at, value))
        self._units[key] = unit

    def unit(self, namespace: str, name: str, dimensions: Mapping[str, str]) -> str:
        """Unit of a metric; ``None`` for one without a unit, or without data."""
        return self._units.get((namespace, name, frozenset(dimensions.items())), "None")

    def statistic(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        *,
        statistic: str,
        period: int,
        start: float,
        end: float,
    ) -> Points:
        """The datapoints of a metric with exactly these dimensions, brought together by period.

        Raises:
            ValueError: a statistic that is not counted here.
        """
        if statistic not in _STATISTICS:
            raise ValueError(f"the statistic {statistic} is not counted here")
        periods: dict[int, list[float]] = {}
        for at, value in self._values.get((namespace, name, frozenset(dimensions.items())), ()):
            if start <= at <= end:
                periods.setdefault(int(at // period) * period, []).append(value)
        return {at: _STATISTICS[statistic](values) for at, values in sorted(periods.items())}

    def _read(self, document: Mapping[str, Any]) -> None:
        about = document["_aws"]
        at = about["Timestamp"] / 1000
        for directive in about["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: str(document[name]) for name in names}
                for metric in directive["Metrics"]:
                    found = document[metric["Name"]]
                    for value in found if isinstance(found, list) else [found]:
                        self.add(
                            directive["Namespace"],
                            metric["Name"],
                            dimensions,
                            at=at,
                            value=float(value),
                            unit=metric.get("Unit", "None"),
                        )
