"""A bucket that locks whatever it is given, as the storage stack declares it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from dbbackup.adapters.s3_store import S3Store, make_client
from dbbackup.contract import EnvKey, Tier
from dbbackup.core.object_lock import ObjectLock
from dbbackup.operations.catalog import read_catalog
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.databases import Database
from tests.support.faults import intercept
from tests.support.function import deploy


def test_a_backup_is_made_in_a_bucket_with_a_default_retention(bucket: Bucket, database: Database) -> None:
    bucket.s3.put_object_lock_configuration(
        Bucket=bucket.name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}},
        },
    )

    made = take(database, bucket.store(), tier=Tier.DAILY)

    assert [entry.manifest for entry in read_catalog(bucket.store()).entries] == [made.manifest]
    documents = [name for name in bucket.names() if not name.endswith(".dump")]  # moto locks no multipart upload
    locks = {name: bucket.s3.head_object(Bucket=bucket.name, Key=name).get("ObjectLockMode") for name in documents}
    assert len(locks) == 2, locks
    assert set(locks.values()) == {"GOVERNANCE"}, locks


def test_each_object_is_locked_as_long_as_its_tier_is_kept(bucket: Bucket, database: Database) -> None:
    lock = ObjectLock(mode="GOVERNANCE", days={Tier.DAILY: 30, Tier.MONTHLY: 365})
    client = make_client()
    begun: list[tuple[str, str]] = []
    intercept(
        client,
        "CreateMultipartUpload",
        lambda request, **_: begun.append(
            (
                request.headers["x-amz-object-lock-mode"].decode(),
                request.headers["x-amz-object-lock-retain-until-date"].decode(),
            )
        ),
    )
    now = datetime.now(UTC)
    for tier, days in lock.days.items():
        take(database, S3Store(client, bucket.name, lock=lock), tier=tier)
        mode, until = begun.pop()
        assert mode == "GOVERNANCE"
        assert abs(datetime.fromisoformat(until) - now - timedelta(days=days)) < timedelta(hours=1)
        documents = [name for name in bucket.names() if name.startswith(tier.value) and not name.endswith(".dump")]
        for name in documents:
            head = bucket.s3.head_object(Bucket=bucket.name, Key=name)
            assert head["ObjectLockMode"] == "GOVERNANCE"
            assert abs(head["ObjectLockRetainUntilDate"] - now - timedelta(days=days)) < timedelta(hours=1)
    take(database, S3Store(make_client(), bucket.name, lock=lock), tier=Tier.MANUAL)
    (manual,) = [name for name in bucket.names() if name.startswith("manual/") and name.endswith(".sql")]
    assert "ObjectLockMode" not in bucket.s3.head_object(Bucket=bucket.name, Key=manual), "the bucket's default is left"


def test_the_function_locks_what_it_makes(bucket: Bucket, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = json.dumps({"mode": "COMPLIANCE", "days": {"daily": 30}})
    deploy(bucket, database, monkeypatch, **{EnvKey.LOCK.value: lock}).invoke()
    (manifest,) = [name for name in bucket.names() if name.endswith(".manifest.json")]
    assert bucket.s3.head_object(Bucket=bucket.name, Key=manifest)["ObjectLockMode"] == "COMPLIANCE"
