"""Backups taken by the real code path, and restores of them by pg_restore."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dbbackup.contract import Tier
from dbbackup.core.manifest import Archive, Manifest, Roles, Source, Verification
from dbbackup.core.naming import BackupId, manifest_key, roles_key
from dbbackup.core.ports import BackupStore
from dbbackup.operations.backup import BackupOutcome, BackupRequest, run_backup
from tests.support.databases import Database, DatabaseMaker

MOMENT = datetime(2026, 1, 11, 2, 0, tzinfo=UTC)


def take(database: Database, store: BackupStore, *, bindir: Path | None = None, **request: Any) -> BackupOutcome:
    """One backup; what is not said is a manual one, quickly compressed, that waits for nobody."""
    settings = {"tier": Tier.MANUAL, "compression_level": 1, "lock_wait_seconds": 0, **request}
    return run_backup(BackupRequest(**settings), database=database.source(), tools=database.tools(bindir), store=store)


def restore(archive: Path, source: Database, make: DatabaseMaker, *, bindir: Path | None = None) -> Database:
    """A new database with the content of an archive."""
    target = make()
    run_tool(bindir or source.server.bindir, "pg_restore", target, "--exit-on-error", str(archive))
    return target


def run_tool(bindir: Path, program: str, database: Database, *arguments: str) -> str:
    """Run a client program on a database."""
    done = subprocess.run(
        (bindir / program, *(("-d", database.name) if program == "pg_restore" else ()), *arguments),
        env={**os.environ, **database.parameters.environment("test")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def manifest_of(
    database: str = "shop", tier: Tier = Tier.DAILY, *, days_old: float = 0, of: Database | None = None, **archive: Any
) -> Manifest:
    """A manifest as a run would have written it that many days ago, of the server of a database where one is given."""
    moment = (datetime.now(UTC) - timedelta(days=days_old)).replace(microsecond=0)
    key = BackupId(database, tier, moment).file_name
    return Manifest(
        tier=tier,
        backup_time=moment,
        started_at=moment,
        snapshot_at=moment,
        finished_at=moment,
        dump_seconds=1.5,
        source=Source(
            database=database,
            host="127.0.0.1",
            port=of.server.port if of else None,
            server_version="18.6",
            server_version_num=180006,
            database_size_bytes=8_000_000,
            encoding="UTF8",
            collation="C",
        ),
        archive=Archive(**{"key": key, "size_bytes": 4, "sha256": "0" * 64, "compression": "gzip:9", **archive}),
        roles=Roles(key=roles_key(key), size_bytes=0, sha256="1" * 64),
        tables=(),
        verification=Verification(verified_at=moment, entries=0, tables_with_data=0, duration_seconds=0.1),
        client_version="18.6",
        software_version="0.1.0",
    )


def lay_down(folder: Path, manifest: Manifest) -> list[Path]:
    """The three files of a backup that only its manifest claims to be one."""
    key = manifest.archive.key
    files = [folder / key, folder / manifest_key(key), folder / roles_key(key)]
    for file, body in zip(files, (b"dump", manifest.to_bytes(), b""), strict=True):
        file.write_bytes(body)
    return files
