"""What making a backup needs, statement by statement, and nothing that could unmake one."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs_lib.backup_lifecycle import tier_prefix
from dbbackup.contract import Tier


def grant_backup(grantee: iam.IGrantable, *, bucket: s3.IBucket, key: kms.IKey) -> None:
    """Let somebody write backups under the prefixes of the tiers, and read back what they must verify.

    Only policies of the grantee: the bucket and the key may live in another stack, which must not depend on this.
    """
    principal = grantee.grant_principal
    stack = Stack.of(principal) if isinstance(principal, iam.Role) else Stack.of(bucket)
    prefixes = [tier_prefix(tier) for tier in Tier]
    principal.add_to_principal_policy(
        iam.PolicyStatement(
            sid="WriteAndReadBackBackups",
            actions=[
                "s3:PutObject",
                "s3:PutObjectTagging",
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
                "s3:GetObject",
                "s3:GetObjectVersion",
            ],
            resources=[bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes],
        )
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
