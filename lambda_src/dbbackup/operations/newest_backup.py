"""The newest backup of a database, found by names: one manifest is read, however many there are."""

from __future__ import annotations

from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import MANIFEST_SUFFIX, archive_key, parse_file_name
from dbbackup.core.ports import BackupStore
from dbbackup.operations.catalog import read_manifest


def newest_backup(store: BackupStore, database: str | None) -> Manifest | None:
    """The newest manifested backup of any tier, or None; what a restore has set aside is not meant.

    Args:
        store: the directory or bucket.
        database: whose backup; of any, where None.

    Raises:
        StorageError: the store cannot be listed or read.
        VerificationFailedError: the newest manifest cannot be read.
    """
    found = []
    for item in store.objects(None):
        if item.key.endswith(MANIFEST_SUFFIX):
            key = archive_key(item.key)
            parsed = parse_file_name(key)
            if parsed and database in (None, parsed[0]):
                found.append((parsed[1], key))
    for _, key in sorted(found, reverse=True):
        manifest = read_manifest(store, key)
        if manifest is not None and not manifest.safety:
            return manifest
    return None
