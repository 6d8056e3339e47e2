"""What the constructs offer to an app that wires them by itself."""

from __future__ import annotations

import itertools

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template as AssertedTemplate

from constructs_lib import BackupBucket, BackupLock, TierRule
from constructs_lib.plain_name import plain_name
from dbbackup.contract import Tier
from tests.infrastructure.synthesis import Template, cdk_context, role_statements


@pytest.fixture
def stack(no_aws_account: None) -> Stack:
    return Stack(App(context=cdk_context()), "somebody-elses")


def template_of(stack: Stack) -> Template:
    return Template(AssertedTemplate.from_stack(stack).to_json())


def test_a_role_is_granted_backups_and_nothing_that_unmakes_them(stack: Stack) -> None:
    bucket = BackupBucket(stack, "Backups")
    bucket.grant_backup(iam.Role(stack, "Job", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")))
    template = template_of(stack)
    (role,) = [name for name in template.resources("AWS::IAM::Role") if name.startswith("Job")]
    actions = {action for found in role_statements(template, role) for action in found["Action"]}
    assert {"s3:PutObject", "s3:GetObject", "s3:ListBucket", "kms:GenerateDataKey", "kms:Decrypt"} <= actions
    assert not [action for action in actions if "Delete" in action or "Bypass" in action or "*" in action]


def test_the_policy_of_a_key_names_no_role_of_somebody_else(stack: Stack) -> None:
    bucket = BackupBucket(stack, "Backups")
    bucket.grant_backup(iam.Role(stack, "Job", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")))
    assert "Job" not in str(template_of(stack).only("AWS::KMS::Key")["KeyPolicy"])


def test_tiers_and_lock_are_the_caller_s(stack: Stack) -> None:
    BackupBucket(
        stack,
        "Backups",
        tiers={Tier.MANUAL: TierRule(kept_days=60, storage_class=s3.StorageClass.INFREQUENT_ACCESS)},
        lock=BackupLock(mode="COMPLIANCE", days=dict.fromkeys(Tier, 3)),
    )
    (bucket,) = [found for found in template_of(stack).all("AWS::S3::Bucket") if "ObjectLockConfiguration" in found]
    prefixes = [rule["Prefix"] for rule in bucket["LifecycleConfiguration"]["Rules"] if "Prefix" in rule]
    assert prefixes == ["manual/", "manual/"]
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 3}


def test_a_plain_name_stays_as_it_is() -> None:
    assert plain_name("ftry_main-2") == "ftry_main-2"


def test_names_are_kept_apart_whatever_they_hold() -> None:
    names = ["a b", "a-b", "a/b", "a--b", "d" * 63, "d" * 62, 'a"b', "."]
    plain = [plain_name(name) for name in names]
    assert len(set(plain)) == len(names)
    for name, tier in itertools.product(plain, Tier):
        assert len(f"{tier.value}-{name}") <= 64
        assert name.isascii()
        assert "/" not in name
