"""A state machine that calls a few functions, with an encrypted log that holds no data of executions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from constructs_lib.log_group import EncryptedLogGroup


class RecoveryMachine(Construct):
    """A standard workflow: it runs for hours, and each step of it happens once or is safe to repeat."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        machine_name: str,
        definition: Mapping[str, Any],
        functions: Sequence[lambda_.IFunction],
        log_key: kms.IKey,
        log_retention_days: int = 90,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        role = iam.Role(
            self,
            "Role",
            description=f"What the state machine {machine_name} may do",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                # Without this, a state machine of anybody else could borrow the role (the confused deputy).
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
        )
        role.add_to_policy(
            iam.PolicyStatement(
                sid="CallFunctions",
                actions=["lambda:InvokeFunction"],
                resources=[function.function_arn for function in functions],
            )
        )
        log_group = EncryptedLogGroup(
            self,
            "Log",
            # Under this prefix CloudWatch Logs does not have to keep a resource policy of ever growing length.
            log_group_name=f"/aws/vendedlogs/states/{machine_name}",
            retention_days=log_retention_days,
            encryption_key=log_key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=machine_name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_string(stack.to_json_string(dict(definition))),
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
        )
        self.machine: sfn.IStateMachine = machine
        self.name = machine_name

    @property
    def executions_arn(self) -> str:
        """ARN pattern of its executions."""
        return Stack.of(self).format_arn(service="states", resource=f"execution:{self.name}:*")
