"""Samples in Prometheus's text format, written and read back.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from dbbackup.core.exposition_names import FAMILIES, Family


@dataclass(frozen=True, slots=True)
class Sample:
    """One value; every family of ours is a gauge, as what is told is a state and no count of events."""

    family: Family
    labels: tuple[str, ...]
    """Values of the family's labels, in their order."""
    value: float

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.family.labels):
            raise ValueError(f"{self.family.name} has the labels {self.family.labels}, not {len(self.labels)} of them")


class _Exposition(Collector):
    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = tuple(samples)

    def collect(self) -> Iterator[Metric]:
        for family in FAMILIES:
            own = sorted((sample for sample in self._samples if sample.family is family), key=lambda each: each.labels)
            if own:
                gauge = GaugeMetricFamily(family.name, family.help, labels=family.labels)
                for sample in own:
                    gauge.add_metric(sample.labels, sample.value)
                yield gauge


def text_of(samples: Iterable[Sample]) -> bytes:
    """The text, families in their fixed order."""
    return generate_latest(_Exposition(samples))


def samples_of(text: str) -> tuple[Sample, ...]:
    """The samples of a text that we wrote; what another version wrote and we do not know is left out.

    Raises:
        ValueError: it is not in the format.
    """
    known = {family.name: family for family in FAMILIES}
    return tuple(
        Sample(family, tuple(found.labels.get(label, "") for label in family.labels), found.value)
        for metric in text_string_to_metric_families(text)
        for found in metric.samples
        if (family := known.get(found.name)) is not None
    )
