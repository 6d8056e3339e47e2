"""Backups in a bucket, under one prefix a tier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from dbbackup.adapters.aws_errors import code_of, is_missing, translated
from dbbackup.adapters.s3_checksums import digest_of
from dbbackup.adapters.s3_download import stream_object
from dbbackup.adapters.s3_upload import MultipartUpload
from dbbackup.contract import TAG_KIND, Tier
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.errors import StorageError
from dbbackup.core.glacier import Retrieval
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import BackupId
from dbbackup.core.ports import StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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


class S3Store:
    """A bucket of backups. Nothing is ever deleted here: the bucket's life cycle does that."""

    def __init__(self, client: S3Client, bucket: str, deadline: Deadline = NO_DEADLINE) -> None:
        self._client = client
        self._bucket = bucket
        self._deadline = deadline

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
        return MultipartUpload(self._client, self._bucket, key, expected_bytes=expected_bytes, deadline=self._deadline)

    @contextmanager
    def read(self, key: str, version_id: str | None = None) -> Iterator[Iterator[bytes]]:
        """The bytes of an object, or of the version that a manifest names."""
        stream = stream_object(self._client, self._bucket, key, version_id, self._deadline)
        try:
            yield stream
        finally:
            stream.close()  # type: ignore[attr-defined]

    def write_document(self, key: str, body: bytes, kind: str) -> None:
        """Store a small object; S3 checks its digest on arrival."""
        with translated("Storing", self.url(key)):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType="application/json" if key.endswith(".json") else "text/plain; charset=utf-8",
                **digest_of(self._client, body),
                Tagging=f"{TAG_KIND}={kind}",
            )

    def find(self, key: str) -> StoredObject | None:
        """The object under a key, or None."""
        with translated("Looking at", self.url(key)):
            try:
                head = self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if is_missing(error):
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
        """Store a small object under Object Lock, in compliance mode: not even the account's owner shortens it.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
        """
        with translated("Storing", self.url(key)):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                **digest_of(self._client, body),
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=until,
            )

    def local_path(self, key: str) -> Path | None:
        """None: it must be downloaded."""
        return None

    def ask_back(self, key: str, retrieval: Retrieval, days: int) -> None:
        """Ask an archived object back; asking again while it is under way is no error.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html

        Raises:
            StorageError: S3 refuses.
        """
        with translated("Asking back", self.url(key)):
            try:
                self._client.restore_object(
                    Bucket=self._bucket,
                    Key=key,
                    RestoreRequest={"Days": days, "GlacierJobParameters": {"Tier": retrieval.s3_tier}},
                )
            except ClientError as error:
                if code_of(error) != "RestoreAlreadyInProgress":
                    raise

    def reject(self, key: str) -> str:
        """Leave it: we have no right to delete, and an archive without a manifest is not a backup."""
        return f"{self.url(key)} has no manifest, so nothing takes it for a backup; its life cycle removes it."

    def prune(self, manifests: Iterable[Manifest]) -> int:
        """Nothing: the bucket's life cycle decides, and we have no right to delete."""
        return 0
