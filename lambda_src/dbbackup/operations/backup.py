"""One verified backup: lock, snapshot, dump, read back, manifest."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from dbbackup.contract import KIND_MANIFEST, KIND_ROLES, SERVICE, Tier
from dbbackup.core.client_fit import minor_note, version_text
from dbbackup.core.compression import Method, choose_compression
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import (
    DbBackupError,
    InterruptedRunError,
    NameTakenError,
    ServerTooNewError,
    VerificationFailedError,
)
from dbbackup.core.manifest import Archive, Manifest, Roles, Source, TableCount
from dbbackup.core.naming import BackupId, manifest_key, receipt_key, roles_key
from dbbackup.core.ports import (
    BackupStore,
    ClientTools,
    Database,
    DatabaseSession,
    Progress,
    ProgressListener,
    Reading,
    no_progress,
)
from dbbackup.core.server import Server
from dbbackup.core.server_name import server_name
from dbbackup.operations.catalog import find_archive, read_manifest
from dbbackup.operations.dump_stream import StoredDump, store_dump
from dbbackup.operations.verify import Expected, Verified, verify_archive

NAMES_TRIED = 3
"""How many names are tried where others take them while we dump."""


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """What to back up, why and how.

    Attributes:
        tier: where it is kept and for how long.
        scheduled_time: the moment the backup is filed under; a second request with the same one makes no second
            backup. None for a backup on demand, which is filed under the moment it begins.
        compression: wanted method.
        compression_level: 1 to 9 for gzip, 1 to 22 for zstd.
        lock_wait_seconds: how long to wait for another backup of the same database.
        instance: RDS instance identifier, for the manifest.
        safety: whether it is taken of what a restore is about to replace; the latest backup is then another one.
    """

    tier: Tier
    scheduled_time: datetime | None = None
    compression: Method = Method.AUTO
    compression_level: int = 9
    lock_wait_seconds: float = 60
    instance: str | None = None
    safety: bool = False
    deadline: Deadline = field(default_factory=Deadline)
    listener: ProgressListener = no_progress


@dataclass(frozen=True, slots=True)
class BackupOutcome:
    """A verified backup.

    Attributes:
        manifest: the document that makes it one.
        created: False where an earlier run had made it already.
        duration_seconds: of this run, from its start to the written manifest.
        client: the client programs, where they are, and why they were taken.
        notes: what a person should know of them.
    """

    manifest: Manifest
    created: bool
    duration_seconds: float
    client: str = ""
    notes: tuple[str, ...] = ()


def run_backup(request: BackupRequest, *, database: Database, tools: ClientTools, store: BackupStore) -> BackupOutcome:
    """Take one backup, or find that it has been taken.

    Raises:
        DbBackupError: there is no verified backup. Nothing of this run counts as one, whatever happened.
    """
    for _ in range(NAMES_TRIED - 1):
        try:
            return _take(request, database, tools, store)
        except NameTakenError:
            continue  # while we dumped, another server that uses this place has finished under the name
    return _take(request, database, tools, store)


def _take(request: BackupRequest, database: Database, tools: ClientTools, store: BackupStore) -> BackupOutcome:
    clock = time.monotonic()
    with database.session(f"backup {request.tier.value}") as session:
        server = version_text(session.server_version[0])
        tools = tools.suited_to(server)
        _refuse_newer_server(session, tools)
        compression = choose_compression(request.compression, request.compression_level, client_has_zstd=tools.has_zstd)
        session.lock(request.lock_wait_seconds, request.deadline)
        started = datetime.now(UTC)
        origin = Server(
            server_name(host=database.host, port=database.port, instance=request.instance), session.system_identifier()
        )
        backup, existing = _place(request, database.name, origin, store, started)
        if existing is not None:
            return BackupOutcome(existing, created=False, duration_seconds=time.monotonic() - clock)

        key = store.key_for(backup)
        request.listener(Progress("roles", 0))
        roles = tools.dump_roles(request.deadline)
        snapshot = session.export_snapshot()
        dump_clock = time.monotonic()
        dump = store_dump(
            session=session,
            snapshot=snapshot,
            tools=tools,
            store=store,
            key=key,
            compression=compression,
            deadline=request.deadline,
            listener=request.listener,
        )
        dump_seconds = time.monotonic() - dump_clock
        left_out = session.left_out()
        with _nothing_half_made(store, key):
            verified = _verify(store, key, tools, dump, request)
            store.write_document(roles_key(key), roles, KIND_ROLES)
            facts = snapshot.facts
            manifest = Manifest(
                tier=backup.tier,
                safety=request.safety,
                backup_time=backup.time,
                started_at=started,
                snapshot_at=snapshot.taken_at,
                finished_at=datetime.now(UTC),
                dump_seconds=round(dump_seconds, 3),
                source=Source(
                    database=database.name,
                    host=database.host,
                    port=database.port,
                    instance=request.instance,
                    server_version=facts.version,
                    server_version_num=facts.version_num,
                    system_identifier=facts.system_identifier,
                    database_size_bytes=facts.database_size_bytes,
                    encoding=facts.encoding,
                    collation=facts.collation,
                    wal_position=facts.wal_position,
                    properties=facts.properties,
                ),
                archive=Archive(
                    key=key,
                    size_bytes=verified.size_bytes,
                    sha256=verified.sha256,
                    version_id=dump.stored.version_id,
                    compression=str(compression),
                ),
                roles=Roles(key=roles_key(key), size_bytes=len(roles), sha256=hashlib.sha256(roles).hexdigest()),
                tables=_tables(verified.reading),
                objects=verified.reading.contents.kinds,
                not_in_dump=left_out,
                verification=verified.record,
                client_version=tools.version,
                software_version=version(SERVICE),
            )
            store.write_document(manifest_key(key), manifest.to_bytes(), KIND_MANIFEST)
    note = minor_note(tools.version, server)
    return BackupOutcome(
        manifest,
        created=True,
        duration_seconds=time.monotonic() - clock,
        client=f"pg_dump {tools.version} in {tools.location} ({tools.choice})",
        notes=() if note is None else (note,),
    )


@contextmanager
def _nothing_half_made(store: BackupStore, key: str) -> Iterator[None]:
    """From the stored archive to the manifest: whatever fails, the archive is not left looking like a backup."""
    try:
        yield
    except (DbBackupError, InterruptedRunError) as error:
        error.untouched = f"{store.reject(key)} Earlier backups are as they were."
        raise
    except BaseException:
        store.reject(key)
        raise


def _refuse_newer_server(session: DatabaseSession, tools: ClientTools) -> None:
    number, text = session.server_version
    if number // 10000 > tools.major:
        raise ServerTooNewError(
            f"The server is PostgreSQL {text}, pg_dump in {tools.location} is {tools.version}: a client cannot dump a "
            "newer server.",
            untouched="Nothing was read and nothing was written.",
            action=f"Use client programs of PostgreSQL {number // 10000} or later: set PG_BINDIR, or in the cloud "
            "raise the image's client major and deploy.",
        )


def _place(
    request: BackupRequest, database: str, origin: Server, store: BackupStore, now: datetime
) -> tuple[BackupId, Manifest | None]:
    """The name of the backup, and its manifest where it has been made before.

    We hold the lock, so nobody else is making it. A name that something else has, of another server or of a run that
    failed, is never taken again: the next second is.
    """
    backup = BackupId(database, request.tier, request.scheduled_time or now)
    while True:
        key = store.key_for(backup)
        if not any(store.find(part) for part in (key, manifest_key(key), roles_key(key), receipt_key(key))):
            return backup, None
        if request.scheduled_time is not None and (made := _made(store, key, request.tier, database, origin)):
            return backup, made
        backup = BackupId(database, request.tier, backup.time + timedelta(seconds=1))


def _made(store: BackupStore, key: str, tier: Tier, database: str, origin: Server) -> Manifest | None:
    """The manifest under a key, if it is of this backup and the archive that it vouches for is there in full."""
    try:
        manifest = read_manifest(store, key)
    except VerificationFailedError:
        return None
    if manifest is None or manifest.safety or (manifest.tier, manifest.source.database) != (tier, database):
        return None
    archive = find_archive(store, manifest)
    whole = archive is not None and archive.size_bytes == manifest.archive.size_bytes
    return manifest if whole and manifest.source.origin.is_same(origin) else None


def _verify(store: BackupStore, key: str, tools: ClientTools, dump: StoredDump, request: BackupRequest) -> Verified:
    return verify_archive(
        store,
        key,
        tools,
        version_id=dump.stored.version_id,
        expected=Expected(dump.stored.size_bytes, dump.sha256),
        deadline=request.deadline,
        listener=request.listener,
    )


def _tables(reading: Reading) -> tuple[TableCount, ...]:
    """Every table whose data is in the archive, with its rows as counted there."""
    rows = reading.rows or {}
    return tuple(
        TableCount(oid=entry.oid, schema_name=entry.schema, table=entry.tag, rows=rows[entry.dump_id])
        for entry in sorted(reading.contents.table_data, key=lambda entry: (entry.schema, entry.tag))
    )
