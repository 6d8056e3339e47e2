"""Failures around a command that is guarded, and refusals of receipts."""

from __future__ import annotations

from dbbackup.core.errors import DbBackupError, InvalidRequestError


class CommandNotStartedError(DbBackupError):
    """The guarded command could not be started.

    Attributes:
        status: what a shell would end with: 127 where there is no such program, 126 where it cannot be executed.
    """

    code = "command-not-started"

    def __init__(self, what: str, *, untouched: str = "", action: str = "", status: int = 127) -> None:
        super().__init__(what, untouched=untouched, action=action)
        self.status = status


class AnotherTargetError(InvalidRequestError):
    """The command would go to another database than the one that was backed up."""

    code = "another-target"


class MigrationInProgressError(DbBackupError):
    """Another guarded command works on the same database."""

    code = "migration-in-progress"
    exit_status = 75


class ReceiptRefusedError(DbBackupError):
    """The receipt is no reason to run a command."""

    code = "receipt-refused"
