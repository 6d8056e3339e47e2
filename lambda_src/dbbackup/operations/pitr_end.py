"""How a restore to a point in time ends: with a report, or with everything tidied up and the reason told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dbbackup.contract_notification import Kind, Outcome
from dbbackup.contract_pitr import ROLE_RESTORED, TAG_EXECUTION, TAG_ROLE, TAG_VERIFIED
from dbbackup.core.errors import DbBackupError
from dbbackup.core.instance_status import WITHOUT_DATA
from dbbackup.core.notification import Failure, Notification
from dbbackup.core.pitr_parity import Difference
from dbbackup.core.pitr_plan import tags_of
from dbbackup.core.pitr_ports import Instance, Instances, Topic
from dbbackup.core.units import format_seconds, format_time
from dbbackup.operations.pitr_match import differences_of
from dbbackup.operations.pitr_restore import RestoreOrder, is_ours, restored_instance


def tell(topic: Topic, subject: str, text: str, notification: Notification) -> str:
    """Tell people; where that fails, say so instead of failing, as the work itself is done."""
    try:
        topic.publish(subject, text, notification)
    except DbBackupError as error:
        return f"not sent: {error.what}"
    return "sent"


def report(
    order: RestoreOrder,
    *,
    instances: Instances,
    topic: Topic,
    state: Mapping[str, Any],
    objective_seconds: float,
) -> dict[str, Any]:
    """Put together what was achieved, and tell people.

    Args:
        order: the order.
        instances: RDS.
        topic: who is told.
        state: of the machine: where the instance is, what was verified, and what could not be set.
        objective_seconds: recovery time objective.

    Raises:
        DbBackupError: RDS does not answer.
    """
    verification, host = state["verification"], state["status"].get("host")
    restored, source = restored_instance(order, instances), instances.find(order.source)
    found = [] if source is None else _found(order, source, restored, state)
    achieved = order.elapsed_seconds
    document = {
        "status": "verified",
        "target": order.target,
        "source": order.source,
        "host": host,
        "recovery_point": format_time(order.restore_time),
        "recovery_point_is_at_least": order.latest,
        "recovery_point_age_seconds": round(max(0.0, (order.started - order.restore_time).total_seconds()), 3),
        "recovery_time_seconds": round(achieved, 3),
        "objective_seconds": objective_seconds,
        "objective_met": achieved <= objective_seconds,
        "compared": source is not None,
        "differences": [each.as_dict() for each in found],
        "verification": dict(verification),
    }
    lines = [
        f"{order.target} is {order.source} as it was at {format_time(order.restore_time)}"
        + (" or a little later." if order.latest else "."),
        f"It took {format_seconds(achieved)} (objective {format_seconds(objective_seconds)}).",
        f"Tables: {verification.get('tables')}. Newest row looked at: {verification.get('newest_row') or 'none'}.",
        *[f"Differs from {order.source}: {each}." for each in found],
        *([] if source else [f"Its settings were compared with nothing, as there is no {order.source} any more."]),
        f"Endpoint: {host}. It costs money until it is promoted or deleted.",
    ]
    notification = Notification(
        kind=Kind.RECOVERY,
        outcome=Outcome.SUCCEEDED,
        instance=order.target,
        duration_seconds=achieved,
        recovery_point=order.restore_time,
        headline=lines[0],
        details=tuple(lines[1:]),
    )
    document["notification"] = tell(topic, f"Restored and verified: {order.target}", "\n".join(lines), notification)
    return document


def _found(order: RestoreOrder, source: Instance, restored: Instance, state: Mapping[str, Any]) -> list[Difference]:
    """What differs, with what the steps before were told."""
    matched = state.get("matched") or {}
    refused = dict(matched.get("refused") or {})
    if failure := state.get("unprotected"):
        refused["DeletionProtection"] = reason_of(failure)["what"]
    if failure := state.get("unmatched"):
        left: str | None = reason_of(failure)["what"]
    else:
        left = matched.get("left") or (state.get("restored") or {}).get("refused")
    return differences_of(order, source, restored, refused, left=left)


def clean_up(
    order: RestoreOrder, *, failure: Mapping[str, Any], served: bool, instances: Instances, topic: Topic, keep: bool
) -> dict[str, str]:
    """Remove what this execution made and what holds nothing, or name it, and tell people why it failed.

    Args:
        order: the order.
        failure: what Step Functions caught.
        served: whether the instance was ever seen to serve: then its data is there, whatever its status is now.
        instances: RDS.
        topic: who is told.
        keep: whether the settings keep what failed.

    Raises:
        InstanceBusyError: the instance cannot be deleted in its present state; repeat later.
        DbBackupError: RDS refuses.
    """
    reason = reason_of(failure)
    left = _removed(order, instances, served=served, keep=keep)
    text = f"{reason['what']}\n{left}\nProduction is as it was."
    notification = Notification(
        kind=Kind.RECOVERY,
        outcome=Outcome.FAILED,
        instance=order.target,
        recovery_point=order.restore_time,
        failure=Failure(error=reason["error"], what=reason["what"], untouched="Production is as it was.", action=left),
    )
    told = tell(topic, f"Restore failed: {order.target}", text, notification)
    return {"error": reason["error"], "cause": f"{reason['what']} {left} Notification: {told}."}


def _removed(order: RestoreOrder, instances: Instances, *, served: bool, keep: bool) -> str:
    instance = instances.find(order.target)
    if instance is None:
        return f"There is no instance {order.target}: nothing is left over."
    tags, status = tags_of(instance), instance.get("DBInstanceStatus")
    if not is_ours(instance, order.execution) or tags.get(TAG_ROLE) != ROLE_RESTORED:
        return f"The instance {order.target} was not made by this execution and was left alone."
    costs = "delete it when nobody needs it, as it costs money."
    if tags.get(TAG_VERIFIED):
        return f"The instance {order.target} was kept, as it had passed its verification; {costs}"
    empty = status in WITHOUT_DATA and not served and tags.get(TAG_EXECUTION) == order.execution
    if not empty and status != "deleting":
        return (
            f"The instance {order.target} was kept, as it is {status} and may hold the data: when the cause is mended, "
            f"the same request goes on with it; or {costs}"
        )
    if keep:
        return f"The instance {order.target} was kept, as the settings keep what failed; {costs}"
    if status != "deleting":
        if instance.get("DeletionProtection"):
            instances.modify(order.target, {"DeletionProtection": False})
        instances.delete(order.target)
    return f"The instance {order.target}, which this execution had made, is being deleted with its backups."


def reason_of(failure: Mapping[str, Any]) -> dict[str, str]:
    """The error that Step Functions caught, as a name and a text.

    A failed function's cause is a JSON document with ``errorMessage``.
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    cause = str(failure.get("Cause", ""))
    try:
        document = json.loads(cause)
    except ValueError:
        document = None
    what = document.get("errorMessage") if isinstance(document, dict) else None
    return {
        "error": str(failure.get("Error") or DbBackupError.code),
        "what": str(what or cause or "No cause was given."),
    }
