"""The document beside a backup that says what the backup was taken before, by whom, and how that ended."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dbbackup.contract import SERVICE
from dbbackup.core.errors import InvalidRequestError, VerificationFailedError
from dbbackup.core.git_commit import COMMIT_PATTERN, GitCommit
from dbbackup.core.manifest import SHA256_PATTERN, Manifest
from dbbackup.core.problems import problems_of


class Status(StrEnum):
    """How far it has come."""

    BACKED_UP = "backed-up"
    """There is a verified backup, and no command was run under its guard."""
    RUNNING = "running"
    """The command was started. Where it runs no more, the guard was killed and nobody knows how it ended."""
    SUCCEEDED = "succeeded"
    """The command ended with status 0."""
    FAILED = "failed"
    """The command ended otherwise."""
    NOT_STARTED = "not-started"
    """The command could not be started, so it has changed nothing."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BackupRecord(_Document):
    """Which backup the way back leads to."""

    key: str
    location: str = Field(description="path or s3:// URL")
    size_bytes: int = Field(gt=0)
    sha256: str = Field(pattern=SHA256_PATTERN)
    version_id: str | None = Field(default=None, description="S3 version of the object that was verified")
    database: str
    host: str | None
    instance: str | None = Field(default=None, description="RDS instance identifier")
    recovery_point: AwareDatetime = Field(description="the moment whose data the archive holds")

    @classmethod
    def of(cls, manifest: Manifest, location: str) -> BackupRecord:
        """What a manifest says."""
        return cls(
            key=manifest.archive.key,
            location=location,
            size_bytes=manifest.archive.size_bytes,
            sha256=manifest.archive.sha256,
            version_id=manifest.archive.version_id,
            database=manifest.source.database,
            host=manifest.source.host,
            instance=manifest.source.instance,
            recovery_point=manifest.snapshot_at,
        )


class CommandRecord(_Document):
    """The command that ran under the guard."""

    program: str = Field(description="its name alone: arguments may hold secrets")
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    exit_status: int | None = Field(default=None, description="null while it runs; 128 + n for signal n, as in a shell")


class Commit(_Document):
    """What is migrated to."""

    id: str = Field(pattern=COMMIT_PATTERN)
    dirty: bool | None = Field(default=None, description="whether files differed from it; null where that is not known")


class Receipt(_Document):
    """What a deploy job is shown before it migrates."""

    format_version: Literal[1] = 1
    status: Status
    backup: BackupRecord
    point_in_time: AwareDatetime = Field(description="just before the command; to this moment RDS is restored")
    commit: Commit | None = Field(default=None, description="null where none was named and there is no repository")
    requested_by: str | None = None
    command: CommandRecord | None = None
    software_version: str = Field(default_factory=lambda: version(SERVICE))

    @classmethod
    def of(
        cls, manifest: Manifest, location: str, *, commit: GitCommit | None, requested_by: str | None, at: datetime
    ) -> Receipt:
        """A backup that no command has run after yet.

        Args:
            manifest: of the backup.
            location: its path or URL.
            commit: what is about to be migrated to.
            requested_by: who asked.
            at: now.
        """
        return cls(
            status=Status.BACKED_UP,
            backup=BackupRecord.of(manifest, location),
            point_in_time=at.astimezone(UTC),
            commit=None if commit is None else Commit(id=commit.id, dirty=commit.dirty),
            requested_by=requested_by,
        )

    def starting(self, program: str, at: datetime) -> Receipt:
        """As it is stored before the command is started."""
        command = CommandRecord(program=program, started_at=at)
        return self.model_copy(update={"status": Status.RUNNING, "point_in_time": at, "command": command})

    def ended(self, status: Status, exit_status: int, at: datetime) -> Receipt:
        """As it is stored when the command has ended."""
        assert self.command is not None
        command = self.command.model_copy(update={"ended_at": at, "exit_status": exit_status})
        return self.model_copy(update={"status": status, "command": command})

    def to_bytes(self) -> bytes:
        """The document as it is stored."""
        return self.model_dump_json(indent=2).encode() + b"\n"


REQUESTED_BY_MAX: Final = 300
"""Characters of ``requested_by`` that an event may have."""


def parse_receipt(key: str, body: bytes) -> Receipt:
    """Read a stored receipt.

    Raises:
        VerificationFailedError: it is damaged, altered or of a format this version does not know.
    """
    try:
        return Receipt.model_validate_json(body)
    except ValidationError as error:
        problems = problems_of(error, "the document")
    raise VerificationFailedError(
        f"The receipt {key} cannot be read: {problems}.",
        untouched="It was only read; the backup beside it was not touched.",
        action="It may be damaged or written by a newer version. `dbbackup backup --tier pre-migration` makes another.",
    )


def refuse_commit_without_migration(tier: str) -> InvalidRequestError:
    """A commit was named for a backup that has no receipt to hold it."""
    return InvalidRequestError(
        f"A commit is named, and a backup of tier {tier} has no receipt to hold it.",
        untouched="Nothing was connected to.",
        action="Give --tier pre-migration, or leave --commit out.",
    )
