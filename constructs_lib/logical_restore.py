"""Restores of dumps in the cloud: a function beside the database, and a machine that waits for Glacier."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.backup_lifecycle import tier_prefix
from constructs_lib.backup_lock import DEFAULT_LOCK, BackupLock
from constructs_lib.backup_permissions import grant_backup
from constructs_lib.pitr_states import LAMBDA_ERRORS, State, retry
from constructs_lib.postgres_endpoint import PostgresEndpoint
from constructs_lib.recovery_function import RecoveryFunction
from constructs_lib.recovery_machine import RecoveryMachine
from dbbackup.contract import HANDLER_RESTORE, IMAGE_CA_BUNDLE, EnvKey, RestoreStatus, Tier

FUNCTION_SECONDS: Final = 900
LOOK_EVERY_SECONDS: Final = 900
LONGEST_RETRIEVAL_SECONDS: Final = 54 * 3600
"""Bulk retrieval from Deep Archive takes up to 48 hours; the restore itself comes after that."""


def restore_definition(*, function_arn: str) -> dict[str, Any]:
    """A machine whose input is the function's event: call it, and again every quarter of an hour while it waits."""
    states: dict[str, State] = {
        "TakeRequest": {"Type": "Pass", "Parameters": {"request.$": "$"}, "Next": "Restore"},
        "Restore": {
            "Type": "Task",
            "Resource": function_arn,
            "InputPath": "$.request",
            "ResultPath": "$.result",
            # Only what the service itself fails with: our own failures have a reason that a repeat does not remove.
            "Retry": [retry(*LAMBDA_ERRORS, seconds=10, attempts=3)],
            "Next": "ThereOrNot",
        },
        "ThereOrNot": {
            "Type": "Choice",
            "Choices": [
                {
                    "Variable": "$.result.status",
                    "StringEquals": RestoreStatus.RETRIEVING.value,
                    "Next": "WaitForArchive",
                }
            ],
            "Default": "Restored",
        },
        "WaitForArchive": {"Type": "Wait", "Seconds": LOOK_EVERY_SECONDS, "Next": "Restore"},
        "Restored": {"Type": "Succeed", "OutputPath": "$.result"},
    }
    return {
        "Comment": "Restores a dump, and waits for it where it must come back from Glacier",
        "StartAt": "TakeRequest",
        "TimeoutSeconds": LONGEST_RETRIEVAL_SECONDS,
        "States": states,
    }


class LogicalRestore(Construct):
    """People start the machine, or call the function for an archive that is in S3 Standard."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        environment: str,
        database: PostgresEndpoint,
        database_names: Sequence[str],
        bucket: s3.IBucket,
        bucket_key: kms.IKey,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        log_key: kms.IKey,
        client_major: int = 18,
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
        memory_mib: int = 3538,
        scratch_mib: int = 10240,
        lock: BackupLock = DEFAULT_LOCK,
        log_retention_days: int = 90,
        log_level: str = "INFO",
    ) -> None:
        super().__init__(scope, construct_id)
        name = f"{name_prefix}-restore"
        self.timeout_seconds: int = FUNCTION_SECONDS
        restoring = RecoveryFunction(
            self,
            "Restore",
            function_name=name,
            description="Restores a dump into a database of the instance, which is backed up first",
            handler=HANDLER_RESTORE,
            variables={
                EnvKey.BUCKET.value: bucket.bucket_name,
                EnvKey.ENVIRONMENT.value: environment,
                EnvKey.LOCK.value: lock.variable(),
                EnvKey.DB_HOST.value: database.host,
                EnvKey.DB_PORT.value: str(database.port),
                EnvKey.DB_NAMES.value: json.dumps(list(database_names), ensure_ascii=False),
                EnvKey.DB_INSTANCE.value: database.instance_identifier,
                EnvKey.DB_SECRET_ARN.value: database.secret.secret_arn,
                EnvKey.DB_SSLMODE.value: "verify-full",
                EnvKey.DB_SSLROOTCERT.value: IMAGE_CA_BUNDLE,
            },
            log_key=log_key,
            client_major=client_major,
            architecture=architecture,
            # Two processors: pg_restore runs two jobs. The archive lies in /tmp, where parallel jobs can seek in it.
            memory_mib=memory_mib,
            ephemeral_storage_mib=scratch_mib,
            timeout_seconds=self.timeout_seconds,
            log_retention_days=log_retention_days,
            log_level=log_level,
            vpc=vpc,
            subnets=subnets,
        )
        self.function: lambda_.IFunction = restoring.function
        self.log_group: logs.ILogGroup = restoring.log_group
        self.machine = RecoveryMachine(
            self,
            "Machine",
            machine_name=name,
            definition=restore_definition(function_arn=restoring.function.function_arn),
            functions=[restoring.function],
            log_key=log_key,
            log_retention_days=log_retention_days,
        )
        grant_backup(restoring.role, bucket=bucket, key=bucket_key, lock=lock)  # for the backup of what is replaced
        restoring.role.add_to_policy(
            iam.PolicyStatement(
                sid="AskArchivesBack",
                actions=["s3:RestoreObject"],
                resources=[bucket.arn_for_objects(f"{tier_prefix(tier)}*") for tier in Tier],
            )
        )
        database.grant_read_credentials(restoring.role)
        assert restoring.security_group is not None
        database.allow_from(restoring, client=restoring.security_group, description=f"PostgreSQL from {name}")
