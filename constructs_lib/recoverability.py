"""One alarm on top: could the data be got back, as it was promised?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Token
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

MOST_ALARMS: Final = 100
"""How many alarms one composite may look at.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""
LONGEST_RULE: Final = 10_240
"""Characters that its rule may have; the same page."""
LONGEST_NAME: Final = 255
"""Characters that the name of an alarm may have."""


class TooManyPromisesError(ValueError):
    """More alarms than one composite can look at; ``value`` and ``rule`` are for whoever named the databases."""

    def __init__(self, value: str, rule: str) -> None:
        super().__init__(f"{value}: {rule}")
        self.value = value
        self.rule = rule


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
        """Make the alarm.

        Raises:
            TooManyPromisesError: CloudWatch would refuse the rule when it is deployed.
        """
        super().__init__(scope, construct_id)
        _check(promises)
        self.alarm = cloudwatch.CompositeAlarm(
            self,
            "Alarm",
            composite_alarm_name=f"{name_prefix}-recoverability",
            alarm_description="The database could not be got back as promised: one of the alarms below this one says "
            f"why. What to do: {runbook_base_url.rstrip('/')}/recoverability.md",
            # By name, which is half as long as an ARN, and as a reference, so that the alarm is there first.
            alarm_rule=cloudwatch.AlarmRule.from_string(_rule([alarm.alarm_name for alarm in promises])),
        )
        self.alarm.add_alarm_action(action)
        self.alarm.add_ok_action(action)


def _rule(names: Sequence[str]) -> str:
    return " OR ".join(f'ALARM("{name}")' for name in names)


def _check(promises: Sequence[cloudwatch.IAlarm]) -> None:
    if not promises:
        raise ValueError("a composite alarm looks at one other at least")
    if len(promises) > MOST_ALARMS:
        raise TooManyPromisesError(
            f"{len(promises)} alarms", f"a composite alarm looks at {MOST_ALARMS} others at most"
        )
    length = len(_rule([_name(alarm) for alarm in promises]))
    if length > LONGEST_RULE:
        raise TooManyPromisesError(
            f"a rule of {length} characters over {len(promises)} alarms",
            f"the rule of a composite alarm has {LONGEST_RULE} characters at most",
        )


def _name(alarm: cloudwatch.IAlarm) -> str:
    """The name as it will be; one that is known only when it is deployed counts as the longest."""
    made = alarm.node.default_child
    name = made.alarm_name if isinstance(made, cloudwatch.CfnAlarm) else None
    return name if name and not Token.is_unresolved(name) else "-" * LONGEST_NAME
