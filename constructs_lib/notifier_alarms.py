"""The alarm on the function that tells Slack."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib.alarm_maker import SILENCE_CHANGES_NOTHING, AlarmMaker
from constructs_lib.function_errors import errors_of

PERIODS: Final = 6
"""Half an hour: longer than Lambda takes until it has repeated what failed."""


class NotifierAlarms(Construct):
    """The notifier failed; the topic's e-mail hears of it, where an address is set.

    The alarm goes to the topic, and so to the notifier that failed: each change of its state is one more message that
    fails. So a change must follow from the end of the trouble alone. Silence changes nothing, as a notifier that
    nobody calls is not mended; and one success between the repeats of a message that still fails ends nothing.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        notifier: lambda_.IFunction,
        action: cloudwatch.IAlarmAction,
        runbook_base_url: str,
    ) -> None:
        super().__init__(scope, construct_id)
        maker = AlarmMaker(self, name_prefix=name_prefix, action=action, runbook_base_url=runbook_base_url)
        maker.add(
            "Errors",
            name="notifier-errors",
            meaning="A message did not reach Slack: the notifier's log says why, and Lambda tries again by itself.",
            metric=errors_of(notifier),
            threshold=0,
            periods=PERIODS,
            datapoints=1,
            missing=SILENCE_CHANGES_NOTHING,
        )
        self.alarms = tuple(maker.alarms)
