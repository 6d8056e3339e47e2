"""A request to restore: understood, checked, and handed to the state machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dbbackup.contract_pitr import ROLE_PRODUCTION, TAG_ROLE
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.instance_status import FINAL
from dbbackup.core.pitr_errors import SourceMissingError, TargetTakenError
from dbbackup.core.pitr_names import belongs_to, default_target, execution_name
from dbbackup.core.pitr_plan import check_restorable, tags_of
from dbbackup.core.pitr_ports import Execution, Executions, Instance, Instances
from dbbackup.core.pitr_request import LATEST, RestoreRequest
from dbbackup.core.pitr_window import Estimate, Window, check_moment, estimate, window_of
from dbbackup.core.units import format_time
from dbbackup.operations.pitr_restore import is_ours

ATTEMPTS: Final = 50
"""How often the same request is tried anew after failures, within the 90 days that a name is kept."""


@dataclass(frozen=True, slots=True)
class StartedRestore:
    """The execution that carries a request out."""

    execution: Execution
    target: str
    restore_time: datetime
    window: Window
    estimate: Estimate
    already: bool

    def as_dict(self) -> dict[str, Any]:
        """The answer to the request."""
        return {
            "status": "already-running" if self.execution.running else "already-done",
            **({} if self.already else {"status": "started"}),
            "execution_arn": self.execution.arn,
            "target": self.target,
            "restore_time": format_time(self.restore_time),
            "restorable_window": self.window.as_dict(),
            "estimate": self.estimate.as_dict(),
        }


def look_up(instances: Instances, identifier: str, now: datetime) -> tuple[Instance, Window]:
    """An instance that can be restored, and its window.

    Raises:
        SourceMissingError: there is none.
        NotRestorableError: it is not one that we restore.
    """
    source = instances.find(identifier)
    if source is None:
        raise SourceMissingError(
            f"There is no instance {identifier}.",
            untouched="Nothing was restored.",
            action="Check the identifier. A deleted instance may have retained backups: "
            "aws rds describe-db-instance-automated-backups; restoring from those is in the runbook.",
        )
    check_restorable(source)
    # A promoted instance is younger than its name: before it was made, there is nothing of it.
    promoted = tags_of(source).get(TAG_ROLE) == ROLE_PRODUCTION
    oldest = source.get("InstanceCreateTime") if promoted else None
    return source, window_of(source, instances.automated_backup(identifier), now, oldest=oldest)


def start_restore(
    request: RestoreRequest, *, production: str, instances: Instances, executions: Executions, now: datetime
) -> StartedRestore:
    """Start the execution of a request, or find the one that was started for the same request.

    Args:
        request: what is asked.
        production: identifier of the production instance; sources and targets are it or begin with it.
        instances: RDS.
        executions: of the machine that restores.
        now: the present moment.

    Raises:
        DbBackupError: it cannot be carried out; nothing was started.
    """
    name = request.source or production
    if name != production and not belongs_to(production, name):
        raise _foreign("source", name, production)
    source, window = look_up(instances, name, now)
    repeated = _running_latest(request, name, executions) if request.restore_time is None else None
    moment = request.restore_time or window.latest.replace(microsecond=0)
    if repeated is not None:
        moment = datetime.fromisoformat(str(repeated.input["restore_time"]))
    target = request.target or default_target(production, moment)
    if not belongs_to(production, target):
        raise _foreign("target", target, production)

    def started(execution: Execution, *, already: bool) -> StartedRestore:
        planned = str(execution.input.get("target", target))
        return StartedRestore(execution, planned, moment, window, estimate(source, moment), already)

    if repeated is not None:
        return started(repeated, already=True)
    parts = (name, format_time(moment), LATEST if request.restore_time is None else "", request.instance_class or "")
    for attempt in range(1, ATTEMPTS + 1):
        chosen = execution_name(target, *parts, attempt=attempt)
        execution = executions.find(chosen)
        if execution is None:
            break
        if execution.running or (execution.status == "SUCCEEDED" and instances.find(target) is not None):
            return started(execution, already=True)
    else:
        raise InvalidRequestError(
            f"This request has failed {ATTEMPTS} times.",
            untouched="Nothing was restored.",
            action="Look at why, and choose another target.",
        )
    if request.restore_time is not None:
        check_moment(request.restore_time, window, now, source=name)
    _check_free(target, chosen, instances)
    document = {
        "source": name,
        "target": target,
        "restore_time": format_time(moment),
        "latest": request.restore_time is None,
        "instance_class": request.instance_class,
    }
    return started(executions.start(chosen, document), already=False)


def _running_latest(request: RestoreRequest, source: str, executions: Executions) -> Execution | None:
    """A run for the same request: "latest" is another moment every five minutes, and still the same request."""
    for execution in executions.running():
        asked = execution.input
        same_source = asked.get("source") == source and asked.get("latest") is True
        same_target = request.target in (None, asked.get("target"))
        if same_source and same_target and asked.get("instance_class") == request.instance_class:
            return execution
    return None


def _check_free(target: str, execution: str, instances: Instances) -> None:
    taken: Mapping[str, Any] | None = instances.find(target)
    # What an earlier try of the same request has left, and what may be got ready yet, is gone on with.
    if taken is not None and not (is_ours(taken, execution) and taken.get("DBInstanceStatus") not in FINAL):
        raise TargetTakenError(
            f"There is an instance {target} already ({taken.get('DBInstanceStatus')}).",
            untouched="It is as it was, and nothing was restored.",
            action='Give another "target", or delete that instance if nobody needs it.',
        )


def _foreign(what: str, name: str, production: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The {what} {name} is not one that this system may touch: it does not begin with {production}-.",
        untouched="Nothing was restored.",
        action=f"Choose a {what} such as {production}-restored; permissions cover no others.",
    )
