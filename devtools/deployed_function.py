"""A function of a synthesized app, by its container command: what the template gives it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DeployedFunction:
    """One function.

    Attributes:
        handler: its container command.
        environment: its variables, references of CloudFormation unresolved.
        timeout_seconds: until Lambda would kill it.
    """

    handler: str
    environment: Mapping[str, Any]
    timeout_seconds: int

    def local_environment(self, local: Mapping[str, str]) -> dict[str, str]:
        """Its variables with this machine's values for what AWS decides at deployment.

        Args:
            local: values of the variables that are references in the template, and of those that cannot be the
                same here; each must be one that the template sets.

        Raises:
            ValueError: a reference is left over, or a value is given for a variable the template does not set.
        """
        unknown = [name for name in local if name not in self.environment]
        values = {**self.environment, **local}
        references = [name for name, value in values.items() if not isinstance(value, str)]
        if unknown or references:
            raise ValueError(f"not in the template: {unknown}; no local value for: {references}")
        return values


def read_function(folder: Path, handler: str) -> DeployedFunction:
    """Find a function in a synthesized app.

    Raises:
        ValueError: there is not exactly one with this container command.
    """
    found = [
        resource["Properties"]
        for path in folder.glob("*.template.json")
        for resource in json.loads(path.read_text())["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
        and resource["Properties"].get("ImageConfig", {}).get("Command") == [handler]
    ]
    if len(found) != 1:
        raise ValueError(f"{len(found)} functions have the command {handler}")
    return DeployedFunction(handler, found[0]["Environment"]["Variables"], found[0]["Timeout"])
