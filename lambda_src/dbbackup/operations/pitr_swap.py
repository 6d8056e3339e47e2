"""The steps that make another instance production, by renaming, and undo it where they cannot finish.

Instances are recognised by their resource id, which a rename leaves as it is. Each step may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from dbbackup.core.instance_status import FINAL, USABLE
from dbbackup.core.pitr_errors import RenameFailedError, WaitExceededError
from dbbackup.core.pitr_plan import port_of
from dbbackup.core.pitr_ports import Executions, Instance, Instances
from dbbackup.core.units import format_seconds
from dbbackup.operations.pitr_password import set_password
from dbbackup.operations.pitr_promote import check_instances, check_settled, in_progress, is_done


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
        renamed: whether the incoming one has production's name already, from an earlier execution.
        renaming_since: when the renaming began, for its time limit; None before.
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
    renamed: bool = False
    renaming_since: datetime | None = None

    @property
    def candidate(self) -> str:
        """Where the incoming instance is found before this execution renames anything."""
        return self.production if self.renamed else self.incoming

    @property
    def renaming_seconds(self) -> float:
        """Seconds since the renaming began, or since the execution did."""
        return (self.now - (self.renaming_since or self.started)).total_seconds()

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
    current = instances.find(order.production)
    if current is not None and is_done(current, order.incoming, instances):
        resource = current["DbiResourceId"]
        return {"production": resource, "incoming": resource, "renamed": True}
    current, coming = check_instances(order.action, order.production, order.incoming, order.aside, instances=instances)
    for each in (current, coming):
        check_settled(each)
    return {"production": current["DbiResourceId"], "incoming": coming["DbiResourceId"], "renamed": False}


def give_password(
    order: SwapOrder,
    resource: str,
    *,
    instances: Instances,
    secret: str,
    read_credentials: Callable[[], tuple[str, str]],
) -> dict[str, Any]:
    """Give the incoming instance the password that the secret has now, under whatever name it has now.

    Raises:
        RenameFailedError: it has none of the two.
        DbBackupError: see :func:`dbbackup.operations.pitr_password.set_password`.
    """
    instance = _found(order, resource, instances)
    return set_password(instance, instances=instances, secret=secret, read_credentials=read_credentials)


def check_password(order: SwapOrder, resource: str, *, instances: Instances, limit_seconds: float) -> dict[str, Any]:
    """Whether the incoming instance serves with the password that it was given, and where.

    Raises:
        RenameFailedError: it is not there, or in a status that it does not leave by itself.
        WaitExceededError: it has taken too long.
    """
    instance = _found(order, resource, instances)
    name, status = str(instance["DBInstanceIdentifier"]), _status(instance)
    _refuse_final(name, status)
    if status in USABLE and "MasterUserPassword" not in (instance.get("PendingModifiedValues") or {}):
        return _place(instance)
    if order.elapsed_seconds > 2 * limit_seconds:
        raise WaitExceededError(
            f"After {format_seconds(order.elapsed_seconds)} the password of {name} is not set yet ({status}).",
            untouched="No data was changed.",
            action="Look at the instance's events, and ask for the same once more.",
        )
    return {"done": False, "status": status}


def _found(order: SwapOrder, resource: str, instances: Instances) -> Instance:
    for name in (order.production, order.incoming):
        found = instances.find(name)
        if found is not None and _is(found, resource):
            return found
    raise RenameFailedError(
        f"The instance that was {order.incoming} is not there any more.",
        untouched="No data was changed.",
        action="Look at the instances, and at who renamed one: aws rds describe-db-instances.",
    )


def _place(instance: Instance) -> dict[str, Any]:
    endpoint = instance.get("Endpoint") or {}
    return {"done": True, "status": _status(instance), "host": endpoint.get("Address"), "port": port_of(instance)}


def _refuse_final(name: str, status: str) -> None:
    if status in FINAL:
        raise RenameFailedError(
            f"{name} is {status}.",
            untouched="No data was changed.",
            action=f"Look at its events: aws rds describe-events --source-identifier {name}.",
        )


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
    """Whether an instance serves under its new name, and where.

    Raises:
        RenameFailedError: it is in a status that it does not leave by itself.
        WaitExceededError: it has taken too long.
    """
    found = instances.find(new)
    status = _status(found) if found is not None and _is(found, resource) else "not there yet"
    _refuse_final(new, status)
    if found is not None and status in USABLE:
        return _place(found)
    if order.renaming_seconds > limit_seconds:
        raise WaitExceededError(
            f"After {format_seconds(order.renaming_seconds)} {new} is still {status}.",
            untouched="No data was changed.",
            action="Look at the instance's events, and repeat when the cause is known.",
        )
    return {"done": False, "status": status}


def mark(order: SwapOrder, *, instances: Instances) -> dict[str, Any]:
    """Write down, as tags, what is what now; the way back is read from there.

    Raises:
        RenameFailedError: production is not the instance that it was a moment ago.
        DbBackupError: RDS refuses.
    """
    current, replaced = _current(order, instances), instances.find(order.aside)
    if order.renamed and replaced is None:
        return {"marked": False}  # deleted since, or renamed by hand: what the tags say is not ours to change
    instances.tag(current, {TAG_ROLE: ROLE_PRODUCTION, TAG_RESTORED_AS: order.incoming, TAG_REPLACED: order.aside})
    # After a rollback the restored instance may be deleted or promoted again; the replaced one is never ours to delete.
    if replaced is not None:
        instances.tag(replaced, {TAG_ROLE: ROLE_RESTORED if order.action == "rollback" else ROLE_REPLACED})
    return {"marked": True}


def finish_swap(order: SwapOrder, *, instances: Instances, databases: Sequence[str]) -> dict[str, Any]:
    """What was achieved.

    Args:
        order: the order.
        instances: RDS.
        databases: those that somebody has logged in to, with the secret, under production's name.

    Raises:
        RenameFailedError: production is not the instance that it was a moment ago.
        DbBackupError: RDS does not answer.
    """
    current = _current(order, instances)
    return {
        "status": "rolled-back" if order.action == "rollback" else "promoted",
        "production": order.production,
        "host": (current.get("Endpoint") or {}).get("Address"),
        "was": order.incoming,
        "replaced_is_now": order.aside if instances.find(order.aside) else None,
        "renamed_before": order.renamed,
        "logged_in_to": list(databases),
        "seconds": round(order.elapsed_seconds, 3),
        "resource_id": order.incoming_resource,
        "previous_resource_id": None if order.renamed else order.production_resource,
    }


def _current(order: SwapOrder, instances: Instances) -> Instance:
    current = instances.find(order.production)
    if current is None or not _is(current, order.incoming_resource):
        raise RenameFailedError(
            f"{order.production} is not what it was a moment ago.",
            untouched="No data was changed.",
            action="Look at the instances: aws rds describe-db-instances.",
        )
    return current


def undo(order: SwapOrder, *, instances: Instances, limit_seconds: float) -> dict[str, Any]:
    """One move on the way back to where it began; to be repeated until ``done``.

    Raises:
        RenameFailedError: it cannot be undone in time; the message says where production is.
        DbBackupError: RDS refuses.
    """
    if not order.production_resource:
        return {"done": True, "did": "Nothing had been renamed."}
    here, aside = instances.find(order.production), instances.find(order.aside)
    if _is(here, order.production_resource) and _status(here) in USABLE:
        return {"done": True, "did": f"{order.production} is the instance that it was."}
    if order.renaming_seconds > limit_seconds:
        raise RenameFailedError(
            f"After {format_seconds(order.renaming_seconds)} {order.production} is not back: {order.production} is "
            f"{_status(here)}, {order.aside} is {_status(aside)}.",
            untouched="No data was changed.",
            action=f"Production's data is in {order.aside} or {order.production}, resource id "
            f"{order.production_resource}. Rename it by hand: aws rds modify-db-instance --db-instance-identifier "
            f"{order.aside} --new-db-instance-identifier {order.production} --apply-immediately.",
        )
    if _is(here, order.incoming_resource):
        if _status(here) in USABLE:
            instances.rename(order.production, order.incoming)
        return {"done": False, "did": f"{order.production} is given its name {order.incoming} back."}
    if here is None and _is(aside, order.production_resource) and _status(aside) in USABLE:
        instances.rename(order.aside, order.production)
    return {"done": False, "did": f"{order.aside} is given its name {order.production} back."}


def _is(instance: Instance | None, resource: str) -> bool:
    return instance is not None and bool(resource) and instance.get("DbiResourceId") == resource


def _status(instance: Instance | None) -> str:
    return "not there" if instance is None else str(instance.get("DBInstanceStatus"))
