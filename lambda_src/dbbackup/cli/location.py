"""Which archive an argument of the command means."""

from __future__ import annotations

import os
from pathlib import Path

from dbbackup import assembly
from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.ports import BackupStore

LATEST = "latest"


def locate(backup: str, directory: Path | None, bucket: str | None) -> tuple[BackupStore, str | None]:
    """The store and the key that the argument means; no key for the latest."""
    if backup.startswith("s3://"):
        named, _, key = backup.removeprefix("s3://").partition("/")
        if not named or not key:
            raise InvalidRequestError(
                f"{backup} does not name an object.", untouched="Nothing was read.", action="Write s3://BUCKET/KEY."
            )
        return assembly.bucket_store(named), key
    # A file that is there is meant, wherever the environment points, unless an option says otherwise.
    if backup != LATEST and directory is None and bucket is None and Path(backup).is_file():
        path = Path(backup)
        return DirectoryStore(path.parent), path.name
    store = assembly.store_for(directory, bucket, os.environ)
    return store, None if backup == LATEST else backup
