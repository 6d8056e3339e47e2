"""The alarms on the function that tells Slack."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.alarm_maker import SILENCE_CHANGES_NOTHING, AlarmMaker
from constructs_lib.function_errors import PERIOD, errors_of

PERIODS: Final = 6
"""Half an hour: longer than the queue takes until it repeats what failed (18 minutes)."""


class NotifierAlarms(Construct):
    """The notifier failed, or gave a message up.

    Both alarms go to the topic, and so to the notifier that failed: each change of their state is one more message
    that fails. So a change must follow from the end of the trouble alone. Silence changes nothing, as a notifier that
    nobody calls is not mended; and one success between the repeats of a message that still fails ends nothing.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        notifier: lambda_.IFunction,
        dead_letter_queue: sqs.IQueue,
        action: cloudwatch.IAlarmAction,
        runbook_base_url: str,
    ) -> None:
        super().__init__(scope, construct_id)
        maker = AlarmMaker(self, name_prefix=name_prefix, action=action, runbook_base_url=runbook_base_url)
        maker.add(
            "Errors",
            name="notifier-errors",
            meaning="A message did not reach Slack: the notifier's log says why, and it is repeated for a day.",
            metric=errors_of(notifier),
            threshold=0,
            periods=PERIODS,
            datapoints=1,
            missing=SILENCE_CHANGES_NOTHING,
        )
        maker.add(
            "DeadLetters",
            name="notifier-dead-letters",
            meaning="Slack did not take a message for a day, and it is repeated no more: it waits in the dead-letter "
            "queue.",
            metric=dead_letter_queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum"),
            threshold=0,
            missing=SILENCE_CHANGES_NOTHING,  # SQS falls silent about a queue that nobody touches, empty or not
        )
        self.alarms = tuple(maker.alarms)
