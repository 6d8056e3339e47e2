"""Datapoints of metrics, as CloudWatch would have them from log lines in embedded metric format."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

STATISTICS: Final[dict[str, Callable[[list[float]], float]]] = {
    "Sum": sum,
    "Minimum": min,
    "Maximum": max,
    "Average": lambda values: sum(values) / len(values),
    "SampleCount": len,
}


@dataclass(frozen=True, slots=True)
class MetricName:
    """A metric: CloudWatch takes two with different dimensions for two different metrics."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> MetricName:
        """From a mapping of dimensions."""
        return cls(namespace, name, frozenset(dimensions.items()))


@dataclass(slots=True)
class MetricData:
    """What has been told of any metric, with times."""

    points: dict[MetricName, list[tuple[datetime, float]]] = field(default_factory=lambda: defaultdict(list))

    def put(self, metric: MetricName, at: datetime, value: float) -> None:
        """One datapoint."""
        self.points[metric].append((at, float(value)))

    def put_lines(self, lines: Iterable[str], *, at: datetime | None = None) -> int:
        """Datapoints of log lines, at their own times or at a given one; how many there were.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
        """
        count = 0
        for line in lines:
            if '"_aws"' not in line:
                continue
            document = json.loads(line)
            about = document["_aws"]
            moment = at or datetime.fromtimestamp(about["Timestamp"] / 1000, UTC)
            for directive in about["CloudWatchMetrics"]:
                for names in directive["Dimensions"]:
                    dimensions = {name: str(document[name]) for name in names}
                    for told in directive["Metrics"]:
                        metric = MetricName.of(directive["Namespace"], told["Name"], dimensions)
                        values = document[told["Name"]]
                        for value in values if isinstance(values, list) else [values]:
                            self.put(metric, moment, value)
                            count += 1
        return count

    def periods(
        self, metric: MetricName, *, statistic: str, period: timedelta, end: datetime, count: int
    ) -> list[float | None]:
        """One value for each of the last periods before ``end``, the oldest first; None where there is no data.

        Raises:
            KeyError: a statistic that is not known here.
        """
        combine = STATISTICS[statistic]
        found: list[float | None] = []
        for number in range(count, 0, -1):
            begin, until = end - period * number, end - period * (number - 1)
            values = [value for at, value in self.points.get(metric, []) if begin <= at < until]
            found.append(combine(values) if values else None)
        return found
