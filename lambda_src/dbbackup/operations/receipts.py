"""Receipts in a store: written beside their backups, found again, checked before a migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dbbackup.contract import KIND_RECEIPT, Tier
from dbbackup.core.errors import DbBackupError, NotFoundError, VerificationFailedError
from dbbackup.core.git_commit import GitCommit
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import ARCHIVE_SUFFIX, RECEIPT_SUFFIX, parse_file_name, receipt_key
from dbbackup.core.ports import BackupStore
from dbbackup.core.receipt import BackupRecord, Receipt, Status, parse_receipt


@dataclass(frozen=True, slots=True)
class Found:
    """A receipt as it lies in its store.

    Attributes:
        key: of the receipt.
        database: as the name of the backup says.
        time: the moment that the backup is filed under.
        receipt: None where it cannot be read.
        problem: why it cannot be read.
    """

    key: str
    database: str
    time: datetime
    receipt: Receipt | None
    problem: str = ""


def write_receipt(store: BackupStore, receipt: Receipt) -> str:
    """Store a receipt beside its backup; one that is there is replaced, and a bucket keeps the earlier version.

    Of all that we store, it alone is written more than once: it says how far its command has come.

    Object Lock keeps versions, not names, so a new version may always be written:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html

    Returns:
        Its key.

    Raises:
        StorageError: it could not be stored.
    """
    key = receipt_key(receipt.backup.key)
    store.replace_document(key, receipt.to_bytes(), KIND_RECEIPT)
    return key


def leave_receipt(
    store: BackupStore, manifest: Manifest, *, commit: GitCommit | None, requested_by: str | None
) -> Receipt:
    """The receipt of a backup before a migration, without a command; one that is there already stays as it is.

    Raises:
        DbBackupError: it could not be stored, or the one that is there cannot be read. The backup is as good.
    """
    try:
        existing = read_receipt(store, manifest.archive.key)
        if existing is not None:
            return existing
        location = location_of(store, manifest.archive.key)
        now = datetime.now(UTC)
        receipt = Receipt.of(manifest, location, commit=commit, requested_by=requested_by, at=now)
        write_receipt(store, receipt)
    except DbBackupError as error:
        error.untouched = f"The backup {store.url(manifest.archive.key)} is stored and verified; it has no receipt."
        raise
    return receipt


def location_of(store: BackupStore, key: str) -> str:
    """An object as it is found from any folder: its whole path, or its URL."""
    path = store.local_path(key)
    return store.url(key) if path is None else str(path.absolute())


def read_receipt(store: BackupStore, archive: str) -> Receipt | None:
    """The receipt of the backup under a key, or None where there is none.

    Raises:
        VerificationFailedError: there is one, and it cannot be read.
        StorageError: the store cannot be read.
    """
    key = receipt_key(archive)
    try:
        with store.read(key) as chunks:
            body = b"".join(chunks)
    except NotFoundError:
        return None
    return parse_receipt(store.url(key), body)


def _named(store: BackupStore) -> list[tuple[datetime, str, str]]:
    """Time, database and key of all receipts, as their names say, newest first."""
    named = []
    for item in store.objects(Tier.PRE_MIGRATION):
        if item.key.endswith(RECEIPT_SUFFIX):
            parsed = parse_file_name(item.key.removesuffix(RECEIPT_SUFFIX) + ARCHIVE_SUFFIX)
            if parsed is not None:
                named.append((parsed[1], parsed[0], item.key))
    return sorted(named, reverse=True)


def databases(store: BackupStore) -> list[str]:
    """Databases that there are receipts of.

    Raises:
        StorageError: the store cannot be listed.
    """
    return sorted({database for _, database, _ in _named(store)})


def receipts(
    store: BackupStore, database: str | None = None, *, of: Callable[[BackupRecord], bool] = lambda _: True
) -> Iterator[Found]:
    """All receipts, of one database where it is named, newest first; each is read when it is asked for.

    Args:
        store: where they lie.
        database: whose.
        of: which backups' they are, where more than the database decides. One that cannot be read may be any.

    Raises:
        StorageError: the store cannot be listed or read.
    """
    for time, name, key in _named(store):
        if database not in (None, name):
            continue
        try:
            receipt = read_receipt(store, key.removesuffix(RECEIPT_SUFFIX) + ARCHIVE_SUFFIX)
        except VerificationFailedError as error:
            yield Found(key, name, time, None, error.what)
        else:
            if receipt is not None and of(receipt.backup):
                yield Found(key, name, time, receipt)


def unsettled(
    store: BackupStore, database: str, *, before: str, of: Callable[[BackupRecord], bool] = lambda _: True
) -> Found | None:
    """The migration before a receipt, where it failed or nobody knows how it ended; None where all is well.

    Args:
        store: where the receipts lie.
        database: whose.
        before: key of the receipt that is about to be used.
        of: see :func:`receipts`.

    Raises:
        StorageError: the store cannot be listed or read.
    """
    older = iter(receipts(store, database, of=of))
    for found in older:
        if found.key == before:
            break
    for found in older:
        if found.receipt is None or found.receipt.status in (Status.BACKED_UP, Status.NOT_STARTED):
            continue  # nothing was changed on it
        return found if found.receipt.status in (Status.FAILED, Status.RUNNING) else None
    return None
