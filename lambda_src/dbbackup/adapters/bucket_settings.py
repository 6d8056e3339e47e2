"""Settings of a bucket, as S3 says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import ClientError

from dbbackup.adapters.aws_errors import code_of, translated
from dbbackup.core.watch_ports import Lock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BLOCKS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_UNTOUCHED: Final = "Nothing was changed."
_Answer = TypeVar("_Answer")


class S3BucketSettings:
    """One bucket. Each method is one call; all raise StorageError where S3 does not answer."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def versioning(self) -> str:
        """``Enabled``, ``Suspended`` or ``never enabled``."""
        answer = self._ask("versioning", lambda: self._client.get_bucket_versioning(Bucket=self._bucket))
        return str((answer or {}).get("Status") or "never enabled")

    def lock(self) -> Lock | None:
        """The default retention, or None."""
        answer = self._ask(
            "lock",
            lambda: self._client.get_object_lock_configuration(Bucket=self._bucket),
            none="ObjectLockConfigurationNotFoundError",
        )
        retention = (answer or {}).get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention")
        if not retention:
            return None
        return Lock(str(retention.get("Mode")), retention.get("Days") or 365 * retention.get("Years", 0))

    def lifecycle(self) -> Sequence[Mapping[str, Any]]:
        """The rules of the life cycle."""
        answer = self._ask(
            "life cycle",
            lambda: self._client.get_bucket_lifecycle_configuration(Bucket=self._bucket),
            none="NoSuchLifecycleConfiguration",
        )
        return list((answer or {}).get("Rules", ()))

    def public_access(self) -> Mapping[str, bool]:
        """The four blocks of public access of this bucket, whatever the account blocks besides."""
        answer = self._ask(
            "public access",
            lambda: self._client.get_public_access_block(Bucket=self._bucket),
            none="NoSuchPublicAccessBlockConfiguration",
        )
        found = (answer or {}).get("PublicAccessBlockConfiguration", {})
        return {name: bool(found.get(name)) for name in _BLOCKS}

    def _ask(self, what: str, call: Callable[[], Any], *, none: str | None = None) -> Mapping[str, Any] | None:
        """The answer, or None where S3 says by an error that there is no such setting."""
        with translated(f"Reading the {what} of", f"s3://{self._bucket}", untouched=_UNTOUCHED):
            try:
                return dict(call())
            except ClientError as error:
                if code_of(error) != none:
                    raise
        return None
