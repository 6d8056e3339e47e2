"""The body of the dashboard in a synthesized template, with references replaced by what they will come to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

DASHBOARD: Final = "AWS::CloudWatch::Dashboard"
PLACEHOLDERS: Final = {
    "AWS::AccountId": "111122223333",
    "AWS::Region": "us-east-1",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_NAMES: Final = ("AlarmName", "BucketName", "FunctionName", "QueueName", "TopicName", "DBInstanceIdentifier")


def dashboard_body(template: Path, given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The dashboard of a template, whose stack may refer to others synthesized into the same folder.

    Args:
        template: path of the template.
        given: values of pseudo parameters such as ``AWS::Region``, instead of the placeholders.

    Raises:
        ValueError: there is no dashboard, or a reference that can't be followed, which it names.
    """
    folder = {path: json.loads(path.read_text()) for path in sorted(template.parent.glob("*.template.json"))}
    own = folder.get(template) or json.loads(template.read_text())
    bodies = [
        resource["Properties"]["DashboardBody"]
        for resource in own["Resources"].values()
        if resource["Type"] == DASHBOARD
    ]
    if len(bodies) != 1:
        raise ValueError(f"{template} has {len(bodies)} dashboards, not one; it is in the template of monitoring")
    exports = {
        output["Export"]["Name"]: (output["Value"], stack)
        for stack in folder.values()
        for output in stack.get("Outputs", {}).values()
        if isinstance(output.get("Export", {}).get("Name"), str)
    }
    resolver = _Resolver(PLACEHOLDERS | dict(given or {}), exports)
    body: dict[str, Any] = json.loads(resolver.text(bodies[0], own))
    return body


class _Resolver:
    def __init__(self, pseudo: Mapping[str, str], exports: Mapping[str, tuple[Any, Mapping[str, Any]]]) -> None:
        self._pseudo = pseudo
        self._exports = exports

    def text(self, value: Any, stack: Mapping[str, Any]) -> str:
        """What a value of a template comes to; ``stack`` is the template that it is in."""
        match value:
            case str():
                return value
            case {"Fn::Join": [str() as separator, list() as parts]}:
                return separator.join(self.text(part, stack) for part in parts)
            case {"Ref": str() as name} if name in self._pseudo:
                return self._pseudo[name]
            case {"Ref": str() as name} if name in stack["Resources"]:
                return self._name(name, stack)
            case {"Fn::GetAtt": [str() as name, str() as attribute]} if name in stack["Resources"]:
                return self._attribute(name, attribute, stack)
            case {"Fn::ImportValue": str() as name} if name in self._exports:
                return self.text(*self._exports[name])
        raise ValueError(f"a reference that can't be followed: {json.dumps(value)}")

    def _name(self, resource: str, stack: Mapping[str, Any]) -> str:
        """Its name where the template gives one; else CloudFormation will make one up, out of this."""
        properties = stack["Resources"][resource].get("Properties", {})
        for name in _NAMES:
            if name in properties:
                return self.text(properties[name], stack)
        return resource

    def _attribute(self, resource: str, attribute: str, stack: Mapping[str, Any]) -> str:
        name = self._name(resource, stack)
        if attribute == "Arn" and "Alarm" in stack["Resources"][resource]["Type"]:
            region, account = self._pseudo["AWS::Region"], self._pseudo["AWS::AccountId"]
            return f"arn:{self._pseudo['AWS::Partition']}:cloudwatch:{region}:{account}:alarm:{name}"
        return name if attribute == "Arn" else f"{name}.{attribute}"
