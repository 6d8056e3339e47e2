"""The alarm on the function that tells Slack."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib.alarm_maker import SILENCE_IS_FINE, AlarmMaker
from constructs_lib.function_errors import any_error, errors_of
from constructs_lib.slack_notifier import TIMEOUT_SECONDS


class NotifierAlarms(Construct):
    """The notifier failed; e-mail hears of it, as the topic has other subscribers than the notifier."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        notifier: lambda_.IFunction,
        action: cloudwatch.IAlarmAction,
        runbook_base_url: str,
        timeout_seconds: int = TIMEOUT_SECONDS,
    ) -> None:
        super().__init__(scope, construct_id)
        maker = AlarmMaker(self, name_prefix=name_prefix, action=action, runbook_base_url=runbook_base_url)
        maker.add(
            "Errors",
            name="notifier-errors",
            meaning="A message did not reach Slack: the notifier's log says why, and Lambda tries again by itself.",
            metric=errors_of(notifier),
            **any_error(timeout_seconds),
            threshold=0,
            missing=SILENCE_IS_FINE,  # nothing to tell, no error
        )
        self.alarms = tuple(maker.alarms)
