"""The function that makes one verified backup for each event."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.backup_image import backup_image
from constructs_lib.backup_lifecycle import DEFAULT_KEPT_DAYS
from constructs_lib.backup_lock import DEFAULT_LOCK, BackupLock
from constructs_lib.backup_permissions import grant_backup
from constructs_lib.function_role import FunctionRole
from constructs_lib.log_group import EncryptedLogGroup
from constructs_lib.postgres_endpoint import PostgresEndpoint
from dbbackup.contract import (
    HANDLER_BACKUP,
    IMAGE_CA_BUNDLE,
    METRICS_NAMESPACE,
    SERVICE,
    EnvKey,
    Metric,
    Tier,
    metric_dimensions,
)


class BackupFunction(Construct):
    """A container-image function in private subnets that may write backups and can't unmake them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_name: str,
        environment: str,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        database: PostgresEndpoint,
        database_names: Sequence[str],
        bucket: s3.IBucket,
        bucket_key: kms.IKey,
        dead_letter_queue: sqs.IQueue,
        log_key: kms.IKey,
        client_major: int = 18,
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
        memory_mib: int = 1769,
        timeout_seconds: int = 900,
        deadline_margin_seconds: int = 60,
        reserved_concurrency: int = 2,
        max_event_age_seconds: int = 10_800,
        retry_attempts: int = 2,
        compression: str = "auto",
        compression_level: int = 9,
        kept_days: Mapping[Tier, int] | None = None,
        lock: BackupLock = DEFAULT_LOCK,
        log_level: str = "INFO",
        log_retention_days: int = 90,
    ) -> None:
        super().__init__(scope, construct_id)
        self.environment = environment
        self.database_names = tuple(database_names)
        self.log_group: logs.ILogGroup = EncryptedLogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{function_name}",
            retention_days=log_retention_days,
            encryption_key=log_key,
            # Its name is taken as long as it is there, and this stack must be possible to remove and deploy anew.
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = FunctionRole(self, "Role", function_name=function_name, log_group=self.log_group)
        self.security_group: ec2.ISecurityGroup = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            description=f"{function_name}: to the database, S3 and Secrets Manager",
            allow_all_outbound=False,
        )
        # S3 has no address of its own before its endpoint is deployed; the subnets lead nowhere else.
        self.security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "HTTPS to the endpoints of the VPC")
        database.allow_from(self, client=self.security_group, description=f"PostgreSQL from {function_name}")
        self.function: lambda_.IFunction = lambda_.DockerImageFunction(
            self,
            "Function",
            function_name=function_name,
            description="Makes a verified PostgreSQL backup for each event",
            code=backup_image(handler=HANDLER_BACKUP, client_major=client_major, architecture=architecture),
            architecture=architecture,
            role=role,
            vpc=vpc,
            vpc_subnets=subnets,
            security_groups=[self.security_group],
            memory_size=memory_mib,
            timeout=Duration.seconds(timeout_seconds),
            reserved_concurrent_executions=reserved_concurrency,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=self.log_group,
            retry_attempts=retry_attempts,
            max_event_age=Duration.seconds(max_event_age_seconds),
            on_failure=destinations.SqsDestination(dead_letter_queue),
            environment={
                EnvKey.BUCKET.value: bucket.bucket_name,
                EnvKey.ENVIRONMENT.value: environment,
                EnvKey.COMPRESSION.value: compression,
                EnvKey.COMPRESSION_LEVEL.value: str(compression_level),
                EnvKey.DEADLINE_MARGIN_SECONDS.value: str(deadline_margin_seconds),
                EnvKey.KEPT_DAYS.value: json.dumps(
                    {tier.value: days for tier, days in (kept_days or DEFAULT_KEPT_DAYS).items()}
                ),
                EnvKey.LOCK.value: lock.variable(),
                EnvKey.DB_HOST.value: database.host,
                EnvKey.DB_PORT.value: str(database.port),
                EnvKey.DB_NAMES.value: json.dumps(list(database_names), ensure_ascii=False),
                EnvKey.DB_INSTANCE.value: database.instance_identifier,
                EnvKey.DB_SECRET_ARN.value: database.secret.secret_arn,
                EnvKey.DB_SSLMODE.value: "verify-full",
                EnvKey.DB_SSLROOTCERT.value: IMAGE_CA_BUNDLE,
                EnvKey.METRICS_NAMESPACE.value: METRICS_NAMESPACE,
                EnvKey.SERVICE_NAME.value: SERVICE,
                EnvKey.LOG_LEVEL.value: log_level,
            },
        )
        grant_backup(role, bucket=bucket, key=bucket_key, lock=lock)
        database.grant_read_credentials(role)

    def grant_invoke(self, grantee: iam.IGrantable) -> None:
        """Let somebody start a backup, by a policy of theirs."""
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                sid="StartBackups", actions=["lambda:InvokeFunction"], resources=[self.function.function_arn]
            )
        )

    def metric_backup(
        self, name: Metric, *, database: str, tier: Tier, statistic: str, period: Duration
    ) -> cloudwatch.Metric:
        """A metric that the running code emits, for one database and tier."""
        return cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name=name.value,
            dimensions_map=metric_dimensions(self.environment, database, tier),
            statistic=statistic,
            period=period,
        )
