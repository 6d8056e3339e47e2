"""An alarm of CloudWatch that changed its state, of one metric or composite, as a topic carries it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dbbackup.contract_watch import ALERT_REHEARSAL, RehearsedAlert


class AlarmState(StrEnum):
    """What an alarm can be in."""

    ALARM = "ALARM"
    OK = "OK"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class _Child(BaseModel):
    model_config = ConfigDict(frozen=True)

    arn: str = Field(default="", alias="Arn")


class Alarm(BaseModel):
    """One change of state."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(alias="AlarmName", min_length=1)
    description: str | None = Field(default=None, alias="AlarmDescription")
    state: AlarmState = Field(alias="NewStateValue")
    former: str | None = Field(default=None, alias="OldStateValue")
    reason: str = Field(default="", alias="NewStateReason")
    changed_at: AwareDatetime = Field(alias="StateChangeTime")
    children: tuple[_Child, ...] = Field(default=(), alias="TriggeringChildren")

    @property
    def raised_by(self) -> tuple[str, ...]:
        """Of a composite alarm: the names of those that changed it."""
        return tuple(child.arn.rpartition(":alarm:")[2] for child in self.children if child.arn)

    @property
    def rehearsed(self) -> bool:
        """Whether this is one of the synthetic alarms that only rehearse the way of an alert."""
        return ALERT_REHEARSAL in self.name

    @property
    def rehearsed_alert(self) -> RehearsedAlert | None:
        """Which alert of a rehearsal this is, when it is raised; its end proves nothing."""
        if self.state is not AlarmState.ALARM:
            return None
        for alert in RehearsedAlert:
            if self.name.endswith(f"{ALERT_REHEARSAL}-{alert.value}"):
                return alert
        return None


def parse_alarm(document: Mapping[str, Any]) -> Alarm | None:
    """An alarm, or None where the document is something else."""
    try:
        return Alarm.model_validate(document)
    except ValidationError:
        return None


def lasted_seconds(alarm: Alarm, began: datetime | None) -> float | None:
    """How long an alarm that is over was raised; None where that is not known."""
    if alarm.state is not AlarmState.OK or began is None or began > alarm.changed_at:
        return None
    return (alarm.changed_at - began).total_seconds()
