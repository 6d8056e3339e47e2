"""The steps of a restore to a point in time. Each may be repeated: it looks at what is there before it acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dbbackup.contract_pitr import TAG_EXECUTION, TAG_VERIFIED
from dbbackup.core.instance_status import FINAL, USABLE
from dbbackup.core.pitr_errors import (
    AwsRefusedError,
    InstanceFailedError,
    InstanceMissingError,
    SourceMissingError,
    TargetTakenError,
    WaitExceededError,
)
from dbbackup.core.pitr_names import same_request
from dbbackup.core.pitr_plan import check_restorable, needed_only, port_of, restore_parameters, tags_of
from dbbackup.core.pitr_ports import Instance, Instances
from dbbackup.core.units import format_seconds


@dataclass(frozen=True, slots=True)
class RestoreOrder:
    """What an execution is to do.

    Attributes:
        restore_time: the moment to restore to; the one that was the latest, where ``latest`` is asked for.
        execution: name of the execution, which marks what it makes.
        started: when the execution began.
        now: when the state machine entered the present step.
    """

    source: str
    target: str
    restore_time: datetime
    latest: bool
    instance_class: str | None
    execution: str
    started: datetime
    now: datetime

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the execution began."""
        return (self.now - self.started).total_seconds()


def is_ours(instance: Instance, execution: str) -> bool:
    """Whether this execution made the instance, or an earlier one that carried out the same request."""
    return same_request(tags_of(instance).get(TAG_EXECUTION, ""), execution)


def _as_they_are(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return dict(parameters)


def begin_restore(
    order: RestoreOrder,
    *,
    instances: Instances,
    adapt: Callable[[Mapping[str, Any]], dict[str, Any]] = _as_they_are,
) -> dict[str, Any]:
    """Start the restore, unless an earlier try of this step did.

    Args:
        order: what to restore.
        instances: RDS.
        adapt: changes the parameters for an instance that is not meant to be like its source.

    Raises:
        SourceMissingError: the source has gone since the request.
        TargetTakenError: somebody else took the identifier since the request.
        DbBackupError: RDS refuses.
    """
    existing = instances.find(order.target)
    if existing is not None:
        if not is_ours(existing, order.execution):
            raise TargetTakenError(
                f"There is an instance {order.target} that this execution did not make.",
                untouched="It is as it was, and nothing was restored.",
                action='Repeat the request with another "target".',
            )
        return {"begun": False}
    source = _source(order, instances)
    check_restorable(source)
    parameters = adapt(
        restore_parameters(
            source,
            target=order.target,
            moment=None if order.latest else order.restore_time,
            instance_class=order.instance_class,
            execution=order.execution,
        )
    )
    try:
        return {"begun": True, "refused": _restore(parameters, instances)}
    except TargetTakenError:
        existing = instances.find(order.target)
        if existing is None or not is_ours(existing, order.execution):
            raise
        return {"begun": False}  # an earlier call was carried out, and its answer was lost


def _restore(parameters: Mapping[str, Any], instances: Instances) -> str | None:
    """Restore; where that is refused, without what can be set later. Why something had to wait, or None."""
    try:
        instances.restore(parameters)
    except AwsRefusedError as error:
        # What is refused now is the obstacle itself, and no setting that can wait.
        instances.restore(needed_only(parameters))
        return error.what
    return None


def check_status(order: RestoreOrder, *, instances: Instances, limit_seconds: float) -> dict[str, Any]:
    """Whether the restored instance serves, with the password that it was given.

    Raises:
        InstanceFailedError: it is in a status that it does not leave by itself.
        WaitExceededError: it has taken too long.
    """
    instance = instances.find(order.target)
    status = "not there yet" if instance is None else str(instance.get("DBInstanceStatus"))
    if instance is not None:
        refuse_final(instance, order)
    pending = (instance or {}).get("PendingModifiedValues") or {}
    if instance is not None and status in USABLE and "MasterUserPassword" not in pending:
        endpoint = instance.get("Endpoint") or {}
        return {"done": True, "status": status, "host": endpoint.get("Address"), "port": port_of(instance)}
    if order.elapsed_seconds > limit_seconds:
        raise WaitExceededError(
            f"After {format_seconds(order.elapsed_seconds)} {order.target} is still {status}.",
            untouched="Production is as it was.",
            action="Repeat the same request when it is available: it goes on from there. Raise "
            "restore.time_limit_minutes if the database always needs longer.",
        )
    return {"done": False, "status": status}


def refuse_final(instance: Instance, order: RestoreOrder) -> None:
    """Stop where there is nothing more to wait for.

    Raises:
        InstanceFailedError: the instance is in a status that it does not leave by itself.
    """
    status = instance.get("DBInstanceStatus")
    if status in FINAL:
        raise InstanceFailedError(
            f"{order.target} ended in the status {status}.",
            untouched="Production is as it was.",
            action="The events of the instance say why: aws rds describe-events --source-type db-instance "
            f"--source-identifier {order.target}. Then repeat the request; it is tried anew.",
        )


def seal(order: RestoreOrder, *, instances: Instances) -> dict[str, Any]:
    """Mark the instance as verified: what it was made by is what has verified it.

    Raises:
        DbBackupError: RDS refuses.
    """
    restored = restored_instance(order, instances)
    instances.tag(restored, {TAG_VERIFIED: tags_of(restored)[TAG_EXECUTION]})
    return {"verified": True}


def protect(order: RestoreOrder, *, instances: Instances) -> dict[str, Any]:
    """Protect the instance from deletion as its source is, and where there is no source any more.

    Raises:
        DbBackupError: RDS refuses.
    """
    source, restored = instances.find(order.source), restored_instance(order, instances)
    if restored.get("DeletionProtection") or (source is not None and not source.get("DeletionProtection")):
        return {"protected": False}
    instances.modify(order.target, {"DeletionProtection": True})
    return {"protected": True}


def _source(order: RestoreOrder, instances: Instances) -> Instance:
    source = instances.find(order.source)
    if source is None:
        raise SourceMissingError(
            f"There is no instance {order.source} any more.",
            untouched="Nothing more was changed.",
            action="Find out who removed or renamed it.",
        )
    return source


def restored_instance(order: RestoreOrder, instances: Instances) -> Instance:
    """The instance that this execution, or an earlier one for the same request, made.

    Raises:
        InstanceMissingError: it is not there, or another has its name.
    """
    restored = instances.find(order.target)
    if restored is None or not is_ours(restored, order.execution):
        raise InstanceMissingError(
            f"{order.target} is not there any more, or not the one that this execution made.",
            untouched="Production is as it was.",
            action="Find out who removed or replaced it, and repeat the request.",
        )
    return restored
