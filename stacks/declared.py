"""What the templates declare, for the probe to compare with what there is."""

from __future__ import annotations

from constructs_lib.backup_lifecycle import ABORT_INCOMPLETE_DAYS
from dbbackup.contract import Tier
from dbbackup.contract_watch import WatchedSetting
from stacks.settings import Settings


def declared(settings: Settings) -> dict[WatchedSetting, object]:
    """Each watched setting with its declared value.

    Of an instance that somebody else owns, its owner declares everything; that it must not be open to the internet
    is the one thing that this system asks of it.
    """
    storage = settings.storage
    found: dict[WatchedSetting, object] = {
        WatchedSetting.PUBLIC_ACCESS: False,
        WatchedSetting.BUCKET_VERSIONING: "Enabled",
        WatchedSetting.BUCKET_LOCK: {
            "mode": storage.lock.mode,
            "days": min(storage.locked_days(tier) for tier in Tier),
        },
        WatchedSetting.BUCKET_LIFECYCLE: {
            f"{tier.value}/": {
                "kept_days": chosen.kept_days,
                "storage_class": None if chosen.storage_class == "STANDARD" else chosen.storage_class,
                "moved_after_days": chosen.transition_after_days,
                "noncurrent_days": storage.noncurrent_days,
                "abort_days": ABORT_INCOMPLETE_DAYS,
            }
            for tier, chosen in zip(Tier, storage.tiers.all(), strict=True)
        },
        WatchedSetting.BUCKET_PUBLIC_ACCESS: True,
    }
    new = settings.database.new_instance
    if new is not None:
        found |= {
            WatchedSetting.BACKUP_RETENTION: new.backup_retention_days,
            WatchedSetting.MULTI_AZ: new.multi_az,
            WatchedSetting.DELETION_PROTECTION: new.deletion_protection,
            WatchedSetting.STORAGE_ENCRYPTION: True,
        }
    return {setting: found[setting] for setting in WatchedSetting if setting in found}
