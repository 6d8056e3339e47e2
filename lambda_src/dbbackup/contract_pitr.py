"""Names of point-in-time recovery that the infrastructure and the running code must agree on.

Standard library only, like :mod:`dbbackup.contract`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class PitrEnvKey(StrEnum):
    """Environment variables of the functions of point-in-time recovery, besides those of :class:`EnvKey`."""

    SOURCE = "PITR_SOURCE"
    """Identifier of the production instance: what is restored from, and what a restored instance replaces."""
    MACHINE_ARN = "PITR_MACHINE_ARN"
    """ARN of the state machine that an entry point starts."""
    PROMOTION_MACHINE_ARN = "PITR_PROMOTION_MACHINE_ARN"
    """ARN of the state machine that renames instances."""
    TOPIC_ARN = "PITR_TOPIC_ARN"
    """ARN of the topic that hears how a recovery ended; empty for none."""
    TIME_LIMIT_SECONDS = "PITR_TIME_LIMIT_SECONDS"
    """Seconds from the start of a restore until it is given up."""
    RENAME_LIMIT_SECONDS = "PITR_RENAME_LIMIT_SECONDS"
    """Seconds from the start of a promotion until it is undone."""
    OBJECTIVE_SECONDS = "PITR_OBJECTIVE_SECONDS"
    """Recovery time objective in seconds, which reports compare with."""
    KEEP_FAILED = "PITR_KEEP_FAILED"
    """``true`` to keep also an instance that RDS gave up while making it; one that has served is always kept."""
    VERIFY_TABLES = "PITR_VERIFY_TABLES"
    """JSON array of ``{"database", "table", "timestamp_column"}`` whose newest rows are looked at."""


class PitrStep(StrEnum):
    """Tasks of the state machine that restores, as its payloads name them."""

    RESTORE = "restore"
    STATUS = "status"
    MATCH_SETTINGS = "match-settings"
    SET_PASSWORD = "set-password"  # noqa: S105 - the name of a step
    SEAL = "seal"
    PROTECT = "protect"
    REPORT = "report"
    CLEAN_UP = "clean-up"


class SwapStep(StrEnum):
    """Tasks of the state machine that renames, as its payloads name them."""

    CHECK = "check"
    SET_PASSWORD = "set-password"  # noqa: S105 - the name of a step
    PASSWORD_STATUS = "password-status"  # noqa: S105 - the name of a step
    MOVE_ASIDE = "move-aside"
    ASIDE_STATUS = "aside-status"
    MOVE_IN = "move-in"
    IN_STATUS = "in-status"
    MARK = "mark"
    FINISH = "finish"
    UNDO = "undo"
    REPORT_FAILURE = "report-failure"


class VerifyStep(StrEnum):
    """Tasks of the function inside the VPC."""

    VERIFY = "verify"
    LOG_IN = "log-in"


class Repeated(StrEnum):
    """Codes of failures that the state machines repeat a task after."""

    THROTTLED = "throttled"
    INSTANCE_BUSY = "instance-busy"
    UNREACHABLE = "aws-unreachable"
    CONNECTION = "connection"
    """A new endpoint's name and password take a while to be known everywhere."""
    STORAGE = "storage"


class PayloadField(StrEnum):
    """Fields of what a state machine hands to a function."""

    STEP = "step"
    EXECUTION = "execution"
    EXECUTION_ARN = "execution_arn"
    STARTED = "started"
    NOW = "now"
    STATE = "state"


class PitrMetric(StrEnum):
    """Metrics of point-in-time recovery, with the dimensions ``service``, ``Environment`` and ``Instance``."""

    SUCCESS = "PointInTimeRecoverySuccess"
    """1 for a verified instance, 0 for a failed run. Unit Count."""
    FAILURE = "PointInTimeRecoveryFailure"
    """1 for a failed run, 0 for a verified instance. Unit Count."""
    RECOVERY_TIME = "RecoveryTimeSeconds"
    """From the start of the execution to the report on a verified instance. Unit Seconds."""
    RECOVERY_POINT = "RecoveryPointSeconds"
    """How far the data of a restore to the latest moment lies behind the start of the execution. No data for a restore
    to a chosen moment: that distance is what was asked for. Unit Seconds."""
    DIFFERENCES = "PointInTimeRecoveryDifferences"
    """In how many settings a verified instance is not as its source, as AWS refused or RDS chose. Unit Count."""


INSTANCE_DIMENSION: Final = "Instance"
"""Dimension of :class:`PitrMetric`: the production instance."""

TAG_ROLE: Final = "dbbackup:role"
"""Tag of an instance: what it is to us. Deleting is allowed on :data:`ROLE_RESTORED` only."""
ROLE_RESTORED: Final = "restored"
ROLE_PRODUCTION: Final = "production"
ROLE_REPLACED: Final = "replaced"
TAG_EXECUTION: Final = "dbbackup:execution"
"""Tag: name of the execution that made the instance."""
TAG_VERIFIED: Final = "dbbackup:verified"
"""Tag: name of the execution that verified the instance; without it nothing is promoted."""
TAG_RESTORE_TIME: Final = "dbbackup:restore-time"
"""Tag: the moment that the instance was restored to, ISO 8601 in UTC, or ``latest``."""
TAG_RESTORED_AS: Final = "dbbackup:restored-as"
"""Tag of a restored instance: the identifier that it was restored under, whatever it is called now."""
TAG_REPLACED: Final = "dbbackup:replaced"
"""Tag of a promoted instance: where the instance that it replaced is now."""
TAG_KEEP: Final = "dbbackup:keep"
"""Tag that only people set: whatever its value, the instance is never marked, changed or deleted by a restore."""
OUR_TAGS: Final = "dbbackup:"

HANDLER_PITR: Final = "dbbackup.handlers.pitr.handler"
HANDLER_PITR_STEP: Final = "dbbackup.handlers.pitr_step.handler"
HANDLER_PITR_VERIFY: Final = "dbbackup.handlers.pitr_verify.handler"
HANDLER_PITR_PROMOTE: Final = "dbbackup.handlers.pitr_promote.handler"
HANDLER_PITR_SWAP: Final = "dbbackup.handlers.pitr_swap.handler"
"""Container commands of the five functions."""
