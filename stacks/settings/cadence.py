"""Whether backups come as often, and are kept as long, as the alarms on missing ones expect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from stacks.settings.backup import BackupSettings
from stacks.settings.cron import in_words, longest_gap
from stacks.settings.monitoring import (
    MOST_HOURS,
    MOST_MONTHLY_DAYS,
    MOST_WEEKLY_DAYS,
    MonitoringSettings,
)
from stacks.settings.refusal import refuse
from stacks.settings.storage import StorageSettings, TierSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cadence:
    """One scheduled tier."""

    tier: str
    schedule: str
    kept: TierSettings
    setting: str
    """Name of the limit under ``monitoring``."""
    limit: int
    most: int
    """What that setting can be at most, in its unit."""
    unit: timedelta


def check_cadences(backup: BackupSettings, monitoring: MonitoringSettings, storage: StorageSettings) -> None:
    """Refuse schedules that the alarms on missing backups would ring between, and tiers that expire before.

    Raises:
        PydanticCustomError: which schedule or tier, and what to write.
    """
    schedules, tiers = backup.schedules, storage.tiers
    day, hour = timedelta(days=1), timedelta(hours=1)
    for cadence in (
        _Cadence(
            tier="daily",
            schedule=schedules.daily,
            kept=tiers.daily,
            setting="missing_backup_hours",
            limit=monitoring.missing_backup_hours,
            most=MOST_HOURS,
            unit=hour,
        ),
        _Cadence(
            tier="weekly",
            schedule=schedules.weekly,
            kept=tiers.weekly,
            setting="missing_weekly_days",
            limit=monitoring.missing_weekly_days,
            most=MOST_WEEKLY_DAYS,
            unit=day,
        ),
        _Cadence(
            tier="monthly",
            schedule=schedules.monthly,
            kept=tiers.monthly,
            setting="missing_monthly_days",
            limit=monitoring.missing_monthly_days,
            most=MOST_MONTHLY_DAYS,
            unit=day,
        ),
    ):
        _comes_in_time(cadence, run=timedelta(seconds=backup.timeout_seconds))
        _is_kept_until_missed(cadence)


def _comes_in_time(cadence: _Cadence, *, run: timedelta) -> None:
    gap = longest_gap(cadence.schedule)
    if gap + run <= cadence.limit * cadence.unit:
        return
    least = ceil((gap + run) / cadence.unit)
    longer = f", or write {least} for monitoring.{cadence.setting}" if least <= cadence.most else ""
    raise refuse(
        at=f"backup.schedules.{cadence.tier}",
        value=f"{cadence.schedule}, up to {in_words(gap)} between two backups",
        rule=f"the alarm on a missing {cadence.tier} backup rings after {in_words(cadence.limit * cadence.unit)} "
        f"(monitoring.{cadence.setting}), a run's own duration included",
        fix=f"let it come more often{longer}",
    )


def _is_kept_until_missed(cadence: _Cadence) -> None:
    limit = cadence.limit * cadence.unit
    if timedelta(days=cadence.kept.kept_days) >= limit:
        return
    raise refuse(
        at=f"storage.tiers.{cadence.tier}.kept_days",
        value=f"{cadence.kept.kept_days} days",
        rule=f"a backup that expires before the next one is missed, after {in_words(limit)} "
        f"(monitoring.{cadence.setting}), leaves a time with none",
        fix=f"keep it {ceil(limit / timedelta(days=1))} days or longer",
    )
