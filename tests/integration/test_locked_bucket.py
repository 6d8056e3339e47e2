"""A bucket that locks whatever it is given, as the storage stack declares it."""

from __future__ import annotations

from dbbackup.contract import Tier
from dbbackup.operations.catalog import read_catalog
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.databases import Database


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
