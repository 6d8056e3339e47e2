"""What the templates declare of the settings that the probe watches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dbbackup.contract_watch import WatchedSetting


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DeclaredLock(_Document):
    """The bucket's default retention under Object Lock."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    days: int = Field(ge=1)


class DeclaredTier(_Document):
    """What the life cycle makes of one prefix."""

    kept_days: int = Field(ge=1)
    storage_class: str | None = Field(description="where dumps are moved; None leaves them in Standard")
    moved_after_days: int = Field(default=0, ge=0, description="days until they are moved")
    noncurrent_days: int = Field(ge=1, description="days that a deleted or overwritten version can be got back")
    abort_days: int = Field(ge=1, description="days until what an unfinished upload has left is removed")


class Declared(_Document):
    """Declared values; a setting that is left out is not watched."""

    backup_retention: Annotated[int, Field(ge=0)] | None = Field(default=None, alias=WatchedSetting.BACKUP_RETENTION)
    multi_az: bool | None = Field(default=None, alias=WatchedSetting.MULTI_AZ)
    deletion_protection: bool | None = Field(default=None, alias=WatchedSetting.DELETION_PROTECTION)
    public_access: Literal[False] | None = Field(default=None, alias=WatchedSetting.PUBLIC_ACCESS)
    storage_encryption: Literal[True] | None = Field(default=None, alias=WatchedSetting.STORAGE_ENCRYPTION)
    bucket_versioning: Literal["Enabled"] | None = Field(default=None, alias=WatchedSetting.BUCKET_VERSIONING)
    bucket_lock: DeclaredLock | None = Field(default=None, alias=WatchedSetting.BUCKET_LOCK)
    bucket_lifecycle: dict[str, DeclaredTier] | None = Field(default=None, alias=WatchedSetting.BUCKET_LIFECYCLE)
    bucket_public_access: Literal[True] | None = Field(default=None, alias=WatchedSetting.BUCKET_PUBLIC_ACCESS)

    @property
    def watched(self) -> Mapping[WatchedSetting, Any]:
        """The settings to look at, with their declared values."""
        values = {setting: getattr(self, setting.name.lower()) for setting in WatchedSetting}
        return {setting: value for setting, value in values.items() if value is not None}
