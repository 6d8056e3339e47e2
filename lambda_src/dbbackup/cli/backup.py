"""``dbbackup backup``."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from dbbackup import assembly
from dbbackup.cli.connection import named_connection
from dbbackup.cli.migration import migration_asked
from dbbackup.cli.output import examples, print_json, progress_line, say, warn
from dbbackup.cli.remote import backup_by_function
from dbbackup.cli.reporting import failures_told, tell
from dbbackup.contract import Tier
from dbbackup.contract_notification import Kind
from dbbackup.core.compression import Method
from dbbackup.core.errors import InvalidRequestError, StorageError, VerificationFailedError
from dbbackup.core.manifest import Manifest, Source
from dbbackup.core.naming import receipt_key
from dbbackup.core.notification import Notification
from dbbackup.core.ports import BackupStore
from dbbackup.core.receipt import refuse_commit_without_migration
from dbbackup.core.retention import expired
from dbbackup.core.units import format_bytes, format_seconds
from dbbackup.operations.backup import BackupOutcome, BackupRequest, run_backup
from dbbackup.operations.catalog import read_catalog
from dbbackup.operations.previous_backup import previous_backup
from dbbackup.operations.receipts import leave_receipt

HELP = (
    "Take one backup and verify it.\n\n"
    "The dump is streamed, read back, and becomes a backup only when its manifest is written, last of all. In a "
    "directory, backups older than their retention are then removed, but never the newest of all or of a schedule."
)
EXAMPLES = examples(
    ("dbbackup backup", "into backups/"),
    ("dbbackup backup --tier pre-migration --bucket ftry-backups", "before a schema change"),
    ("dbbackup backup --tier pre-migration --function ftry-prod-backup", "of RDS, by the function"),
    ("POSTGRES_DB=ftry_staging dbbackup backup --directory /srv/backups --json", "from a script"),
)

RETENTION_HELP = (
    "Days a local backup is kept, of any tier (pre-migration: 7 at most). The newest of all stays, and the newest "
    "daily, weekly and monthly one. In a bucket its life cycle decides."
)


def backup(
    tier: Annotated[Tier, typer.Option(help="Why it is taken; decides how long it is kept.")] = Tier.MANUAL,
    database: Annotated[str | None, typer.Option(help="Database to back up, instead of the environment's.")] = None,
    directory: Annotated[Path | None, typer.Option(help="Directory to write to.", file_okay=False)] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket to write to.")] = None,
    compression: Annotated[
        Method, typer.Option(envvar="BACKUP_COMPRESSION", help="auto: zstd where pg_dump has it, else gzip.")
    ] = Method.AUTO,
    level: Annotated[
        int, typer.Option(envvar="BACKUP_COMPRESSION_LEVEL", help="1 to 9 for gzip, 1 to 22 for zstd.")
    ] = 9,
    retention_days: Annotated[int, typer.Option(envvar="RETENTION_DAYS", help=RETENTION_HELP, min=1)] = 30,
    wait: Annotated[float, typer.Option(help="Seconds to wait for another backup of the database.", min=0)] = 60,
    commit: Annotated[
        str | None, typer.Option(help="With tier pre-migration: the git commit to migrate to, for the receipt.")
    ] = None,
    function: Annotated[
        str | None, typer.Option(help="With tier pre-migration: the deployed function that takes the backup.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Take one backup and verify it."""
    if function is not None:
        _by_function(function, tier, directory, bucket, database, commit, json=json)
        return
    if commit is not None and tier is not Tier.PRE_MIGRATION:
        raise refuse_commit_without_migration(tier)
    migration = migration_asked(commit, os.environ) if tier is Tier.PRE_MIGRATION else None
    connection = named_connection(database)
    store = assembly.store_for(directory, bucket, os.environ)
    receipt = None
    with failures_told(Kind.BACKUP, database=connection.database, server=connection.server, tier=tier):
        connection = assembly.pinned(connection)
        with progress_line() as listener:
            outcome = run_backup(
                BackupRequest(
                    tier=tier,
                    compression=compression,
                    compression_level=level,
                    lock_wait_seconds=wait,
                    listener=listener,
                ),
                database=assembly.database_for(connection),
                tools=assembly.tools_for(connection, os.environ),
                store=store,
            )
        if not json:
            _say_made(store, outcome)
        if migration is not None:
            receipt = leave_receipt(
                store, outcome.manifest, commit=migration.commit, requested_by=migration.requested_by
            )
            if not json:
                url = store.url(receipt_key(receipt.backup.key))
                say(f"✅ Receipt: {url} (commit {migration.commit or 'not known'})")
        removed = prune(store, outcome.manifest.source, retention_days)
    # Only now: without its receipt, or with old backups that could not be removed, the run has failed.
    tell_made(store, outcome)
    if json:
        document = _document(store, outcome, removed)
        print_json(document if receipt is None else {**document, "receipt": receipt.model_dump(mode="json")})
    elif not store.location.startswith("s3://"):
        say(f"✅ Old backups cleaned (retention: {retention_days} days, {removed} removed)")


def _by_function(
    function: str,
    tier: Tier,
    directory: Path | None,
    bucket: str | None,
    database: str | None,
    commit: str | None,
    *,
    json: bool,
) -> None:
    if tier is not Tier.PRE_MIGRATION:
        raise InvalidRequestError(
            f"A function is asked for backups before a migration, not for tier {tier.value}.",
            untouched="Nothing was done.",
            action="Give --tier pre-migration; the other tiers have their schedule.",
        )
    taken = backup_by_function(function, directory, bucket, database, migration_asked(commit, os.environ))
    receipt = taken.receipt
    if json:
        print_json(
            {
                "status": "created",
                "verified": True,
                "location": receipt.backup.location,
                "manifest": taken.manifest.model_dump(mode="json"),
                "receipt": receipt.model_dump(mode="json"),
            }
        )
        return
    say(f"✅ Backup created and verified: {receipt.backup.location} ({format_bytes(receipt.backup.size_bytes)})")
    named = receipt.commit.id if receipt.commit else "not known"
    say(f"✅ Receipt: {taken.store.url(receipt_key(receipt.backup.key))} (commit {named})")


def prune(store: BackupStore, source: Source, days: int) -> int:
    """Remove what has outlived its retention where that is ours to do; how many backups."""
    entries = read_catalog(store, database=source.database).entries
    damaged = {entry.manifest.archive.key for entry in entries if not entry.sound}
    manifests = [entry.manifest for entry in entries]
    now = datetime.now(UTC)
    removed = store.prune(
        expired(manifests, database=source.database, server=source.origin, days=days, now=now, damaged=damaged)
    )
    _say_left(store, manifests, source, now - timedelta(days=days))
    return removed


def _say_left(store: BackupStore, manifests: list[Manifest], source: Source, before: datetime) -> None:
    """Name old backups of a cluster that had our server's name before: nobody else's retention removes those."""
    left = [
        each
        for each in manifests
        if each.source.server == source.server
        and not each.source.origin.is_same(source.origin)
        and each.snapshot_at < before
    ]
    if left and not store.location.startswith("s3://"):
        systems = ", ".join(sorted({each.source.system_identifier or "?" for each in left}))
        warn(
            f"{len(left)} old backups of another cluster that was called {source.server} (system {systems}) were left: "
            "they may be of another server. Remove them by hand when nobody needs them."
        )


def _say_made(store: BackupStore, outcome: BackupOutcome) -> None:
    manifest = outcome.manifest
    size = format_bytes(manifest.archive.size_bytes)
    took = format_seconds(outcome.duration_seconds)
    say(f"✅ Backup created: {store.url(manifest.archive.key)} ({size}, {took})")
    for note in outcome.notes:
        warn(f"Of this backup: {note}")
    rows = f"{manifest.total_rows:,} rows"
    say(f"✅ Verification passed ({len(manifest.tables)} tables, {rows}, {manifest.archive.compression})")
    for left_out in manifest.not_in_dump:
        warn(f"Not in the backup: {left_out.what}. Because {left_out.why}. {left_out.keep}")


def tell_made(store: BackupStore, outcome: BackupOutcome) -> None:
    """Tell everybody of a verified backup, and of its size beside the one before it."""
    manifest = outcome.manifest
    tell(
        Notification.of_backup(
            manifest,
            location=store.url(manifest.archive.key),
            duration_seconds=outcome.duration_seconds,
            previous=_previous(store, manifest),
            repeated=not outcome.created,
        )
    )


def _previous(store: BackupStore, manifest: Manifest) -> Manifest | None:
    try:
        return previous_backup(store, manifest)
    except (StorageError, VerificationFailedError) as error:
        # The backup is made and verified; only what its size is compared with is missing.
        warn(f"The size was not compared with the last backup's. {error}")
        return None


def _document(store: BackupStore, outcome: BackupOutcome, removed: int) -> dict[str, Any]:
    manifest = outcome.manifest
    return {
        "status": "created" if outcome.created else "already-made",
        "verified": True,
        "location": store.url(manifest.archive.key),
        "duration_seconds": round(outcome.duration_seconds, 3),
        "old_backups_removed": removed,
        "client": outcome.client,
        "notes": list(outcome.notes),
        "manifest": manifest.model_dump(mode="json"),
    }
