"""How a guard comes by a verified backup and its receipt: it takes one, has the function take one, or is shown one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from dbbackup import assembly
from dbbackup.adapters.connection_url import is_postgres, read_url
from dbbackup.adapters.postgres_connection import service_values
from dbbackup.cli.backup import tell_made
from dbbackup.cli.connection import asked_connection, named_connection
from dbbackup.cli.migration import Migration, repository
from dbbackup.cli.output import progress_line, warn
from dbbackup.cli.remote import backup_by_function
from dbbackup.cli.reporting import failures_told
from dbbackup.contract_notification import Kind
from dbbackup.core.command_target import Place, port_of, refuse_another_target
from dbbackup.core.errors import ConnectionFailedError, DbBackupError
from dbbackup.core.naming import receipt_key
from dbbackup.core.ports import BackupStore
from dbbackup.core.receipt import Receipt, Status
from dbbackup.core.receipt_errors import ReceiptRefusedError
from dbbackup.core.units import format_bytes, format_seconds, format_time
from dbbackup.operations.backup import BackupRequest, run_backup
from dbbackup.operations.receipt_check import Demand, check_receipt
from dbbackup.operations.receipts import Found, leave_receipt, location_of, unsettled

_LEADING = ("DATABASE_URL", "POSTGRES_HOST", "PGHOST", "PGSERVICE")
"""Variables of which one at least is set where the environment leads to a database."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the command goes, which must be where the backup was taken.

    Attributes:
        environment: of the command.
        unchecked: whether to leave that to whoever asks.
    """

    environment: Mapping[str, str]
    unchecked: bool

    def check(self, backed_up: Place) -> None:
        """Refuse a command that goes elsewhere.

        Raises:
            InvalidRequestError: it does, or that cannot be understood.
        """
        if not self.unchecked:
            named = self.environment.get("DATABASE_URL", "")
            url = read_url(named).values if is_postgres(named) else {}
            service = service_values(self.environment, url) or {}
            refuse_another_target(self.environment, backed_up, url=url, service=service)


def by_ourselves(
    request: BackupRequest,
    store: BackupStore,
    database: str | None,
    migration: Migration,
    target: Target,
    *,
    held: ExitStack,
) -> Receipt:
    """Take a backup; the turn to migrate is ours until ``held`` is closed."""
    connection = named_connection(database)
    port = None if connection.several else port_of(connection.port)
    target.check(Place(connection.database, connection.where, port))
    telling = failures_told(Kind.BACKUP, database=connection.database, server=connection.server, tier=request.tier)
    with telling, progress_line() as listener:
        connection = assembly.pinned(connection)
        held.enter_context(assembly.migration_turn(connection, request.lock_wait_seconds))
        outcome = run_backup(
            replace(request, listener=listener),
            database=assembly.database_for(connection),
            tools=assembly.tools_for(connection, os.environ),
            store=store,
        )
    archive = outcome.manifest.archive
    size, took = format_bytes(archive.size_bytes), format_seconds(outcome.duration_seconds)
    say(f"✅ Backup verified: {location_of(store, archive.key)} ({size}, {took})")
    for note in outcome.notes:
        warn(f"Of this backup: {note}")
    tell_made(store, outcome)
    receipt = leave_receipt(store, outcome.manifest, commit=migration.commit, requested_by=migration.requested_by)
    _warn_of_the_one_before(store, receipt)
    return receipt


def by_function(
    function: str,
    directory: Path | None,
    bucket: str | None,
    database: str | None,
    migration: Migration,
    target: Target,
    *,
    held: ExitStack,
    wait_seconds: float,
) -> tuple[Receipt, BackupStore]:
    """Have the function take a backup; the turn is ours where the environment leads to the database."""
    target.check(Place(database, None))
    _take_turn_if_reachable(database, held, wait_seconds)
    taken = backup_by_function(function, directory, bucket, database, migration)
    backup = taken.receipt.backup
    say(f"✅ Backup verified: {backup.location} ({format_bytes(backup.size_bytes)})")
    target.check(Place.of(backup))
    _warn_of_the_one_before(taken.store, taken.receipt)
    return taken.receipt, taken.store


def by_receipt(demand: Demand, store: BackupStore, target: Target, *, held: ExitStack, wait_seconds: float) -> Receipt:
    """Take no backup, and be shown the receipt of one; the turn is ours where the environment leads to the database.

    Raises:
        ReceiptRefusedError: it is no reason to run a command.
    """
    _take_turn_if_reachable(demand.database, held, wait_seconds)
    verdict = check_receipt(demand, store, repository())
    receipt = verdict.found.receipt if verdict.found else None
    if verdict.refusals or receipt is None or verdict.found is None:
        first = verdict.refusals[0]
        raise ReceiptRefusedError(" ".join(each.why for each in verdict.refusals), action=first.action)
    target.check(Place.of(receipt.backup))
    age = format_seconds(max(0.0, (demand.now - receipt.backup.recovery_point).total_seconds()))
    say(f"✅ {receipt.backup.location} is there, {age} old")
    if verdict.before is not None:
        warn(unsettled_text(verdict.before))
    return receipt


def unsettled_text(found: Found) -> str:
    """That the migration before did not end well, as far as is known."""
    assert found.receipt is not None
    command = found.receipt.command
    program = command.program if command else "The command"
    if found.receipt.status is Status.FAILED and command is not None:
        how = f"failed with exit status {command.exit_status}"
    else:
        began = f" was started at {format_time(command.started_at)}" if command else ""
        how = f"{began.strip()} and its end is not recorded: it may still run, or have been killed half-way"
    return f"THE MIGRATION BEFORE THIS ONE DID NOT END WELL: {program} {how}. Its receipt: {found.key}"


def say(line: str) -> None:
    """Standard output is the command's."""
    sys.stderr.write(f"{line}\n")


def _warn_of_the_one_before(store: BackupStore, receipt: Receipt) -> None:
    try:
        found = unsettled(
            store,
            receipt.backup.database,
            before=receipt_key(receipt.backup.key),
            of=lambda backup: (backup.host, backup.instance) == (receipt.backup.host, receipt.backup.instance),
        )
    except DbBackupError as error:
        warn(f"How the migration before this one ended is not known. {error.what}")
        return
    if found is not None:
        warn(unsettled_text(found))


def _take_turn_if_reachable(database: str | None, held: ExitStack, wait_seconds: float) -> None:
    """A machine that asks a function need not reach the database, and then nothing here keeps two commands apart."""
    if not any(os.environ.get(name) for name in _LEADING):
        return
    connection = asked_connection(database)
    try:
        held.enter_context(assembly.migration_turn(connection, wait_seconds))
    except ConnectionFailedError as error:
        warn(f"Another guarded command on this database would not be noticed. {error.what}")
