"""Names of the probe, and of the rehearsal of the alert path, that infrastructure and running code must agree on.

Standard library only, like :mod:`dbbackup.contract`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from dbbackup.contract import SERVICE, Dimension, Tier, metric_dimensions
from dbbackup.contract_pitr import INSTANCE_DIMENSION

HANDLER_WATCH: Final = "dbbackup.handlers.watch.handler"
"""Container command of the probe, which runs every :data:`PROBE_MINUTES` minutes."""
PROBE_MINUTES: Final = 5


class WatchEnvKey(StrEnum):
    """Environment variables of the probe, besides ``BUCKET``, ``ENVIRONMENT`` and ``DB_NAMES`` of ``EnvKey``."""

    INSTANCE = "WATCH_INSTANCE"
    """Identifier of the production instance."""
    DECLARED = "WATCH_DECLARED"
    """JSON object, :class:`WatchedSetting` to what the templates declare; what it does not name is not watched."""
    ALERT_REHEARSAL = "WATCH_ALERT_REHEARSAL"
    """JSON object ``{"weekday": 0 to 6 from Monday, "hour": 0 to 23 (UTC), "minutes": length}``, or empty for none."""


class WatchedSetting(StrEnum):
    """Settings whose change would be noticed on the worst day; each has an alarm. The declared value is JSON."""

    BACKUP_RETENTION = "backup-retention"
    """Least days that automated backups are kept, a number; more is no drift."""
    MULTI_AZ = "multi-az"
    """True or false; true where false is declared is no drift."""
    DELETION_PROTECTION = "deletion-protection"
    """True or false; true where false is declared is no drift."""
    PUBLIC_ACCESS = "public-access"
    """False: the instance is not publicly accessible."""
    STORAGE_ENCRYPTION = "storage-encryption"
    """True."""
    BUCKET_VERSIONING = "bucket-versioning"
    """``"Enabled"``."""
    BUCKET_LOCK = "bucket-lock"
    """``{"mode": "GOVERNANCE" or "COMPLIANCE", "days": n}``; a longer or stricter lock is no drift."""
    BUCKET_LIFECYCLE = "bucket-lifecycle"
    """``{prefix: {"kept_days": n, "storage_class": "GLACIER" or null, "moved_after_days": n, "noncurrent_days": n,
    "abort_days": n}}``: what the rules come to for each tier. Deleted versions that are kept longer, and unfinished
    uploads that are removed sooner, are no drift."""
    BUCKET_PUBLIC_ACCESS = "bucket-public-access"
    """True: all four blocks of public access are on."""


class WatchMetric(StrEnum):
    """Metrics of the probe."""

    RECOVERY_POINT_AGE = "RecoveryPointAgeSeconds"
    """Distance of RDS's latest restorable time from now; dimensions of :func:`watch_dimensions`. No data where RDS
    does not say one. Unit Seconds."""
    BACKUP_AGE = "NewestBackupAgeSeconds"
    """Age of the newest manifested backup, from the moment whose data it holds; dimensions of
    :func:`dbbackup.contract.metric_dimensions`. No data where there is none. Unit Seconds."""
    DRIFT = "SettingDrifted"
    """1 where a setting is not as declared, 0 where it is; dimensions of :func:`watch_dimensions` with the setting.
    No data where it could not be read. Unit Count."""
    ALERTS_UNDELIVERED = "AlertsUndelivered"
    """How many of the two alerts of the latest complete rehearsal of the alert path did not arrive, both where nothing
    was rehearsed for eight days; dimensions of :func:`watch_dimensions`. Unit Count."""


SETTING_DIMENSION: Final = "Setting"


def watch_dimensions(environment: str, instance: str, setting: WatchedSetting | None = None) -> dict[str, str]:
    """All dimensions of a metric of the probe, as CloudWatch must be asked for them."""
    return {
        Dimension.SERVICE.value: SERVICE,
        Dimension.ENVIRONMENT.value: environment,
        INSTANCE_DIMENSION: instance,
        **({SETTING_DIMENSION: setting.value} if setting else {}),
    }


# The rehearsal of the alert path. The probe speaks of a database that does not exist, with the very metrics of the
# real ones: most of the time it is well; once a week, for a while, its backup "fails" and its newest one goes missing.

REHEARSED_DATABASE: Final = "alert-path-rehearsal"
"""Database of the synthetic metrics: ``Metric.BACKUP_FAILURE`` is 1 during a rehearsal and 0 otherwise,
``WatchMetric.BACKUP_AGE`` is missing during a rehearsal and 0 otherwise."""
ALERT_REHEARSAL: Final = "alert-rehearsal"
"""Part of the names of the two synthetic alarms, ``<prefix>-alert-rehearsal-failed`` and ``-missing``: the marker
that people and the notifier recognise."""


class RehearsedAlert(StrEnum):
    """The two alerts of a rehearsal; the end of the alarm's name, and a value of :data:`ALERT_DIMENSION`."""

    FAILED = "failed"
    MISSING = "missing"


def rehearsed_dimensions(environment: str) -> dict[str, str]:
    """Dimensions of the synthetic metrics."""
    return metric_dimensions(environment, REHEARSED_DATABASE, Tier.DAILY)


ALERT_DELIVERED: Final = "AlertDelivered"
"""Metric of the notifier: 1 when Slack has taken the message of a synthetic alarm. Unit Count."""
ALERT_DIMENSION: Final = "Alert"


def delivered_dimensions(environment: str, alert: RehearsedAlert) -> dict[str, str]:
    """Dimensions of :data:`ALERT_DELIVERED`."""
    return {
        Dimension.SERVICE.value: SERVICE,
        Dimension.ENVIRONMENT.value: environment,
        ALERT_DIMENSION: alert.value,
    }
