"""Makes a restored instance like its source, as far as AWS lets us: what is refused is a difference, and no failure.

The same step in a restore and in a rehearsal, so that a rehearsal finds what would be refused on the day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from dbbackup.core.instance_status import SETTLED
from dbbackup.core.pitr_errors import AwsRefusedError, InstanceBusyError
from dbbackup.core.pitr_parity import Difference, differences, settings_to_match
from dbbackup.core.pitr_ports import Instance, Instances
from dbbackup.operations.pitr_restore import RestoreOrder, refuse_final, restored_instance

LONGEST: Final = timedelta(minutes=15)
"""How long the settings may keep people from their data."""


def match_settings(
    order: RestoreOrder, *, instances: Instances, before: Mapping[str, Any], meant: Collection[str] = ()
) -> dict[str, Any]:
    """One look at what differs, and the order to change it; to be repeated until ``done``.

    Args:
        order: whose.
        instances: RDS.
        before: what this answered the time before; empty at first.
        meant: settings that are not meant to be as the source has them.

    Returns:
        ``done``, when it began, what was sent, what was refused and why, and in the end what still differs.

    Raises:
        InstanceFailedError: the instance is in a status that it does not leave by itself.
        DbBackupError: RDS does not answer.
    """
    known = {"since": order.now.isoformat(), "sent": [], "refused": {}, **before}
    refused, sent = dict(known["refused"]), list(known["sent"])
    restored, source = restored_instance(order, instances), instances.find(order.source)
    refuse_final(restored, order)
    late = order.now - datetime.fromisoformat(known["since"]) > LONGEST
    if source is None or late:
        left = f"there is no {order.source} any more" if source is None else "the instance took no more orders in time"
        return _end(known, order, restored, source, refused, left=left, meant=meant)
    wanted = {
        setting: parameters
        for setting, parameters in settings_to_match(source, restored).items()
        if setting not in (*sent, *refused, *meant)
    }
    if restored.get("DBInstanceStatus") not in SETTLED:
        return {**known, "done": False}
    if not wanted:
        return _end(known, order, restored, source, refused, left=None, meant=meant)
    accepted, denied = _send(order.target, wanted, instances)
    return {**known, "done": False, "sent": [*sent, *accepted], "refused": {**refused, **denied}}


def _send(
    target: str, wanted: Mapping[str, Mapping[str, Any]], instances: Instances
) -> tuple[list[str], dict[str, str]]:
    """All at once; where that is refused, each by itself. Which were accepted, and why others were not."""
    together = {name: value for parameters in wanted.values() for name, value in parameters.items()}
    try:
        instances.modify(target, together)
    except InstanceBusyError:
        return [], {}
    except AwsRefusedError as error:
        if len(wanted) == 1:
            return [], dict.fromkeys(wanted, error.what)
    else:
        return list(wanted), {}
    accepted: list[str] = []
    refused: dict[str, str] = {}
    for setting, parameters in wanted.items():
        try:
            instances.modify(target, parameters)
        except InstanceBusyError:
            break  # with the one before; the rest has its turn at the next look
        except AwsRefusedError as error:
            refused[setting] = error.what
        else:
            accepted.append(setting)
    return accepted, refused


def _end(
    known: Mapping[str, Any],
    order: RestoreOrder,
    restored: Instance,
    source: Instance | None,
    refused: Mapping[str, str],
    *,
    left: str | None,
    meant: Collection[str],
) -> dict[str, Any]:
    found = [] if source is None else differences_of(order, source, restored, refused, left=left, meant=meant)
    return {
        **known,
        "done": True,
        "refused": dict(refused),
        "left": left,
        "differences": [each.as_dict() for each in found],
    }


def differences_of(
    order: RestoreOrder,
    source: Instance,
    restored: Instance,
    refused: Mapping[str, str],
    *,
    left: str | None,
    meant: Collection[str] = (),
) -> list[Difference]:
    """In what a restored instance is not as its source although it was meant to be, and why where we know.

    Args:
        order: whose.
        source: what it was restored from.
        restored: the instance.
        refused: for a setting, what AWS said.
        left: why others were not set; None where nothing is known.
        meant: settings that are not meant to be as the source has them.
    """
    asked = {"DBInstanceClass"} if order.instance_class == restored.get("DBInstanceClass") else set()
    return [
        Difference(each.setting, each.source, each.restored, refused.get(each.setting, left))
        for each in differences(source, restored)
        if each.setting not in {*asked, *meant}
    ]
