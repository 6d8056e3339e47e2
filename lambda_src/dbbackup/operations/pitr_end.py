"""How a restore to a point in time ends: with a report, or with everything tidied up and the reason told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dbbackup.contract_notification import Kind, Outcome
from dbbackup.contract_pitr import ROLE_RESTORED, TAG_ROLE, TAG_VERIFIED
from dbbackup.core.errors import DbBackupError
from dbbackup.core.notification import Failure, Notification
from dbbackup.core.pitr_plan import tags_of
from dbbackup.core.pitr_ports import Instances, Topic
from dbbackup.core.units import format_seconds, format_time
from dbbackup.operations.pitr_restore import RestoreOrder, is_ours, remaining_differences


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
    verification: Mapping[str, Any],
    host: str | None,
    objective_seconds: float,
) -> dict[str, Any]:
    """Put together what was achieved, and tell people.

    Raises:
        DbBackupError: RDS does not answer.
    """
    found = remaining_differences(order, instances=instances)
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
        "differences": [each.as_dict() for each in found],
        "verification": dict(verification),
    }
    lines = [
        f"{order.target} is {order.source} as it was at {format_time(order.restore_time)}"
        + (" or a little later." if order.latest else "."),
        f"It took {format_seconds(achieved)} (objective {format_seconds(objective_seconds)}).",
        f"Tables: {verification.get('tables')}. Newest row looked at: {verification.get('newest_row') or 'none'}.",
        *[f"Differs from {order.source}: {each.setting}: {each.restored} for {each.source}." for each in found],
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


def clean_up(
    order: RestoreOrder, *, failure: Mapping[str, Any], instances: Instances, topic: Topic, keep: bool
) -> dict[str, str]:
    """Remove what this execution made, or name it, and tell people why it failed.

    Raises:
        InstanceBusyError: the instance cannot be deleted in its present state; repeat later.
        DbBackupError: RDS refuses.
    """
    reason = reason_of(failure)
    left = _removed(order, instances, keep=keep)
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


def _removed(order: RestoreOrder, instances: Instances, *, keep: bool) -> str:
    instance = instances.find(order.target)
    if instance is None:
        return f"There is no instance {order.target}: nothing is left over."
    tags = tags_of(instance)
    if not is_ours(instance, order.execution) or tags.get(TAG_ROLE) != ROLE_RESTORED:
        return f"The instance {order.target} was not made by this execution and was left alone."
    if keep or tags.get(TAG_VERIFIED) == order.execution:
        why = "it had passed its verification" if not keep else "the settings keep what failed"
        return f"The instance {order.target} was kept, as {why}; delete it when nobody needs it, as it costs money."
    if instance.get("DBInstanceStatus") != "deleting":
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
