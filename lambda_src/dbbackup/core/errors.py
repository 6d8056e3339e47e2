"""Failures a person must act on: what happened, what was left alone, what to do next.

Every expected failure is one of these. Whatever else is raised is a defect and keeps its traceback.
Messages never carry a password: builders of messages see masked text only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from dbbackup.core.restore_failure import Failure


class Explained:
    """What an exception says to a person: its consequence and its remedy besides what happened.

    Attributes:
        code: stable word for logs, metrics, notifications, state machines and JSON output; the only name there is.
        exit_status: status of the command line program.
        what: what happened, one sentence.
        untouched: what is still as it was.
        action: what to do now.
    """

    code: ClassVar[str] = "failed"
    exit_status: ClassVar[int] = 1

    def __init_subclass__(cls, **options: object) -> None:
        """Give the class its code for a name, as that is what others call a failure by.

        Lambda reports a failure under the ``__name__`` of its class, Step Functions decides and ends by that name, and
        loggers write it down: so all of them say what metrics, notifications and documents say. ``__qualname__``, for
        people who read a traceback, stays.
        https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
        """
        super().__init_subclass__(**options)
        cls.__name__ = cls.code

    def __init__(self, what: str, *, untouched: str = "", action: str = "") -> None:
        self.what = what
        self.untouched = untouched
        self.action = action
        super().__init__(what, untouched, action)  # type: ignore[call-arg]

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.untouched, self.action) if part)

    def as_dict(self) -> dict[str, str]:
        """The failure as a document for logs and ``--json``."""
        return {"error": self.code, "what": self.what, "untouched": self.untouched, "action": self.action}


class DbBackupError(Explained, Exception):
    """A failure with its consequence and its remedy."""


class InvalidRequestError(DbBackupError):
    """The event, option or environment does not say something that can be done."""

    code = "invalid-request"
    exit_status = 2


class CredentialsError(DbBackupError):
    """The secret with the database credentials is missing, unreadable or not of the expected form."""

    code = "credentials"


class ConnectionFailedError(DbBackupError):
    """The database cannot be reached or does not let us in."""

    code = "connection"


class ClientToolError(DbBackupError):
    """A PostgreSQL client program is missing or unsuitable."""

    code = "client-tool"


class ServerTooNewError(ClientToolError):
    """The server's major version is above the client's, whose dump would not be complete."""

    code = "server-newer-than-client"


class BackupInProgressError(DbBackupError):
    """Another backup of the same database is running."""

    code = "in-progress"
    exit_status = 75


class DumpFailedError(DbBackupError):
    """pg_dump or pg_dumpall did not end well, or its output is not an archive."""

    code = "dump-failed"


class DatabaseReadError(DbBackupError):
    """The session that holds the snapshot and counts rows failed."""

    code = "database-read"


class DeadlineExceededError(DbBackupError):
    """The work was given up in order before the platform would have killed it."""

    code = "deadline"


class StorageError(DbBackupError):
    """The store refused or failed to take, keep or give back an object."""

    code = "storage"


class StorageFullError(StorageError):
    """There is no room left where the backup is written."""

    code = "storage-full"


class NameTakenError(StorageError):
    """Something else lies under the name already, and nothing is ever written over."""

    code = "name-taken"


class NotFoundError(StorageError):
    """No such backup."""

    code = "not-found"


class ArchivedError(StorageError):
    """The object is in an archive storage class and must be asked back before it can be read."""

    code = "archived"


class VerificationFailedError(DbBackupError):
    """What was read back is not a complete archive, or not the one that was written."""

    code = "verification-failed"


class InterruptedRunError(Explained, BaseException):
    """A person or the system asked us to stop.

    It is raised wherever we are when the signal comes, inside a library perhaps. No ``Exception``, as one of those
    is caught there: the SDK of AWS takes it for a lost connection and repeats the request. No ``KeyboardInterrupt``
    either, which the parser of the command line turns into an end of its own.
    """

    code = "interrupted"
    exit_status = 130


class RestoreFailedError(DbBackupError):
    """A restore did not come to its end; the target is as it was."""

    code = "restore-failed"


class RestoreInProgressError(DbBackupError):
    """Another restore into the same target is running."""

    code = "restore-in-progress"
    exit_status = 75


class RefusedError(DbBackupError):
    """A restore that would replace something was not confirmed, or its plan cannot be carried out."""

    code = "refused"
    exit_status = 2


class RestoreIncompleteError(DbBackupError):
    """Entries of the archive could not be restored; everything else was."""

    code = "restore-incomplete"
    exit_status = 3
    failures: tuple[Failure, ...] = ()
