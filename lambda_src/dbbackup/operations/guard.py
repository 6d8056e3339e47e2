"""A command that is run under the guard of a backup, and recorded from before its start to after its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Protocol

from dbbackup.core.errors import DbBackupError, Explained, InterruptedRunError
from dbbackup.core.ports import BackupStore
from dbbackup.core.receipt import Receipt, Status
from dbbackup.core.receipt_errors import CommandNotStartedError
from dbbackup.operations.receipts import write_receipt


class Runner(Protocol):
    """Runs a command in our place."""

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Its exit status; raises where it was not started."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """How it went.

    Attributes:
        receipt: as it is stored, or as it should be where ``unsaved`` says why it is not.
        exit_status: of the command, as a shell would give it.
        not_started: why the command was not started; None where it ran.
        unsaved: why the end of the command could not be recorded.
    """

    receipt: Receipt
    exit_status: int
    not_started: Explained | None = None
    unsaved: DbBackupError | None = None


def run_guarded(
    command: Sequence[str],
    environment: Mapping[str, str],
    receipt: Receipt,
    *,
    store: BackupStore,
    runner: Runner,
    told: Callable[[Guarded], None],
) -> Guarded:
    """Record that a command starts, run it, and record how it ended.

    The first record is written before the start: where we are killed meanwhile it says ``running``, which is what is
    known. Where the second cannot be written, the end of the command stands all the same: it has happened.

    Args:
        command: program and arguments; only the name of the program is recorded.
        environment: all that it has.
        receipt: of the backup that guards it.
        store: where the receipt lies.
        runner: runs it.
        told: how it ended, before that is recorded: where the store does not answer, a person must not wait for it.

    Raises:
        DbBackupError: the first record could not be written, so the command was not run.
    """
    starting = receipt.starting(PurePath(command[0]).name, datetime.now(UTC))
    try:
        write_receipt(store, starting)
    except DbBackupError as error:
        error.untouched = f"The command was not run. The backup {receipt.backup.location} is stored and verified."
        raise
    not_started: Explained | None = None
    try:
        exit_status = runner.run(command, environment)
        status = Status.SUCCEEDED if exit_status == 0 else Status.FAILED
    except CommandNotStartedError as error:
        not_started, exit_status, status = error, error.status, Status.NOT_STARTED
    except (DbBackupError, InterruptedRunError) as error:
        not_started, exit_status, status = error, error.exit_status, Status.NOT_STARTED
    ended = starting.ended(status, exit_status, datetime.now(UTC))
    guarded = Guarded(ended, exit_status, not_started)
    told(guarded)
    try:
        write_receipt(store, ended)
    except DbBackupError as error:
        return replace(guarded, unsaved=error)
    return guarded
