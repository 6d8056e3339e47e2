"""What rehearsals tell CloudWatch, in embedded metric format."""

from __future__ import annotations

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from dbbackup.contract import METRICS_NAMESPACE, SERVICE, Dimension
from dbbackup.contract_rehearsal import RehearsalMetric, rehearsal_dimensions
from dbbackup.core.evidence import Evidence

_SET_BY_POWERTOOLS = Dimension.SERVICE.value


class RehearsalSignals:
    """The metrics of one production instance's rehearsals."""

    def __init__(self, environment: str, instance: str) -> None:
        self._environment = environment
        self._instance = instance

    def _emit(self, values: dict[RehearsalMetric, tuple[MetricUnit, float]], plane: str | None = None) -> None:
        metrics = EphemeralMetrics(namespace=METRICS_NAMESPACE, service=SERVICE)
        for name, value in rehearsal_dimensions(self._environment, self._instance, plane).items():
            if name != _SET_BY_POWERTOOLS:
                metrics.add_dimension(name=name, value=value)
        for metric, (unit, number) in values.items():
            metrics.add_metric(name=metric.value, unit=unit, value=number)
        metrics.flush_metrics()

    def ended(self, evidence: Evidence) -> None:
        """A rehearsal whose evidence is stored, passed or not."""
        self._verdict(passed=evidence.passed)
        if evidence.planes:
            unlike = sum(len(plane.unlike) for plane in evidence.planes)
            self._emit({RehearsalMetric.DIFFERENCES: (MetricUnit.Count, unlike)})
        for plane in evidence.planes:
            self._emit(
                {
                    RehearsalMetric.RECOVERY_TIME: (MetricUnit.Seconds, plane.recovery_seconds),
                    RehearsalMetric.RECOVERY_POINT: (MetricUnit.Seconds, plane.recovery_point_age_seconds),
                },
                plane.kind,
            )

    def unrecorded(self) -> None:
        """A rehearsal without evidence has not passed."""
        self._verdict(passed=False)

    def watched(self, age_days: float | None, leftovers: int) -> None:
        """The daily look; no age where no rehearsal has ever passed, which the alarm takes for too long ago."""
        values: dict[RehearsalMetric, tuple[MetricUnit, float]] = {
            RehearsalMetric.LEFTOVERS: (MetricUnit.Count, leftovers)
        }
        if age_days is not None:
            values[RehearsalMetric.AGE] = (MetricUnit.NoUnit, age_days)
        self._emit(values)

    def _verdict(self, *, passed: bool) -> None:
        self._emit(
            {
                RehearsalMetric.SUCCESS: (MetricUnit.Count, float(passed)),
                RehearsalMetric.FAILURE: (MetricUnit.Count, float(not passed)),
            }
        )
