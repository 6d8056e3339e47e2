"""One look of the probe. What one service does not answer hides nothing of what the others say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from dbbackup.contract import Tier
from dbbackup.contract_watch import RehearsedAlert, WatchedSetting
from dbbackup.core.alert_rehearsal import LONGEST_PAUSE, LOOK_BACK, AlertRehearsal
from dbbackup.core.declared import Declared
from dbbackup.core.drift import INSTANCE_SETTINGS, Drift, instance_drift
from dbbackup.core.errors import DbBackupError
from dbbackup.core.pitr_errors import InstanceMissingError
from dbbackup.core.pitr_ports import Instance, Instances
from dbbackup.core.ports import BackupStore
from dbbackup.core.units import format_time
from dbbackup.core.watch_errors import ProbeIncompleteError
from dbbackup.core.watch_ports import BucketSettings, Deliveries, WatchListener
from dbbackup.operations.backup_ages import newest_backups
from dbbackup.operations.drift import bucket_drift


@dataclass(frozen=True, slots=True)
class World:
    """What is looked at."""

    instances: Instances
    store: BackupStore
    bucket: BucketSettings
    deliveries: Deliveries


@dataclass(frozen=True, slots=True)
class WatchOrder:
    """What to look for.

    Attributes:
        instance: identifier of the production instance.
        databases: those that must have backups.
        declared: settings, as the templates have them.
        rehearsal: when the path of alerts is rehearsed; None for never.
        now: this moment.
    """

    instance: str
    databases: Sequence[str]
    declared: Declared
    rehearsal: AlertRehearsal | None
    now: datetime


@dataclass(slots=True)
class Seen:
    """What was seen, and the failures to see the rest.

    Attributes:
        recovery_point_age: seconds; None where RDS says no latest restorable time.
        backups: for each database and tier the key, the age in seconds.
        settings: those that could be read; None for one that is as declared.
        damaged: what is wrong with manifests that cannot be read.
        rehearsing: whether the synthetic database fails now; None where nothing is rehearsed.
        undelivered: alerts of the latest complete rehearsal that did not arrive; all, where nothing was rehearsed.
        unseen: what could not be looked at, with the failure.
    """

    recovery_point_age: float | None = None
    backups: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[WatchedSetting, Drift | None] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    rehearsing: bool | None = None
    undelivered: tuple[str, ...] | None = None
    unseen: list[tuple[str, Exception]] = field(default_factory=list)

    @property
    def drifts(self) -> list[Drift]:
        """Settings that are not as declared."""
        return [drift for drift in self.settings.values() if drift]

    def as_dict(self) -> dict[str, Any]:
        """The answer of the function."""
        return {
            "recovery_point_age_seconds": self.recovery_point_age,
            "backups": self.backups,
            "damaged": self.damaged,
            "drifted": {drift.setting.value: drift.as_dict() for drift in self.drifts},
            "as_declared": [setting.value for setting, drift in self.settings.items() if drift is None],
            "rehearsing": self.rehearsing,
            "undelivered": None if self.undelivered is None else list(self.undelivered),
            "unseen": {subject: words_of(error) for subject, error in self.unseen},
        }

    def check_complete(self) -> None:
        """Raise where something could not be looked at.

        Raises:
            ProbeIncompleteError: naming it, and why.
        """
        if self.unseen:
            reasons = "; ".join(f"{subject}: {words_of(error)}" for subject, error in self.unseen)
            raise ProbeIncompleteError(
                f"Not everything could be looked at. {reasons}",
                untouched="Everything else was looked at and told; nothing was changed.",
                action="Restore the permission or the service that is named; the next look comes by itself.",
            )


def words_of(error: Exception) -> str:
    """A failure in words; of one that nobody expected, its type: its text may hold anything."""
    return error.what if isinstance(error, DbBackupError) else f"{type(error).__name__}, which nobody expected"


def look(order: WatchOrder, world: World, listener: WatchListener) -> Seen:
    """Look at everything, telling each thing as soon as it is seen: the function may be killed over the next.

    Returns:
        What was seen. It may be incomplete: see :meth:`Seen.check_complete`.
    """
    seen = Seen()
    if order.rehearsal:
        seen.rehearsing = order.rehearsal.running(order.now)
        listener.rehearsed(failing=seen.rehearsing)
    _look_at_instance(order, world, listener, seen)
    if order.rehearsal:
        with _on_its_own(seen, "deliveries of the latest rehearsal of alerts"):
            seen.undelivered = _undelivered(order.now, world.deliveries)
            listener.undelivered(len(seen.undelivered))
    for tier in Tier:
        with _on_its_own(seen, f"{tier.value} backups"):
            _look_at_backups(tier, order, world.store, listener, seen)
    for setting, declared in order.declared.watched.items():
        if setting not in INSTANCE_SETTINGS:
            _look_at_setting(seen, listener, setting, partial(bucket_drift, setting, declared, world.bucket))
    return seen


@contextmanager
def _on_its_own(seen: Seen, subject: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - kept, and raised when all the rest has been told
        seen.unseen.append((subject, error))


def _look_at_instance(order: WatchOrder, world: World, listener: WatchListener, seen: Seen) -> None:
    with _on_its_own(seen, f"the instance {order.instance}"):
        instance = _find(order.instance, world.instances)
        with _on_its_own(seen, "the latest restorable time"):
            latest = instance.get("LatestRestorableTime")
            if latest is not None:
                seen.recovery_point_age = _age(latest, order.now)
                listener.recovery_point(seen.recovery_point_age)
        for setting, declared in order.declared.watched.items():
            if setting in INSTANCE_SETTINGS:
                _look_at_setting(seen, listener, setting, partial(instance_drift, setting, declared, instance))


def _find(identifier: str, instances: Instances) -> Instance:
    instance = instances.find(identifier)
    if instance is None:
        raise InstanceMissingError(
            f"There is no instance {identifier}.",
            untouched="Nothing was changed.",
            action="If it is being renamed by a promotion, wait. If it was deleted, restore it.",
        )
    return instance


def _look_at_setting(
    seen: Seen, listener: WatchListener, setting: WatchedSetting, drift_of: Callable[[], Drift | None]
) -> None:
    with _on_its_own(seen, f"the setting {setting.value}"):
        drift = drift_of()
        seen.settings[setting] = drift
        listener.setting(setting, drifted=drift is not None)


def _look_at_backups(tier: Tier, order: WatchOrder, store: BackupStore, listener: WatchListener, seen: Seen) -> None:
    newest = newest_backups(store, tier, order.databases, order.instance)
    seen.damaged.extend(newest.damaged)
    for database, manifest in newest.manifests.items():
        age = _age(manifest.age_reference, order.now)
        seen.backups.append(
            {"database": database, "tier": tier.value, "key": manifest.archive.key, "age_seconds": round(age, 3)}
        )
        listener.backup(database, tier, age)


def _undelivered(now: datetime, deliveries: Deliveries) -> tuple[str, ...]:
    record = deliveries.record(start=now - LOOK_BACK, end=now)
    window = record.judged(now)
    if window is None:
        return tuple(
            f"{alert.value}, as nothing was rehearsed for {LONGEST_PAUSE.days} days" for alert in RehearsedAlert
        )
    return tuple(
        f"{alert.value}, of {format_time(window.start)}"
        for alert in RehearsedAlert
        if not record.arrived(alert, window)
    )


def _age(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds())
