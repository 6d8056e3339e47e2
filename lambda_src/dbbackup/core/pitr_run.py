"""How a point-in-time recovery ended, as whoever asked for it can tell: from what Step Functions says of its run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from dbbackup.core.error_codes import ERRORS
from dbbackup.core.errors import DbBackupError
from dbbackup.core.pitr_errors import ExecutionFailedError

RESTORE: Final = "restore"
_MACHINE: Final = re.compile(r"(?P<system>.+)-pitr(?P<swap>-promote)?")
_RUNNING: Final = frozenset({"RUNNING", "PENDING_REDRIVE"})


@dataclass(frozen=True, slots=True)
class RecoveryRun:
    """One end of one recovery. Durations are in seconds; what is not known, or does not apply, is None.

    Attributes:
        system: name and environment that the stacks begin with.
        operation: ``restore``, ``promote`` or ``rollback``.
        at: when it ended.
        error: code of the failure; None where it succeeded.
        duration_seconds: from its start to its end.
        recovery_time_seconds: of a restore, what its report says was achieved.
        recovery_point: of a restore, the moment whose data the instance holds.
        recovery_point_age_seconds: how far that lay behind the start. Of restores to the latest moment alone: of a
            chosen one it is what was asked for.
        differences: of a restore, in how many settings the instance is not as its source.
    """

    system: str
    operation: str
    at: datetime
    error: str | None = None
    duration_seconds: float | None = None
    recovery_time_seconds: float | None = None
    recovery_point: datetime | None = None
    recovery_point_age_seconds: float | None = None
    differences: int | None = None


def run_of(document: Mapping[str, Any]) -> RecoveryRun | None:
    """The end of an execution; None where it has none yet, or is of another machine.

    Args:
        document: answer of DescribeExecution.
            https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
    """
    parts = str(document.get("executionArn", "")).split(":")
    machine = _MACHINE.fullmatch(parts[-2]) if len(parts) > 1 else None
    if machine is None or document["status"] in _RUNNING:
        return None
    asked = json.loads(document.get("input") or "{}")
    operation = str(asked.get("action", "promote")) if machine["swap"] else RESTORE
    end: datetime = document.get("stopDate") or datetime.now(UTC)
    if document["status"] != "SUCCEEDED":
        return RecoveryRun(machine["system"], operation, end, error=failure_of(document).code)
    report = json.loads(document.get("output") or "{}")
    point = report.get("recovery_point")
    return RecoveryRun(
        machine["system"],
        operation,
        end,
        duration_seconds=(end - document["startDate"]).total_seconds(),
        recovery_time_seconds=report.get("recovery_time_seconds"),
        recovery_point=datetime.fromisoformat(point) if point else None,
        differences=len(report["differences"]) if "differences" in report else None,
        recovery_point_age_seconds=(
            report.get("recovery_point_age_seconds") if report.get("recovery_point_is_at_least") else None
        ),
    )


def failure_of(document: Mapping[str, Any]) -> type[DbBackupError]:
    """The kind of failure that an execution ended with; what is none of ours is that the execution failed."""
    return ERRORS.get(str(document.get("error")), ExecutionFailedError)
