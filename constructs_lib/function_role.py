"""The role of a function, with what Lambda itself needs and no managed policy."""

from __future__ import annotations

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

INTERFACES: Final = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda does to put a function into a VPC."""


class FunctionRole(iam.Role):
    """Write to one log group and, in a VPC, let Lambda hold network interfaces; all else is granted by name."""

    def __init__(
        self, scope: Construct, construct_id: str, *, function_name: str, log_group: logs.ILogGroup, in_vpc: bool = True
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {function_name} may do",
        )
        self.add_to_policy(
            iam.PolicyStatement(
                sid="WriteLog",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[log_group.log_group_arn],
            )
        )
        if in_vpc:
            self._join_vpc(function_name)

    def _join_vpc(self, function_name: str) -> None:
        # Describing has no finer resource than *, and the interfaces that Lambda will make have no name yet.
        self.add_to_policy(iam.PolicyStatement(sid="LambdaJoinsVpc", actions=list(INTERFACES), resources=["*"]))
        # Lambda needs them, our code never does: calls that carry the function's own ARN come from the code.
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
        # The ARN is put together from the name: taken from the function it would close a circle with this role.
        function_arn = Stack.of(self).format_arn(service="lambda", resource=f"function:{function_name}")
        self.add_to_policy(
            iam.PolicyStatement(
                sid="CodeStaysOutOfVpc",
                effect=iam.Effect.DENY,
                actions=list(INTERFACES),
                resources=["*"],
                conditions={"ArnEquals": {"lambda:SourceFunctionArn": function_arn}},
            )
        )
