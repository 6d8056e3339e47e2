"""The bucket that receives backups: what is written into it stays, for as long as its tier says."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.backup_lifecycle import DEFAULT_TIERS, NONCURRENT_DAYS, TierRule, lifecycle_rules
from constructs_lib.backup_lock import BackupLock
from constructs_lib.backup_permissions import grant_backup
from constructs_lib.write_once import deny_overwriting
from dbbackup.contract import Tier


class BackupBucket(Construct):
    """A versioned, locked, encrypted bucket with a life cycle for each tier, its key and its access logs.

    Everything in it is retained when the stack goes: a backup must survive the infrastructure that made it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket_name: str | None = None,
        access_log_bucket_name: str | None = None,
        access_log_days: int = 365,
        tiers: Mapping[Tier, TierRule] = DEFAULT_TIERS,
        noncurrent_days: int = NONCURRENT_DAYS,
        lock: BackupLock | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.lock = lock or BackupLock(days={tier: rule.kept_days for tier, rule in tiers.items()})
        self.key: kms.IKey = kms.Key(
            self,
            "Key",
            description="Encrypts database backups",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.access_logs: s3.IBucket = self._access_log_bucket(access_log_bucket_name, access_log_days)
        bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=bucket_name,
            versioned=True,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix="backups/",
            object_lock_enabled=True,
            object_lock_default_retention=self.lock.bucket_default,
            lifecycle_rules=lifecycle_rules(tiers, noncurrent_days=noncurrent_days),
            # Below 128 KB Glacier's overhead for each object costs more than it saves, and Standard reads at once.
            transition_default_minimum_object_size=s3.TransitionDefaultMinimumObjectSize.ALL_STORAGE_CLASSES_128_K,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.bucket: s3.IBucket = bucket
        self._deny_other_encryption()
        deny_overwriting(bucket)

    def grant_backup(self, grantee: iam.IGrantable) -> None:
        """Let somebody make and verify backups, and neither overwrite or delete them nor shorten their locks."""
        grant_backup(grantee, bucket=self.bucket, key=self.key, lock=self.lock)

    def _access_log_bucket(self, name: str | None, days: int) -> s3.Bucket:
        return s3.Bucket(
            self,
            "AccessLogs",
            bucket_name=name,
            # The logging service of S3 can't write into a bucket whose default encryption is another KMS key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="access-logs-expire",
                    expiration=Duration.days(days),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _deny_other_encryption(self) -> None:
        """Refuse an upload that asks for another key; one that asks for nothing gets ours from the bucket."""
        algorithm, key_id = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
        for sid, header, wanted in (
            ("DenyOtherAlgorithm", algorithm, "aws:kms"),
            ("DenyOtherKey", key_id, self.key.key_arn),
        ):
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:PutObject"],
                    resources=[self.bucket.arn_for_objects("*")],
                    # "StringNotEquals" alone also holds where the header is missing, and would refuse our own uploads.
                    conditions={"Null": {header: "false"}, "StringNotEquals": {header: wanted}},
                )
            )
