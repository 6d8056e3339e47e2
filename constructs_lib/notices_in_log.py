"""What a function in isolated subnets tells people: it writes it into its log, and the notifier reads it there."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from dbbackup.contract_notification import KILLED_FILTER, LOG_FILTER, Kind, killed_filter_name


class NoticesInLog(Construct):
    """Hands the lines of a log that are for people to the notifier, and lets this log and no other call it.

    Besides what the function tells itself, these are what Lambda says of a run that it has ended.

    Both belong to the stack of the log: the notifier's stack knows nothing of it, as that is deployed before.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        log_group: logs.ILogGroup,
        notifier: lambda_.IFunction,
        kind: Kind,
    ) -> None:
        """Subscribe twice, which is as often as a log group allows.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html

        Args:
            scope: the stack of the log.
            construct_id: name in it.
            log_group: the log of a function that writes notifications.
            notifier: who is called.
            kind: what that function does, for runs that end without a notification.
        """
        super().__init__(scope, construct_id)
        allowed = lambda_.CfnPermission(
            self,
            "Allowed",
            action="lambda:InvokeFunction",
            function_name=notifier.function_arn,
            principal="logs.amazonaws.com",
            source_account=Stack.of(self).account,
            source_arn=log_group.log_group_arn,
        )
        told = logs.CfnSubscriptionFilter(
            self,
            "Subscription",
            log_group_name=log_group.log_group_name,
            filter_pattern=LOG_FILTER,
            destination_arn=notifier.function_arn,
        )
        killed = logs.CfnSubscriptionFilter(
            self,
            "Killed",
            log_group_name=log_group.log_group_name,
            filter_name=killed_filter_name(kind),
            filter_pattern=KILLED_FILTER,
            destination_arn=notifier.function_arn,
        )
        # CloudWatch Logs tries each out when it is created.
        for subscription in (told, killed):
            subscription.add_resource_dependency(allowed)
