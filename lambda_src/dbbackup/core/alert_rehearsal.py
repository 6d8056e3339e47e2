"""When the path of alerts is rehearsed: once a week, decided by the clock alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

WEEK: Final = timedelta(days=7)
GRACE: Final = timedelta(minutes=30)
"""How long after its end a message may arrive: alarms need some periods, and a delivery is repeated."""


@dataclass(frozen=True, slots=True)
class Window:
    """One rehearsal: from its start on, before its end."""

    start: datetime
    end: datetime

    @property
    def judged_until(self) -> datetime:
        """Until when its messages may arrive."""
        return self.end + GRACE


class AlertRehearsal(BaseModel):
    """The weekly time; its length must leave the alarms their periods and be over before the next."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    weekday: int = Field(ge=0, le=6, description="0 is Monday")
    hour: int = Field(ge=0, le=23, description="UTC")
    minutes: int = Field(ge=15, le=24 * 60)

    def latest(self, now: datetime) -> Window:
        """The rehearsal that began last, whether it still runs or not."""
        moment = now.astimezone(UTC)
        day = (moment - timedelta(days=(moment.weekday() - self.weekday) % 7)).date()
        start = datetime(day.year, day.month, day.day, self.hour, tzinfo=UTC)
        if start > moment:
            start -= WEEK
        return Window(start, start + timedelta(minutes=self.minutes))

    def running(self, now: datetime) -> bool:
        """Whether the synthetic database fails at this moment."""
        return now < self.latest(now).end

    def judged(self, now: datetime) -> Window:
        """The last rehearsal whose messages must all have arrived by now."""
        latest = self.latest(now)
        if now >= latest.judged_until:
            return latest
        return Window(latest.start - WEEK, latest.end - WEEK)
