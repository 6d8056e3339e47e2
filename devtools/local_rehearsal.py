"""A rehearsal on this machine: the synthesized state machine with the real functions behind it.

As :mod:`devtools.local_pitr`: the temporary "instance" is an entry in a local AWS's list, and SQL goes to whatever
PostgreSQL the environment leads to. A demo starts a local AWS with a production instance and a bucket with a backup,
calls :func:`read_rehearsal_system` on a synthesized app, and then :meth:`LocalRehearsal.rehearse`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbbackup.contract_rehearsal import RehearsalEnvKey
from devtools.local_pitr import Call, RecoveryFunction, call_here
from devtools.state_machine import Run, execute

_INFIX = "-rehearsal-"
_ROLE_ARN = "arn:aws:iam::123456789012:role/local"


@dataclass(frozen=True)
class RehearsalSystem:
    """Functions by name without the prefix (``step``), the machine's name and its definition."""

    functions: Mapping[str, RecoveryFunction]
    machine: str
    definition: Mapping[str, Any]


def read_rehearsal_system(folder: Path) -> RehearsalSystem:
    """Read the rehearsal stack of a synthesized app.

    Raises:
        ValueError: a reference in the definition is not to a function.
    """
    (path,) = folder.glob("*-rehearsal.template.json")
    resources = json.loads(path.read_text())["Resources"]
    functions: dict[str, RecoveryFunction] = {}
    by_logical_id: dict[str, str] = {}
    for logical_id, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            found = resource["Properties"]
            name = str(found["FunctionName"]).rpartition(_INFIX)[2]
            by_logical_id[logical_id] = name
            functions[name] = RecoveryFunction(
                found["FunctionName"],
                found["ImageConfig"]["Command"][0],
                found["Environment"]["Variables"],
                found["Timeout"],
            )
    (machine,) = [
        resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    separator, parts = machine["DefinitionString"]["Fn::Join"]
    text = separator.join(part if isinstance(part, str) else _name_of(part, by_logical_id) for part in parts)
    return RehearsalSystem(functions, machine["StateMachineName"], json.loads(text))


def _name_of(reference: Mapping[str, Any], names: Mapping[str, str]) -> str:
    logical_id = reference.get("Fn::GetAtt", [None])[0]
    if logical_id not in names:
        raise ValueError(f"the state machine refers to something else than a function: {reference}")
    return names[logical_id]


@dataclass
class LocalRehearsal:
    """The rehearsal stack, deployed to a local AWS.

    Attributes:
        system: what the template says.
        client: makes a client of a local AWS's service.
        local: this machine's values for variables that are references in the template, or cannot be the same here.
        call: how a function is called: :func:`call_here` or :func:`devtools.local_pitr.call_process`.
        surroundings: variables that Lambda itself or the image would provide.
        on_state: told of every state that is entered.
    """

    system: RehearsalSystem
    client: Callable[[str], Any]
    local: Mapping[str, str]
    call: Call = call_here
    surroundings: Mapping[str, str] = field(default_factory=dict)
    on_state: Callable[[str, Run], None] = lambda _name, _run: None
    machine_arn: str = ""

    def deploy(self) -> None:
        """Make the state machine, so that executions have somewhere to be."""
        idle = {"StartAt": "Idle", "States": {"Idle": {"Type": "Wait", "Seconds": 1, "End": True}}}
        self.machine_arn = self.client("stepfunctions").create_state_machine(
            name=self.system.machine, definition=json.dumps(idle), roleArn=_ROLE_ARN
        )["stateMachineArn"]

    def invoke(self, name: str, event: Any) -> Any:
        """Call a function of the template.

        Raises:
            TaskFailedError: it failed.
            ValueError: a reference in its environment has no local value.
        """
        function = self.system.functions[name]
        given = {RehearsalEnvKey.MACHINE_ARN.value: self.machine_arn, **self.local}
        variables = {
            **function.environment,
            **{key: value for key, value in given.items() if key in function.environment},
        }
        left = [key for key, value in variables.items() if not isinstance(value, str)]
        if left:
            raise ValueError(f"no local value for: {left}")
        return self.call(function, event, {**self.surroundings, **variables})

    def start(self, name: str) -> str:
        """Start an execution, as the schedule does; its ARN."""
        arn: str = self.client("stepfunctions").start_execution(
            stateMachineArn=self.machine_arn, name=name, input="{}"
        )["executionArn"]
        return arn

    def rehearse(self, name: str = "rehearsal-1") -> Run:
        """Start an execution and go through it by the template's own definition."""
        steps = self.client("stepfunctions")
        found = steps.describe_execution(executionArn=self.start(name))
        run = execute(
            self.system.definition,
            {},
            name=name,
            invoke=self.invoke,
            started=found["startDate"],
            on_state=self.on_state,
        )
        # The local AWS does not know that the execution has ended, and would count it as running for ever.
        steps.stop_execution(executionArn=found["executionArn"])
        return run
