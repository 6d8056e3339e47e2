"""The storage stack: the bucket of the backups, apart from everything that can be deployed anew."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnOutput
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib import BackupBucket, BackupLock, TierRule
from dbbackup.contract import Tier
from stacks.base import RecoveryStack
from stacks.settings import Settings
from stacks.settings.storage import TierSettings

STORAGE_CLASSES: Final = {
    "STANDARD": None,
    "STANDARD_IA": s3.StorageClass.INFREQUENT_ACCESS,
    "GLACIER_IR": s3.StorageClass.GLACIER_INSTANT_RETRIEVAL,
    "GLACIER": s3.StorageClass.GLACIER,
    "DEEP_ARCHIVE": s3.StorageClass.DEEP_ARCHIVE,
}


class StorageStack(RecoveryStack):
    """The bucket with its key and its access logs."""

    def __init__(self, scope: Construct, *, settings: Settings) -> None:
        super().__init__(
            scope,
            "storage",
            settings=settings,
            description="Locked and versioned bucket of the database backups, its encryption key and access logs",
            stateful=True,
        )
        chosen = settings.storage
        self.backups = BackupBucket(
            self,
            "Backups",
            bucket_name=chosen.bucket_name,
            access_log_bucket_name=chosen.access_log_bucket_name,
            access_log_days=chosen.access_log_days,
            noncurrent_days=chosen.noncurrent_days,
            tiers={tier: _rule(chosen.tiers.of(tier)) for tier in Tier},
            lock=BackupLock(mode=chosen.lock.mode, days={tier: chosen.locked_days(tier) for tier in Tier}),
        )
        # AWS makes its name where the settings name none, and whoever restores has to know it.
        CfnOutput(self, "BackupBucketName", value=self.backups.bucket.bucket_name, description="bucket of the backups")


def _rule(tier: TierSettings) -> TierRule:
    return TierRule(
        kept_days=tier.kept_days,
        storage_class=STORAGE_CLASSES[tier.storage_class],
        transition_after_days=tier.transition_after_days,
    )
