"""What the probe may ask AWS, statement by statement: it reads, and what it reads are no data of the database."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs_lib.backup_lifecycle import tier_prefix
from dbbackup.contract import Tier


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


def grant_watch(role: iam.Role, *, instance: str, bucket: s3.IBucket, key: kms.IKey) -> None:
    """See one instance, the settings of one bucket, which backups are in it, and what their manifests say."""
    stack = Stack.of(role)
    _allow(
        role,
        "SeeInstance",
        ["rds:DescribeDBInstances"],
        [stack.format_arn(service="rds", resource=f"db:{instance}")],
    )
    # On the whole bucket: with a condition on the prefix, S3 answers "forbidden" instead of "not there".
    _allow(role, "FindBackups", ["s3:ListBucket"], [bucket.bucket_arn])
    # The archives themselves are data of the database; their names and sizes are in the list.
    _allow(
        role,
        "ReadManifests",
        ["s3:GetObject"],
        [bucket.arn_for_objects(f"{tier_prefix(tier)}*.manifest.json") for tier in Tier],
    )
    _allow(
        role,
        "SeeSettingsOfBucket",
        [
            "s3:GetBucketVersioning",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetBucketPublicAccessBlock",
        ],
        [bucket.bucket_arn],
    )
    _allow(
        role,
        "DecryptManifests",
        ["kms:Decrypt"],
        [key.key_arn],
        # Through S3 only: the key opens nothing that was got in another way.
        {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
    )


def grant_see_deliveries(role: iam.Role) -> None:
    """See which rehearsed alerts arrived."""
    # Metrics have no ARN, and reading them has neither a finer resource than * nor a condition on the namespace.
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    _allow(role, "ReadMetrics", ["cloudwatch:GetMetricData"], ["*"])
