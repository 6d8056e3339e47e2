"""A function of point-in-time recovery: inside the VPC where it speaks to a database, outside where it calls AWS."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.backup_image import backup_image
from constructs_lib.function_role import FunctionRole
from constructs_lib.log_group import EncryptedLogGroup
from dbbackup.contract import METRICS_NAMESPACE, SERVICE, EnvKey


class RecoveryFunction(Construct):
    """A container-image function with a log and a role of its own.

    The isolated subnets have no way to the APIs of RDS and Step Functions, and endpoints there would cost money every
    hour for what is needed once a month: only what must reach the database is put into them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_name: str,
        description: str,
        handler: str,
        variables: Mapping[str, str],
        log_key: kms.IKey,
        client_major: int,
        architecture: lambda_.Architecture,
        memory_mib: int = 512,
        timeout_seconds: int = 60,
        ephemeral_storage_mib: int = 512,
        log_retention_days: int = 90,
        log_level: str = "INFO",
        vpc: ec2.IVpc | None = None,
        subnets: ec2.SubnetSelection | None = None,
        reserved_concurrency: int | None = None,
        retry_attempts: int = 0,
        max_event_age_seconds: int | None = None,
        failure_queue: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group: logs.ILogGroup = EncryptedLogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{function_name}",
            retention_days=log_retention_days,
            encryption_key=log_key,
            # Its name is taken as long as it is there, and this stack must be possible to remove and deploy anew.
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role = FunctionRole(
            self, "Role", function_name=function_name, log_group=self.log_group, in_vpc=vpc is not None
        )
        self.security_group: ec2.ISecurityGroup | None = None
        if vpc is not None:
            self.security_group = ec2.SecurityGroup(
                self,
                "SecurityGroup",
                vpc=vpc,
                description=f"{function_name}: to the database and Secrets Manager",
                allow_all_outbound=False,
            )
            self.security_group.add_egress_rule(
                ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "HTTPS to the endpoints of the VPC"
            )
        self.function: lambda_.IFunction = lambda_.DockerImageFunction(
            self,
            "Function",
            function_name=function_name,
            description=description,
            code=backup_image(handler=handler, client_major=client_major, architecture=architecture),
            architecture=architecture,
            role=self.role,
            vpc=vpc,
            vpc_subnets=subnets,
            security_groups=None if self.security_group is None else [self.security_group],
            memory_size=memory_mib,
            timeout=Duration.seconds(timeout_seconds),
            ephemeral_storage_size=Size.mebibytes(ephemeral_storage_mib),
            tracing=lambda_.Tracing.ACTIVE,
            log_group=self.log_group,
            reserved_concurrent_executions=reserved_concurrency,
            # Unless told otherwise none: a request that Lambda repeats by itself is the same request, but people wait
            # for the first answer.
            retry_attempts=retry_attempts,
            max_event_age=None if max_event_age_seconds is None else Duration.seconds(max_event_age_seconds),
            on_failure=None if failure_queue is None else destinations.SqsDestination(failure_queue),
            environment={
                **variables,
                EnvKey.METRICS_NAMESPACE.value: METRICS_NAMESPACE,
                EnvKey.SERVICE_NAME.value: SERVICE,
                EnvKey.LOG_LEVEL.value: log_level,
            },
        )
