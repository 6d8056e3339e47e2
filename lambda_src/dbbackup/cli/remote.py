"""A backup before a migration that the deployed function takes while we wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dbbackup import assembly
from dbbackup.cli.migration import Migration
from dbbackup.cli.waiting import waiting
from dbbackup.core.errors import InterruptedRunError, InvalidRequestError
from dbbackup.operations.remote_backup import RemoteBackup, last_duration, take_remotely


def backup_by_function(
    function: str, directory: Path | None, bucket: str | None, database: str | None, migration: Migration
) -> RemoteBackup:
    """Have a backup taken.

    Args:
        function: name or ARN.
        directory: what the option says; a function writes into none.
        bucket: what the option says; it must be the function's.
        database: one of the function's; None for its first.
        migration: for the receipt.

    Raises:
        InvalidRequestError: the options do not fit the function.
        DbBackupError: there is no backup.
        InterruptedRunError: we were told to stop; the function was not.
    """
    if directory is not None:
        raise InvalidRequestError(
            "A function writes into its bucket, not into a directory.",
            untouched="Nothing was done.",
            action="Give --function or --directory, not both.",
        )
    expected = last_duration(assembly.bucket_store(bucket), database) if bucket is not None else None
    with waiting(f"{function} takes a backup", expected), _said_that_the_function_goes_on(function, bucket):
        taken = take_remotely(
            function,
            database=database,
            commit=migration.commit,
            requested_by=migration.requested_by,
            call=_call,
            open_bucket=assembly.bucket_store,
        )
    if bucket is not None and taken.store.location != f"s3://{bucket}":
        raise InvalidRequestError(
            f"{function} writes into {taken.store.location}, not into the bucket {bucket!r} that was named.",
            untouched="The backup that it has taken is stored and verified there.",
            action="Correct --bucket or --function, or leave --bucket out.",
        )
    return taken


@contextmanager
def _said_that_the_function_goes_on(function: str, bucket: str | None) -> Iterator[None]:
    try:
        yield
    except InterruptedRunError as error:
        error.untouched = f"{function} goes on: its backup may still come, with a receipt."
        error.action = (
            f"Look before you start again: dbbackup receipt list --bucket {bucket or 'BUCKET'}, or the function's log."
        )
        raise


def _call(name: str, event: Mapping[str, Any]) -> dict[str, Any]:
    from dbbackup.adapters import functions  # the SDK takes as long to import as all the rest of a command

    return functions.call(functions.make_patient_client(), name, event)
