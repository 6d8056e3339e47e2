"""What the auditor reads about the probe: how often it looks, what it may see, what it compares with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dbbackup.contract import EnvKey, Tier
from dbbackup.contract_watch import HANDLER_WATCH, WatchedSetting, WatchEnvKey
from dbbackup.handlers.watch_environment import read_watch_environment
from tests.infrastructure.synthesis import Synthesized, Template, role_statements, settings_of, synthesize


@pytest.fixture(scope="module")
def monitoring(prod: Synthesized) -> Template:
    return prod["monitoring"]


@pytest.fixture(scope="module")
def statements(monitoring: Template) -> dict[str, dict[str, Any]]:
    role = _function(monitoring)["Role"]["Fn::GetAtt"][0]
    return {found["Sid"]: found for found in role_statements(monitoring, role) if "Sid" in found}


def _function(monitoring: Template) -> dict[str, Any]:
    found: dict[str, Any] = monitoring.only("AWS::Lambda::Function")
    return found


def _variables(monitoring: Template) -> dict[str, Any]:
    found: dict[str, Any] = _function(monitoring)["Environment"]["Variables"]
    return found


def test_it_looks_every_five_minutes_outside_the_vpc(monitoring: Template) -> None:
    function = _function(monitoring)
    assert function["ImageConfig"] == {"Command": [HANDLER_WATCH]}
    assert "VpcConfig" not in function
    schedule = monitoring.only("AWS::Scheduler::Schedule")
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(5 minutes)", "ENABLED")
    assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 300, "MaximumRetryAttempts": 1}


def test_only_its_own_schedules_may_start_it(monitoring: Template) -> None:
    (role,) = [name for name in monitoring.resources("AWS::IAM::Role") if "ScheduleRole" in name]
    (trust,) = monitoring.resources("AWS::IAM::Role")[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
    (started,) = role_statements(monitoring, role)
    assert started["Action"] == ["lambda:InvokeFunction"]
    assert "WatchFunction" in started["Resource"][0]["Fn::GetAtt"][0]


def test_what_is_declared_is_what_the_templates_say(monitoring: Template, prod: Synthesized) -> None:
    declared = json.loads(_variables(monitoring)[WatchEnvKey.DECLARED.value])
    instance = prod["database"].only("AWS::RDS::DBInstance")
    (bucket,) = [found for found in prod["storage"].all("AWS::S3::Bucket") if "ObjectLockConfiguration" in found]
    lock = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    block = bucket["PublicAccessBlockConfiguration"]
    assert declared == {
        "backup-retention": instance["BackupRetentionPeriod"],
        "multi-az": instance["MultiAZ"],
        "deletion-protection": instance["DeletionProtection"],
        "public-access": instance["PubliclyAccessible"],
        "storage-encryption": instance["StorageEncrypted"],
        "bucket-versioning": bucket["VersioningConfiguration"]["Status"],
        "bucket-lock": {"mode": lock["Mode"], "days": lock["Days"]},
        "bucket-lifecycle": _lifecycle(bucket),
        "bucket-public-access": all(block.values()) and len(block) == 4,
    }
    assert set(declared) == {setting.value for setting in WatchedSetting}


def _lifecycle(bucket: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    (housekeeping,) = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule["Id"] == "housekeeping"]
    always = {
        "noncurrent_days": housekeeping["NoncurrentVersionExpiration"]["NoncurrentDays"],
        "abort_days": housekeeping["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"],
    }
    for rule in bucket["LifecycleConfiguration"]["Rules"]:
        if "Prefix" in rule:
            place = found.setdefault(
                rule["Prefix"], {"kept_days": None, "storage_class": None, "moved_after_days": 0, **always}
            )
            place["kept_days"] = rule.get("ExpirationInDays", place["kept_days"])
            for move in rule.get("Transitions", []):
                place["storage_class"] = move["StorageClass"]
                place["moved_after_days"] = move["TransitionInDays"]
    # Prefixes that are not tiers, such as that of receipts, are not watched.
    return {prefix: kept for prefix, kept in found.items() if prefix in {f"{tier.value}/" for tier in Tier}}


@pytest.mark.parametrize("environment", ["prod", "dev"])
def test_the_probe_understands_its_environment(environment: str, request: pytest.FixtureRequest) -> None:
    synthesized: Synthesized = request.getfixturevalue(environment)
    variables = {
        name: value if isinstance(value, str) else "name-of-the-bucket"
        for name, value in _variables(synthesized["monitoring"]).items()
    }
    read = read_watch_environment(variables)
    assert (read.environment, read.instance) == (environment, f"ftry-{environment}")


def test_when_alerts_are_rehearsed_is_a_setting() -> None:
    changed = synthesize(settings_of("prod", monitoring__alert_rehearsal={"weekday": "sun", "hour": 23, "minutes": 90}))
    told = json.loads(_variables(changed["monitoring"])[WatchEnvKey.ALERT_REHEARSAL.value])
    assert told == {"weekday": 6, "hour": 23, "minutes": 90}


def test_without_slack_nothing_is_rehearsed() -> None:
    quiet = synthesize(settings_of("prod", notification__slack=None))["monitoring"]
    names = {found["AlarmName"] for found in quiet.all("AWS::CloudWatch::Alarm")}
    assert not {name for name in names if "alert" in name or "notifier" in name}
    assert _variables(quiet)[WatchEnvKey.ALERT_REHEARSAL.value] == ""
    assert "cloudwatch:GetMetricData" not in json.dumps(quiet.body)


def test_it_sees_one_instance_and_reads_manifests_alone(statements: dict[str, dict[str, Any]]) -> None:
    assert statements["SeeInstance"]["Action"] == ["rds:DescribeDBInstances"]
    assert [_end(each) for each in statements["SeeInstance"]["Resource"]] == [":db:ftry-prod"]
    assert statements["ReadManifests"]["Action"] == ["s3:GetObject"]
    assert {_end(each) for each in statements["ReadManifests"]["Resource"]} == {
        f"/{tier.value}/*.manifest.json" for tier in Tier
    }
    assert statements["DecryptManifests"]["Condition"]["StringEquals"]["kms:ViaService"]
    assert set(statements["SeeSettingsOfBucket"]["Action"]) == {
        "s3:GetBucketVersioning",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetLifecycleConfiguration",
        "s3:GetBucketPublicAccessBlock",
    }


def test_it_changes_nothing_and_has_no_wildcard_but_where_aws_has_none_finer(
    statements: dict[str, dict[str, Any]],
) -> None:
    for sid, found in statements.items():
        assert not [action for action in found["Action"] if "*" in action], sid
        if "*" in found["Resource"]:
            assert all(action.startswith(("xray:", "cloudwatch:GetMetricData")) for action in found["Action"]), sid
    allowed = {action for found in statements.values() for action in found["Action"]}
    changing = ("s3:Put", "s3:Delete", "rds:Modify", "rds:Delete", "cloudwatch:Put", "cloudwatch:Delete", "kms:Encrypt")
    assert not [action for action in allowed if action.startswith(changing)]
    assert "secretsmanager:GetSecretValue" not in allowed


def test_events_of_the_instance_are_told(monitoring: Template) -> None:
    events = monitoring.only("AWS::RDS::EventSubscription")
    assert (events["SourceType"], events["SourceIds"], events["Enabled"]) == ("db-instance", ["ftry-prod"], True)
    assert {"failover", "failure", "low storage", "backup"} <= set(events["EventCategories"])
    assert "AlarmsTopic" in events["SnsTopicArn"]["Fn::ImportValue"]


def test_the_bucket_is_that_of_the_backups(monitoring: Template) -> None:
    assert "BackupsBucket" in _variables(monitoring)[EnvKey.BUCKET.value]["Fn::ImportValue"]


def _end(resource: Any) -> str:
    return str(resource["Fn::Join"][1][-1])
