"""Which backups there are: those with a manifest, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dbbackup.contract import Tier
from dbbackup.core.errors import NotFoundError, VerificationFailedError
from dbbackup.core.manifest import Manifest, parse_manifest
from dbbackup.core.naming import ARCHIVE_SUFFIX, MANIFEST_SUFFIX, archive_key, manifest_key, parse_file_name
from dbbackup.core.ports import BackupStore, StoredObject


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One backup, as it lies in its store."""

    manifest: Manifest
    archive: StoredObject | None
    """The archive's object, in the version that was verified; None where it is gone and the manifest is left."""

    @property
    def sound(self) -> bool:
        """Whether the archive is still there in the size that was verified."""
        return self.archive is not None and self.archive.size_bytes == self.manifest.archive.size_bytes


@dataclass(frozen=True, slots=True)
class Catalog:
    """All backups of a store, newest data first, and what lies there without being one."""

    entries: tuple[CatalogEntry, ...]
    unmanifested: tuple[StoredObject, ...]
    """Archives without a manifest: of a run that did not end, or of somebody else."""
    unreadable: tuple[str, ...]
    """What is wrong with manifests that cannot be read."""


def read_manifest(store: BackupStore, key: str) -> Manifest | None:
    """The manifest of the archive under a key, or None where there is none.

    Raises:
        VerificationFailedError: there is one, and it cannot be read.
    """
    try:
        return _load(store, key)
    except NotFoundError:
        return None


def _load(store: BackupStore, archive: str) -> Manifest:
    key = manifest_key(archive)
    with store.read(key) as chunks:
        return parse_manifest(store.url(key), b"".join(chunks), archive)


def find_archive(store: BackupStore, manifest: Manifest) -> StoredObject | None:
    """The version of the archive that was verified, or None where it is gone.

    In a place that a backup was copied to there is no such version. What lies there under the key is taken then: it is
    compared with the manifest before anybody relies on it.

    Raises:
        StorageError: the store cannot be read.
    """
    archive = manifest.archive
    found = store.find(archive.key, archive.version_id) if archive.version_id else None
    return found or store.find(archive.key)


def read_catalog(store: BackupStore, *, tier: Tier | None = None, database: str | None = None) -> Catalog:
    """Look a store through.

    Args:
        store: the directory or bucket.
        tier: only this tier's backups.
        database: only this database's.

    Raises:
        StorageError: the store cannot be listed or read.
    """
    found = {item.key: item for item in store.objects(tier)}
    entries: list[CatalogEntry] = []
    unreadable: list[str] = []
    manifested = set()
    for key in _manifests(found, database):
        archive = archive_key(key)
        manifested.add(archive)
        try:
            manifest = _load(store, archive)
        except VerificationFailedError as error:
            unreadable.append(str(error))
            continue
        if tier in (None, manifest.tier) and database in (None, manifest.source.database):
            entries.append(CatalogEntry(manifest, _archive_of(store, manifest, found.get(archive))))
    entries.sort(key=lambda entry: (entry.manifest.snapshot_at, entry.manifest.backup_time), reverse=True)
    strays = [
        item
        for key, item in found.items()
        if key.endswith(ARCHIVE_SUFFIX) and key not in manifested and _is_of(key, database)
    ]
    return Catalog(tuple(entries), tuple(strays), tuple(unreadable))


def _archive_of(store: BackupStore, manifest: Manifest, listed: StoredObject | None) -> StoredObject | None:
    """The verified archive; looked for by its version only where what was listed may be another."""
    if manifest.archive.version_id is None or (
        listed is not None
        and listed.size_bytes == manifest.archive.size_bytes
        and listed.modified <= manifest.finished_at
    ):
        return listed
    return find_archive(store, manifest)


def _manifests(found: dict[str, StoredObject], database: str | None) -> Iterator[str]:
    for key in found:
        if key.endswith(MANIFEST_SUFFIX) and _is_of(archive_key(key), database):
            yield key


def _is_of(key: str, database: str | None) -> bool:
    """Whether an archive's name says that it is of this database; names of other make are not ours to skip."""
    parsed = parse_file_name(key)
    return database is None or parsed is None or parsed[0] == database
