"""Alarms as the synthesized templates have them: read back from CloudFormation, not from our code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from devtools.metric_data import MetricName

_NAMES: Final = ("AlarmName", "FunctionName", "QueueName", "StateMachineName", "TopicName", "Name")


@dataclass(frozen=True, slots=True)
class Query:
    """One metric of an alarm, with what is asked of it."""

    metric: MetricName
    statistic: str
    period: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm on a metric, or on an expression over several."""

    name: str
    description: str
    queries: Mapping[str, Query]
    expression: str
    """Over the names of the queries; the name itself where there is one metric."""
    band: str | None
    """Expression of the band that a value must leave; None where there is a threshold."""
    comparison: str
    threshold: float | None
    evaluation_periods: int
    datapoints_to_alarm: int
    missing: str
    properties: Mapping[str, Any]
    """Everything that the template says."""

    @property
    def period(self) -> timedelta:
        """Length of a period."""
        return max(query.period for query in self.queries.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """An alarm on the states of others."""

    name: str
    description: str
    rule: str
    """With names of alarms instead of their ARNs."""
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Alarms:
    """All alarms of a synthesized system, by name."""

    metric: Mapping[str, Alarm]
    composite: Mapping[str, Composite]


class _Templates:
    """Looks references up: to a resource, which has a name, or to what another stack exports."""

    def __init__(self, bodies: list[dict[str, Any]]) -> None:
        self._exports = {
            output["Export"]["Name"]: (output["Value"], body)
            for body in bodies
            for output in body.get("Outputs", {}).values()
            if "Export" in output
        }

    def text(self, value: Any, body: Mapping[str, Any]) -> str:
        if not isinstance(value, dict):
            return str(value)
        ((kind, content),) = value.items()
        if kind == "Fn::Join":
            return str(content[0]).join(self.text(part, body) for part in content[1])
        if kind == "Fn::ImportValue":
            exported, home = self._exports[content]
            return self.text(exported, home)
        if kind in {"Ref", "Fn::GetAtt"}:
            logical_id = content if kind == "Ref" else content[0]
            resource = body["Resources"].get(logical_id)
            if resource is None:
                return f"${{{logical_id}}}"
            named = [resource["Properties"][name] for name in _NAMES if name in resource.get("Properties", {})]
            return self.text(named[0], body) if named else str(logical_id)
        raise ValueError(f"{kind} is not known here")


def read_alarms(folder: Path) -> Alarms:
    """All alarms of the templates in a folder.

    Raises:
        ValueError: a template holds something that is not known here.
    """
    bodies = [json.loads(path.read_text()) for path in sorted(folder.glob("*.template.json"))]
    templates = _Templates(bodies)
    found: dict[str, Alarm] = {}
    composites: dict[str, Composite] = {}
    for body in bodies:
        for resource in body["Resources"].values():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                alarm = _alarm(properties, templates, body)
                found[alarm.name] = alarm
            elif resource["Type"] == "AWS::CloudWatch::CompositeAlarm":
                name = templates.text(properties["AlarmName"], body)
                composites[name] = Composite(
                    name=name,
                    description=templates.text(properties["AlarmDescription"], body),
                    rule=templates.text(properties["AlarmRule"], body),
                    properties=properties,
                )
    return Alarms(found, composites)


def _alarm(properties: Mapping[str, Any], templates: _Templates, body: Mapping[str, Any]) -> Alarm:
    def metric(found: Mapping[str, Any]) -> MetricName:
        dimensions = {each["Name"]: templates.text(each["Value"], body) for each in found.get("Dimensions", [])}
        return MetricName.of(found["Namespace"], found["MetricName"], dimensions)

    band = None
    if "Metrics" in properties:
        queries = {
            each["Id"]: Query(
                metric(each["MetricStat"]["Metric"]),
                each["MetricStat"]["Stat"],
                timedelta(seconds=each["MetricStat"]["Period"]),
            )
            for each in properties["Metrics"]
            if "MetricStat" in each
        }
        band_id = properties.get("ThresholdMetricId")
        band = next((each["Expression"] for each in properties["Metrics"] if each["Id"] == band_id), None)
        (returned,) = [each for each in properties["Metrics"] if each.get("ReturnData", True) and each["Id"] != band_id]
        expression = returned.get("Expression", returned["Id"])
    else:
        queries = {
            "m": Query(metric(properties), properties["Statistic"], timedelta(seconds=int(properties["Period"])))
        }
        expression = "m"
    return Alarm(
        name=templates.text(properties["AlarmName"], body),
        description=templates.text(properties["AlarmDescription"], body),
        queries=queries,
        expression=expression,
        band=band,
        comparison=properties["ComparisonOperator"],
        threshold=properties.get("Threshold"),
        evaluation_periods=properties["EvaluationPeriods"],
        datapoints_to_alarm=properties.get("DatapointsToAlarm", properties["EvaluationPeriods"]),
        missing=properties.get("TreatMissingData", "missing"),
        properties=properties,
    )
