"""Which archive an argument of the command means."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from dbbackup import assembly
from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.cli.connection import asked_connection
from dbbackup.core.errors import InvalidRequestError, NotFoundError
from dbbackup.core.ports import BackupStore
from dbbackup.core.server import Server
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.catalog import read_catalog, read_manifest
from dbbackup.operations.latest import Wanted, latest

LATEST = "latest"
SERVER_HELP = "With latest: of this server, by its name or system identifier (see `dbbackup list`)."


def locate(backup: str, directory: Path | None, bucket: str | None) -> tuple[BackupStore, str | None]:
    """The store and the key that the argument means; no key for the latest."""
    if backup.startswith("s3://"):
        named, _, key = backup.removeprefix("s3://").partition("/")
        if not named or not key:
            raise InvalidRequestError(
                f"{backup} does not name an object.", untouched="Nothing was read.", action="Write s3://BUCKET/KEY."
            )
        return assembly.bucket_store(named), key
    # A file that is there is meant, wherever the environment points, unless an option says otherwise.
    if backup != LATEST and directory is None and bucket is None and _is_dump(Path(backup)):
        # Of a link that a person names, the file is meant that it leads to, with what lies beside that.
        path = Path(backup).resolve() if Path(backup).is_symlink() else Path(backup)
        return DirectoryStore(path.parent), path.name
    store = assembly.store_for(directory, bucket, os.environ)
    return store, None if backup == LATEST else backup


def _is_dump(path: Path) -> bool:
    """Whether it is a file, or a folder as pg_dump --format=directory makes it."""
    return path.is_file() or (path.is_dir() and path.name != "")


def find_source(backup: str, directory: Path | None, bucket: str | None, wanted: Wanted) -> ArchiveSource:
    """The archive that an argument means, with its manifest where it has one.

    ``latest`` is of the database and the server that the options or the environment name: in a place with backups of
    several, the newest of all would be the wrong one as often as not.

    Raises:
        NotFoundError: there is none, or there are several databases and none of them is named.
        RefusedError: there are backups of several servers, and nothing says which is meant.
    """
    store, key = locate(backup, directory, bucket)
    if key is not None:
        return ArchiveSource(store, key, read_manifest(store, key))
    catalog = read_catalog(store)
    of = wanted.database or asked_connection().database
    names = sorted({entry.manifest.source.database for entry in catalog.entries if not entry.manifest.safety})
    if of not in names:
        if wanted.database is not None or len(names) != 1:
            raise _not_clear(store, of, names)
        of = names[0]
    manifest = latest(catalog, replace(wanted, database=of), ours=our_server, place=store.location).manifest
    return ArchiveSource(store, manifest.archive.key, manifest)


def our_server() -> Server | None:
    """The server that the environment leads to."""
    return assembly.server_at(asked_connection())


def _not_clear(store: BackupStore, wanted: str | None, names: list[str]) -> NotFoundError:
    there = f"there are backups of {', '.join(repr(name) for name in names)}" if names else "there are no backups"
    which = f" of the database {wanted!r}" if wanted else ""
    return NotFoundError(
        f"There is no latest backup{which} in {store.location}: {there}.",
        untouched="Nothing was changed.",
        action="Say whose backup is meant: --database NAME." if names else "Take one: `dbbackup backup`.",
    )
