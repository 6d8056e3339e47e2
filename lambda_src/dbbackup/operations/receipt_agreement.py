"""Whether a receipt says what the backup beside it says of itself, and whether that backup is still there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.naming import receipt_key
from dbbackup.core.ports import BackupStore
from dbbackup.core.receipt import BackupRecord, Receipt
from dbbackup.operations.catalog import read_manifest

AGAIN: Final = "Take a backup for this migration: `dbbackup backup --tier pre-migration --commit COMMIT`."


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason not to migrate.

    Attributes:
        code: stable word for scripts.
        why: what is wrong.
        action: what to do about it.
    """

    code: str
    why: str
    action: str


def about_backup(receipt: Receipt, key: str, store: BackupStore) -> Iterator[Refusal]:
    """What is wrong with a receipt and the backup that it is for.

    Args:
        receipt: what it says.
        key: of the receipt.
        store: where both lie.

    Raises:
        StorageError: the store cannot be read.
    """
    backup = receipt.backup
    if receipt_key(backup.key) != key:
        why = f"{store.url(key)} speaks of the backup {backup.key}, which is not the one beside it."
        yield Refusal("another-backup", why, AGAIN)
        return
    url = store.url(backup.key)
    try:
        manifest = read_manifest(store, backup.key)
    except VerificationFailedError as error:
        yield Refusal("manifest-unreadable", error.what, AGAIN)
        return
    if manifest is None:
        yield Refusal("no-manifest", f"There is no manifest beside {url}: nobody vouches for that backup.", AGAIN)
    elif differing := _differing(backup, BackupRecord.of(manifest, backup.location)):
        why = f"The manifest of {url} is of another backup than the receipt: {', '.join(differing)}."
        yield Refusal("another-backup", why, AGAIN)
    if not _leads_to(backup, store):
        yield Refusal("another-location", f"The way back of the receipt leads to {backup.location}, not {url}.", AGAIN)
    yield from _about_archive(backup, store)


def _differing(said: BackupRecord, known: BackupRecord) -> list[str]:
    """Which facts are not the same, each with both values."""
    pairs = ((name, getattr(said, name), getattr(known, name)) for name in BackupRecord.model_fields)
    return [f"{name.replace('_', ' ')} {ours}, not {theirs}" for name, ours, theirs in pairs if ours != theirs]


def _leads_to(backup: BackupRecord, store: BackupStore) -> bool:
    """Whether the printed way back restores this backup; a folder may have several names."""
    path = store.local_path(backup.key)
    if path is None:
        return backup.location == store.url(backup.key)
    named = Path(backup.location)
    return not path.exists() or (named.exists() and named.samefile(path))


def _about_archive(backup: BackupRecord, store: BackupStore) -> Iterator[Refusal]:
    url = store.url(backup.key)
    archive = store.find(backup.key)
    if archive is None:
        yield Refusal("no-backup", f"The backup {url} is gone.", AGAIN)
    elif archive.size_bytes != backup.size_bytes:
        why = f"{url} has {archive.size_bytes} bytes, and {backup.size_bytes} were verified."
        yield Refusal("size-differs", why, AGAIN)
    elif None not in (archive.version_id, backup.version_id) and archive.version_id != backup.version_id:
        why = f"{url} has been written again: it is version {archive.version_id}, and {backup.version_id} was verified."
        yield Refusal("another-version", why, AGAIN)
