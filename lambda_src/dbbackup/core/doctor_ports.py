"""What the checks are told about the server and the place of the backups. Adapters find it out; tests may, too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from dbbackup.core.connection_limits import ConnectionLook
from dbbackup.core.manifest import NotInDump


@dataclass(frozen=True, slots=True)
class ServerLook:
    """The server, and our connection to it."""

    version: str
    version_num: int
    host: str
    """Host we are connected to; empty or a path for a local socket."""
    encrypted: bool
    sslmode: str
    standby: bool
    feedback: bool
    """Whether a standby asks its primary to keep what its queries read."""
    idle_slots: tuple[str, ...]
    """Replication slots nobody reads."""
    skew_seconds: float
    """How far the server's clock is ahead of ours."""
    database_bytes: int
    user: str
    superuser: bool

    @property
    def major(self) -> int:
        """Major version, for example 18."""
        return self.version_num // 10000


class Part(StrEnum):
    """Objects of which a dump needs to read every one."""

    SCHEMAS = "schemas"
    TABLES = "tables"
    SEQUENCES = "sequences"
    LARGE_OBJECTS = "large objects"
    SUBSCRIPTIONS = "subscriptions"


@dataclass(frozen=True, slots=True)
class GuardedTable:
    """A table whose policies our user is subject to."""

    name: str
    """Quoted and qualified."""
    owner: str
    forced: bool
    """Whether its policies bind the owner, too."""
    ours: bool
    """Whether our user has the owner's rights already."""
    can_be_granted: bool
    """Whether somebody who is no superuser may make our user a member of the owner."""


class Server(Protocol):
    """An open connection to the database; nothing is changed through it."""

    def look(self) -> ServerLook:
        """What there is to know about it."""

    def connections(self) -> ConnectionLook:
        """Limits of connections, and what is connected besides us."""

    def unreadable(self, part: Part) -> tuple[str, ...]:
        """Names of the objects that our user's dump could not read."""

    def guarded(self) -> tuple[GuardedTable, ...]:
        """The tables that our user's dump could not read whole: a policy would hide rows."""

    def left_out(self) -> tuple[NotInDump, ...]:
        """What the database has and a dump by our user has not."""


class Directory(Protocol):
    """A folder of backups, or where one would be made."""

    @property
    def path(self) -> Path:
        """Where it is."""

    def problem(self, *, made: bool = True) -> str:
        """Why nothing could be written there; empty where something could.

        Args:
            made: whether it is made where it is not there.
        """

    def free_bytes(self) -> int:
        """Bytes that we may still write there."""


@dataclass(frozen=True, slots=True)
class BucketLook:
    """The bucket as it first answers."""

    region: str
    our_region: str


class Trait(StrEnum):
    """Settings of a bucket that keep backups from harm."""

    VERSIONING = "versioning"
    LOCK = "Object Lock"
    ENCRYPTION = "encryption"
    PUBLIC_ACCESS = "public access"
    LIFE_CYCLE = "life cycle"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it was found.

    ``denied`` is the right that was missing to look at it; ``value`` is empty where it is not set.
    """

    value: str = ""
    denied: str = ""


class Bucket(Protocol):
    """A bucket of backups. Only :meth:`try_to_write` writes, and leaves nothing."""

    def look(self) -> BucketLook:
        """Whether it is there, and where."""

    def skew_seconds(self) -> float | None:
        """How far S3's clock is ahead of ours; None where S3 gave no answer."""

    def setting(self, trait: Trait) -> Setting:
        """One of its settings, in a few words."""

    def key_problem(self) -> str:
        """Why the KMS key of its encryption cannot be used; empty where it can, or where there is none."""

    def try_to_list(self) -> None:
        """List one object."""

    def try_to_write(self) -> str:
        """Begin an upload and give it up; the key of what could not be given up, or nothing."""
