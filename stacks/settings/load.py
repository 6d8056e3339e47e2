"""Reading settings from the CDK context: the only place that does."""

from __future__ import annotations

import difflib
import json
import types
import typing
from collections.abc import Mapping
from typing import Any, Final

from constructs import Node
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stacks.settings.refusal import REFUSED, Refusal, refused
from stacks.settings.root import Settings

DEFAULT_ENVIRONMENT: Final = "prod"
"""What ``cdk synth`` without ``--context env=...`` means: the one that nobody should get wrong."""


def load(node: Node) -> Settings:
    """Settings of the environment that the context key ``env`` names."""
    environment = node.try_get_context("env") or DEFAULT_ENVIRONMENT
    blocks = node.try_get_context("environments")
    return parse(environment, blocks)


def parse(environment: object, blocks: object) -> Settings:
    """Settings of one environment out of all blocks."""
    if not isinstance(blocks, Mapping) or not blocks:
        raise refused(
            Refusal(
                path="context.environments",
                value=_show(blocks),
                rule="cdk.json has one block of settings for each environment",
                fix="run cdk in the folder of cdk.json, and write the block there",
            )
        )
    if not isinstance(environment, str) or environment not in blocks:
        raise refused(
            Refusal(
                path="env",
                value=_show(environment),
                rule="the name of a block under context.environments in cdk.json",
                fix=f"write --context env=NAME with one of: {', '.join(blocks)}",
            )
        )
    block = blocks[environment]
    if not isinstance(block, Mapping):
        raise refused(
            Refusal(path=environment, value=_show(block), rule="a block of settings", fix="write an object, {...}")
        )
    if "environment" in block:
        raise refused(
            Refusal(
                path=f"{environment}.environment",
                value=_show(block["environment"]),
                rule="only known settings: the name of the environment is the key of its block",
                fix="remove it",
            )
        )
    try:
        return Settings.model_validate({**block, "environment": environment})
    except ValidationError as problem:
        raise refused(*(_refusal(error) for error in problem.errors()), environment=environment) from None


def _refusal(error: ErrorDetails) -> Refusal:
    place = [str(step) for step in error["loc"]]
    context = error.get("ctx", {})
    if error["type"] == REFUSED:
        path = ".".join([*place, *filter(None, [context["at"]])])
        return Refusal(path=path, value=_show(context["value"]), rule=context["rule"], fix=context["fix"])
    path = ".".join(place)
    if error["type"] == "extra_forbidden":
        model = _model_at(place[:-1])
        known = sorted(set(model.model_fields) - {"environment"}) if model else []
        near = difflib.get_close_matches(place[-1], known, n=1)
        return Refusal(
            path=path,
            value=_show(error["input"]),
            rule=f"only known settings: {', '.join(known)}",
            fix=f"did you mean {near[0]}?" if near else "remove it, or move it to the group that it belongs to",
        )
    owner = _model_at(place[:-1])
    field = owner.model_fields.get(place[-1]) if owner else None
    meaning = field.description if field and field.description else "see stacks/settings"
    # In quotes where it is a text: "30" is not 30.
    value = "(missing)" if error["type"] == "missing" else json.dumps(error["input"], default=str, ensure_ascii=False)
    rule = "this setting has no default" if error["type"] == "missing" else error["msg"]
    verb = "add" if error["type"] == "missing" else "correct"
    return Refusal(path=path, value=value, rule=rule, fix=f"{verb} it: {meaning}")


def _model_at(path: list[str]) -> type[BaseModel] | None:
    """Group of settings at a path; None where the path leaves the groups."""
    model: type[BaseModel] = Settings
    for step in path:
        field = model.model_fields.get(step)
        inner = _group_in(field.annotation) if field else None
        if inner is None:
            return None
        model = inner
    return model


def _group_in(annotation: Any) -> type[BaseModel] | None:
    candidates = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _show(value: object) -> str:
    # A text that can be seen is shown as it is, one that can't in quotes and with escapes.
    visible = isinstance(value, str) and value.isprintable() and value == value.strip() != ""
    shown = str(value) if visible else json.dumps(value, default=str, ensure_ascii=False)
    return shown if len(shown) <= 120 else f"{shown[:117]}..."
