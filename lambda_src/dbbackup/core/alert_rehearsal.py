"""When the path of alerts is rehearsed, once a week by the clock; and which rehearsal there really was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from dbbackup.contract_watch import PROBE_MINUTES, RehearsedAlert

WEEK: Final = timedelta(days=7)
LONGEST_PAUSE: Final = timedelta(days=8)
"""How long after a rehearsal the next must have ended: a day more than a week."""
LOOK_BACK: Final = LONGEST_PAUSE + timedelta(days=1)
"""How far back to look for a rehearsal, which may itself have taken a day."""
SHORTEST: Final = timedelta(minutes=30)
"""How long the probe must have spoken of failures without a break: alarms on missing data need some 25 minutes. What
is shorter was cut by a change of the settings or by a silent probe, and says nothing about the path."""
_LONGEST_GAP: Final = timedelta(hours=1)
_PERIOD: Final = timedelta(minutes=PROBE_MINUTES)
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
    minutes: int = Field(ge=40, le=24 * 60)

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


@dataclass(frozen=True, slots=True)
class RehearsalRecord:
    """What CloudWatch remembers of rehearsals.

    Attributes:
        failing: for each period of the probe, by its begin, whether it spoke of a failure of the synthetic database.
        delivered: begins of the periods in which the message of each alert was taken.
    """

    failing: Mapping[datetime, bool]
    delivered: Mapping[RehearsedAlert, Collection[datetime]]

    def judged(self, now: datetime) -> Window | None:
        """The last rehearsal that there really was and whose messages must all have arrived by now.

        It goes by what the probe has said, not by the settings: they may have changed since, and then there was no
        rehearsal at the time that they name.

        Returns:
            None where there was none within :data:`LONGEST_PAUSE`.
        """
        over = [each for each in self._windows() if each.judged_until <= now and each.end - each.start >= SHORTEST]
        return over[-1] if over and over[-1].end > now - LONGEST_PAUSE else None

    def arrived(self, alert: RehearsedAlert, window: Window) -> bool:
        """Whether the message of an alert was taken in time."""
        return any(window.start <= moment < window.judged_until for moment in self.delivered.get(alert, ()))

    def _windows(self) -> list[Window]:
        """Periods of failure without a break, oldest first; a look or two that were missed are none."""
        found: list[Window] = []
        broken = True
        for moment in sorted(self.failing):
            if not self.failing[moment]:
                broken = True
                continue
            if broken or moment - found[-1].end > _LONGEST_GAP:
                found.append(Window(moment, moment + _PERIOD))
            else:
                found[-1] = Window(found[-1].start, moment + _PERIOD)
            broken = False
        return found
