"""Log groups that are encrypted with a key of ours and forget in time."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct


class LogKey(kms.Key):
    """A rotated KMS key that CloudWatch Logs may use, for log groups with the given prefixes and no others."""

    def __init__(self, scope: Construct, construct_id: str, *, log_group_prefixes: Sequence[str]) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Encrypts the logs of the database, its network and its backups",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        stack = Stack.of(self)
        groups = [stack.format_arn(service="logs", resource=f"log-group:{prefix}*") for prefix in log_group_prefixes]
        # CloudWatch Logs states the log group that it encrypts for; without the condition any log group
        # of the account could be made readable with this key.
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogsOfTheseGroups",
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=[
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                    "kms:GenerateDataKey",
                    "kms:DescribeKey",
                ],
                resources=["*"],  # in a key policy this means the key itself
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )


class EncryptedLogGroup(logs.LogGroup):
    """A log group with a name, a retention and a key; kept when its stack goes, as logs explain why it went.

    But not when its stack fails while it is first created: the name would be taken, and the next try fail for that.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        log_group_name: str,
        retention_days: int,
        encryption_key: kms.IKey,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            log_group_name=log_group_name,
            encryption_key=encryption_key,
            removal_policy=removal_policy,
        )
        resource = self.node.default_child
        assert isinstance(resource, logs.CfnLogGroup)
        # A number of days is what CloudFormation takes; the enumeration of the CDK only gives the same numbers names.
        resource.retention_in_days = retention_days
