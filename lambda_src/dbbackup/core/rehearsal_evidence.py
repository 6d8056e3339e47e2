"""What the state of a finished execution says, as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dbbackup.contract_rehearsal import PLANE_FIELD, PLANE_POINT_IN_TIME, plane_result
from dbbackup.core.evidence import Evidence, Plane, Unlike

LONGEST_FAILURE: Final = 2000
"""Characters of a failure that are worth a year's lock."""


def evidence_of(
    state: Mapping[str, Any],
    *,
    server: str,
    databases: Sequence[str],
    started: datetime,
    finished: datetime,
    failures: Sequence[str],
    unmatched: str | None,
    software_version: str,
    template_version: str | None,
) -> Evidence:
    """Put the document together.

    Args:
        state: the state of the machine; it holds the planes that were rehearsed, and whether the instance is gone.
        server: what to call the production instance.
        databases: all that were to be rehearsed, in their order.
        started: when the execution began.
        finished: when its last task began.
        failures: what kept the rehearsal from its end, in order.
        unmatched: why the settings of the source could not be given to the temporary instance at all.
        software_version: of the running code.
        template_version: of what it was deployed from.
    """
    gone = bool((state.get("gone") or {}).get("gone"))
    planes = [
        Plane.model_validate(answer[PLANE_FIELD])
        for number in range(len(databases) + 1)
        if (answer := state.get(plane_result(number))) is not None
    ]
    # A scratch database goes with the instance that it was on.
    unlike = _unlike(state, unmatched)
    ended = tuple(
        plane.model_copy(update={"removed": gone, "unlike": unlike if plane.kind == PLANE_POINT_IN_TIME else ()})
        for plane in planes
    )
    missing = len(databases) + 1 - len(planes)
    reasons = [*failures]
    if missing and not reasons:
        reasons.append(f"{missing} of {len(databases) + 1} planes were not rehearsed")
    return Evidence(
        database=", ".join(databases),
        databases=tuple(databases) if len(databases) > 1 else (),
        server=server,
        started_at=started,
        finished_at=finished,
        planes=ended,
        failure=" ".join(reasons)[:LONGEST_FAILURE] or None,
        software_version=software_version,
        template_version=template_version,
    )


def _unlike(state: Mapping[str, Any], unmatched: str | None) -> tuple[Unlike, ...]:
    """In what the temporary instance was not as its source; that is no failure, and worth knowing before the day."""
    if unmatched:
        return (Unlike(setting="all", source="not compared", restored="not compared", why=unmatched),)
    return tuple(
        Unlike(
            setting=each["setting"],
            source=str(each["source"]),
            restored=str(each["restored"]),
            why=each.get("why"),
        )
        for each in (state.get("matched") or {}).get("differences") or ()
    )


def problems_of(evidence: Evidence) -> list[str]:
    """Why a rehearsal did not pass, for people."""
    found = [evidence.failure] if evidence.failure else []
    for plane in evidence.planes:
        found += [
            f"{plane.kind}: {check.name}: expected {check.expected}, found {check.found}."
            for check in plane.checks
            if not check.passed
        ]
        if not plane.removed:
            found.append(f"{plane.kind}: {plane.restored_into} may still be there.")
    return found


def unlike_of(evidence: Evidence) -> list[str]:
    """In what the restored instance was not as its source, for people."""
    return [
        f"{each.setting}: {each.restored} for {each.source}" + (f" ({each.why})" if each.why else "")
        for plane in evidence.planes
        for each in plane.unlike
    ]
