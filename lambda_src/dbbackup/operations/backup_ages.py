"""The newest backup of each database in a tier, by reading as little as possible: this runs every few minutes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dbbackup.contract import Tier
from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import MANIFEST_SUFFIX, archive_key, parse_file_name
from dbbackup.core.ports import BackupStore
from dbbackup.operations.catalog import read_manifest


@dataclass(frozen=True, slots=True)
class Newest:
    """What lies in a tier.

    Attributes:
        manifests: the newest sound backup of each database that has one.
        damaged: what is wrong with newer manifests that cannot be read.
    """

    manifests: dict[str, Manifest]
    damaged: tuple[str, ...]


def newest_backups(store: BackupStore, tier: Tier, databases: Collection[str]) -> Newest:
    """Look a tier through.

    A backup is one whose manifest can be read and whose archive is there in the size that was verified. What a restore
    has set aside is none: it is what somebody wanted to get away from.

    Raises:
        StorageError: the store cannot be listed or read.
    """
    sizes = {item.key: item.size_bytes for item in store.objects(tier)}
    named = []
    for key in sizes:
        if key.endswith(MANIFEST_SUFFIX):
            archive = archive_key(key)
            parsed = parse_file_name(archive)
            if parsed and parsed[0] in databases and archive in sizes:
                named.append((parsed[1], parsed[0], archive))
    manifests: dict[str, Manifest] = {}
    damaged = []
    for _, database, archive in sorted(named, reverse=True):
        if database in manifests:
            continue
        try:
            manifest = read_manifest(store, archive)
        except VerificationFailedError as error:
            damaged.append(str(error))
            continue
        # The life cycle may have taken it since it was listed.
        if manifest and _is_sound(manifest, tier, database, sizes[archive]):
            manifests[database] = manifest
    return Newest(manifests, tuple(damaged))


def _is_sound(manifest: Manifest, tier: Tier, database: str, size_bytes: int) -> bool:
    mine = manifest.tier is tier and manifest.source.database == database
    return mine and not manifest.safety and manifest.archive.size_bytes == size_bytes
