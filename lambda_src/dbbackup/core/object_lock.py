"""How long what is stored cannot be removed, where the store can lock: as long as its tier is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dbbackup.contract import Tier


class ObjectLock(BaseModel):
    """Locks of a bucket's objects, each set when it is created: a bucket has one default for all of its prefixes.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    days: dict[Tier, Annotated[int, Field(ge=1)]]

    def until(self, key: str, now: datetime) -> datetime | None:
        """Until when an object under a key is locked; None where nothing is said of its tier."""
        for tier, days in self.days.items():
            if key.startswith(f"{tier.value}/"):
                return now + timedelta(days=days)
        return None
