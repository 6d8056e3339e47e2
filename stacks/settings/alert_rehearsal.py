"""Settings of the weekly rehearsal of the alert path."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.settings.base import Group
from stacks.settings.refusal import between, one_of
from stacks.settings.windows import DAYS


class AlertRehearsalSettings(Group):
    """When two alerts are sent that mean nothing, to see that they arrive. Only where Slack is told."""

    weekday: Annotated[str, one_of(*DAYS, why="days of the week")] = Field(
        default="wed", description="day of the rehearsal, in UTC; one on which somebody reads Slack"
    )
    hour: Annotated[int, between(0, 23, unit="(hour)", why="the hours of a day, in UTC")] = Field(
        default=9, description="hour at which it begins, in UTC"
    )
    minutes: Annotated[
        int, between(40, 240, unit="minutes", why="CloudWatch needs some 25 to believe that data are missing")
    ] = Field(default=60, description="how long the synthetic backup stays failed and missing")
