"""Whether what RDS says of the instance is still what was declared; a change for the better is no drift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dbbackup.contract_watch import WatchedSetting
from dbbackup.core.watch_errors import UnreadSettingError

_MEANINGS: Final = {
    WatchedSetting.BACKUP_RETENTION: "Moments further back than that can no longer be restored to.",
    WatchedSetting.MULTI_AZ: "When the instance or its zone fails, nothing takes over: that is downtime and a restore.",
    WatchedSetting.DELETION_PROTECTION: "One call deletes the instance, and with it its automated backups.",
    WatchedSetting.PUBLIC_ACCESS: "The instance has a public address; only its security groups stand before it.",
    WatchedSetting.STORAGE_ENCRYPTION: "The data and its snapshots are stored in clear text; this is another instance "
    "than the one that was declared, as encryption cannot be switched off.",
    WatchedSetting.BUCKET_VERSIONING: "A backup that is overwritten or deleted is gone at once.",
    WatchedSetting.BUCKET_LOCK: "Backups can be deleted sooner than was promised, by mistake or by an intruder.",
    WatchedSetting.BUCKET_LIFECYCLE: "Backups go sooner, stay longer, or lie elsewhere than was declared.",
    WatchedSetting.BUCKET_PUBLIC_ACCESS: "A mistake in a policy could publish every backup.",
}


@dataclass(frozen=True, slots=True)
class Drift:
    """A setting that is not as declared, in words."""

    setting: WatchedSetting
    declared: str
    found: str

    @property
    def meaning(self) -> str:
        """What it means on the worst day."""
        return _MEANINGS[self.setting]

    def as_dict(self) -> dict[str, str]:
        """For a log line and the function's answer."""
        return {"declared": self.declared, "found": self.found, "meaning": self.meaning}


@dataclass(frozen=True, slots=True)
class _Rule:
    field: str
    worse: Callable[[Any, Any], bool]
    """Whether the found value, the second, is worse than the declared one."""


_RULES: Final[Mapping[WatchedSetting, _Rule]] = {
    WatchedSetting.BACKUP_RETENTION: _Rule("BackupRetentionPeriod", lambda declared, found: found < declared),
    WatchedSetting.MULTI_AZ: _Rule("MultiAZ", lambda declared, found: declared and not found),
    WatchedSetting.DELETION_PROTECTION: _Rule("DeletionProtection", lambda declared, found: declared and not found),
    WatchedSetting.PUBLIC_ACCESS: _Rule("PubliclyAccessible", lambda declared, found: found and not declared),
    WatchedSetting.STORAGE_ENCRYPTION: _Rule("StorageEncrypted", lambda declared, found: declared and not found),
}
INSTANCE_SETTINGS: Final = frozenset(_RULES)
"""Settings that the description of the instance answers."""


def instance_drift(setting: WatchedSetting, declared: Any, instance: Mapping[str, Any]) -> Drift | None:
    """How a setting of the instance differs for the worse, or None.

    A change that waits for the maintenance window is looked at, too: it can still be taken back.
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PendingModifiedValues.html

    Raises:
        UnreadSettingError: RDS does not say it.
    """
    rule = _RULES[setting]
    now = instance.get(rule.field)
    if now is None:
        raise UnreadSettingError(
            f"RDS's description of the instance has no {rule.field}.",
            untouched="Nothing was changed.",
            action="Look at it: aws rds describe-db-instances.",
        )
    pending = (instance.get("PendingModifiedValues") or {}).get(rule.field)
    if rule.worse(declared, now):
        return Drift(setting, shown(declared), shown(now))
    if pending is not None and rule.worse(declared, pending):
        return Drift(setting, shown(declared), f"{shown(now)}, and {shown(pending)} from the next maintenance window")
    return None


def shown(value: object) -> str:
    """A value as people write it in settings."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
