"""The steps that make another instance production, by renaming, and undo it where they cannot finish.

Instances are recognised by their resource id, which a rename leaves as it is. Each step may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dbbackup.contract_pitr import (
    ROLE_PRODUCTION,
    ROLE_REPLACED,
    ROLE_RESTORED,
    TAG_REPLACED,
    TAG_RESTORED_AS,
    TAG_ROLE,
)
from dbbackup.core.pitr_errors import RenameFailedError, WaitExceededError
from dbbackup.core.pitr_ports import Executions, Instance, Instances
from dbbackup.core.units import format_seconds
from dbbackup.operations.pitr_promote import check_instances, in_progress
from dbbackup.operations.pitr_restore import FINAL_STATUSES


@dataclass(frozen=True, slots=True)
class SwapOrder:
    """What an execution is to do.

    Attributes:
        action: ``promote`` or ``rollback``.
        production: the identifier that changes hands.
        incoming: identifier of the instance that becomes production.
        aside: identifier that the present production instance gets.
        execution: name of the execution.
        started: when the execution began.
        now: when the state machine entered the present step.
        production_resource: resource id of the present production instance; empty before the check.
        incoming_resource: resource id of the incoming one; empty before the check.
    """

    action: str
    production: str
    incoming: str
    aside: str
    execution: str
    started: datetime
    now: datetime
    production_resource: str = ""
    incoming_resource: str = ""

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the execution began."""
        return (self.now - self.started).total_seconds()


def check_swap(order: SwapOrder, *, instances: Instances, executions: Executions) -> dict[str, Any]:
    """Look once more, inside the execution, and record which instances are meant.

    Of two executions that started at the same moment, the older one goes on.

    Raises:
        PromotionInProgressError: an older one is running.
        DbBackupError: see :func:`check_instances`.
    """
    running = executions.running()
    if running and running[0].name != order.execution:
        raise in_progress(order.production, running[0])
    current, coming = check_instances(order.action, order.production, order.incoming, order.aside, instances=instances)
    return {"production": current["DbiResourceId"], "incoming": coming["DbiResourceId"]}


def move(resource: str, *, old: str, new: str, instances: Instances) -> dict[str, Any]:
    """Start to rename an instance, unless that has been done.

    Raises:
        RenameFailedError: neither name belongs to the instance, or the new one to another.
        DbBackupError: RDS refuses.
    """
    if _is(instances.find(new), resource):
        return {"renamed": False}
    found = instances.find(old)
    if not _is(found, resource):
        raise RenameFailedError(
            f"The instance that was {old} is not there any more.",
            untouched="No data was changed.",
            action="Look at the instances, and at who renamed one: aws rds describe-db-instances.",
        )
    assert found is not None
    if found.get("DBInstanceStatus") != "renaming":
        instances.rename(old, new)
    return {"renamed": True}


def check_moved(
    order: SwapOrder, resource: str, *, new: str, instances: Instances, limit_seconds: float
) -> dict[str, Any]:
    """Whether an instance is available under its new name.

    Raises:
        RenameFailedError: it is in a status that it does not leave by itself.
        WaitExceededError: it has taken too long.
    """
    found = instances.find(new)
    status = str(found.get("DBInstanceStatus")) if found is not None and _is(found, resource) else "not there yet"
    if status in FINAL_STATUSES:
        raise RenameFailedError(
            f"{new} is {status} after it was renamed.",
            untouched="No data was changed.",
            action=f"Look at its events: aws rds describe-events --source-identifier {new}.",
        )
    if status == "available":
        return {"done": True, "status": status}
    if order.elapsed_seconds > limit_seconds:
        raise WaitExceededError(
            f"After {format_seconds(order.elapsed_seconds)} {new} is still {status}.",
            untouched="No data was changed.",
            action="Look at the instance's events, and repeat when the cause is known.",
        )
    return {"done": False, "status": status}


def finish_swap(order: SwapOrder, *, instances: Instances) -> dict[str, Any]:
    """Write down, as tags, what is what now; the way back is read from there.

    Raises:
        DbBackupError: RDS refuses.
    """
    current, replaced = instances.find(order.production), instances.find(order.aside)
    if current is None or replaced is None or not _is(current, order.incoming_resource):
        raise RenameFailedError(
            f"{order.production} or {order.aside} is not what it was a moment ago.",
            untouched="No data was changed.",
            action="Look at the instances: aws rds describe-db-instances.",
        )
    back = order.action == "rollback"
    instances.tag(
        current,
        {TAG_ROLE: ROLE_PRODUCTION, TAG_RESTORED_AS: order.incoming, TAG_REPLACED: order.aside},
    )
    # After a rollback the restored instance may be deleted or promoted again; the replaced one is never ours to delete.
    instances.tag(replaced, {TAG_ROLE: ROLE_RESTORED if back else ROLE_REPLACED})
    endpoint = current.get("Endpoint") or {}
    return {
        "status": "rolled-back" if back else "promoted",
        "production": order.production,
        "host": endpoint.get("Address"),
        "was": order.incoming,
        "replaced_is_now": order.aside,
        "seconds": round(order.elapsed_seconds, 3),
        "resource_id": order.incoming_resource,
        "previous_resource_id": order.production_resource,
    }


def undo(order: SwapOrder, *, instances: Instances, limit_seconds: float) -> dict[str, Any]:
    """One move on the way back to where it began; to be repeated until ``done``.

    Raises:
        RenameFailedError: it cannot be undone in time; the message says where production is.
        DbBackupError: RDS refuses.
    """
    if not order.production_resource:
        return {"done": True, "did": "Nothing had been renamed."}
    here, aside = instances.find(order.production), instances.find(order.aside)
    if _is(here, order.production_resource) and _status(here) == "available":
        return {"done": True, "did": f"{order.production} is the instance that it was."}
    if order.elapsed_seconds > limit_seconds:
        raise RenameFailedError(
            f"After {format_seconds(order.elapsed_seconds)} {order.production} is not back: {order.production} is "
            f"{_status(here)}, {order.aside} is {_status(aside)}.",
            untouched="No data was changed.",
            action=f"Production's data is in {order.aside} or {order.production}, resource id "
            f"{order.production_resource}. Rename it by hand: aws rds modify-db-instance --db-instance-identifier "
            f"{order.aside} --new-db-instance-identifier {order.production} --apply-immediately.",
        )
    if _is(here, order.incoming_resource):
        if _status(here) == "available":
            instances.rename(order.production, order.incoming)
        return {"done": False, "did": f"{order.production} is given its name {order.incoming} back."}
    if here is None and _is(aside, order.production_resource) and _status(aside) == "available":
        instances.rename(order.aside, order.production)
    return {"done": False, "did": f"{order.aside} is given its name {order.production} back."}


def _is(instance: Instance | None, resource: str) -> bool:
    return instance is not None and bool(resource) and instance.get("DbiResourceId") == resource


def _status(instance: Instance | None) -> str:
    return "not there" if instance is None else str(instance.get("DBInstanceStatus"))
