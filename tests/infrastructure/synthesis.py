"""Synthesizing in this process, and reading what came out."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aws_cdk import App

from stacks.settings import Settings
from stacks.settings.load import parse
from stacks.system import add_stacks

ROOT = Path(__file__).resolve().parent.parent.parent
Properties = dict[str, Any]


@cache
def cdk_context() -> dict[str, Any]:
    """The context in cdk.json."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def block_of(environment: str) -> dict[str, Any]:
    """A copy of one environment's block, to change."""
    block: dict[str, Any] = copy.deepcopy(cdk_context()["environments"][environment])
    return block


def settings_of(environment: str, **changes: Any) -> Settings:
    """Settings of an environment; each change replaces the setting with this path, groups joined by two underscores."""
    block = block_of(environment)
    for path, value in changes.items():
        *groups, last = path.split("__")
        place = block
        for group in groups:
            place = place.setdefault(group, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return parse(environment, {environment: block})


@dataclass(frozen=True)
class Template:
    """One CloudFormation template."""

    body: Mapping[str, Any]

    def resources(self, kind: str) -> dict[str, Any]:
        """All resources of a type, by logical id."""
        return {name: found for name, found in self.body["Resources"].items() if found["Type"] == kind}

    def all(self, kind: str) -> list[Properties]:
        """Properties of all resources of a type."""
        return [found["Properties"] for found in self.resources(kind).values()]

    def only(self, kind: str) -> Properties:
        """Properties of the one resource of a type."""
        found = self.all(kind)
        assert len(found) == 1, f"{len(found)} resources of {kind}"
        return found[0]

    def resource(self, kind: str) -> dict[str, Any]:
        """The one resource of a type, with its policies of deletion."""
        found = list(self.resources(kind).values())
        assert len(found) == 1, f"{len(found)} resources of {kind}"
        resource: dict[str, Any] = found[0]
        return resource


@dataclass(frozen=True)
class Synthesized:
    """What one synthesis wrote."""

    app: App
    folder: Path
    prefix: str
    manifest: Mapping[str, Any]
    owner: tempfile.TemporaryDirectory[str]
    """Removes the folder when nobody holds on to this any more."""

    def __getitem__(self, part: str) -> Template:
        """Template of one stack, such as ``database``."""
        return Template(json.loads((self.folder / f"{self.prefix}-{part}.template.json").read_text()))

    @property
    def stacks(self) -> dict[str, Mapping[str, Any]]:
        """Properties of the stacks in the manifest, by name."""
        return {
            name: artifact["properties"]
            for name, artifact in self.manifest["artifacts"].items()
            if artifact["type"] == "aws:cloudformation:stack"
        }

    @property
    def parts(self) -> set[str]:
        """The stacks that there are, without the prefix."""
        return {name.removeprefix(f"{self.prefix}-") for name in self.stacks}


def synthesize(settings: Settings) -> Synthesized:
    """Write the templates of these settings to a folder of their own.

    What the validation found is read here and not shown, as the command does it: our warnings are for people.
    """
    owner = tempfile.TemporaryDirectory(prefix="synth-")
    folder = Path(owner.name)
    app = App(outdir=str(folder), context=cdk_context(), analytics_reporting=False, stack_traces=False)
    app.node.set_context("aws:cdk:disable-creation-stack-traces", True)  # as app.py does
    app.node.set_context("@aws-cdk/core:failSynthOnValidationErrors", False)
    add_stacks(app, settings)
    app.synth()
    for report in json.loads((folder / "validation-report.json").read_text())["pluginReports"]:
        assert report["conclusion"] == "success", report["violations"]
    manifest = json.loads((folder / "manifest.json").read_text())
    return Synthesized(app, folder, settings.prefix, manifest, owner)


def statements_of(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Statements of a policy document, with actions and resources always as lists."""
    return [
        {
            **statement,
            "Action": _listed(statement["Action"]),
            "Resource": _listed(statement.get("Resource", [])),
        }
        for statement in policy["Statement"]
    ]


def role_statements(template: Template, role: str) -> list[dict[str, Any]]:
    """Every statement of every policy of a role, inline ones too."""
    found = []
    for policy in template.all("AWS::IAM::Policy"):
        if {"Ref": role} in policy["Roles"]:
            found += statements_of(policy["PolicyDocument"])
    for inline in template.resources("AWS::IAM::Role")[role]["Properties"].get("Policies", []):
        found += statements_of(inline["PolicyDocument"])
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
