"""The body of an object breaks off while it is read back."""

from __future__ import annotations

import time

import pytest

from dbbackup.adapters import s3_download
from dbbackup.core.errors import StorageError
from dbbackup.operations.catalog import read_catalog
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.databases import Database
from tests.support.proxy import breaking_proxy


def test_reading_goes_on_where_it_broke_off(
    large_database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with breaking_proxy(bucket.aws.endpoint, times=2) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        manifest = take(large_database, bucket.store()).manifest
    size = manifest.archive.size_bytes
    whole, second, third = proxy.ranges
    assert whole is None
    assert second == f"bytes={size // 2}-"
    assert third is not None
    assert int(third.removeprefix("bytes=").removesuffix("-")) == size // 2 + (size - size // 2) // 2


def test_reading_that_breaks_off_again_and_again_makes_no_backup(
    large_database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with breaking_proxy(bucket.aws.endpoint, times=1000) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        with pytest.raises(StorageError, match=r"Reading s3://.*failed") as failure:
            take(large_database, bucket.store())
    assert len(proxy.ranges) == s3_download.MAX_RESUMES + 1
    assert "has no manifest, so nothing takes it for a backup" in failure.value.untouched
    assert read_catalog(bucket.store(bucket.s3)).entries == ()
