"""Checksums that S3 compares on arrival, and what a store that does not know them is given instead."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def checksummed(client: S3Client, **parameters: Any) -> dict[str, Any]:
    """These parameters of a request, where the store has checksums: ``AWS_REQUEST_CHECKSUM_CALCULATION`` says so.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html
    """
    return parameters if _has_checksums(client) else {}


def digest_of(client: S3Client, body: bytes) -> dict[str, Any]:
    """The digest of a small object: SHA-256, or MD5, which every store knows.

    Where a bucket locks what it is given, S3 wants the algorithm to be named besides the checksum.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """
    if not _has_checksums(client):
        return {"ContentMD5": b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()}
    return {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": b64encode(hashlib.sha256(body).digest()).decode()}


def _has_checksums(client: S3Client) -> bool:
    return getattr(client.meta.config, "request_checksum_calculation", None) != "when_required"
