"""What the functions of a rehearsal need of AWS, one by one: nothing that changes production or a backup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs_lib.backup_lifecycle import tier_prefix
from constructs_lib.write_once import creating
from dbbackup.contract import Tier
from dbbackup.contract_rehearsal import EVIDENCE_PREFIX, LOCK_DAYS

LONGEST_LOCK_DAYS: Final = LOCK_DAYS + 1
"""A year, and the hours that S3 may round up. A longer lock could not be undone by anybody."""


def _allow(
    role: iam.Role,
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: dict[str, object] | None = None,
) -> None:
    role.add_to_policy(
        iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources), conditions=conditions)
    )


def _use_key(role: iam.Role, key: kms.IKey, sid: str, *actions: str) -> None:
    # Through S3 only: the key opens nothing that was got in another way.
    _allow(
        role,
        sid,
        actions,
        [key.key_arn],
        {"StringEquals": {"kms:ViaService": f"s3.{Stack.of(role).region}.amazonaws.com"}},
    )


def grant_read_backups(role: iam.Role, *, bucket: s3.IBucket, key: kms.IKey) -> None:
    """Find and read backups of every tier."""
    _allow(
        role,
        "ReadBackups",
        ["s3:GetObject", "s3:GetObjectVersion"],
        [bucket.arn_for_objects(f"{tier_prefix(tier)}*") for tier in Tier],
    )
    # On the whole bucket: with a condition on the prefix, S3 answers "forbidden" instead of "not there".
    _allow(role, "FindBackups", ["s3:ListBucket"], [bucket.bucket_arn])
    _use_key(role, key, "DecryptBackups", "kms:Decrypt")


def grant_read_evidence(role: iam.Role, *, bucket: s3.IBucket, key: kms.IKey) -> None:
    """List and read evidence, and nothing else of the bucket."""
    _allow(role, "ReadEvidence", ["s3:GetObject"], [bucket.arn_for_objects(f"{EVIDENCE_PREFIX}*")])
    _allow(
        role,
        "FindEvidence",
        ["s3:ListBucket"],
        [bucket.bucket_arn],
        {"StringLike": {"s3:prefix": [EVIDENCE_PREFIX, f"{EVIDENCE_PREFIX}*"]}},
    )
    _use_key(role, key, "DecryptEvidence", "kms:Decrypt")


def grant_write_evidence(role: iam.Role, *, bucket: s3.IBucket, key: kms.IKey) -> None:
    """Add evidence, locked for a year and not longer; neither remove or overwrite it nor shorten its lock.

    A write that asks for no lock has no remaining days, so the condition refuses that, too.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
    """
    grant_read_evidence(role, bucket=bucket, key=key)
    evidence = [bucket.arn_for_objects(f"{EVIDENCE_PREFIX}*")]
    not_longer: dict[str, object] = {
        "NumericLessThanEquals": {"s3:object-lock-remaining-retention-days": str(LONGEST_LOCK_DAYS)}
    }
    _allow(role, "AddLockedEvidence", ["s3:PutObject"], evidence, {**not_longer, **creating()})
    _allow(role, "LockEvidence", ["s3:PutObjectRetention"], evidence, not_longer)
    _use_key(role, key, "EncryptEvidence", "kms:GenerateDataKey")


def grant_see_all_instances(role: iam.Role) -> None:
    """List the instances of this account and region; a list can't be asked for by name."""
    stack = Stack.of(role)
    _allow(role, "ListInstances", ["rds:DescribeDBInstances"], [stack.format_arn(service="rds", resource="db:*")])


def grant_see_own_executions(role: iam.Role, *, machine_arn: str, executions_arn: str) -> None:
    """See whether another rehearsal is running."""
    _allow(role, "SeeOtherRehearsals", ["states:ListExecutions"], [machine_arn])
    _allow(role, "SeeExecutions", ["states:DescribeExecution"], [executions_arn])
