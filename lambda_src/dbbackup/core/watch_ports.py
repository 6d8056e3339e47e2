"""What the probe needs of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from dbbackup.contract import Tier
from dbbackup.contract_watch import WatchedSetting
from dbbackup.core.alert_rehearsal import RehearsalRecord


@dataclass(frozen=True, slots=True)
class Lock:
    """A bucket's default retention under Object Lock."""

    mode: str
    days: int


class BucketSettings(Protocol):
    """The settings of the bucket."""

    def versioning(self) -> str:
        """``Enabled``, ``Suspended`` or ``never enabled``."""

    def lock(self) -> Lock | None:
        """The default retention, or None."""

    def lifecycle(self) -> Sequence[Mapping[str, Any]]:
        """The rules of the life cycle."""

    def public_access(self) -> Mapping[str, bool]:
        """The four blocks of public access, and which are on."""


class Deliveries(Protocol):
    """What the probe has rehearsed and the notifier has delivered."""

    def record(self, *, start: datetime, end: datetime) -> RehearsalRecord:
        """What is remembered of the time between two moments."""


class WatchListener(Protocol):
    """Hears what the probe sees, as soon as it sees it."""

    def recovery_point(self, age_seconds: float) -> None:
        """How far back the newest moment lies that can be restored to."""

    def backup(self, database: str, tier: Tier, age_seconds: float) -> None:
        """How old the newest backup is."""

    def setting(self, setting: WatchedSetting, *, drifted: bool) -> None:
        """Whether a setting is not as declared."""

    def rehearsed(self, *, failing: bool) -> None:
        """How the database that does not exist is doing."""

    def undelivered(self, number: int) -> None:
        """How many alerts of the latest rehearsal did not arrive."""
