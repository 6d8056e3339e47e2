"""What a function in isolated subnets tells people: it writes it into its log, and the notifier reads it there."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from dbbackup.contract_notification import LOG_FILTER


class NoticesInLog(Construct):
    """Hands the lines of a log that are for people to the notifier, and lets this log and no other call it.

    Both belong to the stack of the log: the notifier's stack knows nothing of it, as that is deployed before.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, log_group: logs.ILogGroup, notifier: lambda_.IFunction
    ) -> None:
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
        subscription = logs.CfnSubscriptionFilter(
            self,
            "Subscription",
            log_group_name=log_group.log_group_name,
            filter_pattern=LOG_FILTER,
            destination_arn=notifier.function_arn,
        )
        # CloudWatch Logs tries it out when it is created.
        subscription.add_resource_dependency(allowed)
