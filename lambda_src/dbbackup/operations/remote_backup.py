"""A backup before a migration, taken by the deployed function while we wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dbbackup.contract import EventField, Tier
from dbbackup.core.errors import DbBackupError, VerificationFailedError
from dbbackup.core.git_commit import GitCommit
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import MANIFEST_SUFFIX, archive_key, parse_file_name, receipt_key
from dbbackup.core.ports import BackupStore
from dbbackup.core.receipt import REQUESTED_BY_MAX, Receipt
from dbbackup.operations.catalog import read_manifest
from dbbackup.operations.receipt_agreement import about_backup
from dbbackup.operations.receipts import read_receipt

Call = Callable[[str, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RemoteBackup:
    """What the function has made.

    Attributes:
        receipt: as it has left it in the bucket.
        store: the bucket.
        manifest: of the backup.
    """

    receipt: Receipt
    store: BackupStore
    manifest: Manifest


def take_remotely(
    function: str,
    *,
    database: str | None,
    commit: GitCommit | None,
    requested_by: str,
    call: Call,
    open_bucket: Callable[[str], BackupStore],
) -> RemoteBackup:
    """Have a backup taken, and read its receipt.

    Args:
        function: name or ARN.
        database: one of the function's; None for its first.
        commit: what is about to be migrated to.
        requested_by: who asks.
        call: invokes a function and waits for its answer.
        open_bucket: a bucket by its name.

    Raises:
        DbBackupError: the function failed or cannot be called, or its answer does not say that there is a backup.
    """
    event: dict[str, Any] = {
        EventField.TIER.value: Tier.PRE_MIGRATION.value,
        EventField.REQUESTED_BY.value: requested_by[:REQUESTED_BY_MAX],
    }
    if commit is not None:
        event[EventField.COMMIT.value] = commit.id
    if database is not None:
        event[EventField.DATABASE.value] = database
    answer = call(function, event)
    bucket, key = _named(function, answer, database)
    store = open_bucket(bucket)
    receipt = read_receipt(store, key)
    manifest = read_manifest(store, key)
    if receipt is None or manifest is None or any(about_backup(receipt, receipt_key(key), store)):
        raise VerificationFailedError(
            f"{function} says that it has made {store.url(key)}, and no receipt and manifest that agree lie beside it.",
            untouched="Nothing was migrated.",
            action="Look at the bucket and at the function's log; deploy the stack again if it is of an older version.",
        )
    # The function knows the commit; whether our files differ from it, only we do.
    dirty = None if commit is None else commit.dirty
    known = receipt.commit.model_copy(update={"dirty": dirty}) if receipt.commit else None
    return RemoteBackup(receipt.model_copy(update={"commit": known, "requested_by": requested_by}), store, manifest)


def _named(function: str, answer: object, database: str | None) -> tuple[str, str]:
    """Bucket and key of the answer."""
    fields = answer if isinstance(answer, dict) else {}
    bucket, key = fields.get("bucket"), fields.get("key")
    same = database in (None, fields.get("database")) and fields.get("tier") == Tier.PRE_MIGRATION.value
    if isinstance(bucket, str) and isinstance(key, str) and same:
        return bucket, key
    raise VerificationFailedError(
        f"The answer of {function} does not say that the backup which was asked for is there.",
        untouched="Nothing was migrated.",
        action="Check that it is the backup function, and look at its log.",
    )


def last_duration(store: BackupStore, database: str | None) -> float | None:
    """Seconds that the newest daily or pre-migration backup took; None where that is not known.

    It is shown while somebody waits, so whatever keeps us from knowing it is not worth a failure.
    """
    try:
        newest: tuple[datetime, str] | None = None
        for tier in (Tier.DAILY, Tier.PRE_MIGRATION):
            for item in store.objects(tier):
                parsed = parse_file_name(archive_key(item.key)) if item.key.endswith(MANIFEST_SUFFIX) else None
                if parsed is not None and database in (None, parsed[0]):
                    newest = max(newest or (datetime.min.replace(tzinfo=UTC), ""), (parsed[1], item.key))
        manifest = read_manifest(store, archive_key(newest[1])) if newest else None
    except DbBackupError:
        return None
    return None if manifest is None else (manifest.finished_at - manifest.started_at).total_seconds()
