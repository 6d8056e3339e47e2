"""What the auditor reads about the function that makes backups and the schedules that start it."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from typing import Any

import pytest

from dbbackup.contract import (
    BUILD_ARG_PG_MAJOR,
    HANDLER_BACKUP,
    IMAGE_CA_BUNDLE,
    METRICS_NAMESPACE,
    SCHEDULED_TIME_PLACEHOLDER,
    SERVICE,
    EnvKey,
    Tier,
)
from tests.infrastructure.synthesis import Synthesized, Template, role_statements, statements_of

FUNCTION = "AWS::Lambda::Function"
SCHEDULE = "AWS::Scheduler::Schedule"
DEAD_LETTERS = {"Fn::GetAtt": ["DeadLettersBBF8BAAB", "Arn"]}


@pytest.fixture(scope="module")
def backup(prod: Synthesized) -> Template:
    return prod["backup"]


@pytest.fixture(scope="module")
def variables(backup: Template) -> dict[str, Any]:
    found: dict[str, Any] = backup.only(FUNCTION)["Environment"]["Variables"]
    return found


@pytest.fixture(scope="module")
def statements(backup: Template) -> list[dict[str, Any]]:
    (role,) = [name for name in backup.resources("AWS::IAM::Role") if name.startswith("BackupRole")]
    assert backup.only(FUNCTION)["Role"] == {"Fn::GetAtt": [role, "Arn"]}
    assert "ManagedPolicyArns" not in backup.resources("AWS::IAM::Role")[role]["Properties"]
    return role_statements(backup, role)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FunctionName", "ftry-prod-backup"),
        ("PackageType", "Image"),
        ("ImageConfig", {"Command": [HANDLER_BACKUP]}),
        ("Architectures", ["arm64"]),
        ("Timeout", 900),
        ("MemorySize", 1769),
        ("ReservedConcurrentExecutions", 2),
        ("TracingConfig", {"Mode": "Active"}),
    ],
)
def test_function_property(backup: Template, name: str, value: Any) -> None:
    assert backup.only(FUNCTION)[name] == value


def test_the_image_is_built_from_lambda_src_for_the_engine_s_client(prod: Synthesized) -> None:
    assets = json.loads((prod.folder / "ftry-prod-backup.assets.json").read_text())["dockerImages"]
    ((digest, image),) = assets.items()
    assert image["source"]["dockerBuildArgs"] == {BUILD_ARG_PG_MAJOR: "18"}
    assert image["source"]["platform"] == "linux/arm64"
    assert (prod.folder / image["source"]["directory"] / "Dockerfile").is_file()
    assert (prod.folder / image["source"]["directory"] / "dbbackup" / "contract.py").is_file()
    assert digest in str(prod["backup"].only(FUNCTION)["Code"]["ImageUri"])


def test_the_function_runs_in_the_private_subnets(backup: Template) -> None:
    place = backup.only(FUNCTION)["VpcConfig"]
    assert len(place["SubnetIds"]) == 2
    assert all("IsolatedSubnet" in subnet["Fn::ImportValue"] for subnet in place["SubnetIds"])


def test_the_function_reaches_https_and_the_database_only(backup: Template) -> None:
    group = backup.only("AWS::EC2::SecurityGroup")
    assert [(rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]] == [(443, 443)]
    assert "SecurityGroupIngress" not in group
    out = backup.only("AWS::EC2::SecurityGroupEgress")
    into = backup.only("AWS::EC2::SecurityGroupIngress")
    assert (out["FromPort"], out["ToPort"]) == (into["FromPort"], into["ToPort"]) == (5432, 5432)
    assert out["DestinationSecurityGroupId"] == into["GroupId"]
    assert out["GroupId"] == into["SourceSecurityGroupId"]


def test_only_keys_of_the_contract_are_set(variables: dict[str, Any]) -> None:
    assert set(variables) <= {key.value for key in EnvKey}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (EnvKey.ENVIRONMENT, "prod"),
        (EnvKey.COMPRESSION, "auto"),
        (EnvKey.COMPRESSION_LEVEL, "9"),
        (EnvKey.DEADLINE_MARGIN_SECONDS, "60"),
        (EnvKey.KEPT_DAYS, '{"daily": 30, "weekly": 90, "monthly": 365, "pre-migration": 7, "manual": 30}'),
        (EnvKey.DB_PORT, "5432"),
        (EnvKey.DB_NAMES, '["ftry"]'),
        (EnvKey.DB_INSTANCE, "ftry-prod"),
        (EnvKey.DB_SSLMODE, "verify-full"),
        (EnvKey.DB_SSLROOTCERT, IMAGE_CA_BUNDLE),
        (EnvKey.METRICS_NAMESPACE, METRICS_NAMESPACE),
        (EnvKey.SERVICE_NAME, SERVICE),
        (EnvKey.LOG_LEVEL, "INFO"),
    ],
)
def test_environment_variable(variables: dict[str, Any], key: EnvKey, value: str) -> None:
    assert variables[key.value] == value


@pytest.mark.parametrize(
    ("key", "stack", "resource"),
    [
        (EnvKey.BUCKET, "storage", "BackupsBucket2936A3AA"),
        (EnvKey.DB_HOST, "database", "PostgresInstance"),
        (EnvKey.DB_SECRET_ARN, "database", "PostgresSecret"),
    ],
)
def test_the_function_is_told_where_things_are(
    variables: dict[str, Any], key: EnvKey, stack: str, resource: str
) -> None:
    assert variables[key.value]["Fn::ImportValue"].startswith(f"ftry-prod-{stack}:")
    assert resource in variables[key.value]["Fn::ImportValue"]


def test_no_secret_is_in_the_template(backup: Template) -> None:
    assert "{{resolve:" not in json.dumps(backup.body)


def test_the_log_ends_and_is_encrypted(backup: Template) -> None:
    assert backup.resource("AWS::Logs::LogGroup")["DeletionPolicy"] == "Delete", "the stack must deploy anew"
    group = backup.only("AWS::Logs::LogGroup")
    assert group["LogGroupName"] == "/aws/lambda/ftry-prod-backup"
    assert group["RetentionInDays"] == 90
    assert "LogKey" in group["KmsKeyId"]["Fn::ImportValue"]
    (name,) = backup.resources("AWS::Logs::LogGroup")
    assert backup.only(FUNCTION)["LoggingConfig"]["LogGroup"] == {"Ref": name}


def test_a_failed_event_is_retried_and_then_put_aside(backup: Template) -> None:
    config = backup.only("AWS::Lambda::EventInvokeConfig")
    assert config["MaximumRetryAttempts"] == 2
    assert config["MaximumEventAgeInSeconds"] == 10800
    assert config["DestinationConfig"] == {"OnFailure": {"Destination": DEAD_LETTERS}}


EVERY_TIER = {f"/{tier.value}/*" for tier in Tier}


def _paths(statement: dict[str, Any]) -> set[str]:
    return {resource["Fn::Join"][1][-1] for resource in statement["Resource"]}


def test_the_function_may_read_its_backups_back(statements: list[dict[str, Any]]) -> None:
    (objects,) = [found for found in statements if "s3:GetObject" in found["Action"]]
    assert objects["Effect"] == "Allow"
    assert set(objects["Action"]) == {
        "s3:PutObjectTagging",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
        "s3:GetObject",
        "s3:GetObjectVersion",
    }
    assert _paths(objects) == EVERY_TIER


def test_the_function_creates_backups_and_writes_over_none(statements: list[dict[str, Any]]) -> None:
    rights = {found["Sid"]: found for found in statements if "s3:PutObject" in found["Action"]}
    assert {sid: (_paths(found), found["Condition"]) for sid, found in rights.items()} == {
        "CreateBackups": (EVERY_TIER, {"Null": {"s3:if-none-match": "false"}}),
        "SendParts": (EVERY_TIER, {"Bool": {"s3:ObjectCreationOperation": "false"}}),
        "WriteReceiptsOn": ({"/pre-migration/*.receipt.json"}, {"Null": {"s3:if-match": "false"}}),
    }
    assert all(found["Action"] == ["s3:PutObject"] for found in rights.values())


def test_the_function_locks_each_tier_as_long_as_it_is_kept(
    statements: list[dict[str, Any]], variables: dict[str, Any]
) -> None:
    kept = {"daily": 30, "weekly": 90, "monthly": 365, "pre-migration": 7, "manual": 30}
    assert json.loads(variables[EnvKey.LOCK.value]) == {"mode": "GOVERNANCE", "days": kept}
    locking = [found for found in statements if "s3:PutObjectRetention" in found["Action"]]
    most = "s3:object-lock-remaining-retention-days"
    found = {path: each["Condition"]["NumericLessThanEquals"][most] for each in locking for path in _paths(each)}
    assert found == {f"/{tier}/*": str(days + 1) for tier, days in kept.items()}
    assert all(each["Action"] == ["s3:PutObjectRetention"] for each in locking)


@pytest.mark.parametrize(
    "forbidden",
    [
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:DeleteObjectTagging",
        "s3:DeleteBucket",
        "s3:PutObjectLegalHold",
        "s3:BypassGovernanceRetention",
        "s3:PutBucketVersioning",
        "s3:PutBucketPolicy",
        "s3:PutLifecycleConfiguration",
        "s3:PutBucketObjectLockConfiguration",
        "kms:ScheduleKeyDeletion",
        "kms:DisableKey",
        "kms:PutKeyPolicy",
        "rds:DeleteDBInstance",
        "secretsmanager:PutSecretValue",
        "iam:PassRole",
    ],
)
def test_the_function_may_not_unmake_anything(statements: list[dict[str, Any]], forbidden: str) -> None:
    allowed = [action for found in statements if found["Effect"] == "Allow" for action in found["Action"]]
    assert len(allowed) > 10
    assert not [action for action in allowed if fnmatch(forbidden.lower(), action.lower())]


def test_no_action_is_a_wildcard_in_any_policy(backup: Template) -> None:
    for policy in backup.all("AWS::IAM::Policy"):
        for statement in statements_of(policy["PolicyDocument"]):
            assert not [action for action in statement["Action"] if "*" in action]


def test_a_resource_is_a_wildcard_only_where_aws_has_none_finer(statements: list[dict[str, Any]]) -> None:
    everything = {
        action for found in statements if found["Effect"] == "Allow" and "*" in found["Resource"]
        for action in found["Action"]
    }  # fmt: skip
    assert everything == {
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
    }


def test_the_rights_that_lambda_needs_are_taken_from_the_code(statements: list[dict[str, Any]]) -> None:
    (refusal,) = [found for found in statements if found["Effect"] == "Deny"]
    (granted,) = [found for found in statements if found.get("Sid") == "LambdaJoinsVpc"]
    assert set(refusal["Action"]) == set(granted["Action"])
    arn = refusal["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"]["Fn::Join"][1]
    assert arn[-1] == ":function:ftry-prod-backup"


def test_the_function_reads_one_secret_with_its_key(statements: list[dict[str, Any]]) -> None:
    (secret,) = [found for found in statements if "secretsmanager:GetSecretValue" in found["Action"]]
    assert secret["Action"] == ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    assert len(secret["Resource"]) == 1
    assert "PostgresSecret" in secret["Resource"][0]["Fn::ImportValue"]


def test_keys_are_used_through_their_service_only(statements: list[dict[str, Any]]) -> None:
    uses = {
        found["Condition"]["StringEquals"]["kms:ViaService"]: sorted(found["Action"])
        for found in statements
        if any(action.startswith("kms:") for action in found["Action"])
    }
    assert uses == {
        "s3.us-east-1.amazonaws.com": ["kms:Decrypt", "kms:GenerateDataKey"],
        "secretsmanager.us-east-1.amazonaws.com": ["kms:Decrypt"],
    }


@pytest.mark.parametrize(
    ("tier", "expression"),
    [("daily", "cron(0 2 * * ? *)"), ("weekly", "cron(0 3 ? * SUN *)"), ("monthly", "cron(0 4 1 * ? *)")],
)
def test_schedule(backup: Template, tier: str, expression: str) -> None:
    (schedule,) = [found for found in backup.all(SCHEDULE) if found["Name"] == f"{tier}-ftry"]
    assert schedule["ScheduleExpression"] == expression
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["State"] == "ENABLED"
    assert schedule["GroupName"] == "ftry-prod-backup"
    assert json.loads(schedule["Target"]["Input"]) == {
        "tier": tier,
        "scheduled_time": SCHEDULED_TIME_PLACEHOLDER,
        "database": "ftry",
    }


def test_there_are_no_other_schedules(backup: Template) -> None:
    assert len(backup.all(SCHEDULE)) == 3


def test_schedules_start_the_function_and_put_aside_what_they_can_t_deliver(backup: Template) -> None:
    (function,) = backup.resources(FUNCTION)
    for schedule in backup.all(SCHEDULE):
        target = schedule["Target"]
        assert target["Arn"] == {"Fn::GetAtt": [function, "Arn"]}
        assert target["DeadLetterConfig"] == {"Arn": DEAD_LETTERS}
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 5}


def test_schedules_may_do_nothing_else(backup: Template) -> None:
    (role,) = {schedule["Target"]["RoleArn"]["Fn::GetAtt"][0] for schedule in backup.all(SCHEDULE)}
    (function,) = backup.resources(FUNCTION)
    assert [(found["Action"], found["Resource"]) for found in role_statements(backup, role)] == [
        (["lambda:InvokeFunction"], [{"Fn::GetAtt": [function, "Arn"]}]),
        (["sqs:SendMessage"], [DEAD_LETTERS]),
    ]


def test_no_schedule_of_somebody_else_may_borrow_the_role(backup: Template) -> None:
    (role,) = [found for name, found in backup.resources("AWS::IAM::Role").items() if name.startswith("SchedulesRole")]
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert "ftry-prod-backup" in str(trust["Condition"]["StringEquals"]["aws:SourceArn"])


def test_the_dead_letter_queue_is_encrypted_over_tls_and_patient(backup: Template) -> None:
    queue = backup.only("AWS::SQS::Queue")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    (refusal,) = statements_of(backup.only("AWS::SQS::QueuePolicy")["PolicyDocument"])
    assert refusal["Effect"] == "Deny"
    assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_stack_holds_no_data(backup: Template) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::RDS::DBInstance", "AWS::KMS::Key", "AWS::SecretsManager::Secret"):
        assert not backup.all(kind)
