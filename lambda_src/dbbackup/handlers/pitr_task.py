"""What a state machine hands to a function, and how a function that it calls logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from aws_lambda_powertools import Logger
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from dbbackup.contract import SERVICE
from dbbackup.core.errors import DbBackupError, InvalidRequestError
from dbbackup.core.problems import problems_of
from dbbackup.operations.pitr_restore import RestoreOrder
from dbbackup.operations.pitr_swap import SwapOrder

_LOG = Logger(service=SERVICE, use_rfc3339=True, utc=True)
_Step = TypeVar("_Step")


class Task(BaseModel, Generic[_Step]):
    """One task.

    Attributes:
        step: which one.
        execution: name of the execution.
        execution_arn: its ARN; None for an execution that began before machines handed it over.
        started: when the execution began.
        now: when the task's state was entered. Durations are counted on the state machine's clock alone.
        state: the input of the execution and what earlier tasks found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: _Step
    execution: str
    execution_arn: str | None = None
    started: AwareDatetime
    now: AwareDatetime
    state: dict[str, Any]

    def restore_order(self) -> RestoreOrder:
        """The order of the machine that restores."""
        return RestoreOrder(
            source=self.state["source"],
            target=self.state["target"],
            restore_time=datetime.fromisoformat(self.state["restore_time"]),
            latest=bool(self.state["latest"]),
            instance_class=self.state["instance_class"],
            execution=self.execution,
            started=self.started,
            now=self.now,
        )

    def swap_order(self) -> SwapOrder:
        """The order of the machine that renames."""
        checked, logged_in = self.state.get("checked") or {}, self.state.get("logged_in")
        return SwapOrder(
            action=self.state["action"],
            production=self.state["production"],
            incoming=self.state["incoming"],
            aside=self.state["aside"],
            execution=self.execution,
            started=self.started,
            now=self.now,
            production_resource=checked.get("production", ""),
            incoming_resource=checked.get("incoming", ""),
            renamed=bool(checked.get("renamed")),
            renaming_since=datetime.fromisoformat(logged_in["at"]) if logged_in else None,
        )


def parse_task(model: type[Task[_Step]], event: object) -> Task[_Step]:
    """Read a task.

    Raises:
        InvalidRequestError: this is not one of our machine's.
    """
    try:
        return model.model_validate(event)
    except ValidationError as error:
        problems = problems_of(error, "the event")
    raise InvalidRequestError(
        f"This is not a task of the state machine: {problems}.",
        untouched="Nothing was restored and nothing was renamed.",
        action="People call pitr-restore and pitr-promote; the other functions are for the state machines.",
    )


def logged(doing: str, event: object, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do the work; log what it answers or why it failed, and let the failure go on.

    Raises:
        DbBackupError: as the work does.
    """
    shown = {key: event.get(key) for key in ("step", "execution")} if isinstance(event, Mapping) else {}
    try:
        answer = work()
    except DbBackupError as error:
        _LOG.error(f"{doing} failed", extra={**shown, **error.as_dict()})
        raise
    except BaseException:
        _LOG.exception(f"{doing} failed unexpectedly", extra=shown)
        raise
    _LOG.info(doing, extra={**shown, "answer": answer})
    return answer
