"""Whether a restored instance holds what it should, as SQL shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dbbackup.core.pitr_errors import RestoredDataError
from dbbackup.core.pitr_ports import Inspection, RestoredServer, WatchedTable
from dbbackup.core.units import format_time

TOLERANCE: Final = timedelta(minutes=1)
"""How much later than the recovery point a row may be dated: clocks of clients are not the server's."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    expected: str
    found: str
    passed: bool

    def as_dict(self) -> dict[str, Any]:
        """The check for a report."""
        return {"name": self.name, "expected": self.expected, "found": self.found, "passed": self.passed}


def verify_restored(
    server: RestoredServer,
    *,
    target: str,
    databases: Sequence[str],
    watched: Sequence[WatchedTable],
    restore_time: datetime,
    latest: bool,
) -> dict[str, Any]:
    """Connect to each database, count its tables, and look at the newest rows of the watched ones.

    Args:
        server: the restored server.
        target: its identifier, for messages.
        databases: databases that must be there.
        watched: tables and columns whose newest value is looked at.
        restore_time: the moment restored to. No watched row may be dated after it.
        latest: whether the latest restorable time was asked for, which may be later than ``restore_time``.

    Returns:
        Checks, tables, and the newest row with its distance from the recovery point in seconds.

    Raises:
        ConnectionFailedError: the server cannot be reached or does not let us in.
        RestoredDataError: a check did not pass; the message names it.
    """
    checks: list[Check] = []
    inspections: list[Inspection] = []
    for database in databases:
        found = server.inspect(database, [table for table in watched if table.database == database])
        inspections.append(found)
        checks += _of(found, restore_time, latest=latest)
    failed = [check for check in checks if not check.passed]
    if failed:
        problems = "; ".join(f"{check.name}: expected {check.expected}, found {check.found}" for check in failed)
        raise RestoredDataError(
            f"{target} did not pass its verification: {problems}.",
            untouched="Production is as it was.",
            action="Look whether that was so at the time restored to; choose another time, or correct "
            "restore.verify_tables in the settings.",
        )
    newest = max((moment for found in inspections for moment in found.newest.values() if moment), default=None)
    return {
        "checks": [check.as_dict() for check in checks],
        "tables": sum(found.tables for found in inspections),
        "server_version": inspections[0].server_version,
        "newest_row": None if newest is None else newest.astimezone(UTC).isoformat(),
        "newest_row_before_recovery_point_seconds": None
        if newest is None
        else round((restore_time - newest).total_seconds(), 3),
    }


def log_in(server: RestoredServer, *, host: str, databases: Sequence[str]) -> dict[str, Any]:
    """Log in to each database, as whoever has the secret does.

    Raises:
        ConnectionFailedError: the server cannot be reached or does not let us in.
        RestoredDataError: it takes no writes.
    """
    for database in databases:
        if server.inspect(database, []).in_recovery:
            raise RestoredDataError(
                f"{host} takes no writes to {database}: it is in recovery.",
                untouched="No data was changed.",
                action="Wait until it has replayed its log, and ask for the same once more.",
            )
    return {"databases": list(databases)}


def _of(found: Inspection, restore_time: datetime, *, latest: bool) -> list[Check]:
    name = found.database
    checks = [
        Check(f"{name} takes writes", "yes", "no" if found.in_recovery else "yes", not found.in_recovery),
        Check(f"tables of {name}", "1 or more", str(found.tables), found.tables > 0),
    ]
    checks += [Check(f"{name}: {column}", "there", "missing", passed=False) for column in found.missing]
    if not latest:
        for table, newest in found.newest.items():
            reached = newest is None or newest <= restore_time + TOLERANCE
            shown = "no row" if newest is None else format_time(newest)
            checks.append(Check(f"newest row of {name}.{table}", f"up to {format_time(restore_time)}", shown, reached))
    return checks
