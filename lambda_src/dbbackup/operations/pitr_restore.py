"""The steps of a restore to a point in time. Each may be repeated: it looks at what is there before it acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dbbackup.contract_pitr import TAG_EXECUTION, TAG_VERIFIED
from dbbackup.core.pitr_errors import (
    InstanceFailedError,
    InstanceMissingError,
    SourceMissingError,
    TargetTakenError,
    WaitExceededError,
)
from dbbackup.core.pitr_parity import Difference, differences, settings_to_match
from dbbackup.core.pitr_plan import check_restorable, port_of, restore_parameters, tags_of
from dbbackup.core.pitr_ports import Instance, Instances
from dbbackup.core.units import format_seconds

FINAL_STATUSES: Final = frozenset(
    {
        *("failed", "restore-error", "storage-full", "insufficient-capacity", "stopped", "stopping", "deleting"),
        *("incompatible-create", "incompatible-network", "incompatible-option-group", "incompatible-parameters"),
        *("incompatible-restore", "inaccessible-encryption-credentials"),
        "inaccessible-encryption-credentials-recoverable",
    }
)
"""Statuses that an instance does not leave by itself.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
"""


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
    """Whether this execution made the instance."""
    return tags_of(instance).get(TAG_EXECUTION) == execution


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
    instances.restore(
        adapt(
            restore_parameters(
                source,
                target=order.target,
                moment=None if order.latest else order.restore_time,
                instance_class=order.instance_class,
                execution=order.execution,
            )
        )
    )
    return {"begun": True}


def check_status(order: RestoreOrder, *, instances: Instances, limit_seconds: float) -> dict[str, Any]:
    """Whether the restored instance is available and nothing is pending.

    Raises:
        InstanceFailedError: it is in a status that it does not leave by itself.
        WaitExceededError: it has taken too long.
    """
    instance = instances.find(order.target)
    status = "not there yet" if instance is None else str(instance.get("DBInstanceStatus"))
    if status in FINAL_STATUSES:
        raise InstanceFailedError(
            f"{order.target} ended in the status {status}.",
            untouched="Production is as it was.",
            action="The events of the instance say why: aws rds describe-events --source-type db-instance "
            f"--source-identifier {order.target}. Then repeat the request; it is tried anew.",
        )
    if instance is not None and status == "available" and not instance.get("PendingModifiedValues"):
        endpoint = instance.get("Endpoint") or {}
        return {"done": True, "status": status, "host": endpoint.get("Address"), "port": port_of(instance)}
    if order.elapsed_seconds > limit_seconds:
        raise WaitExceededError(
            f"After {format_seconds(order.elapsed_seconds)} {order.target} is still {status}.",
            untouched="Production is as it was.",
            action="Raise restore.time_limit_minutes if the database needs longer, and repeat the request.",
        )
    return {"done": False, "status": status}


def match_settings(order: RestoreOrder, *, instances: Instances) -> dict[str, Any]:
    """Change what a restore cannot set.

    Raises:
        DbBackupError: RDS refuses.
    """
    source, restored = _source(order, instances), _restored(order, instances)
    changes = settings_to_match(source, restored)
    if changes:
        instances.modify(order.target, changes)
    return {"changed": sorted(changes)}


def set_password(order: RestoreOrder, *, instances: Instances, read_password: Callable[[], str]) -> dict[str, Any]:
    """Give the restored instance, which has the password of then, the password of now.

    Raises:
        DbBackupError: the secret cannot be read, or RDS refuses.
    """
    _restored(order, instances)
    instances.set_password(order.target, read_password())
    return {"set": True}


def seal(order: RestoreOrder, *, instances: Instances) -> dict[str, Any]:
    """Mark the instance as verified, and protect it from deletion as its source is.

    Raises:
        DbBackupError: RDS refuses.
    """
    source, restored = _source(order, instances), _restored(order, instances)
    if source.get("DeletionProtection") and not restored.get("DeletionProtection"):
        instances.modify(order.target, {"DeletionProtection": True})
    instances.tag(restored, {TAG_VERIFIED: order.execution})
    return {"verified": True}


def remaining_differences(order: RestoreOrder, *, instances: Instances) -> list[Difference]:
    """In what the restored instance differs from its source, but for the class that was asked for.

    Raises:
        DbBackupError: RDS does not answer.
    """
    found = differences(_source(order, instances), _restored(order, instances))
    return [each for each in found if not (each.setting == "DBInstanceClass" and each.restored == order.instance_class)]


def _source(order: RestoreOrder, instances: Instances) -> Instance:
    source = instances.find(order.source)
    if source is None:
        raise SourceMissingError(
            f"There is no instance {order.source} any more.",
            untouched="Nothing more was changed.",
            action="Find out who removed or renamed it.",
        )
    return source


def _restored(order: RestoreOrder, instances: Instances) -> Instance:
    restored = instances.find(order.target)
    if restored is None or not is_ours(restored, order.execution):
        raise InstanceMissingError(
            f"{order.target} is not there any more, or not the one that this execution made.",
            untouched="Production is as it was.",
            action="Find out who removed or replaced it, and repeat the request.",
        )
    return restored
