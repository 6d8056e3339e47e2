"""The temporary instance of a rehearsal, from its restore to its removal. Each step may be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dbbackup.core.pitr_errors import InstanceMissingError
from dbbackup.core.pitr_ports import Executions, Instances
from dbbackup.core.rehearsal_plan import is_temporary, rehearsal_target, temporary
from dbbackup.core.units import format_seconds, format_time
from dbbackup.operations.pitr_restore import RestoreOrder, begin_restore, check_status
from dbbackup.operations.pitr_start import look_up


@dataclass(frozen=True, slots=True)
class RehearsalOrder:
    """What an execution is to do.

    Attributes:
        source: the production instance, which is read from and never written to.
        execution: name of the execution, which marks what it makes.
        started: when the execution began; with the source it names the temporary instance.
        now: when the state machine entered the present step.
        recovery_point: the latest restorable time when it began; None before the plan.
        instance_class: class of the temporary instance; None for the source's.
    """

    source: str
    execution: str
    started: datetime
    now: datetime
    recovery_point: datetime | None = None
    instance_class: str | None = None

    @property
    def target(self) -> str:
        """Identifier of the temporary instance."""
        return rehearsal_target(self.source, self.started)

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the execution began."""
        return (self.now - self.started).total_seconds()

    def restore_order(self) -> RestoreOrder:
        """The same, as the steps of a restore to a point in time take it."""
        return RestoreOrder(
            source=self.source,
            target=self.target,
            restore_time=self.recovery_point or self.started,
            latest=True,
            instance_class=self.instance_class,
            execution=self.execution,
            started=self.started,
            now=self.now,
        )


def plan_rehearsal(order: RehearsalOrder, *, instances: Instances, executions: Executions) -> dict[str, Any]:
    """Whether to begin, and which moment's data is to be got back.

    A schedule may fire twice: of two executions that run at once, the older one goes on.

    Raises:
        DbBackupError: the source is missing or cannot be restored.
    """
    running = executions.running()
    if running and running[0].name != order.execution:
        return {"begin": False, "status": "already-running", "execution": running[0].name}
    _, window = look_up(instances, order.source, order.now)
    return {"begin": True, "target": order.target, "recovery_point": window.latest.isoformat()}


def begin(order: RehearsalOrder, *, instances: Instances) -> dict[str, Any]:
    """Start the restore into the temporary instance, unless an earlier try did.

    Raises:
        DbBackupError: see :func:`begin_restore`.
    """
    return begin_restore(order.restore_order(), instances=instances, adapt=temporary)


def look(order: RehearsalOrder, *, instances: Instances, limit_seconds: float) -> dict[str, Any]:
    """Whether the temporary instance is available, and where; only an instance with our mark is answered with.

    Raises:
        DbBackupError: see :func:`check_status`.
        InstanceMissingError: what is there under the name is not ours.
    """
    answer = check_status(order.restore_order(), instances=instances, limit_seconds=limit_seconds)
    if answer["done"]:
        found = instances.find(order.target)
        if found is None or not is_temporary(found, execution=order.execution):
            raise InstanceMissingError(
                f"{order.target} is not marked as the temporary instance of this rehearsal.",
                untouched="Nothing was connected to.",
                action="Find out who replaced it or changed its tags, and start the rehearsal again.",
            )
    return answer


def clean_up(order: RehearsalOrder, *, instances: Instances) -> dict[str, Any]:
    """Start to delete the temporary instance with its backups, where this execution made it.

    Raises:
        InstanceBusyError: it cannot be deleted in its present state; repeat later.
        DbBackupError: RDS refuses.
    """
    found = instances.find(order.target)
    ours = found is not None and is_temporary(found, execution=order.execution)
    if found is not None and ours and found.get("DBInstanceStatus") != "deleting":
        if found.get("DeletionProtection"):
            instances.modify(order.target, {"DeletionProtection": False})
        instances.delete(order.target)
    return {"since": order.now.isoformat()}


def check_gone(order: RehearsalOrder, *, since: datetime, instances: Instances, limit_seconds: float) -> dict[str, Any]:
    """Whether the temporary instance is gone. What cannot be removed, or not in time, is said and not an error.

    Raises:
        DbBackupError: RDS does not answer.
    """
    found = instances.find(order.target)
    if found is None:
        return {"done": True, "gone": True, "said": ""}
    if not is_temporary(found, execution=order.execution):
        said = f"There is an instance {order.target} without the mark of this rehearsal: it was left alone."
        return {"done": True, "gone": False, "said": said}
    waited = (order.now - since).total_seconds()
    if waited > limit_seconds:
        said = (
            f"{order.target} is still there, {format_seconds(waited)} after its deletion began "
            f"({found.get('DBInstanceStatus')}, at {format_time(order.now)}). It costs money."
        )
        return {"done": True, "gone": False, "said": said}
    return {"done": False, "gone": False, "said": ""}
