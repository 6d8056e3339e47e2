"""Which settings of the bucket are not as declared."""

from __future__ import annotations

from typing import Any

from dbbackup.contract_watch import WatchedSetting
from dbbackup.core.bucket_drift import lifecycle_drift, lock_drift, public_access_drift, versioning_drift
from dbbackup.core.drift import Drift
from dbbackup.core.watch_ports import BucketSettings


def bucket_drift(setting: WatchedSetting, declared: Any, bucket: BucketSettings) -> Drift | None:
    """How a setting of the bucket differs from what was declared, or None.

    Raises:
        StorageError: S3 does not say.
        ValueError: it is no setting of the bucket.
    """
    match setting:
        case WatchedSetting.BUCKET_VERSIONING:
            return versioning_drift(declared, bucket.versioning())
        case WatchedSetting.BUCKET_LOCK:
            return lock_drift(declared, bucket.lock())
        case WatchedSetting.BUCKET_LIFECYCLE:
            return lifecycle_drift(declared, bucket.lifecycle())
        case WatchedSetting.BUCKET_PUBLIC_ACCESS:
            return public_access_drift(bucket.public_access())
        case _:
            raise ValueError(f"{setting.value} is no setting of the bucket")
