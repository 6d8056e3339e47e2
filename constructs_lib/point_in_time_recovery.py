"""Restores to a point in time, and promotions: five functions and two state machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib.pitr_machines import restore_definition, swap_definition
from constructs_lib.pitr_permissions import (
    grant_rename,
    grant_restore,
    grant_see,
    grant_see_window,
    grant_start,
    grant_tell,
)
from constructs_lib.postgres_endpoint import PostgresEndpoint
from constructs_lib.recovery_function import RecoveryFunction
from constructs_lib.recovery_machine import RecoveryMachine
from dbbackup.contract import IMAGE_CA_BUNDLE, EnvKey
from dbbackup.contract_pitr import (
    HANDLER_PITR,
    HANDLER_PITR_PROMOTE,
    HANDLER_PITR_STEP,
    HANDLER_PITR_SWAP,
    HANDLER_PITR_VERIFY,
    PitrEnvKey,
)

BACKSTOP_SECONDS = 3 * 3600
"""After its own limit, a machine has this long to clean up or undo before Step Functions ends it."""


class PointInTimeRecovery(Construct):
    """People call ``restore`` and ``promote``; the other functions are for the state machines alone."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        environment: str,
        database: PostgresEndpoint,
        database_names: Sequence[str],
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        log_key: kms.IKey,
        topic: sns.ITopic,
        topic_key: kms.IKey,
        client_major: int = 18,
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
        verify_tables: Sequence[Mapping[str, str]] = (),
        time_limit_minutes: int = 360,
        rename_limit_minutes: int = 30,
        objective_minutes: int = 120,
        keep_failed_instance: bool = False,
        log_retention_days: int = 90,
        log_level: str = "INFO",
    ) -> None:
        super().__init__(scope, construct_id)
        source = database.instance_identifier
        self._database = database
        common = {EnvKey.ENVIRONMENT.value: environment, PitrEnvKey.SOURCE.value: source}
        secret = {EnvKey.DB_SECRET_ARN.value: database.secret.secret_arn}
        told = {PitrEnvKey.TOPIC_ARN.value: topic.topic_arn}

        def function(name: str, description: str, handler: str, **more: Any) -> RecoveryFunction:
            variables = {**common, **more.pop("variables")}
            return RecoveryFunction(
                self,
                name.capitalize(),
                function_name=f"{name_prefix}-pitr-{name}",
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
            "Tasks of the state machine that restores an instance to a point in time",
            HANDLER_PITR_STEP,
            variables={
                **secret,
                **told,
                PitrEnvKey.TIME_LIMIT_SECONDS.value: str(time_limit_minutes * 60),
                PitrEnvKey.OBJECTIVE_SECONDS.value: str(objective_minutes * 60),
                PitrEnvKey.KEEP_FAILED.value: str(keep_failed_instance).lower(),
            },
        )
        verify = function(
            "verify",
            "Looks at a restored instance over SQL",
            HANDLER_PITR_VERIFY,
            variables={
                **secret,
                EnvKey.DB_NAMES.value: json.dumps(list(database_names), ensure_ascii=False),
                EnvKey.DB_SSLMODE.value: "verify-full",
                EnvKey.DB_SSLROOTCERT.value: IMAGE_CA_BUNDLE,
                PitrEnvKey.VERIFY_TABLES.value: json.dumps([dict(each) for each in verify_tables]),
            },
            timeout_seconds=900,
            vpc=vpc,
            subnets=subnets,
        )
        self.restore_machine = self._machine(
            "RestoreMachine",
            f"{name_prefix}-pitr",
            restore_definition(
                step_arn=step.function.function_arn,
                verify_arn=verify.function.function_arn,
                timeout_seconds=time_limit_minutes * 60 + BACKSTOP_SECONDS,
            ),
            [step.function, verify.function],
            log_key,
            log_retention_days,
        )
        # Put together from its name, as the machine refers to the function.
        promotion_arn = Stack.of(self).format_arn(service="states", resource=f"stateMachine:{name_prefix}-pitr-promote")
        renaming = {PitrEnvKey.PROMOTION_MACHINE_ARN.value: promotion_arn}
        swap = function(
            "swap",
            "Tasks of the state machine that makes another instance production",
            HANDLER_PITR_SWAP,
            variables={
                **renaming,
                **secret,
                **told,
                PitrEnvKey.RENAME_LIMIT_SECONDS.value: str(rename_limit_minutes * 60),
            },
        )
        self.promotion_machine = self._machine(
            "PromotionMachine",
            f"{name_prefix}-pitr-promote",
            swap_definition(
                swap_arn=swap.function.function_arn,
                verify_arn=verify.function.function_arn,
                timeout_seconds=3 * rename_limit_minutes * 60 + BACKSTOP_SECONDS,
            ),
            [swap.function, verify.function],
            log_key,
            log_retention_days,
        )
        restore = function(
            "restore",
            "Starts the restore of an instance to a point in time",
            HANDLER_PITR,
            variables={PitrEnvKey.MACHINE_ARN.value: self.restore_machine.machine.state_machine_arn},
        )
        promote = function(
            "promote",
            "Starts to make a restored instance production, or to go back",
            HANDLER_PITR_PROMOTE,
            variables={PitrEnvKey.PROMOTION_MACHINE_ARN.value: self.promotion_machine.machine.state_machine_arn},
        )
        self.restore: lambda_.IFunction = restore.function
        self.promote: lambda_.IFunction = promote.function

        grant_see(restore.role, source=source)
        grant_see_window(restore.role, source=source)
        grant_see(promote.role, source=source)
        for starter, machine in ((restore, self.restore_machine), (promote, self.promotion_machine)):
            grant_start(
                starter.role, machine_arn=machine.machine.state_machine_arn, executions_arn=machine.executions_arn
            )
        grant_restore(step.role, database=database)
        grant_rename(
            swap.role,
            source=source,
            machine_arn=promotion_arn,
            executions_arn=self.promotion_machine.executions_arn,
        )
        for teller in (step, swap):
            grant_tell(teller.role, topic=topic, key=topic_key)
        for reader in (step, swap, verify):
            database.grant_read_credentials(reader.role)
        assert verify.security_group is not None
        # A restored instance has the security groups of its source, so this lets the function in to both.
        database.allow_from(
            verify, client=verify.security_group, description=f"PostgreSQL from {name_prefix}-pitr-verify"
        )

    def _machine(
        self,
        construct_id: str,
        name: str,
        definition: Mapping[str, Any],
        functions: Sequence[lambda_.IFunction],
        log_key: kms.IKey,
        log_retention_days: int,
    ) -> RecoveryMachine:
        return RecoveryMachine(
            self,
            construct_id,
            machine_name=name,
            definition=definition,
            functions=functions,
            log_key=log_key,
            log_retention_days=log_retention_days,
        )
