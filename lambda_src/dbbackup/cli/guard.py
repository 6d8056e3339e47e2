"""``dbbackup guard``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dbbackup import assembly
from dbbackup.adapters.foreground import Foreground
from dbbackup.cli.backup import RETENTION_HELP, prune
from dbbackup.cli.demand import DEFAULT_AGE, demand_asked
from dbbackup.cli.guard_begin import Target, by_function, by_ourselves, by_receipt
from dbbackup.cli.guard_end import say_ended, say_kept, say_recorded
from dbbackup.cli.migration import migration_asked
from dbbackup.cli.output import examples
from dbbackup.contract import Tier
from dbbackup.core.compression import Method
from dbbackup.core.errors import DbBackupError, InterruptedRunError, InvalidRequestError
from dbbackup.core.ports import BackupStore
from dbbackup.core.way_back import RESTORE, system_of
from dbbackup.operations.backup import BackupRequest
from dbbackup.operations.catalog import read_manifest
from dbbackup.operations.guard import run_guarded

HELP = (
    "Take a verified backup, then run a command; without the backup the command does not run.\n\n"
    "The command has our terminal, environment and signals, and its exit status is ours. If it fails, the way back is "
    "printed. A receipt beside the backup says what was run by whom, at which commit, and how it ended. All that we "
    "say ourselves goes to standard error. A command whose environment leads to another database is refused, and "
    "while it runs no other guard runs one on the same database.\n\n"
    "With --function the deployed function takes the backup, for a database that this machine need not reach. With "
    "--receipt no backup is taken: the newest one must be verified, fresh, for this commit, and not used by a command."
)
EXAMPLES = examples(
    ("dbbackup guard -- npx prisma migrate deploy", "a backup into backups/ first"),
    ("dbbackup guard --bucket ftry-backups -- psql --set ON_ERROR_STOP=1 --file change.sql", "into a bucket"),
    ("dbbackup guard --function ftry-prod-backup -- ./migrate.sh", "of RDS, by the function"),
    ("dbbackup guard --receipt latest --bucket ftry-backups -- ./migrate.sh", "the backup is an earlier job's"),
)
CONTEXT = {"allow_interspersed_args": False}
"""Options end where the command begins, also without ``--``."""


def guard(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run after the backup.")],
    directory: Annotated[Path | None, typer.Option(help="Directory to write to.", file_okay=False)] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket to write to.")] = None,
    function: Annotated[str | None, typer.Option(help="Name or ARN of the function that takes the backup.")] = None,
    receipt: Annotated[
        str | None, typer.Option(metavar="latest|KEY", help="Take no backup; use the newest, if its receipt holds.")
    ] = None,
    max_age: Annotated[
        str, typer.Option(help="With --receipt: how old the backup's data may be: 90s, 60m, 2h, 1d.")
    ] = DEFAULT_AGE,
    database: Annotated[str | None, typer.Option(help="Database to back up, instead of the environment's.")] = None,
    commit: Annotated[
        str | None, typer.Option(help="Commit to migrate to; else of GITHUB_SHA, else what is checked out.")
    ] = None,
    through_proxy: Annotated[
        bool,
        typer.Option(
            "--through-proxy",
            help="The command reaches the database by another name: do not compare where its environment leads.",
        ),
    ] = False,
    compression: Annotated[
        Method, typer.Option(envvar="BACKUP_COMPRESSION", help="auto: zstd where pg_dump has it, else gzip.")
    ] = Method.AUTO,
    level: Annotated[
        int, typer.Option(envvar="BACKUP_COMPRESSION_LEVEL", help="1 to 9 for gzip, 1 to 22 for zstd.")
    ] = 9,
    retention_days: Annotated[int, typer.Option(envvar="RETENTION_DAYS", help=RETENTION_HELP, min=1)] = 30,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for another backup or guard of the database.", min=0)
    ] = 60,
    withhold: Annotated[
        list[str] | None, typer.Option(help="Variable that the command shall not have; repeatable.")
    ] = None,
    restore_with: Annotated[
        str | None, typer.Option(help="Program that restores, for the printed way back.", hidden=True)
    ] = None,
) -> None:
    """Take a verified backup, then run a command."""
    environment = {name: value for name, value in os.environ.items() if name not in (withhold or ())}
    target = Target(environment, unchecked=through_proxy)
    with ExitStack() as held:
        with _saying_that_nothing_ran():
            if receipt is not None:
                _refuse_function(function)
                store = assembly.store_for(directory, bucket, os.environ)
                demand = demand_asked(
                    database, commit, max_age, unused=True, through_proxy=through_proxy, receipt=receipt
                )
                used = by_receipt(demand, store, target, held=held, wait_seconds=wait)
            elif function is not None:
                migration = migration_asked(commit, os.environ)
                used, store = by_function(
                    function, directory, bucket, database, migration, target, held=held, wait_seconds=wait
                )
            else:
                migration = migration_asked(commit, os.environ)
                store = assembly.store_for(directory, bucket, os.environ)
                request = BackupRequest(
                    tier=Tier.PRE_MIGRATION, compression=compression, compression_level=level, lock_wait_seconds=wait
                )
                used = by_ourselves(request, store, database, migration, target, held=held)
            records = assembly.hurried(store)
        system = os.environ.get("DBBACKUP_SYSTEM") or (system_of(function) if function else None)
        told = partial(say_ended, system=system, restore=_restoring(restore_with))
        # Signals wait until all is recorded: the command has run, and nothing that follows may change how it ended.
        with Foreground() as runner:
            guarded = run_guarded(command, environment, used, store=records, runner=runner, told=told)
            say_recorded(guarded, store)
            if function is None and receipt is None:
                _prune(store, used.backup.key, retention_days)
            held.close()
    raise typer.Exit(guarded.exit_status)


def _refuse_function(function: str | None) -> None:
    if function is not None:
        raise InvalidRequestError(
            "A function is named, and with --receipt no backup is taken.",
            untouched="Nothing was done.",
            action="Leave --function or --receipt out.",
        )


@contextmanager
def _saying_that_nothing_ran() -> Iterator[None]:
    try:
        yield
    except (DbBackupError, InterruptedRunError) as error:
        if "command was not run" not in error.untouched:
            error.untouched = f"The command was not run. {error.untouched}".rstrip()
        raise


def _restoring(program: str | None) -> str:
    """Begin of the line that restores: a script of a checkout reads the settings of the folder that it is run in."""
    return f"cd {shlex.quote(str(Path.cwd()))} && {shlex.quote(program)}" if program else RESTORE


def _prune(store: BackupStore, key: str, days: int) -> None:
    """Remove old backups of a directory. In a bucket its life cycle does, and we need not read every manifest."""
    if store.location.startswith("s3://"):
        return
    try:
        manifest = read_manifest(store, key)
        if manifest is not None:
            prune(store, manifest.source, days)
    except DbBackupError as error:
        # The command has run; that an old file could not be removed does not change how it ended.
        say_kept(error)
