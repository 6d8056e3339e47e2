"""Names of the rehearsal that the infrastructure and the running code must agree on.

Standard library only, like :mod:`dbbackup.contract`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from dbbackup.contract import SERVICE, Dimension
from dbbackup.contract_pitr import INSTANCE_DIMENSION


class RehearsalEnvKey(StrEnum):
    """Environment variables of the functions of the rehearsal, besides those of :class:`dbbackup.contract.EnvKey`."""

    SOURCE = "REHEARSAL_SOURCE"
    """Identifier of the production instance, which is read from and never written to."""
    MACHINE_ARN = "REHEARSAL_MACHINE_ARN"
    """ARN of the state machine, to see whether another rehearsal is running."""
    TOPIC_ARN = "REHEARSAL_TOPIC_ARN"
    """ARN of the topic that hears how a rehearsal ended; empty for none."""
    INSTANCE_CLASS = "REHEARSAL_INSTANCE_CLASS"
    """Class of the temporary instance; empty for production's."""
    TIME_LIMIT_SECONDS = "REHEARSAL_TIME_LIMIT_SECONDS"
    """Seconds from the start until the temporary instance is given up."""
    REMOVAL_LIMIT_SECONDS = "REHEARSAL_REMOVAL_LIMIT_SECONDS"
    """Seconds that its removal is waited for; then the evidence says that it is still there."""
    OBJECTIVE_SECONDS = "REHEARSAL_OBJECTIVE_SECONDS"
    """Recovery time objective in seconds, which reports compare with."""
    VERIFY_TABLES = "REHEARSAL_VERIFY_TABLES"
    """JSON array of ``{"database", "table", "timestamp_column"}`` whose newest rows are looked at."""
    CHECKS = "REHEARSAL_CHECKS"
    """JSON array of ``{"database", "name", "statement"}``: questions that each restored database must answer well."""
    TEMPLATE_VERSION = "REHEARSAL_TEMPLATE_VERSION"
    """What the templates were made of, for the evidence."""


class RehearsalStep(StrEnum):
    """Tasks of the state machine, as its payloads name them."""

    PLAN = "plan"
    RESTORE = "restore"
    STATUS = "status"
    MATCH_SETTINGS = "match-settings"
    SET_PASSWORD = "set-password"  # noqa: S105 - the name of a step
    VERIFY = "verify"
    DUMP = "dump"
    CLEAN_UP = "clean-up"
    GONE = "gone"
    RECORD = "record"


DATABASE_FIELD: Final = "database"
"""Field of a payload: which database's dump is restored."""
PLANE_FIELD: Final = "plane"
"""What a rehearsed plane is called in an answer; the answers themselves are kept under :func:`plane_result`."""


def plane_result(number: int) -> str:
    """Field of the machine's state with the answer on the plane of this number; 0 is point-in-time recovery."""
    return f"plane_{number}"


class RehearsalMetric(StrEnum):
    """Metrics of rehearsals, with the dimensions of :func:`rehearsal_dimensions`."""

    SUCCESS = "RehearsalSuccess"
    """1 for a rehearsal that passed, 0 for one that failed. Unit Count."""
    FAILURE = "RehearsalFailure"
    """1 for a rehearsal that failed, 0 for one that passed. Unit Count."""
    RECOVERY_TIME = "RecoveryTimeSeconds"
    """For each plane: from the start of its restore to a verified database. Unit Seconds."""
    RECOVERY_POINT = "RecoveryPointSeconds"
    """For each plane: age of its data when the rehearsal began. Unit Seconds."""
    DIFFERENCES = "RehearsalDifferences"
    """Settings of production that the temporary instance was to get and did not. Unit Count."""
    AGE = "RehearsalAgeDays"
    """Days since the newest rehearsal that passed, by its evidence. No data where none has passed. Unit None."""
    LEFTOVERS = "RehearsalLeftovers"
    """Temporary instances that are older than a day. Unit Count."""


PLANE_DIMENSION: Final = "Plane"
"""Dimension of :attr:`RehearsalMetric.RECOVERY_TIME` and ``RECOVERY_POINT``, besides the others."""
PLANE_DUMP: Final = "dump"
PLANE_POINT_IN_TIME: Final = "point-in-time"


def rehearsal_dimensions(environment: str, instance: str, plane: str | None = None) -> dict[str, str]:
    """All dimensions of a metric, as CloudWatch must be asked for them."""
    return {
        Dimension.SERVICE.value: SERVICE,
        Dimension.ENVIRONMENT.value: environment,
        INSTANCE_DIMENSION: instance,
        **({PLANE_DIMENSION: plane} if plane else {}),
    }


ROLE_REHEARSAL: Final = "rehearsal"
"""Value of :data:`dbbackup.contract_pitr.TAG_ROLE`: a temporary instance, never promoted, removed by its execution."""
NAME_INFIX: Final = "-rehearsal-"
"""Between production's identifier and the time in the identifier of a temporary instance."""
LEFTOVER_HOURS: Final = 24
"""Age at which a temporary instance counts as left over."""
LOCK_DAYS: Final = 365
"""Days that evidence is locked."""
EVIDENCE_PREFIX: Final = "evidence/"
"""Where evidence lies in the bucket."""

HANDLER_REHEARSAL_STEP: Final = "dbbackup.handlers.rehearsal_step.handler"
HANDLER_REHEARSAL_CHECK: Final = "dbbackup.handlers.rehearsal_check.handler"
HANDLER_REHEARSAL_RECORD: Final = "dbbackup.handlers.rehearsal_record.handler"
HANDLER_REHEARSAL_WATCH: Final = "dbbackup.handlers.rehearsal_watch.handler"
"""Container commands of the four functions."""
