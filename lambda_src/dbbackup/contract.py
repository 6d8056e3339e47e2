"""Names that the infrastructure and the running code must agree on.

The stacks write these into templates, the handlers read them at run time; neither spells one by itself.
Standard library only, so that an infrastructure program can import it without the rest of the package.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

SERVICE: Final = "dbbackup"
"""Name of this software in logs, metrics and application names."""


class Tier(StrEnum):
    """Why a backup is taken, which decides where it is kept and for how long."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    PRE_MIGRATION = "pre-migration"
    MANUAL = "manual"


class EnvKey(StrEnum):
    """Environment variables of the backup function: these and no others are set by the infrastructure."""

    BUCKET = "BACKUP_BUCKET"
    """Name of the bucket that receives backups."""
    ENVIRONMENT = "BACKUP_ENVIRONMENT"
    """Name of the deployed environment, for example ``prod``; a dimension of every metric."""
    COMPRESSION = "BACKUP_COMPRESSION"
    """``auto`` (zstd where the client has it, gzip otherwise), ``zstd`` or ``gzip``."""
    COMPRESSION_LEVEL = "BACKUP_COMPRESSION_LEVEL"
    """Compression level, 1 to 9 for gzip and 1 to 22 for zstd."""
    DEADLINE_MARGIN_SECONDS = "BACKUP_DEADLINE_MARGIN_SECONDS"
    """Seconds before the function's time-out at which an unfinished backup is aborted in order."""
    KEPT_DAYS = "BACKUP_KEPT_DAYS"
    """JSON object, :class:`Tier` to the days that its backups are kept: an event for a moment before that is a slip."""
    LOCK = "BACKUP_LOCK"
    """JSON object with ``mode`` and ``days``, :class:`Tier` to the days that its objects are locked from the first on;
    without it the bucket's own default applies."""
    DB_HOST = "DB_HOST"
    """Host name of the PostgreSQL server."""
    DB_PORT = "DB_PORT"
    """TCP port of the PostgreSQL server."""
    DB_NAMES = "DB_NAMES"
    """JSON array of the databases this function may back up; an event without a database means the first."""
    DB_INSTANCE = "DB_INSTANCE_IDENTIFIER"
    """RDS instance identifier, recorded in manifests."""
    DB_SECRET_ARN = "DB_SECRET_ARN"  # noqa: S105 - the name of a variable, not a secret
    """ARN of the Secrets Manager secret, a JSON object with ``username`` and ``password``."""
    DB_SSLMODE = "DB_SSLMODE"
    """libpq ``sslmode``; ``verify-full`` in the cloud."""
    DB_SSLROOTCERT = "DB_SSLROOTCERT"
    """Path of the certificate authorities inside the image."""
    METRICS_NAMESPACE = "POWERTOOLS_METRICS_NAMESPACE"
    """CloudWatch namespace, read by Powertools; always :data:`METRICS_NAMESPACE`."""
    SERVICE_NAME = "POWERTOOLS_SERVICE_NAME"
    """Service name, read by Powertools; always :data:`SERVICE`."""
    LOG_LEVEL = "POWERTOOLS_LOG_LEVEL"
    """Log level, read by Powertools."""


class EventField(StrEnum):
    """Fields of the event that starts a backup."""

    TIER = "tier"
    """One of :class:`Tier`."""
    SCHEDULED_TIME = "scheduled_time"
    """ISO 8601 time with a zone; with the tier and database it names the backup, so a repeat makes no second one."""
    DATABASE = "database"
    """Optional; one of the databases in :attr:`EnvKey.DB_NAMES`."""
    COMMIT = "commit"
    """Optional, with tier ``pre-migration``: git commit about to be migrated to; it goes into the receipt."""
    REQUESTED_BY = "requested_by"
    """Optional, with a commit: who asks; it goes into the receipt."""


SCHEDULED_TIME_PLACEHOLDER: Final = "<aws.scheduler.scheduled-time>"
"""EventBridge Scheduler replaces this keyword in a target's input with the time of the invocation.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

METRICS_NAMESPACE: Final = "DatabaseBackup"
"""CloudWatch namespace of every metric below."""


class Metric(StrEnum):
    """Metrics of the running code, each with the dimensions of :class:`Dimension`."""

    BACKUP_SUCCESS = "BackupSuccess"
    """1 for a verified backup, 0 for a failed run. Unit Count."""
    BACKUP_FAILURE = "BackupFailure"
    """1 for a failed run, 0 for a verified backup. Unit Count."""
    BACKUP_STARTED = "BackupStarted"
    """1 for a run that has begun. Without a verdict after it, the run was killed. Unit Count."""
    BACKUP_SIZE = "BackupSizeBytes"
    """Size of the stored archive. Unit Bytes."""
    BACKUP_DURATION = "BackupDurationSeconds"
    """From the start to the written manifest. Unit Seconds."""
    DATABASE_SIZE = "DatabaseSizeBytes"
    """pg_database_size in the snapshot of the dump. Unit Bytes."""
    BACKUP_LAST_SUCCESS = "BackupLastSuccessTime"
    """When a verified backup was finished, in seconds since 1970. Unit Seconds."""
    BACKUP_THROUGHPUT = "BackupThroughputBytesPerSecond"
    """Size of the database by the time from the start of pg_dump to the stored archive. Unit Bytes/Second."""
    BACKUP_ROWS = "BackupRows"
    """Rows in the backup, as counted in the archive. Unit Count."""
    BACKUP_SIZE_RATIO = "BackupSizeRatio"
    """Size of the archive by the size of the one before it, of the same tier. No data for the first. Unit None."""
    VERIFICATION_FAILURE = "VerificationFailure"
    """1 where what was read back was not what was written, 0 for a verified backup. Unit Count."""
    RESTORE_SUCCESS = "RestoreSuccess"
    """1 for a dump that was restored, compared and put in place, 0 for a failed restore; tier ``manual`` where the
    backup's is not known. Unit Count."""
    RESTORE_FAILURE = "RestoreFailure"
    """1 for a failed restore of a dump, 0 for one that was put in place. Unit Count."""
    RESTORE_DURATION = "RestoreDurationSeconds"
    """From the start of a restore to the exchanged names. Unit Seconds."""


class Dimension(StrEnum):
    """Dimensions of every metric; an alarm must name all of them."""

    SERVICE = "service"
    """Always :data:`SERVICE`; set by Powertools."""
    ENVIRONMENT = "Environment"
    DATABASE = "Database"
    TIER = "Tier"


def metric_dimensions(environment: str, database: str, tier: Tier) -> dict[str, str]:
    """All dimensions of one database's and tier's metrics, as CloudWatch must be asked for them."""
    return {
        Dimension.SERVICE.value: SERVICE,
        Dimension.ENVIRONMENT.value: environment,
        Dimension.DATABASE.value: database,
        Dimension.TIER.value: tier.value,
    }


TAG_KIND: Final = "dbbackup:kind"
"""Object tag that the life cycle of the bucket decides by: only :data:`KIND_DUMP` may go to Glacier."""
KIND_DUMP: Final = "dump"
KIND_ROLES: Final = "roles"
KIND_MANIFEST: Final = "manifest"
KIND_RECEIPT: Final = "receipt"

IMAGE_CA_BUNDLE: Final = "/opt/dbbackup/rds-global-bundle.pem"
"""Where the image keeps the certificate authorities of RDS."""
HANDLER_BACKUP: Final = "dbbackup.handlers.backup.handler"
"""Container command of the backup function."""
HANDLER_RESTORE: Final = "dbbackup.handlers.restore.handler"
"""Container command of the function that restores a dump."""
BUILD_ARG_PG_MAJOR: Final = "PG_MAJOR"
"""Build argument of the image: major version of the PostgreSQL client."""


class RestoreStatus(StrEnum):
    """What the function that restores a dump answers with."""

    RESTORED = "restored"
    """The database is in place."""
    INCOMPLETE = "incomplete"
    """It is in place without some entries of the archive, as was accepted."""
    RETRIEVING = "retrieving"
    """The archive is on its way back from Glacier; the same event goes on when it is there."""
