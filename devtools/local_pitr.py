"""Point-in-time recovery on this machine: the synthesized state machines with the real functions behind them.

A demo or a test starts a local AWS, calls :meth:`LocalRecovery.restore`, and gets the execution that the template's
own definition went through. What the local AWS cannot do: take time, replay a log, or move data. The restored
"instance" is an entry in its list; the SQL verification connects to whatever PostgreSQL the environment leads to
(``PGHOSTADDR`` is libpq's own way to send a host name elsewhere).
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from dbbackup.contract_pitr import PitrEnvKey
from devtools.local_lambda import invoke as invoke_process
from devtools.state_machine import Run, TaskFailedError, execute

_MARK = "-pitr"
"""In the name of every function and machine of ours; the stack holds others, too."""
_ACCOUNT_ARN = "arn:aws:{service}:us-east-1:123456789012:{name}"


@dataclass(frozen=True)
class RecoveryFunction:
    """A function of the template."""

    name: str
    handler: str
    environment: Mapping[str, Any]
    timeout_seconds: int


@dataclass(frozen=True)
class RecoverySystem:
    """Functions by name without the prefix (``restore``), and definitions of the machines by their name."""

    functions: Mapping[str, RecoveryFunction]
    machines: Mapping[str, Mapping[str, Any]]
    by_logical_id: Mapping[str, str]


def read_recovery_system(folder: Path) -> RecoverySystem:
    """Read the restore stack of a synthesized app.

    Raises:
        ValueError: a reference in a definition is not to a function.
    """
    templates = [json.loads(path.read_text()) for path in folder.glob("*.template.json")]
    (resources,) = (each["Resources"] for each in templates if _holds_ours(each["Resources"]))
    functions: dict[str, RecoveryFunction] = {}
    by_logical_id: dict[str, str] = {}
    for logical_id, resource in resources.items():
        found = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function" and _MARK in str(found.get("FunctionName")):
            name = str(found["FunctionName"]).rpartition(f"{_MARK}-")[2]
            by_logical_id[logical_id] = name
            functions[name] = RecoveryFunction(
                found["FunctionName"],
                found["ImageConfig"]["Command"][0],
                found["Environment"]["Variables"],
                found["Timeout"],
            )
    machines = {
        resource["Properties"]["StateMachineName"]: json.loads(
            _resolved(resource["Properties"]["DefinitionString"], by_logical_id)
        )
        for resource in resources.values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
        and _MARK in resource["Properties"]["StateMachineName"]
    }
    return RecoverySystem(functions, machines, by_logical_id)


def _holds_ours(resources: Mapping[str, Any]) -> bool:
    return any(_MARK in str(each.get("Properties", {}).get("StateMachineName")) for each in resources.values())


def _resolved(text: Any, functions: Mapping[str, str]) -> str:
    if isinstance(text, str):
        return text
    separator, parts = text["Fn::Join"]
    return str(separator).join(part if isinstance(part, str) else _function_of(part, functions) for part in parts)


def _function_of(reference: Mapping[str, Any], functions: Mapping[str, str]) -> str:
    logical_id = reference.get("Fn::GetAtt", [None])[0]
    if logical_id not in functions:
        raise ValueError(f"a state machine refers to something else than a function: {reference}")
    return functions[logical_id]


Call = Callable[[RecoveryFunction, Any, Mapping[str, str]], Any]
"""Calls a function with an event in an environment; raises :class:`TaskFailedError` as Lambda reports failures."""


@dataclass(frozen=True)
class _Context:
    seconds: int

    def get_remaining_time_in_millis(self) -> int:
        return self.seconds * 1000


@contextmanager
def _only(environment: Mapping[str, str]) -> Iterator[None]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("DB_", "PITR_", "BACKUP_"))}
    with mock.patch.dict(os.environ, {**ours, **environment}, clear=True):
        yield


def call_here(function: RecoveryFunction, event: Any, environment: Mapping[str, str]) -> Any:
    """Call a handler in this process."""
    module, _, name = function.handler.rpartition(".")
    with _only(environment):
        try:
            return getattr(importlib.import_module(module), name)(event, _Context(function.timeout_seconds))
        except Exception as error:
            failure = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
            raise TaskFailedError(type(error).__name__, json.dumps(failure)) from error


def call_process(function: RecoveryFunction, event: Any, environment: Mapping[str, str]) -> Any:
    """Call a handler in a process of its own, with nothing in its environment but what is given and PATH."""
    surroundings = {"PATH": os.environ.get("PATH", ""), **environment}
    ended = invoke_process(function.handler, event, surroundings, function.timeout_seconds)
    if ended.error is None:
        return ended.answer
    error, _, message = ended.error.partition(": ")
    raise TaskFailedError(error, json.dumps({"errorMessage": message, "errorType": error}))


@dataclass
class LocalRecovery:
    """The restore stack, deployed to a local AWS.

    Attributes:
        system: what the template says.
        client: makes a client of a local AWS's service.
        local: this machine's values for variables that are references in the template, or cannot be the same here.
        call: how a function is called: :func:`call_here` or :func:`call_process`.
        surroundings: variables that Lambda itself would provide: credentials, region, endpoint.
    """

    system: RecoverySystem
    client: Callable[[str], Any]
    local: Mapping[str, str]
    call: Call = call_here
    surroundings: Mapping[str, str] = field(default_factory=dict)
    on_state: Callable[[str, Run], None] = lambda _name, _run: None
    arns: dict[str, str] = field(default_factory=dict)

    def deploy(self) -> None:
        """Make the state machines, so that executions have somewhere to be."""
        steps = self.client("stepfunctions")
        for name, definition in self.system.machines.items():
            self.arns[name] = steps.create_state_machine(
                name=name,
                definition=json.dumps(
                    _with_arns(definition, lambda each: _ACCOUNT_ARN.format(service="lambda", name=f"function:{each}"))
                ),
                roleArn=_ACCOUNT_ARN.format(service="iam", name="role/local").replace("us-east-1", ""),
            )["stateMachineArn"]

    def invoke(self, name: str, event: Any) -> Any:
        """Call a function of the template, for example ``restore``.

        Raises:
            TaskFailedError: it failed.
            ValueError: a reference in its environment has no local value.
        """
        function = self.system.functions[name]
        prefix = function.name.rpartition(f"{_MARK}-")[0]
        machines = {
            PitrEnvKey.MACHINE_ARN.value: self.arns.get(f"{prefix}-pitr", ""),
            PitrEnvKey.PROMOTION_MACHINE_ARN.value: self.arns.get(f"{prefix}-pitr-promote", ""),
        }
        known = {key: value for key, value in {**machines, **self.local}.items() if key in function.environment}
        variables = {**function.environment, **known}
        left = [key for key, value in variables.items() if not isinstance(value, str)]
        if left:
            raise ValueError(f"no local value for: {left}")
        return self.call(function, event, {**self.surroundings, **variables})

    def run(self, execution_arn: str) -> Run:
        """Go through the execution that a function has started, by the template's own definition."""
        found = self.client("stepfunctions").describe_execution(executionArn=execution_arn)
        machine = found["stateMachineArn"].rpartition(":")[2]
        return execute(
            self.system.machines[machine],
            json.loads(found["input"]),
            name=found["name"],
            invoke=self.invoke,
            started=found["startDate"],
            on_state=self.on_state,
        )

    def restore(self, event: Any) -> tuple[dict[str, Any], Run]:
        """Ask for a restore and go through it: the answer of the function, and the execution."""
        return self._ask("restore", event)

    def promote(self, event: Any) -> tuple[dict[str, Any], Run]:
        """Ask for a promotion or a rollback and go through it."""
        return self._ask("promote", event)

    def _ask(self, name: str, event: Any) -> tuple[dict[str, Any], Run]:
        answer: dict[str, Any] = self.invoke(name, event)
        run = self.run(answer["execution_arn"])
        # The local AWS does not know that the execution has ended, and would count it as running for ever.
        self.client("stepfunctions").stop_execution(executionArn=answer["execution_arn"])
        return answer, run


def _with_arns(part: Any, arn_of: Callable[[str], str]) -> Any:
    if isinstance(part, Mapping):
        return {
            key: arn_of(value) if key == "Resource" and isinstance(value, str) else _with_arns(value, arn_of)
            for key, value in part.items()
        }
    return [_with_arns(each, arn_of) for each in part] if isinstance(part, list) else part
