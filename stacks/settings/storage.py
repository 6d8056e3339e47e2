"""Settings of the bucket: how long each tier is kept, in which storage class, and what can't be deleted."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from dbbackup.contract import Tier
from stacks.settings.base import Group
from stacks.settings.names import BucketName
from stacks.settings.refusal import between, refuse

StorageClass = Literal["STANDARD", "STANDARD_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]

BILLED_DAYS: Final[dict[StorageClass, int]] = {
    "STANDARD": 0,
    "STANDARD_IA": 30,
    "GLACIER_IR": 90,
    "GLACIER": 90,
    "DEEP_ARCHIVE": 180,
}
"""Days that S3 bills an object for at least; https://aws.amazon.com/s3/pricing/."""

STANDARD_FIRST_DAYS: Final[dict[StorageClass, int]] = {"STANDARD_IA": 30}
"""Days that S3 keeps an object in Standard before a lifecycle rule may move it to this class."""

Days = Annotated[int, between(1, 3650, unit="days", why="a backup is kept at least a day and at most ten years")]


class TierSettings(Group):
    """How one tier of backups is kept."""

    kept_days: Days = Field(description="days until a backup expires")
    storage_class: StorageClass = Field(default="STANDARD", description="where dumps go once they are verified")

    @property
    def transition_after_days(self) -> int:
        """Days in Standard before the move; S3 moves at the midnight (UTC) that follows."""
        return STANDARD_FIRST_DAYS.get(self.storage_class, 0)

    @model_validator(mode="after")
    def _no_shorter_than_billed(self) -> Self:
        least = BILLED_DAYS[self.storage_class] + self.transition_after_days
        if self.kept_days < least:
            raise refuse(
                at="kept_days",
                value=f"{self.kept_days} days in {self.storage_class}",
                rule=f"S3 bills {self.storage_class} for {BILLED_DAYS[self.storage_class]} days at least"
                + (f", after {self.transition_after_days} in STANDARD" if self.transition_after_days else ""),
                fix=f"keep it {least} days or longer, or use STANDARD, which has no minimum",
            )
        return self


class TierTable(Group):
    """Every tier; the defaults are the retention policy of the design."""

    daily: TierSettings = TierSettings(kept_days=30)
    weekly: TierSettings = TierSettings(kept_days=90, storage_class="GLACIER")
    monthly: TierSettings = TierSettings(kept_days=365, storage_class="DEEP_ARCHIVE")
    pre_migration: TierSettings = TierSettings(kept_days=7)
    manual: TierSettings = TierSettings(kept_days=30)

    def of(self, tier: Tier) -> TierSettings:
        """One of them."""
        found: TierSettings = getattr(self, tier.name.lower())
        return found

    def all(self) -> tuple[TierSettings, ...]:
        """The five tiers."""
        return (self.daily, self.weekly, self.monthly, self.pre_migration, self.manual)


class LockSettings(Group):
    """Object Lock: for how long nobody can delete a backup."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"] = Field(
        default="GOVERNANCE",
        description="GOVERNANCE yields to whoever may bypass it, COMPLIANCE to nobody, not even the root user",
    )
    days: Days | None = Field(
        default=None,
        description="days from its creation that a version can't be deleted; leave out for as long as its tier is kept",
    )


class StorageSettings(Group):
    """The bucket that receives backups."""

    bucket_name: BucketName | None = Field(default=None, description="name of the bucket; leave out to generate one")
    access_log_bucket_name: BucketName | None = Field(default=None, description="name of the bucket for access logs")
    access_log_days: Days = Field(default=365, description="days that access logs are kept")
    noncurrent_days: Days = Field(default=30, description="days that a deleted or expired version can be got back")
    lock: LockSettings = LockSettings()
    tiers: TierTable = TierTable()

    def locked_days(self, tier: Tier) -> int:
        """Days that the backups of a tier are locked."""
        return self.tiers.of(tier).kept_days if self.lock.days is None else self.lock.days

    @model_validator(mode="after")
    def _lock_ends_before_expiry(self) -> Self:
        shortest = min(tier.kept_days for tier in self.tiers.all())
        if self.lock.days is not None and self.lock.days > shortest:
            raise refuse(
                at="lock.days",
                value=f"{self.lock.days} days, the shortest tier is kept {shortest}",
                rule="a lock longer than a tier keeps expired backups, and their price, past the tier's end",
                fix=f"leave it out to lock each tier as long as it is kept, or lock {shortest} days or fewer",
            )
        return self

    @model_validator(mode="after")
    def _two_buckets(self) -> Self:
        if self.bucket_name is not None and self.bucket_name == self.access_log_bucket_name:
            raise refuse(
                at="access_log_bucket_name",
                value=self.access_log_bucket_name,
                rule="access logs go to a bucket of their own: a bucket that logs to itself never stops growing",
                fix="write another name, or leave it out to have one generated",
            )
        return self
