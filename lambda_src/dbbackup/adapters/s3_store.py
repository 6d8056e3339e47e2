"""Backups in a bucket, under one prefix a tier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from dbbackup.adapters.aws_errors import code_of, is_missing, is_taken, translated
from dbbackup.adapters.s3_checksums import digest_of
from dbbackup.adapters.s3_download import stream_object
from dbbackup.adapters.s3_upload import MultipartUpload
from dbbackup.contract import TAG_KIND, Tier
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.errors import StorageError
from dbbackup.core.glacier import Retrieval
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import BackupId
from dbbackup.core.object_key import check_key
from dbbackup.core.object_lock import ObjectLock
from dbbackup.core.ports import StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import RestoreObjectRequestTypeDef


def make_client(*, hurried: bool = False) -> S3Client:
    """An S3 client that repeats what is worth repeating; its endpoint may come from ``AWS_ENDPOINT_URL``.

    Args:
        hurried: give up on a request within 45 s, so that a function that stalls at its deadline can still say so.

    Raises:
        StorageError: the SDK cannot be set up as the environment says.
    """
    config = (
        Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=10)
        if hurried
        else Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)
    )
    with translated("Using", "S3"), _endpoint_understood():
        client = boto3.client("s3", config=config)
        if "amazonaws" in client.meta.endpoint_url:
            return client
        # A local endpoint has no DNS in which a bucket could be a host name.
        return boto3.client("s3", config=config.merge(Config(s3={"addressing_style": "path"})))


@contextmanager
def _endpoint_understood() -> Iterator[None]:
    try:
        yield
    except ValueError as error:  # "Invalid endpoint: ...", which is no error of the SDK's own
        raise StorageError(
            f"Using S3 failed: {error}.",
            untouched="Nothing was read and nothing was written.",
            action="Check AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 and AWS_REGION.",
        ) from error


_NO_SUCH_VERSION = frozenset({"400", "405", "InvalidArgument", "MethodNotAllowed"})


class S3Store:
    """A bucket of backups. Nothing is written over here, and nothing deleted: its life cycle does that."""

    def __init__(
        self, client: S3Client, bucket: str, deadline: Deadline = NO_DEADLINE, lock: ObjectLock | None = None
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._deadline = deadline
        self._lock = lock

    @property
    def location(self) -> str:
        """What to call it in a message."""
        return f"s3://{self._bucket}"

    def key_for(self, backup: BackupId) -> str:
        """``<tier>/<database>_backup_YYYYMMDD_HHMMSS.dump``."""
        return backup.object_key

    def url(self, key: str) -> str:
        """The object as other tools name it."""
        return f"s3://{self._bucket}/{key}"

    def archive_writer(self, key: str, *, expected_bytes: int) -> MultipartUpload:
        """Start a multipart upload.

        Raises:
            StorageError: S3 refuses.
        """
        check_key(key)
        return MultipartUpload(
            self._client,
            self._bucket,
            key,
            expected_bytes=expected_bytes,
            deadline=self._deadline,
            lock=self._lock_of(key),
        )

    def _lock_of(self, key: str) -> dict[str, Any]:
        """The headers that lock an object for as long as its tier says."""
        until = self._lock.until(key, datetime.now(UTC)) if self._lock else None
        if self._lock is None or until is None:
            return {}
        return {"ObjectLockMode": self._lock.mode, "ObjectLockRetainUntilDate": until}

    @contextmanager
    def read(self, key: str, version_id: str | None = None) -> Iterator[Iterator[bytes]]:
        """The bytes of an object, or of the version that a manifest names."""
        check_key(key)
        stream = stream_object(self._client, self._bucket, key, version_id, self._deadline)
        try:
            yield stream
        finally:
            stream.close()  # type: ignore[attr-defined]

    def write_document(self, key: str, body: bytes, kind: str) -> None:
        """Store a small object under a key that there is none of; S3 checks its digest on arrival.

        Raises:
            NameTakenError: there is one.
            StorageError: S3 refuses.
        """
        self._put(key, body, {**self._lock_of(key), "Tagging": f"{TAG_KIND}={kind}", "IfNoneMatch": "*"})

    def replace_document(self, key: str, body: bytes, kind: str) -> None:
        """The same in the place of the object that is there, unless somebody writes there meanwhile."""
        check_key(key)
        with translated("Looking at", self.url(key)):
            try:
                only_if = {"IfMatch": self._client.head_object(Bucket=self._bucket, Key=key)["ETag"]}
            except ClientError as error:
                if not is_missing(error):
                    raise
                only_if = {"IfNoneMatch": "*"}
        self._put(key, body, {**self._lock_of(key), "Tagging": f"{TAG_KIND}={kind}", **only_if})

    def _put(self, key: str, body: bytes, more: Mapping[str, Any]) -> None:
        check_key(key)
        with translated("Storing", self.url(key)):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    ContentType="application/json" if key.endswith(".json") else "text/plain; charset=utf-8",
                    **digest_of(self._client, body),
                    **more,
                )
            except ClientError as error:
                # The SDK repeats a request whose answer was lost, and the repeat meets what the first has stored.
                if not is_taken(error) or self._body(key) != body:
                    raise

    def _body(self, key: str) -> bytes:
        answer = self._client.get_object(Bucket=self._bucket, Key=key)
        return answer["Body"].read()

    def find(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """The object under a key, or the version of it; None where there is none.

        Of a deleted object's marker S3 says that it is no object: 404, or 405 where the marker's version is named. A
        version identifier that is none of this bucket's is a bad request.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
        """
        check_key(key)
        with translated("Looking at", self.url(key)):
            try:
                if version_id is None:
                    head = self._client.head_object(Bucket=self._bucket, Key=key)
                else:
                    head = self._client.head_object(Bucket=self._bucket, Key=key, VersionId=version_id)
            except ClientError as error:
                if is_missing(error) or (version_id is not None and code_of(error) in _NO_SUCH_VERSION):
                    return None
                raise
        return StoredObject(
            key=key,
            size_bytes=head["ContentLength"],
            modified=head["LastModified"],
            storage_class=head.get("StorageClass", "STANDARD"),
            version_id=head.get("VersionId"),
            retrieved='ongoing-request="false"' in head.get("Restore", ""),
            retrieval_ongoing='ongoing-request="true"' in head.get("Restore", ""),
        )

    def objects(self, tier: Tier | None) -> Iterator[StoredObject]:
        """All objects under the tiers' prefixes, or under one of them."""
        for prefix in (tier,) if tier else tuple(Tier):
            yield from self.under(f"{prefix.value}/")

    def under(self, prefix: str) -> Iterator[StoredObject]:
        """All objects whose keys begin so."""
        paginator = self._client.get_paginator("list_objects_v2")
        with translated("Listing", self.url(prefix)):
            for page in paginator.paginate(Bucket=self._bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield StoredObject(
                        key=item["Key"],
                        size_bytes=item["Size"],
                        modified=item["LastModified"],
                        storage_class=item.get("StorageClass", "STANDARD"),
                    )

    def write_locked(self, key: str, body: bytes, *, until: datetime) -> None:
        """The same under Object Lock, in compliance mode: not even the account's owner shortens it.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
        """
        lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        self._put(key, body, {**lock, "IfNoneMatch": "*"})

    def local_path(self, key: str) -> Path | None:
        """None: it must be downloaded."""
        return None

    def ask_back(self, key: str, retrieval: Retrieval, days: int, version_id: str | None = None) -> None:
        """Ask an archived object, or the version of it, back; asking again while it is under way is no error.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html

        Raises:
            StorageError: S3 refuses.
        """
        check_key(key)
        request: RestoreObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": key,
            "RestoreRequest": {"Days": days, "GlacierJobParameters": {"Tier": retrieval.s3_tier}},
        }
        if version_id is not None:
            request["VersionId"] = version_id
        with translated("Asking back", self.url(key)):
            try:
                self._client.restore_object(**request)
            except ClientError as error:
                if code_of(error) != "RestoreAlreadyInProgress":
                    raise

    def reject(self, key: str) -> str:
        """Leave it: we have no right to delete, and an archive without a manifest is not a backup."""
        return f"{self.url(key)} has no manifest, so nothing takes it for a backup; its life cycle removes it."

    def prune(self, manifests: Iterable[Manifest]) -> int:
        """Nothing: the bucket's life cycle decides, and we have no right to delete."""
        return 0
