"""For how long nobody can remove a backup: as long as its tier is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

from constructs_lib.backup_lifecycle import DEFAULT_KEPT_DAYS
from dbbackup.contract import Tier


@dataclass(frozen=True, kw_only=True)
class BackupLock:
    """Object Lock of each tier. A bucket has one default, so whoever makes backups locks each object by its tier."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    """GOVERNANCE yields to whoever may bypass it, COMPLIANCE to nobody."""
    days: Mapping[Tier, int] = field(default_factory=lambda: DEFAULT_KEPT_DAYS)
    """Days from its creation that an object of a tier cannot be removed."""

    @property
    def least_days(self) -> int:
        """The lock of whatever asks for none: as long as the tier that is kept shortest is locked."""
        return min(self.days.values())

    @property
    def bucket_default(self) -> s3.ObjectLockRetention:
        """The default of the bucket."""
        days = Duration.days(self.least_days)
        if self.mode == "COMPLIANCE":
            return s3.ObjectLockRetention.compliance(days)
        return s3.ObjectLockRetention.governance(days)

    def variable(self) -> str:
        """What the running code is told."""
        return json.dumps({"mode": self.mode, "days": {tier.value: days for tier, days in self.days.items()}})


DEFAULT_LOCK: Final = BackupLock()
