"""What the auditor reads about the production database."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.settings.windows import overlap
from tests.infrastructure.synthesis import Synthesized, Template

INSTANCE = "AWS::RDS::DBInstance"
KEY_ARN = {"Fn::GetAtt": ["PostgresKey24D76AA8", "Arn"]}


@pytest.fixture(scope="module")
def database(prod: Synthesized) -> Template:
    return prod["database"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Engine", "postgres"),
        ("EngineVersion", "18.2"),
        ("DBInstanceClass", "db.t4g.medium"),
        ("DBInstanceIdentifier", "ftry-prod"),
        ("DBName", "ftry"),
        ("MultiAZ", True),
        ("BackupRetentionPeriod", 30),
        ("PreferredBackupWindow", "02:00-03:00"),
        ("PreferredMaintenanceWindow", "sun:05:00-sun:06:00"),
        ("StorageType", "gp3"),
        ("AllocatedStorage", "50"),
        ("MaxAllocatedStorage", 200),
        ("StorageEncrypted", True),
        ("KmsKeyId", KEY_ARN),
        ("PubliclyAccessible", False),
        ("EnableIAMDatabaseAuthentication", True),
        ("EnableCloudwatchLogsExports", ["postgresql", "upgrade"]),
        ("DeletionProtection", True),
        ("DeleteAutomatedBackups", False),
        ("CopyTagsToSnapshot", True),
        ("AutoMinorVersionUpgrade", False),
        ("AllowMajorVersionUpgrade", False),
        ("EnablePerformanceInsights", True),
        ("PerformanceInsightsKMSKeyId", KEY_ARN),
        ("PerformanceInsightsRetentionPeriod", 7),
        ("MonitoringInterval", 60),
    ],
)
def test_instance_property(database: Template, name: str, value: Any) -> None:
    assert database.only(INSTANCE)[name] == value


def test_maintenance_leaves_the_backup_alone(database: Template) -> None:
    instance = database.only(INSTANCE)
    assert not overlap(instance["PreferredBackupWindow"], instance["PreferredMaintenanceWindow"])


def test_a_removed_instance_leaves_a_snapshot(database: Template) -> None:
    instance = database.resource(INSTANCE)
    assert instance["DeletionPolicy"] == "Snapshot"
    assert instance["UpdateReplacePolicy"] == "Snapshot"


def test_every_connection_is_encrypted(database: Template) -> None:
    group = database.only("AWS::RDS::DBParameterGroup")
    assert group["Family"] == "postgres18"
    assert group["Parameters"] == {"rds.force_ssl": "1"}
    (name,) = database.resources("AWS::RDS::DBParameterGroup")
    assert database.only(INSTANCE)["DBParameterGroupName"] == {"Ref": name}


def test_the_key_is_ours_rotated_and_kept(database: Template) -> None:
    key = database.resource("AWS::KMS::Key")
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"


def test_the_password_is_generated_encrypted_and_kept(database: Template) -> None:
    secret = database.resource("AWS::SecretsManager::Secret")
    assert secret["Properties"]["KmsKeyId"] == KEY_ARN
    assert secret["Properties"]["GenerateSecretString"]["PasswordLength"] >= 30
    assert secret["DeletionPolicy"] == "Retain"
    password = database.only(INSTANCE)["MasterUserPassword"]
    assert "{{resolve:secretsmanager:" in str(password), "a password in clear text"


def test_the_password_is_rotated_by_the_month(database: Template) -> None:
    rotation = database.only("AWS::SecretsManager::RotationSchedule")
    assert rotation["RotationRules"] == {"ScheduleExpression": "rate(30 days)"}
    application = database.only("AWS::Serverless::Application")
    assert application["Parameters"]["kmsKeyArn"] == KEY_ARN
    assert application["Parameters"]["vpcSubnetIds"], "the rotation must reach the database"


def test_rotation_may_reach_the_database_and_https_only(database: Template) -> None:
    groups = database.resources("AWS::EC2::SecurityGroup")
    (rotation,) = [found for name, found in groups.items() if "Rotation" in name]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in rotation["Properties"]["SecurityGroupEgress"]] == [
        (443, 443)
    ]
    assert database.only("AWS::EC2::SecurityGroupEgress")["DestinationSecurityGroupId"]


def test_enhanced_monitoring_has_its_role(database: Template) -> None:
    role = database.only(INSTANCE)["MonitoringRoleArn"]["Fn::GetAtt"][0]
    policies = database.resources("AWS::IAM::Role")[role]["Properties"]["ManagedPolicyArns"]
    assert "AmazonRDSEnhancedMonitoringRole" in str(policies)


def test_the_instance_is_in_the_isolated_subnets(prod: Synthesized, database: Template) -> None:
    subnets = database.only("AWS::RDS::DBSubnetGroup")["SubnetIds"]
    assert len(subnets) == 2
    assert all("IsolatedSubnet" in subnet["Fn::ImportValue"] for subnet in subnets)


def test_nobody_is_let_in_but_the_rotation(database: Template) -> None:
    groups = database.resources("AWS::EC2::SecurityGroup")
    assert not any("SecurityGroupIngress" in found["Properties"] for found in groups.values())
    rule = database.only("AWS::EC2::SecurityGroupIngress")
    assert "Rotation" in rule["SourceSecurityGroupId"]["Fn::GetAtt"][0]


@pytest.mark.parametrize("log", ["postgresql", "upgrade"])
def test_exported_logs_end_and_are_encrypted(database: Template, log: str) -> None:
    (group,) = [
        found
        for found in database.resources("AWS::Logs::LogGroup").values()
        if found["Properties"]["LogGroupName"] == f"/aws/rds/instance/ftry-prod/{log}"
    ]
    assert group["Properties"]["RetentionInDays"] == 90
    assert "LogKey" in group["Properties"]["KmsKeyId"]["Fn::ImportValue"]
    # Kept, unless the very first deployment fails: the names would be taken when it is tried again.
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_log_groups_are_there_before_rds_makes_its_own(database: Template) -> None:
    assert set(database.resource(INSTANCE)["DependsOn"]) >= set(database.resources("AWS::Logs::LogGroup"))


def test_no_function_of_the_cdk_s_own(database: Template) -> None:
    assert not database.all("AWS::Lambda::Function")
    assert not [name for name in database.body["Resources"] if name.startswith("Custom::")]
