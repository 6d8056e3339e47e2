"""What making a backup needs, statement by statement, and nothing that could unmake one."""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs_lib.backup_lifecycle import tier_prefix
from constructs_lib.backup_lock import DEFAULT_LOCK, BackupLock
from constructs_lib.write_once import RECEIPTS, creating, replacing_seen, sending_parts
from dbbackup.contract import Tier


def grant_backup(
    grantee: iam.IGrantable, *, bucket: s3.IBucket, key: kms.IKey, lock: BackupLock = DEFAULT_LOCK
) -> None:
    """Let somebody create backups under the prefixes of the tiers, and read back what they must verify.

    Whatever is there cannot be written over, wherever the bucket comes from and whatever its own policy says; a receipt
    alone is written on. A lock may be set for as long as the tier's, not longer: that could be undone by nobody.

    Only policies of the grantee: the bucket and the key may live in another stack, which must not depend on this.
    """
    principal = grantee.grant_principal
    stack = Stack.of(principal) if isinstance(principal, iam.Role) else Stack.of(bucket)
    prefixes = [tier_prefix(tier) for tier in Tier]
    everything = [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]

    def allow(sid: str, actions: list[str], resources: list[str], conditions: dict[str, Any] | None = None) -> None:
        principal.add_to_principal_policy(
            iam.PolicyStatement(sid=sid, actions=actions, resources=resources, conditions=conditions)
        )

    allow("CreateBackups", ["s3:PutObject"], everything, creating())
    allow("SendParts", ["s3:PutObject"], everything, sending_parts())
    allow("WriteReceiptsOn", ["s3:PutObject"], [bucket.arn_for_objects(RECEIPTS)], replacing_seen())
    allow(
        "ReadBackBackups",
        [
            "s3:PutObjectTagging",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
            "s3:GetObject",
            "s3:GetObjectVersion",
        ],
        everything,
    )
    for tier, days in lock.days.items():
        allow(
            f"Lock{''.join(part.title() for part in tier.value.split('-'))}",
            ["s3:PutObjectRetention"],
            [bucket.arn_for_objects(f"{tier_prefix(tier)}*")],
            # A day more, as S3 may round hours up.
            {"NumericLessThanEquals": {"s3:object-lock-remaining-retention-days": str(days + 1)}},
        )
    principal.add_to_principal_policy(
        iam.PolicyStatement(
            sid="FindBackups",
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
            # On the whole bucket: with a condition on the prefix, S3 answers "forbidden" instead of "not there" to the
            # question whether a backup exists already.
        )
    )
    principal.add_to_principal_policy(
        iam.PolicyStatement(
            sid="EncryptAndReadBackBackups",
            actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resources=[key.key_arn],
            # Through S3 only: the key opens nothing that was got in another way.
            conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
        )
    )
