"""``dbbackup guard``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from dbbackup import assembly
from dbbackup.adapters.foreground import Foreground
from dbbackup.cli.backup import RETENTION_HELP, prune, tell_made
from dbbackup.cli.migration import Migration, migration_asked, named_connection
from dbbackup.cli.output import examples, progress_line, warn
from dbbackup.cli.reporting import failures_told
from dbbackup.cli.waiting import waiting
from dbbackup.contract import Tier
from dbbackup.contract_notification import Kind
from dbbackup.core.compression import Method
from dbbackup.core.errors import DbBackupError, InterruptedRunError, InvalidRequestError
from dbbackup.core.naming import receipt_key
from dbbackup.core.ports import BackupStore
from dbbackup.core.receipt import Receipt, Status
from dbbackup.core.units import format_bytes, format_seconds
from dbbackup.core.way_back import system_of, ways_back
from dbbackup.operations.backup import BackupRequest, run_backup
from dbbackup.operations.guard import Guarded, run_guarded
from dbbackup.operations.receipts import leave_receipt
from dbbackup.operations.remote_backup import last_duration, take_remotely

HELP = (
    "Take a verified backup, then run a command; without the backup the command does not run.\n\n"
    "The command has our terminal, environment and signals, and its exit status is ours. If it fails, the way back is "
    "printed. A receipt beside the backup says what was run by whom, at which commit, and how it ended. All that we "
    "say ourselves goes to standard error.\n\n"
    "With --function the deployed function takes the backup, for a database that this machine need not reach."
)
EXAMPLES = examples(
    ("dbbackup guard -- npx prisma migrate deploy", "a backup into backups/ first"),
    ("dbbackup guard --bucket ftry-backups -- psql --set ON_ERROR_STOP=1 --file change.sql", "into a bucket"),
    ("dbbackup guard --function ftry-prod-backup -- ./migrate.sh", "of RDS, by the function"),
)
CONTEXT = {"allow_interspersed_args": False}
"""Options end where the command begins, also without ``--``."""


def guard(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run after the backup.")],
    directory: Annotated[Path | None, typer.Option(help="Directory to write to.", file_okay=False)] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket to write to.")] = None,
    function: Annotated[str | None, typer.Option(help="Name or ARN of the function that takes the backup.")] = None,
    database: Annotated[str | None, typer.Option(help="Database to back up, instead of the environment's.")] = None,
    commit: Annotated[
        str | None, typer.Option(help="Commit to migrate to; else of GITHUB_SHA, else what is checked out.")
    ] = None,
    compression: Annotated[
        Method, typer.Option(envvar="BACKUP_COMPRESSION", help="auto: zstd where pg_dump has it, else gzip.")
    ] = Method.AUTO,
    level: Annotated[
        int, typer.Option(envvar="BACKUP_COMPRESSION_LEVEL", help="1 to 9 for gzip, 1 to 22 for zstd.")
    ] = 9,
    retention_days: Annotated[int, typer.Option(envvar="RETENTION_DAYS", help=RETENTION_HELP, min=1)] = 30,
    wait: Annotated[float, typer.Option(help="Seconds to wait for another backup of the database.", min=0)] = 60,
    withhold: Annotated[
        list[str] | None, typer.Option(help="Variable that the command shall not have; repeatable.", hidden=True)
    ] = None,
) -> None:
    """Take a verified backup, then run a command."""
    environment = {name: value for name, value in os.environ.items() if name not in (withhold or ())}
    with _saying_that_nothing_ran():
        migration = migration_asked(commit, os.environ)
        if function is not None:
            receipt, store = _by_function(function, directory, bucket, database, migration)
        else:
            request = BackupRequest(
                tier=Tier.PRE_MIGRATION, compression=compression, compression_level=level, lock_wait_seconds=wait
            )
            store = assembly.store_for(directory, bucket, os.environ)
            receipt = _by_ourselves(request, store, database, migration)
    with Foreground() as runner:
        guarded = run_guarded(command, environment, receipt, store=store, runner=runner)
    _say_ended(guarded, store, system=os.environ.get("DBBACKUP_SYSTEM") or (system_of(function) if function else None))
    if function is None:
        _prune(store, receipt.backup.database, retention_days)
    raise typer.Exit(guarded.exit_status)


@contextmanager
def _saying_that_nothing_ran() -> Iterator[None]:
    try:
        yield
    except (DbBackupError, InterruptedRunError) as error:
        if "command was not run" not in error.untouched:
            error.untouched = f"The command was not run. {error.untouched}".rstrip()
        raise


def _by_ourselves(request: BackupRequest, store: BackupStore, database: str | None, migration: Migration) -> Receipt:
    connection = named_connection(database)
    telling = failures_told(Kind.BACKUP, database=connection.database, server=connection.server, tier=request.tier)
    with telling, progress_line() as listener:
        outcome = run_backup(
            BackupRequest(
                tier=request.tier,
                compression=request.compression,
                compression_level=request.compression_level,
                lock_wait_seconds=request.lock_wait_seconds,
                listener=listener,
            ),
            database=assembly.database_for(connection),
            tools=assembly.tools_for(connection, os.environ),
            store=store,
        )
    receipt = leave_receipt(store, outcome.manifest, commit=migration.commit, requested_by=migration.requested_by)
    size, took = format_bytes(receipt.backup.size_bytes), format_seconds(outcome.duration_seconds)
    _say(f"✅ Backup verified: {receipt.backup.location} ({size}, {took})")
    tell_made(store, outcome)
    return receipt


def _by_function(
    function: str, directory: Path | None, bucket: str | None, database: str | None, migration: Migration
) -> tuple[Receipt, BackupStore]:
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
    _say(f"✅ Backup verified: {taken.receipt.backup.location} ({format_bytes(taken.receipt.backup.size_bytes)})")
    return taken.receipt, taken.store


@contextmanager
def _said_that_the_function_goes_on(function: str, bucket: str | None) -> Iterator[None]:
    try:
        yield
    except InterruptedRunError as error:
        error.untouched = f"The command was not run. {function} goes on: its backup may still come, with a receipt."
        error.action = (
            f"Look before you start again: dbbackup receipt list --bucket {bucket or 'BUCKET'}, or the function's log."
        )
        raise


def _call(name: str, event: Mapping[str, Any]) -> dict[str, Any]:
    from dbbackup.adapters import functions  # the SDK takes as long to import as all the rest of a command

    return functions.call(functions.make_patient_client(), name, event)


def _say(line: str) -> None:
    """Standard output is the command's."""
    sys.stderr.write(f"{line}\n")


def _say_ended(guarded: Guarded, store: BackupStore, *, system: str | None) -> None:
    receipt, status = guarded.receipt, guarded.exit_status
    program = receipt.command.program if receipt.command else "The command"
    if guarded.not_started is not None:
        for line in (f"❌ {guarded.not_started.what}", guarded.not_started.untouched, guarded.not_started.action):
            _say(line if line.startswith("❌") else f"   {line}")
    elif receipt.status is Status.SUCCEEDED:
        _say(f"✅ {program} ended with exit status 0")
    else:
        how = f"was ended by {_signal_name(status - 128)}" if status > 128 else "failed"
        _say(f"❌ {program} {how}; its exit status {status} is ours.")
    if receipt.status is Status.FAILED:
        _say("   The way back:")
        for way in ways_back(receipt, system=system):
            _say(f"   - {way.purpose}:")
            _say(f"       {way.command}")
    key = receipt_key(receipt.backup.key)
    if guarded.unsaved is not None:
        warn(f"THE END OF THE COMMAND IS NOT IN ITS RECEIPT {store.url(key)}, which still says that it runs.")
        _say(f"   {guarded.unsaved}")
        _say(f"   The command itself ended with exit status {status}. Do not run it again because of this.")
    else:
        _say(f"   Receipt: {store.url(key)} (commit {_commit(receipt)})")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _commit(receipt: Receipt) -> str:
    if receipt.commit is None:
        return "not known"
    return receipt.commit.id[:12] + (" with uncommitted changes" if receipt.commit.dirty else "")


def _prune(store: BackupStore, database: str, days: int) -> None:
    try:
        prune(store, database, days)
    except DbBackupError as error:
        # The command has run; that an old file could not be removed does not change how it ended.
        warn(str(error))
