"""The monthly rehearsal: four functions, a state machine, and two schedules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib.pitr_permissions import grant_restore, grant_see_window, grant_tell
from constructs_lib.postgres_endpoint import PostgresEndpoint
from constructs_lib.recovery_function import RecoveryFunction
from constructs_lib.recovery_machine import RecoveryMachine
from constructs_lib.rehearsal_definition import rehearsal_definition
from constructs_lib.rehearsal_permissions import (
    grant_read_backups,
    grant_read_evidence,
    grant_see_all_instances,
    grant_see_own_executions,
    grant_write_evidence,
)
from constructs_lib.rehearsal_schedule import DEFAULT_SCHEDULE, DEFAULT_WATCH, RehearsalSchedule
from dbbackup.contract import IMAGE_CA_BUNDLE, EnvKey
from dbbackup.contract_rehearsal import (
    HANDLER_REHEARSAL_CHECK,
    HANDLER_REHEARSAL_RECORD,
    HANDLER_REHEARSAL_STEP,
    HANDLER_REHEARSAL_WATCH,
    NAME_INFIX,
    ROLE_REHEARSAL,
    RehearsalEnvKey,
)

FUNCTION_SECONDS = 900
"""A restore of one dump has a function's whole time; what takes longer is rehearsed with `dbbackup drill`."""
REMOVAL_SECONDS = 3600
BACKSTOP_SECONDS = 3 * 3600
"""After all its own limits, the machine has this long before Step Functions ends it."""


class Rehearsal(Construct):
    """Everything is started by the machine's schedule, or by hand: ``aws stepfunctions start-execution``."""

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
        topic: sns.ITopic,
        topic_key: kms.IKey,
        template_version: str,
        client_major: int = 18,
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
        schedule: str = DEFAULT_SCHEDULE,
        watch_schedule: str = DEFAULT_WATCH,
        instance_class: str | None = None,
        verify_tables: Sequence[Mapping[str, str]] = (),
        checks: Sequence[Mapping[str, str]] = (),
        time_limit_minutes: int = 240,
        objective_minutes: int = 120,
        memory_mib: int = 1769,
        scratch_mib: int = 10240,
        log_retention_days: int = 90,
        log_level: str = "INFO",
    ) -> None:
        super().__init__(scope, construct_id)
        source = database.instance_identifier
        names = {EnvKey.DB_NAMES.value: json.dumps(list(database_names), ensure_ascii=False)}
        stored = {EnvKey.BUCKET.value: bucket.bucket_name}
        secret = {EnvKey.DB_SECRET_ARN.value: database.secret.secret_arn}
        machine_name = f"{name_prefix}-rehearsal"
        # Put together from its name, as the machine refers to the function.
        machine_arn = Stack.of(self).format_arn(service="states", resource=f"stateMachine:{machine_name}")

        def function(name: str, description: str, handler: str, **more: Any) -> RecoveryFunction:
            variables = {
                EnvKey.ENVIRONMENT.value: environment,
                RehearsalEnvKey.SOURCE.value: source,
                **more.pop("variables"),
            }
            return RecoveryFunction(
                self,
                name.capitalize(),
                function_name=f"{name_prefix}-rehearsal-{name}",
                description=description,
                handler=handler,
                variables=variables,
                log_key=log_key,
                client_major=client_major,
                architecture=architecture,
                log_retention_days=log_retention_days,
                log_level=log_level,
                **more,
            )

        step = function(
            "step",
            "Makes and removes the temporary instance of a rehearsal",
            HANDLER_REHEARSAL_STEP,
            variables={
                **secret,
                RehearsalEnvKey.MACHINE_ARN.value: machine_arn,
                RehearsalEnvKey.INSTANCE_CLASS.value: instance_class or "",
                RehearsalEnvKey.TIME_LIMIT_SECONDS.value: str(time_limit_minutes * 60),
                RehearsalEnvKey.REMOVAL_LIMIT_SECONDS.value: str(REMOVAL_SECONDS),
            },
        )
        check = function(
            "check",
            "Tries both ways back on the temporary instance of a rehearsal",
            HANDLER_REHEARSAL_CHECK,
            variables={
                **secret,
                **names,
                **stored,
                EnvKey.DB_HOST.value: database.host,
                EnvKey.DB_SSLMODE.value: "verify-full",
                EnvKey.DB_SSLROOTCERT.value: IMAGE_CA_BUNDLE,
                RehearsalEnvKey.VERIFY_TABLES.value: json.dumps([dict(each) for each in verify_tables]),
                RehearsalEnvKey.CHECKS.value: json.dumps([dict(each) for each in checks], ensure_ascii=False),
            },
            memory_mib=memory_mib,
            timeout_seconds=FUNCTION_SECONDS,
            ephemeral_storage_mib=scratch_mib,
            vpc=vpc,
            subnets=subnets,
        )
        record = function(
            "record",
            "Stores the evidence of a rehearsal",
            HANDLER_REHEARSAL_RECORD,
            variables={
                **names,
                **stored,
                RehearsalEnvKey.TOPIC_ARN.value: topic.topic_arn,
                RehearsalEnvKey.OBJECTIVE_SECONDS.value: str(objective_minutes * 60),
                RehearsalEnvKey.TEMPLATE_VERSION.value: template_version,
            },
        )
        watch = function(
            "watch",
            "Looks every day how old the newest good rehearsal is, and what was left over",
            HANDLER_REHEARSAL_WATCH,
            variables=stored,
        )
        self.rehearsal_machine = RecoveryMachine(
            self,
            "Machine",
            machine_name=machine_name,
            definition=rehearsal_definition(
                step_arn=step.function.function_arn,
                check_arn=check.function.function_arn,
                record_arn=record.function.function_arn,
                databases=database_names,
                timeout_seconds=time_limit_minutes * 60
                + (len(database_names) + 1) * FUNCTION_SECONDS
                + REMOVAL_SECONDS
                + BACKSTOP_SECONDS,
            ),
            functions=[step.function, check.function, record.function],
            log_key=log_key,
            log_retention_days=log_retention_days,
        )
        self.machine = self.rehearsal_machine.machine
        RehearsalSchedule(
            self,
            "Schedule",
            group_name=machine_name,
            machine=self.machine,
            watch=watch.function,
            rehearsal=schedule,
            watching=watch_schedule,
        )

        grant_restore(step.role, database=database, infix=NAME_INFIX, mark=ROLE_REHEARSAL)
        grant_see_window(step.role, source=source)
        grant_see_own_executions(
            step.role, machine_arn=machine_arn, executions_arn=self.rehearsal_machine.executions_arn
        )
        grant_read_backups(check.role, bucket=bucket, key=bucket_key)
        for reader in (step, check):
            database.grant_read_credentials(reader.role)
        grant_write_evidence(record.role, bucket=bucket, key=bucket_key)
        grant_tell(record.role, topic=topic, key=topic_key)
        grant_read_evidence(watch.role, bucket=bucket, key=bucket_key)
        grant_see_all_instances(watch.role)
        assert check.security_group is not None
        # The temporary instance has the security groups of its source, so this would let the function in to both; that
        # it goes to the temporary one only is for its own code to see to, which refuses every other name.
        database.allow_from(
            check, client=check.security_group, description=f"PostgreSQL from {name_prefix}-rehearsal-check"
        )
