"""Lambda entry point of a backup."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import SecretStr

from dbbackup import assembly
from dbbackup.adapters import secrets
from dbbackup.contract import SERVICE, EnvKey, EventField
from dbbackup.core.connection import Connection
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import DbBackupError
from dbbackup.handlers.environment import FunctionEnvironment, read_environment
from dbbackup.handlers.event import BackupEvent, parse_event
from dbbackup.handlers.signals import UNKNOWN, Signals
from dbbackup.operations.backup import BackupOutcome, BackupRequest, run_backup

_LOG = Logger(service=SERVICE, use_rfc3339=True, utc=True)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take the backup that an event asks for.

    Args:
        event: see :class:`dbbackup.handlers.event.BackupEvent`.
        context: Lambda's context; its remaining time bounds the work.

    Returns:
        What was made: status, bucket, key, size, digest, tables, rows, recovery point, duration.

    Raises:
        DbBackupError: there is no verified backup; logged and counted before it is raised.
    """
    signals = _signals_before_anything_is_known(event)
    try:
        settings = read_environment(os.environ)
        asked = parse_event(event)
        database = settings.database(asked.database)
        signals = Signals(settings.environment, database, asked.tier.value)
        outcome = _run(settings, asked, database, context)
    except DbBackupError as error:
        signals.failed()
        _LOG.error("backup failed", extra={"event": event, **error.as_dict()})
        raise
    except BaseException:
        signals.failed()
        _LOG.exception("backup failed unexpectedly", extra={"event": event})
        raise
    answer = _answer(settings, outcome)
    # A repeated event counts as a success: the backup it asks for exists and was verified.
    signals.succeeded(outcome.manifest, outcome.duration_seconds)
    _LOG.info("backup verified", extra=answer)
    return answer


def _signals_before_anything_is_known(event: object) -> Signals:
    given = event if isinstance(event, dict) else {}
    return Signals(
        os.environ.get(EnvKey.ENVIRONMENT.value) or UNKNOWN,
        str(given.get(EventField.DATABASE.value) or UNKNOWN),
        str(given.get(EventField.TIER.value) or UNKNOWN),
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
        exact_count_max_bytes=settings.exact_count_max_bytes,
        instance=settings.instance,
        deadline=deadline,
    )
    return run_backup(
        request,
        database=assembly.database_for(connection),
        tools=assembly.tools_for(connection, os.environ),
        store=assembly.bucket_store(settings.bucket, deadline),
    )


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
    }
