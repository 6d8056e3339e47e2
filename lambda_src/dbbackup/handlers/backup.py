"""Lambda entry point of a backup."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import SecretStr

from dbbackup import assembly
from dbbackup.adapters import secrets
from dbbackup.contract import SERVICE, EnvKey, EventField, Tier
from dbbackup.contract_notification import Kind
from dbbackup.core.connection import Connection
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import DbBackupError, VerificationFailedError
from dbbackup.core.git_commit import GitCommit
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import receipt_key
from dbbackup.core.notification import Notification
from dbbackup.handlers.environment import FunctionEnvironment, read_environment
from dbbackup.handlers.event import BackupEvent, check_scheduled_time, parse_event
from dbbackup.handlers.notices import failure_notice, notice
from dbbackup.handlers.signals import UNKNOWN, Signals
from dbbackup.operations.backup import BackupOutcome, BackupRequest, run_backup
from dbbackup.operations.previous_backup import previous_backup
from dbbackup.operations.receipts import leave_receipt

_LOG = Logger(service=SERVICE, use_rfc3339=True, utc=True)
_COMPARISON_SECONDS = 20


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take the backup that an event asks for.

    Args:
        event: see :class:`dbbackup.handlers.event.BackupEvent`.
        context: Lambda's context; its remaining time bounds the work.

    Returns:
        What was made: status, bucket, key, size, digest, tables, rows, recovery point, duration;
        before a migration also its receipt.

    Raises:
        DbBackupError: there is no verified backup, or no receipt where one is due; logged and counted before it is
            raised.
    """
    started_at = datetime.now(UTC)
    signals = _signals_before_anything_is_known(event)
    due_at: datetime | None = None
    try:
        settings = read_environment(os.environ)
        asked = parse_event(event)
        due_at = asked.scheduled_time
        database = settings.database(asked.database)
        signals = Signals(settings.environment, database, asked.tier.value)
        check_scheduled_time(asked, kept_days=settings.kept_days, now=started_at)
        signals.started()
        outcome = _run(settings, asked, database, context)
        receipt = _receipt(settings, asked, outcome)
    except DbBackupError as error:
        signals.failed(verification=isinstance(error, VerificationFailedError))
        told = failure_notice(Kind.BACKUP, error, signals, due_at=due_at)
        _LOG.error("backup failed", extra={"event": event, **error.as_dict(), **told})
        raise
    except BaseException as error:
        signals.failed()
        told = failure_notice(Kind.BACKUP, error, signals, due_at=due_at)
        _LOG.exception("backup failed unexpectedly", extra={"event": event, **told})
        raise
    answer = _answer(settings, outcome) | receipt
    # A repeated event counts as a success: the backup it asks for exists and was verified.
    signals.succeeded(outcome.manifest, outcome.duration_seconds)
    # Only now, when all else is told: what it adds is nice to have, and S3 may stall it until the function is killed.
    previous = _previous(settings, outcome.manifest)
    signals.compared(outcome.manifest, previous)
    _LOG.info("backup verified", extra={**answer, **_success_notice(settings, outcome, previous, started_at)})
    return answer


def _signals_before_anything_is_known(event: object) -> Signals:
    given = event if isinstance(event, dict) else {}
    return Signals(
        os.environ.get(EnvKey.ENVIRONMENT.value) or UNKNOWN,
        str(given.get(EventField.DATABASE.value) or UNKNOWN),
        str(given.get(EventField.TIER.value) or UNKNOWN),
    )


def _previous(settings: FunctionEnvironment, manifest: Manifest) -> Manifest | None:
    """The backup before this one; where it cannot be found out, that is logged and the backup is as good."""
    try:
        return previous_backup(assembly.bucket_store(settings.bucket, Deadline.after(_COMPARISON_SECONDS)), manifest)
    except DbBackupError as error:
        _LOG.warning("the backup is not compared with the one before it", extra=error.as_dict())
    except Exception:  # noqa: BLE001 - the backup is made; a defect here must not say otherwise
        _LOG.warning("the backup is not compared with the one before it", exc_info=True)
    return None


def _success_notice(
    settings: FunctionEnvironment, outcome: BackupOutcome, previous: Manifest | None, started_at: datetime
) -> dict[str, Any]:
    return notice(
        Notification.of_backup(
            outcome.manifest,
            location=f"s3://{settings.bucket}/{outcome.manifest.archive.key}",
            duration_seconds=round(outcome.duration_seconds, 3),
            started_at=started_at,
            environment=settings.environment,
            previous=previous,
            repeated=not outcome.created,
        )
    )


def _run(settings: FunctionEnvironment, asked: BackupEvent, database: str, context: LambdaContext) -> BackupOutcome:
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - settings.deadline_margin_seconds)
    username, password = secrets.read_credentials(secrets.make_client(), settings.secret_arn)
    connection = Connection(
        host=settings.host,
        port=settings.port,
        user=username,
        password=SecretStr(password),
        database=database,
        sslmode=settings.sslmode,
        sslrootcert=settings.sslrootcert,
    )
    request = BackupRequest(
        tier=asked.tier,
        scheduled_time=asked.scheduled_time,
        compression=settings.compression,
        compression_level=settings.compression_level,
        instance=settings.instance,
        deadline=deadline,
    )
    return run_backup(
        request,
        database=assembly.database_for(connection),
        tools=assembly.tools_for(connection, os.environ),
        store=assembly.bucket_store(settings.bucket, deadline, settings.lock),
    )


def _receipt(settings: FunctionEnvironment, asked: BackupEvent, outcome: BackupOutcome) -> dict[str, str]:
    """Where the receipt of a backup before a migration lies; without one the caller must not migrate, so it raises."""
    if asked.tier is not Tier.PRE_MIGRATION:
        return {}
    commit = None if asked.commit is None else GitCommit(asked.commit)
    store = assembly.bucket_store(settings.bucket, Deadline.after(settings.deadline_margin_seconds / 2), settings.lock)
    receipt = leave_receipt(store, outcome.manifest, commit=commit, requested_by=asked.requested_by)
    return {"receipt": receipt_key(receipt.backup.key)}


def _answer(settings: FunctionEnvironment, outcome: BackupOutcome) -> dict[str, Any]:
    manifest = outcome.manifest
    return {
        "status": "created" if outcome.created else "already-made",
        "bucket": settings.bucket,
        "key": manifest.archive.key,
        "database": manifest.source.database,
        "tier": manifest.tier.value,
        "recovery_point": manifest.snapshot_at.isoformat(),
        "size_bytes": manifest.archive.size_bytes,
        "sha256": manifest.archive.sha256,
        "compression": manifest.archive.compression,
        "tables": len(manifest.tables),
        "rows": manifest.total_rows,
        "duration_seconds": round(outcome.duration_seconds, 3),
        "notes": list(outcome.notes),
    }
