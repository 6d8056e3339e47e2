"""What the state machine of the rehearsal hands to its functions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from dbbackup.contract_rehearsal import RehearsalStep
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.problems import problems_of
from dbbackup.handlers.rehearsal_environment import RehearsalEnvironment
from dbbackup.operations.rehearsal_instance import RehearsalOrder


class RehearsalTask(BaseModel):
    """One task.

    Attributes:
        step: which one.
        execution: name of the execution.
        execution_arn: its ARN; None for an execution that began before machines handed it over.
        started: when the execution began.
        now: when the task's state was entered. Durations are counted on the state machine's clock alone.
        state: what earlier tasks found.
        database: which database's dump is restored, in that step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: RehearsalStep
    execution: str
    execution_arn: str | None = None
    started: AwareDatetime
    now: AwareDatetime
    state: dict[str, Any]
    database: str | None = None

    def order(self, settings: RehearsalEnvironment) -> RehearsalOrder:
        """The order, as the operations take it."""
        point = (self.state.get("plan") or {}).get("recovery_point")
        return RehearsalOrder(
            source=settings.source,
            execution=self.execution,
            started=self.started,
            now=self.now,
            recovery_point=datetime.fromisoformat(point) if point else None,
            instance_class=settings.instance_class,
        )


def parse_rehearsal(event: object) -> RehearsalTask:
    """Read a task.

    Raises:
        InvalidRequestError: this is not one of our machine's.
    """
    try:
        return RehearsalTask.model_validate(event)
    except ValidationError as error:
        problems = problems_of(error, "the event")
    raise InvalidRequestError(
        f"This is not a task of the rehearsal's state machine: {problems}.",
        untouched="Nothing was restored and nothing was removed.",
        action="Start a rehearsal by its state machine: aws stepfunctions start-execution.",
    )


def unknown_step(step: RehearsalStep) -> InvalidRequestError:
    """The task belongs to another function."""
    return InvalidRequestError(
        f"The step {step.value} is not one of this function's.",
        untouched="Nothing was restored and nothing was removed.",
        action="Deploy the rehearsal stack again; its state machine names the functions.",
    )
