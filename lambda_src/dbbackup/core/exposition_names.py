"""Names of what Prometheus is told, after its conventions: base units, and the unit at the end of the name.

Two files of one machine must never hold the same series, or node_exporter exposes neither. So every sample says where
it was learned: at the end of a run, or by looking a store through.

https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RUN: Final = "run"
"""Value of the label ``source`` for what a run told about itself; otherwise it is the store that was looked through."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric."""

    name: str
    help: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What is told of one kind of work."""

    last_run: Family
    last_run_success: Family
    failure: Family
    last_success: Family
    recovery_point: Family
    duration: Family
    rows: Family
    tables: Family

    @property
    def families(self) -> tuple[Family, ...]:
        """All of them, in the order they are written."""
        return (
            self.last_run,
            self.last_run_success,
            self.failure,
            self.last_success,
            self.recovery_point,
            self.duration,
            self.rows,
            self.tables,
        )


def _work(kind: str, labels: tuple[str, ...]) -> Work:
    prefix = f"dbbackup_{kind}"
    good = f"the newest {kind} that succeeded"
    return Work(
        Family(f"{prefix}_last_run_timestamp_seconds", f"When the last {kind} ended, well or not.", labels),
        Family(f"{prefix}_last_run_success", f"1 where the last {kind} succeeded, 0 where it failed.", labels),
        Family(f"{prefix}_last_run_failure_info", f"1: the last {kind} failed with this error.", (*labels, "error")),
        Family(f"{prefix}_last_success_timestamp_seconds", f"When {good} was finished.", labels),
        Family(f"{prefix}_recovery_point_timestamp_seconds", f"The moment whose data {good} holds.", labels),
        Family(f"{prefix}_duration_seconds", f"How long {good} took.", labels),
        Family(f"{prefix}_rows", f"Rows in {good}, as counted.", labels),
        Family(f"{prefix}_tables", f"Tables in {good}.", labels),
    )


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is told of point-in-time recoveries, which are of an instance and not of a database."""

    last_run: Family
    last_run_success: Family
    failure: Family
    last_success: Family
    duration: Family
    recovery_time: Family
    recovery_point: Family
    recovery_point_age: Family
    differences: Family

    @property
    def families(self) -> tuple[Family, ...]:
        """All of them, in the order they are written."""
        return (
            self.last_run,
            self.last_run_success,
            self.failure,
            self.last_success,
            self.duration,
            self.recovery_time,
            self.recovery_point,
            self.recovery_point_age,
            self.differences,
        )


def _recovery(labels: tuple[str, ...]) -> Recovery:
    prefix, kind = "dbbackup_pitr", "point-in-time recovery"
    good = f"the newest {kind} that succeeded"
    return Recovery(
        Family(f"{prefix}_last_run_timestamp_seconds", f"When the last {kind} ended, well or not.", labels),
        Family(f"{prefix}_last_run_success", f"1 where the last {kind} succeeded, 0 where it failed.", labels),
        Family(f"{prefix}_last_run_failure_info", f"1: the last {kind} failed with this error.", (*labels, "error")),
        Family(f"{prefix}_last_success_timestamp_seconds", f"When {good} was finished.", labels),
        Family(f"{prefix}_duration_seconds", f"How long {good} took.", labels),
        Family(f"{prefix}_recovery_time_seconds", f"From the start to a verified instance, in {good}.", labels),
        Family(f"{prefix}_recovery_point_timestamp_seconds", f"The moment whose data {good} holds.", labels),
        Family(
            f"{prefix}_recovery_point_age_seconds",
            f"Age of the data of {good} when it began, where the latest was asked for: what would have been lost.",
            labels,
        ),
        Family(f"{prefix}_differences", f"Settings in which the instance of {good} is not as its source.", labels),
    )


# The label "instance" is the scraped machine's, so a server is not called that.
_OF_DATABASE: Final = ("server", "database", "source")
_OF_BACKUP: Final = ("server", "database", "tier", "source")
_OF_PLANE: Final = ("server", "database", "source", "plane")
_OF_STORE: Final = ("source",)

BACKUP: Final = _work("backup", _OF_BACKUP)
RESTORE: Final = _work("restore", _OF_DATABASE)
REHEARSAL: Final = _work("rehearsal", _OF_DATABASE)
RECOVERY: Final = _recovery(("system", "operation", "source"))

SIZE: Final = Family("dbbackup_backup_size_bytes", "Size of the newest backup's archive.", _OF_BACKUP)
DATABASE_SIZE: Final = Family(
    "dbbackup_backup_database_size_bytes", "Size of the database when the newest backup was taken.", _OF_BACKUP
)
VERIFIED: Final = Family(
    "dbbackup_backup_verified_timestamp_seconds", "When the newest backup was read back and found whole.", _OF_BACKUP
)
RECOVERY_TIME: Final = Family(
    "dbbackup_rehearsal_recovery_time_seconds",
    "From the start of the restore to a compared database, in the newest rehearsal that succeeded.",
    _OF_PLANE,
)
RECOVERY_POINT_AGE: Final = Family(
    "dbbackup_rehearsal_recovery_point_age_seconds",
    "Age of the data that was got back when the newest rehearsal that succeeded began: what would have been lost.",
    _OF_PLANE,
)
BACKUPS: Final = Family("dbbackup_catalog_backups", "Backups whose archive is there as it was verified.", _OF_BACKUP)
UNSOUND: Final = Family(
    "dbbackup_catalog_unsound_backups", "Manifests whose archive is gone or of another size.", _OF_BACKUP
)
STORED: Final = Family("dbbackup_catalog_size_bytes", "Size of all archives of backups.", _OF_BACKUP)
UNMANIFESTED: Final = Family(
    "dbbackup_catalog_unmanifested_archives", "Archives without a manifest, which are no backups.", _OF_STORE
)
UNREADABLE: Final = Family("dbbackup_catalog_unreadable_manifests", "Manifests that cannot be read.", _OF_STORE)
EVIDENCE_PROBLEMS: Final = Family(
    "dbbackup_catalog_evidence_problems", "Evidence of rehearsals that is altered, missing or unreadable.", _OF_STORE
)
RESTORABLE: Final = Family(
    "dbbackup_instance_latest_restorable_timestamp_seconds",
    "The latest moment that RDS could restore the instance to.",
    ("server",),
)
READ: Final = Family("dbbackup_catalog_read_timestamp_seconds", "When the store was looked through.", _OF_STORE)

FAMILIES: Final = (
    *BACKUP.families,
    SIZE,
    DATABASE_SIZE,
    VERIFIED,
    *RESTORE.families,
    *REHEARSAL.families,
    RECOVERY_TIME,
    RECOVERY_POINT_AGE,
    *RECOVERY.families,
    BACKUPS,
    UNSOUND,
    STORED,
    UNMANIFESTED,
    UNREADABLE,
    EVIDENCE_PROBLEMS,
    READ,
    RESTORABLE,
)
"""Every metric there is. A help text may not change lightly: it must be the same in all files of one machine."""
