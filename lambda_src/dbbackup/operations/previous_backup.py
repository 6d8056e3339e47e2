"""The backup before this one, which sizes are compared with."""

from __future__ import annotations

from typing import Final

from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import ARCHIVE_SUFFIX, MANIFEST_SUFFIX, parse_file_name
from dbbackup.core.ports import BackupStore
from dbbackup.operations.catalog import read_manifest

MOST_READ: Final = 30
"""How many manifests are read at most, where those of many servers lie in one place."""


def previous_backup(store: BackupStore, manifest: Manifest) -> Manifest | None:
    """The newest manifested backup of the same server, database and tier that is older; None where there is none.

    Only names are listed and, where no other server uses the place, one manifest is read: this runs after every backup.

    Raises:
        StorageError: the store cannot be listed or read.
        VerificationFailedError: the manifest cannot be read.
    """
    older = []
    for item in store.objects(manifest.tier):
        if item.key.endswith(MANIFEST_SUFFIX):
            key = item.key.removesuffix(MANIFEST_SUFFIX) + ARCHIVE_SUFFIX
            parsed = parse_file_name(key)
            if parsed and parsed[0] == manifest.source.database and parsed[1] < manifest.backup_id.time:
                older.append((parsed[1], key))
    for _, key in sorted(older, reverse=True)[:MOST_READ]:
        found = read_manifest(store, key)
        # In a directory all tiers lie side by side, and what a restore has set aside measures another moment's state.
        if found is None or found.tier is not manifest.tier or found.safety:
            continue
        if found.source.origin.is_same(manifest.source.origin):
            return found
    return None
