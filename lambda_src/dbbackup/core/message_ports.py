"""What telling people needs of the world."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from dbbackup.contract import Tier
from dbbackup.core.message import Message


class Messenger(Protocol):
    """A channel that people read."""

    def send(self, message: Message) -> None:
        """Send a message, repeating where that may help; raises UndeliveredError unless it was taken."""


class LaterQueue(Protocol):
    """What brings an event again in a while."""

    def put(self, event: Mapping[str, Any]) -> None:
        """Keep an event; raises DbBackupError where it is not kept."""


class History(Protocol):
    """What has happened before."""

    def failed_between(
        self, database: str, tier: Tier, start: datetime, end: datetime, *, before: datetime | None = None
    ) -> bool:
        """Whether a backup failed after the one moment and before the other, or began before the third and was killed.

        Raises DbBackupError if unknown.
        """

    def alarm_began(self, name: str, ended: datetime) -> datetime | None:
        """When an alarm that ended then was raised; None where it was not raised before. Raises DbBackupError."""
