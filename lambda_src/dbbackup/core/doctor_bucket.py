"""What is right about a bucket of backups."""

from __future__ import annotations

from typing import Final

from dbbackup.core.doctor import Finding, Status, failed, fine, warning
from dbbackup.core.doctor_ports import BucketLook, Setting, Trait


def region_finding(look: BucketLook, name: str) -> Finding:
    """Whether the bucket is where we are."""
    if look.region == look.our_region:
        return fine(f"s3://{name} is there, in {look.region}")
    return warning(
        f"s3://{name} is in {look.region}, and we are set to {look.our_region}: slower, paid for by the gigabyte, and "
        "out of reach through the gateway endpoint of a VPC",
        f"Set AWS_REGION={look.region}, or use a bucket of {look.our_region}.",
    )


def trait_finding(trait: Trait, setting: Setting, bucket: str) -> Finding:
    """Whether a setting protects the backups; not to be allowed to look at it keeps no backup from being made."""
    if setting.denied:
        return warning(
            f"it may not be looked at: {setting.denied} is missing",
            f"Run this with a role that has {setting.denied}, such as that of whoever deploys.",
        )
    if setting.value:
        return fine(setting.value)
    status, found, action = _UNSET[trait]
    return Finding(status, found, action.replace("BUCKET", bucket))


_UNSET: Final = {
    Trait.VERSIONING: (
        Status.FAILED,
        "versioning is off: whoever may write may overwrite a backup",
        "aws s3api put-bucket-versioning --bucket BUCKET --versioning-configuration Status=Enabled",
    ),
    Trait.LOCK: (
        Status.WARNING,
        "there is no Object Lock: whoever may delete may delete every backup",
        "aws s3api put-object-lock-configuration --bucket BUCKET --object-lock-configuration "
        "'ObjectLockEnabled=Enabled,Rule={DefaultRetention={Mode=GOVERNANCE,Days=7}}'",
    ),
    Trait.ENCRYPTION: (
        Status.WARNING,
        "objects are not encrypted with a KMS key, so nobody can take the key away from whoever took a copy",
        "aws s3api put-bucket-encryption --bucket BUCKET --server-side-encryption-configuration "
        "'Rules=[{ApplyServerSideEncryptionByDefault={SSEAlgorithm=aws:kms,KMSMasterKeyID=KEY},BucketKeyEnabled=true}]'",
    ),
    Trait.PUBLIC_ACCESS: (
        Status.FAILED,
        "public access is not blocked: one policy, and anybody reads the backups",
        "aws s3api put-public-access-block --bucket BUCKET --public-access-block-configuration "
        "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
    ),
    Trait.LIFE_CYCLE: (
        Status.WARNING,
        "there is no life cycle: backups are kept, and paid for, for ever",
        "Deploy the storage stack, which has a rule for each tier, or set rules of your own.",
    ),
}


def key_finding(problem: str) -> Finding:
    """Whether the key of the bucket can be used."""
    if not problem:
        return fine("the KMS key of the bucket is enabled, or it has none")
    return failed(
        f"the KMS key of the bucket cannot be used: {problem}",
        "Enable it again (aws kms enable-key), or cancel its deletion (aws kms cancel-key-deletion): without it "
        "NO backup in this bucket can be read.",
    )


def writing_finding(left: str) -> Finding:
    """Whether something was left over by trying to write."""
    if not left:
        return fine("an upload was begun and given up; nothing was left behind")
    return warning(
        f"an upload could be begun and not given up: {left}",
        "Grant s3:AbortMultipartUpload; the life cycle of the storage stack removes what was begun after a day.",
    )
