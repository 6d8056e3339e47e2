"""What the state of a finished execution says, as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dbbackup.contract_rehearsal import PLANE_FIELD, plane_result
from dbbackup.core.evidence import Evidence, Plane

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
    ended = tuple(plane.model_copy(update={"removed": gone}) for plane in planes)
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
