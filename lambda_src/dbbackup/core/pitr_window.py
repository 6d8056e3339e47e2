"""From when to when an instance can be restored, and how long that may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dbbackup.core.pitr_errors import NotRestorableError, OutsideWindowError
from dbbackup.core.units import format_time

BASE_SECONDS: Final = 900
SECONDS_PER_GIB: Final = 6
MULTI_AZ_SECONDS: Final = 300
REPLAY_RATE: Final = 4


@dataclass(frozen=True, slots=True)
class Window:
    """Moments that an instance can be restored to: from the earliest, up to but not including the latest."""

    earliest: datetime
    latest: datetime

    def __str__(self) -> str:
        return f"{format_time(self.earliest)} to {format_time(self.latest)}"

    def as_dict(self) -> dict[str, str]:
        """The window for an answer."""
        return {"earliest": format_time(self.earliest), "latest": format_time(self.latest)}


def window_of(
    source: Mapping[str, Any],
    automated_backup: Mapping[str, Any] | None,
    now: datetime,
    *,
    oldest: datetime | None = None,
) -> Window:
    """The window, from the documents that RDS gives of an instance and of its automated backup.

    Where RDS does not say the earliest time, it is put together: not before the instance was made, nor before its
    retention reaches.

    Raises:
        NotRestorableError: automated backups are off, or the first one is not there yet.
    """
    name = source["DBInstanceIdentifier"]
    window = (automated_backup or {}).get("RestoreWindow") or {}
    latest = window.get("LatestTime") or source.get("LatestRestorableTime")
    if not source.get("BackupRetentionPeriod") or latest is None:
        raise NotRestorableError(
            f"{name} cannot be restored to a point in time: "
            + ("its first backup is not there yet." if source.get("BackupRetentionPeriod") else "its backups are off."),
            untouched="Nothing was restored.",
            action="Restore a dump instead (`dbbackup list`), and set backup_retention_days to 1 or more.",
        )
    earliest = window.get("EarliestTime")
    if earliest is None:
        reach = now - timedelta(days=int(source["BackupRetentionPeriod"]))
        earliest = max(reach, source.get("InstanceCreateTime") or reach)
    return Window(earliest=max(filter(None, (earliest, oldest))), latest=latest)


def check_moment(moment: datetime, window: Window, now: datetime, *, source: str) -> datetime:
    """The moment, as it is.

    Raises:
        OutsideWindowError: it is in the future or outside the window.
    """
    if moment > now:
        problem = f"{format_time(moment)} is in the future: it is {format_time(now)} now."
    elif moment < window.earliest:
        problem = f"{format_time(moment)} is before the window of {source}."
    elif moment >= window.latest:
        problem = f"{format_time(moment)} is not yet restorable: RDS keeps up with about five minutes' delay."
    else:
        return moment
    raise OutsideWindowError(
        f"{problem} It can be restored to {window}, the latest excluded.",
        untouched="Nothing was restored.",
        action='Choose a time in the window, or "latest". Before a promotion\'s time, restore from the instance that '
        'was replaced ("source"). Older data may be in a dump: `dbbackup list`.',
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long a restore may take, in seconds, and why we think so."""

    low_seconds: int
    high_seconds: int
    basis: str

    def as_dict(self) -> dict[str, Any]:
        """The estimate for an answer."""
        return {"low_seconds": self.low_seconds, "high_seconds": self.high_seconds, "basis": self.basis}


def estimate(source: Mapping[str, Any], moment: datetime) -> Estimate:
    """A rough rule, not a measurement: RDS promises no duration.

    Low: a quarter of an hour for a new instance and six seconds for each GiB, five minutes more with a standby.
    High: twice that, and the write-ahead log since the last daily snapshot replayed four times as fast as it was
    written. The report of an execution says how long it took; after a rehearsal, believe that.
    """
    size = int(source.get("AllocatedStorage") or 0)
    low = BASE_SECONDS + SECONDS_PER_GIB * size + (MULTI_AZ_SECONDS if source.get("MultiAZ") else 0)
    replayed = _since_backup(source.get("PreferredBackupWindow"), moment)
    return Estimate(
        low_seconds=low,
        high_seconds=2 * low + int(replayed.total_seconds()) // REPLAY_RATE,
        basis=f"rule of thumb for {size} GiB and {replayed.total_seconds() / 3600:.1f} h of log since the daily "
        "snapshot; compare with the recovery time of your own rehearsals",
    )


def _since_backup(window: object, moment: datetime) -> timedelta:
    """Time from the daily snapshot to the moment; a day where the window is not known."""
    if not isinstance(window, str) or len(window) < 5:
        return timedelta(days=1)
    utc = moment.astimezone(UTC)
    snapshot = utc.replace(hour=int(window[:2]), minute=int(window[3:5]), second=0, microsecond=0)
    return utc - (snapshot if snapshot <= utc else snapshot - timedelta(days=1))
