"""The temporary instance of a rehearsal: its name, how it differs from a restored one, and what is never touched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dbbackup.contract_pitr import TAG_EXECUTION, TAG_ROLE
from dbbackup.contract_rehearsal import NAME_INFIX, ROLE_REHEARSAL
from dbbackup.core.errors import InvalidRequestError, RefusedError
from dbbackup.core.pitr_names import LONGEST
from dbbackup.core.pitr_plan import tags_of

_TIME: Final = "%Y%m%d%H%M%S"


NOT_AS_PRODUCTION: Final = frozenset(
    {"DBInstanceClass", "DeletionProtection", "EnabledCloudwatchLogsExports", "MultiAZ", "PubliclyAccessible"}
)
"""Settings that :func:`temporary` changes, so nobody makes them like production's or counts them as differences."""


def rehearsal_target(production: str, started: datetime) -> str:
    """``<production>-rehearsal-<YYYYMMDDHHMMSS>``, without the seconds where they do not fit.

    Raises:
        InvalidRequestError: the production identifier leaves no room.
    """
    moment = started.astimezone(UTC).strftime(_TIME)
    for text in (moment, moment[:-2], moment[:-4]):
        name = f"{production}{NAME_INFIX}{text}"
        if len(name) <= LONGEST:
            return name
    raise InvalidRequestError(
        f"The identifier {production} leaves no room for a time in {LONGEST} characters.",
        untouched="Nothing was restored.",
        action="Turn the rehearsal off in the settings, and rehearse by hand.",
    )


def temporary(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a restore to a point in time, changed for an instance that is removed within hours.

    No standby, no way in from outside, no protection, and no log groups that would outlive it. Its role is not that of
    a restored instance, so nothing promotes it.
    """
    tags = [tag for tag in parameters["Tags"] if tag["Key"] != TAG_ROLE]
    changed = {
        **parameters,
        "MultiAZ": False,
        "PubliclyAccessible": False,
        "DeletionProtection": False,
        "Tags": [*tags, {"Key": TAG_ROLE, "Value": ROLE_REHEARSAL}],
    }
    changed.pop("EnableCloudwatchLogsExports", None)
    return changed


def is_temporary(instance: Mapping[str, Any], *, execution: str | None = None) -> bool:
    """Whether an instance is a temporary one, of this execution where one is given."""
    tags = tags_of(instance)
    return tags.get(TAG_ROLE) == ROLE_REHEARSAL and execution in (None, tags.get(TAG_EXECUTION))


def check_host(host: str, *, target: str, production: str, production_host: str) -> str:
    """The host, as it is, where it is the endpoint of the temporary instance.

    Raises:
        RefusedError: it is production's, or nobody knows whose.
    """
    given, first = host.lower().rstrip("."), host.lower().partition(".")[0]
    if given == production_host.lower().rstrip(".") or first == production:
        problem = f"{host} is the production instance"
    elif not target.startswith(f"{production}{NAME_INFIX}") or first != target:
        problem = f"{host} is not the endpoint of a temporary instance of {production}"
    else:
        return host
    raise RefusedError(
        f"A rehearsal was to work on something else than its temporary instance: {problem}.",
        untouched="Nothing was connected to.",
        action="Start rehearsals by their state machine; this function is for that machine alone.",
    )
