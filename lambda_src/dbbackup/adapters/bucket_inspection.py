"""Looks at a bucket of backups; what it tries out by writing, it gives up again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from dbbackup.adapters.aws_errors import code_of, translated
from dbbackup.adapters.s3_checksums import checksummed
from dbbackup.adapters.s3_store import make_client
from dbbackup.contract import KIND_DUMP, TAG_KIND, Tier
from dbbackup.core.doctor_ports import BucketLook, Setting, Trait
from dbbackup.core.errors import NotFoundError, StorageError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TRIED_KEY: Final = f"{Tier.MANUAL.value}/doctor.dump"
"""Under a tier's prefix, as a role may be allowed to write there only."""
_UNTOUCHED: Final = "Nothing was changed."
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled"})
_UNSET: Final = frozenset(
    {
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_RIGHTS: Final = {
    Trait.VERSIONING: "s3:GetBucketVersioning",
    Trait.LOCK: "s3:GetBucketObjectLockConfiguration",
    Trait.ENCRYPTION: "s3:GetEncryptionConfiguration",
    Trait.PUBLIC_ACCESS: "s3:GetBucketPublicAccessBlock",
    Trait.LIFE_CYCLE: "s3:GetLifecycleConfiguration",
}


class BucketInspection:
    """One bucket, seen with the credentials of the environment.

    Args:
        bucket: its name.
        now: our clock.
        client: of S3.
    """

    def __init__(
        self, bucket: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), client: S3Client | None = None
    ) -> None:
        self._bucket = bucket
        self._now = now
        self._s3 = client or make_client(hurried=True)
        self._headers: Mapping[str, str] = {}
        self._failure: StorageError | None = None
        self._skew: float | None = None
        self._asked = False

    @property
    def _url(self) -> str:
        return f"s3://{self._bucket}"

    def look(self) -> BucketLook:
        """Whether it is there, and where.

        Raises:
            NotFoundError: there is no such bucket.
            StorageError: we are not let in, S3 cannot be reached, or there are no credentials.
        """
        self._ask()
        if self._failure is not None:
            raise self._failure
        ours = self._s3.meta.region_name
        return BucketLook(region=self._headers.get("x-amz-bucket-region", ours), our_region=ours)

    def skew_seconds(self) -> float | None:
        """How far S3's clock is ahead of ours; None where S3 gave no answer. A refusal is one, and tells the time."""
        self._ask()
        return self._skew

    def _ask(self) -> None:
        """Ask once: a network that leads nowhere takes its time to say so, and the time of an answer is its own."""
        if self._asked:
            return
        self._asked = True
        try:
            with translated("Looking at", self._url, untouched=_UNTOUCHED):
                answer: Mapping[str, Any] = self._s3.head_bucket(Bucket=self._bucket)
        except StorageError as failure:
            refused = failure.__cause__
            if not isinstance(refused, ClientError):
                self._failure = failure
                return
            gone = code_of(refused) in ("404", "NoSuchBucket")
            self._failure = _no_bucket(self._bucket) if gone else failure
            answer = refused.response
        self._headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        if "date" in self._headers:
            self._skew = (parsedate_to_datetime(self._headers["date"]) - self._now()).total_seconds()

    def setting(self, trait: Trait) -> Setting:
        """One of its settings; empty where it is not set.

        Raises:
            StorageError: S3 does not answer.
        """
        ask = {
            Trait.VERSIONING: self._versioning,
            Trait.LOCK: self._lock,
            Trait.ENCRYPTION: self._encryption,
            Trait.PUBLIC_ACCESS: self._public_access,
            Trait.LIFE_CYCLE: self._life_cycle,
        }[trait]
        with translated(f"Looking at the {trait.value} of", self._url, untouched=_UNTOUCHED):
            try:
                return Setting(ask())
            except ClientError as error:
                if code_of(error) in _UNSET:
                    return Setting()
                if code_of(error) in _DENIED:
                    return Setting(denied=_RIGHTS[trait])
                raise

    def _versioning(self) -> str:
        status = self._s3.get_bucket_versioning(Bucket=self._bucket).get("Status")
        return "versioning is on" if status == "Enabled" else ""

    def _lock(self) -> str:
        found = self._s3.get_object_lock_configuration(Bucket=self._bucket).get("ObjectLockConfiguration", {})
        kept: Any = found.get("Rule", {}).get("DefaultRetention", {})
        if not kept:
            return ""
        length = f"{kept['Days']} days" if "Days" in kept else f"{kept['Years']} years"
        return f"Object Lock keeps each version for {length} ({kept['Mode'].lower()} mode)"

    def _default_encryption(self) -> Any:
        found = self._s3.get_bucket_encryption(Bucket=self._bucket)
        return found["ServerSideEncryptionConfiguration"]["Rules"][0].get("ApplyServerSideEncryptionByDefault", {})

    def _encryption(self) -> str:
        return (
            "objects are encrypted with a KMS key"
            if self._default_encryption().get("SSEAlgorithm", "").startswith("aws:kms")
            else ""
        )

    def _public_access(self) -> str:
        blocks = self._s3.get_public_access_block(Bucket=self._bucket)["PublicAccessBlockConfiguration"]
        on = all(
            blocks.get(name)
            for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        )
        return "all public access is blocked" if on else ""

    def _life_cycle(self) -> str:
        rules = self._s3.get_bucket_lifecycle_configuration(Bucket=self._bucket)["Rules"]
        enabled = sum(rule["Status"] == "Enabled" for rule in rules)
        return f"a life cycle of {enabled} rules" if enabled else ""

    def key_problem(self) -> str:
        """Why the KMS key cannot be used; empty where it can, where there is none, or where we may not look.

        Raises:
            StorageError: KMS does not answer.
        """
        try:
            with translated("Looking at the key of", self._url, untouched=_UNTOUCHED):
                key = self._default_encryption().get("KMSMasterKeyID")
                if not key:
                    return ""
                kms = boto3.client("kms", region_name=self._s3.meta.region_name)
                state = kms.describe_key(KeyId=key)["KeyMetadata"].get("KeyState", "Enabled")
        except StorageError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError):
                if code_of(cause) in _DENIED or code_of(cause) in _UNSET:
                    return ""  # the upload that follows proves whether it can be used
                if code_of(cause) == "NotFoundException":
                    return "there is no such key"
            raise
        return "" if state == "Enabled" else f"its state is {state}"

    def try_to_list(self) -> None:
        """List one object.

        Raises:
            StorageError: we may not.
        """
        with translated("Listing", self._url, untouched=_UNTOUCHED):
            self._s3.list_objects_v2(Bucket=self._bucket, MaxKeys=1)

    def try_to_write(self) -> str:
        """Begin an upload as a backup does, which needs the rights to put, to tag and to use the key, and give it up.

        Returns:
            What could not be given up, or nothing.

        Raises:
            StorageError: it may not be begun.
        """
        with translated("Starting an upload to", self._url, untouched=_UNTOUCHED):
            begun = self._s3.create_multipart_upload(
                Bucket=self._bucket,
                Key=TRIED_KEY,
                Tagging=f"{TAG_KIND}={KIND_DUMP}",
                **checksummed(self._s3, ChecksumAlgorithm="CRC32"),
            )["UploadId"]
        try:
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=TRIED_KEY, UploadId=begun)
        except (ClientError, BotoCoreError) as error:
            why = code_of(error) if isinstance(error, ClientError) else type(error).__name__
            return f"the upload of {TRIED_KEY} is still open ({why})"
        return ""


def _no_bucket(bucket: str) -> NotFoundError:
    return NotFoundError(
        f"There is no bucket {bucket}.", untouched=_UNTOUCHED, action="Check --bucket or S3_BACKUP_BUCKET."
    )
