"""The newest backup of a database of a server, found by names: few manifests are read, however many there are."""

from __future__ import annotations

from typing import Final

from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import MANIFEST_SUFFIX, archive_key, parse_file_name
from dbbackup.core.ports import BackupStore
from dbbackup.operations.catalog import read_manifest

MOST_COMPARED: Final = 5
"""A name says for when a backup was asked, its manifest of which moment the data are: so a few are compared."""
MOST_READ: Final = 50
"""How many manifests are read at most, where those of many servers lie in one place."""


def newest_backup(store: BackupStore, database: str | None, server: str) -> Manifest | None:
    """The newest manifested backup of any tier, or None; what a restore has set aside is not meant.

    Args:
        store: the directory or bucket.
        database: whose backup; of any, where None.
        server: which server's, by its name.

    Raises:
        StorageError: the store cannot be listed or read.
        VerificationFailedError: one of the newest manifests cannot be read.
    """
    found = []
    for item in store.objects(None):
        if item.key.endswith(MANIFEST_SUFFIX):
            key = archive_key(item.key)
            parsed = parse_file_name(key)
            if parsed and database in (None, parsed[0]):
                found.append((parsed[1], key))
    ours: list[Manifest] = []
    for _, key in sorted(found, reverse=True)[:MOST_READ]:
        manifest = read_manifest(store, key)
        if manifest is not None and not manifest.safety and manifest.source.server == server:
            ours.append(manifest)
        if len(ours) == MOST_COMPARED:
            break
    return max(ours, key=lambda each: each.snapshot_at, default=None)
