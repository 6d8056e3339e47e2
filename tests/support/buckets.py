"""A bucket of one test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbbackup.adapters.s3_store import S3Store, make_client
from dbbackup.core.naming import manifest_key
from devtools.aws import LocalAws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Bucket:
    """A versioned bucket, looked at with a client that no fault is injected into."""

    name: str
    s3: S3Client
    aws: LocalAws

    def store(self, client: S3Client | None = None) -> S3Store:
        """The bucket as an operation takes it."""
        return S3Store(client or make_client(), self.name)

    def names(self) -> list[str]:
        """Names of all objects."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def versions(self, key: str) -> int:
        """How many versions an object has."""
        found = self.s3.list_object_versions(Bucket=self.name, Prefix=key).get("Versions", [])
        return sum(version["Key"] == key for version in found)

    def unfinished_uploads(self) -> list[Any]:
        """Multipart uploads that are neither complete nor aborted."""
        return list(self.s3.list_multipart_uploads(Bucket=self.name).get("Uploads", []))

    def body(self, key: str) -> bytes:
        """An object."""
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def put(self, key: str, body: bytes, **more: Any) -> None:
        """Write an object past our code."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=body, **more)

    def transition(self, key: str, storage_class: Any) -> None:
        """Move an archive to another storage class as a life cycle does, which keeps its version."""
        source: Any = {"Bucket": self.name, "Key": key}
        self.s3.copy_object(
            Bucket=self.name, Key=key, CopySource=source, StorageClass=storage_class, MetadataDirective="COPY"
        )
        manifest = json.loads(self.body(manifest_key(key)))
        manifest["archive"]["version_id"] = self.s3.head_object(Bucket=self.name, Key=key)["VersionId"]
        self.put(manifest_key(key), json.dumps(manifest).encode())
