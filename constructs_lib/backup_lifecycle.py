"""How long each tier of backups is kept and where: rules for the life cycle of a bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

from dbbackup.contract import KIND_DUMP, TAG_KIND, Tier


@dataclass(frozen=True, kw_only=True)
class TierRule:
    """What becomes of the backups of one tier."""

    kept_days: int
    """Days until a backup expires."""
    storage_class: s3.StorageClass | None = None
    """Where dumps are moved; None leaves them in Standard."""
    transition_after_days: int = 0
    """Days in Standard before the move. With 0, S3 moves at the first midnight (UTC) after creation, which leaves
    the time to read a backup back and verify it: an archived object can't be read."""


DEFAULT_TIERS: Final[Mapping[Tier, TierRule]] = {
    Tier.DAILY: TierRule(kept_days=30),
    Tier.WEEKLY: TierRule(kept_days=90, storage_class=s3.StorageClass.GLACIER),
    Tier.MONTHLY: TierRule(kept_days=365, storage_class=s3.StorageClass.DEEP_ARCHIVE),
    Tier.PRE_MIGRATION: TierRule(kept_days=7),
    Tier.MANUAL: TierRule(kept_days=30),
}
"""The retention policy of the design."""
DEFAULT_KEPT_DAYS: Final[Mapping[Tier, int]] = {tier: rule.kept_days for tier, rule in DEFAULT_TIERS.items()}
NONCURRENT_DAYS: Final = 30
"""Days that a deleted version can be got back: a month, so that a rehearsal or the next person on call notices."""
ABORT_INCOMPLETE_DAYS: Final = 1
"""Days until what an unfinished upload has left is removed: it is paid for, and no listing of objects shows it."""


def tier_prefix(tier: Tier) -> str:
    """Prefix of the object keys of a tier."""
    return f"{tier.value}/"


def lifecycle_rules(
    tiers: Mapping[Tier, TierRule], *, noncurrent_days: int, abort_incomplete_days: int = ABORT_INCOMPLETE_DAYS
) -> list[s3.LifecycleRule]:
    """Rules for all tiers.

    A dump, its manifest and its roles lie beside each other and expire together, by prefix. Only the dump moves to
    colder storage, by prefix *and tag*: a manifest in Glacier would take hours to say what the backup holds.
    """
    rules = [
        s3.LifecycleRule(
            id="housekeeping",
            abort_incomplete_multipart_upload_after=Duration.days(abort_incomplete_days),
            noncurrent_version_expiration=Duration.days(noncurrent_days),
            expired_object_delete_marker=True,
        )
    ]
    for tier, rule in tiers.items():
        rules.append(
            s3.LifecycleRule(
                id=f"{tier.value}-expires", prefix=tier_prefix(tier), expiration=Duration.days(rule.kept_days)
            )
        )
        if rule.storage_class is not None:
            rules.append(
                s3.LifecycleRule(
                    id=f"{tier.value}-dumps-move",
                    prefix=tier_prefix(tier),
                    tag_filters={TAG_KIND: KIND_DUMP},
                    transitions=[
                        s3.Transition(
                            storage_class=rule.storage_class,
                            transition_after=Duration.days(rule.transition_after_days),
                        )
                    ],
                )
            )
    return rules
