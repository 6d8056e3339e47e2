"""What point-in-time recovery needs of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from dbbackup.core.notification import Notification

Instance = Mapping[str, Any]
"""An instance as DescribeDBInstances describes it."""


class Instances(Protocol):
    """The RDS instances."""

    def find(self, identifier: str) -> Instance | None:
        """The instance of this identifier, or None."""

    def all(self) -> Sequence[Instance]:
        """All instances that we may see."""

    def automated_backup(self, identifier: str) -> Mapping[str, Any] | None:
        """What RDS keeps to restore it from, or None."""

    def restore(self, parameters: Mapping[str, Any]) -> None:
        """Start RestoreDBInstanceToPointInTime."""

    def modify(self, identifier: str, changes: Mapping[str, Any]) -> None:
        """Start to change an instance, at once."""

    def set_password(self, identifier: str, password: str) -> None:
        """Start to change the master password."""

    def rename(self, identifier: str, new: str) -> None:
        """Start to give an instance another identifier."""

    def delete(self, identifier: str) -> None:
        """Start to delete an instance with its automated backups, without a final snapshot."""

    def tag(self, instance: Instance, tags: Mapping[str, str]) -> None:
        """Set tags."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a state machine."""

    arn: str
    name: str
    status: str
    started: datetime
    input: Mapping[str, Any]

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.status in ("RUNNING", "PENDING_REDRIVE")


class Executions(Protocol):
    """The runs of one state machine."""

    def find(self, name: str) -> Execution | None:
        """The run of this name, or None."""

    def running(self) -> Sequence[Execution]:
        """All runs that have not ended."""

    def start(self, name: str, document: Mapping[str, Any]) -> Execution:
        """Start a run; the same name and document again give the same run."""


class Topic(Protocol):
    """Who is told how it ended."""

    def publish(self, subject: str, text: str, notification: Notification) -> None:
        """Tell them: people the text, the notifier the notification."""


@dataclass(frozen=True, slots=True)
class WatchedTable:
    """A table whose newest row shows how far the data reaches."""

    database: str
    table: str
    timestamp_column: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What SQL says about one restored database.

    Attributes:
        in_recovery: whether the server still replays and takes no writes.
        tables: how many ordinary and partitioned tables users have.
        newest: newest value of each watched table's column; None for an empty table.
        missing: watched tables or columns that are not there.
    """

    database: str
    server_version: str
    in_recovery: bool
    tables: int
    newest: Mapping[str, datetime | None]
    missing: tuple[str, ...]


class RestoredServer(Protocol):
    """A restored server, over SQL."""

    def inspect(self, database: str, watched: Sequence[WatchedTable]) -> Inspection:
        """Connect to one of its databases and look."""
