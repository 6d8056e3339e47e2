"""One alarm on top: could the data be got back, as it was promised?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

MOST_ALARMS: Final = 100
"""How many alarms one composite may look at; https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/."""


class Recoverability(Construct):
    """A composite alarm that rings while any of the promises is broken."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        promises: Sequence[cloudwatch.IAlarm],
        action: cloudwatch.IAlarmAction,
        runbook_base_url: str,
    ) -> None:
        super().__init__(scope, construct_id)
        if not 1 <= len(promises) <= MOST_ALARMS:
            raise ValueError(
                f"a composite alarm looks at 1 to {MOST_ALARMS} others, these are {len(promises)}: "
                "back up fewer databases with one stack"
            )
        self.alarm = cloudwatch.CompositeAlarm(
            self,
            "Alarm",
            composite_alarm_name=f"{name_prefix}-recoverability",
            alarm_description="The database could not be got back as promised: one of the alarms below this one says "
            f"why. What to do: {runbook_base_url.rstrip('/')}/recoverability.md",
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in promises)
            ),
        )
        self.alarm.add_alarm_action(action)
        self.alarm.add_ok_action(action)
