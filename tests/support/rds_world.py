"""A local RDS in this process that takes its time, fails when told to, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError
from moto.rds.models import rds_backends
from moto.stepfunctions.models import stepfunctions_backends

from devtools.rds_master import MASTER

PROD = "ftry-prod"
REGION = "us-east-1"
ACCOUNT = "123456789012"
Transform = Callable[[dict[str, Any]], None]


def client_error(code: str, message: str = "injected", operation: str = "") -> ClientError:
    """An error as AWS sends it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class RdsWorld:
    """What stands between the SDK and moto.

    Attributes:
        earliest: begin of the restorable window.
        latest: its end.
        statuses: for an identifier, what the next descriptions say its status is; then moto's own.
        errors: for an operation, what its next calls raise; None lets one through.
        always: for an operation, what each call raises.
        refused: for an operation and one of its parameters, what a call with that parameter raises.
        after: for an operation, what is done after each call.
        calls: every operation with its parameters, in order.
    """

    earliest: datetime
    latest: datetime
    statuses: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, list[ClientError | None]] = field(default_factory=dict)
    always: dict[str, ClientError] = field(default_factory=dict)
    refused: dict[tuple[str, str], ClientError] = field(default_factory=dict)
    after: dict[str, Transform] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _resources: int = 0

    @property
    def databases(self) -> dict[str, Any]:
        """Moto's own instances."""
        return dict(rds_backends[ACCOUNT][REGION].databases)

    def called(self, operation: str) -> list[dict[str, Any]]:
        """Parameters of every call of an operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    def told(self) -> list[dict[str, Any]]:
        """The notifications that were published, as a function that listens to the topic reads them."""
        texts = [json.loads(call["Message"])["lambda"] for call in self.called("Publish")]
        return [json.loads(text)["notification"] for text in texts]

    def describe(self, identifier: str) -> dict[str, Any]:
        """An instance."""
        found = boto3.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        return dict(found[0])

    def tags(self, identifier: str) -> dict[str, str]:
        """Tags of an instance."""
        return {tag["Key"]: tag["Value"] for tag in self.describe(identifier)["TagList"]}

    def end_execution(self, arn: str, status: str) -> None:
        """Let an execution have ended, which moto does not do by itself."""
        for machine in stepfunctions_backends[ACCOUNT][REGION].state_machines:
            for execution in machine.executions:
                if execution.execution_arn == arn:
                    execution.status = status

    def before(self, operation: str, parameters: dict[str, Any]) -> None:
        """Raise what was injected."""
        if operation in self.always:
            raise self.always[operation]
        for name in parameters:
            if (operation, name) in self.refused:
                raise self.refused[operation, name]
        waiting = self.errors.get(operation)
        error = waiting.pop(0) if waiting else None
        if error is not None:
            raise error

    def change(self, operation: str, parameters: dict[str, Any], answer: dict[str, Any]) -> None:
        """Add to an answer what moto does not know."""
        if operation in ("RestoreDBInstanceToPointInTime", "CreateDBInstance"):
            identifier = parameters.get("TargetDBInstanceIdentifier") or parameters["DBInstanceIdentifier"]
            self._resources += 1
            made = self.databases[identifier]
            made.dbi_resource_id = f"db-{self._resources:03}"
            if operation == "RestoreDBInstanceToPointInTime":
                # What RDS chooses by itself where moto copies the source.
                made.preferred_backup_window, made.preferred_maintenance_window = "07:00-07:30", "mon:09:00-mon:09:30"
                made.deletion_protection = False
        elif operation == "DescribeDBInstances":
            for instance in answer["DBInstances"]:
                planned = self.statuses.get(instance["DBInstanceIdentifier"])
                if planned:
                    instance["DBInstanceStatus"] = planned.pop(0)
                instance["LatestRestorableTime"] = self.latest
        elif operation == "DescribeDBInstanceAutomatedBackups":
            window = {"EarliestTime": self.earliest, "LatestTime": self.latest}
            answer["DBInstanceAutomatedBackups"] = [{"Status": "active", "RestoreWindow": window}]
        if operation in self.after:
            self.after[operation](answer)


def stand_between(monkeypatch: pytest.MonkeyPatch) -> RdsWorld:
    """Put a world between the SDK and moto; the operations under test are as they are."""
    now = datetime.now(UTC).replace(microsecond=0)
    world = RdsWorld(earliest=now - timedelta(days=7), latest=now - timedelta(minutes=5))
    client: Any = botocore.client.BaseClient
    original = client._make_api_call

    def call(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        world.calls.append((operation, parameters))
        world.before(operation, parameters)
        answer = original(self, operation, parameters)
        world.change(operation, parameters, answer)
        return answer

    monkeypatch.setattr(client, "_make_api_call", call)
    return world


@dataclass(frozen=True)
class Surroundings:
    """What production needs around it, and what does not change from test to test."""

    security_group: str
    secret: str
    topic: str


def make_surroundings() -> Surroundings:
    """Network, groups, secret and topic."""
    ec2, rds = boto3.client("ec2"), boto3.client("rds")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    group = ec2.create_security_group(GroupName="database", Description="database")["GroupId"]
    rds.create_db_subnet_group(DBSubnetGroupName="isolated", DBSubnetGroupDescription="-", SubnetIds=subnets)
    rds.create_db_parameter_group(DBParameterGroupName="tls", DBParameterGroupFamily="postgres18", Description="-")
    secret = boto3.client("secretsmanager").create_secret(Name="master", SecretString="{}")["ARN"]
    return Surroundings(group, secret, boto3.client("sns").create_topic(Name="alarms")["TopicArn"])


def forget_everything_else() -> None:
    """Remove instances and executions of an earlier test."""
    rds_backends[ACCOUNT][REGION].databases.clear()
    rds_backends[ACCOUNT][REGION].database_snapshots.clear()
    for machine in stepfunctions_backends[ACCOUNT][REGION].state_machines:
        machine.executions.clear()


def make_production(*, port: int, group: str, **changes: Any) -> None:
    """Production, with as much that is not the default as RDS lets one set."""
    rds = boto3.client("rds")
    settings: dict[str, Any] = {
        "DBInstanceIdentifier": PROD,
        "Engine": "postgres",
        "EngineVersion": "18.2",
        "DBInstanceClass": "db.t4g.medium",
        "AllocatedStorage": 50,
        "MaxAllocatedStorage": 200,
        "StorageType": "gp3",
        "StorageEncrypted": True,
        "MasterUsername": MASTER,
        "MasterUserPassword": "the password of now",
        "DBSubnetGroupName": "isolated",
        "VpcSecurityGroupIds": [group],
        "DBParameterGroupName": "tls",
        "Port": port,
        "MultiAZ": True,
        "BackupRetentionPeriod": 30,
        "PreferredBackupWindow": "02:00-03:00",
        "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
        "EnableIAMDatabaseAuthentication": True,
        "EnableCloudwatchLogsExports": ["postgresql", "upgrade"],
        "DeletionProtection": True,
        "CopyTagsToSnapshot": True,
        "AutoMinorVersionUpgrade": False,
        "Tags": [{"Key": "System", "Value": "ftry"}],
    }
    rds.create_db_instance(**{**settings, **changes})


def write_secret(arn: str, password: str, username: str = MASTER) -> None:
    """Let the master secret hold this."""
    content = json.dumps({"username": username, "password": password})
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=content)
