"""Puts adapters together for the entry points: which database, which tools, which store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from dbbackup.adapters.connection_url import read_url
from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.adapters.dump_tools import DumpTools
from dbbackup.adapters.migration_turn import migration_turn as turn
from dbbackup.adapters.postgres_cluster import PostgresCluster, open_cluster
from dbbackup.adapters.postgres_connection import pinned as choose_host
from dbbackup.adapters.postgres_connection import service_values
from dbbackup.adapters.postgres_session import PostgresDatabase
from dbbackup.adapters.postgres_tools import PostgresTools
from dbbackup.adapters.restore_tools import RestoreTools
from dbbackup.adapters.script_tools import ScriptTools
from dbbackup.adapters.server_identity import read_server
from dbbackup.adapters.tool_location import find_folders
from dbbackup.core.bucket_name import check_bucket_name
from dbbackup.core.connection import Connection, from_environment
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.object_lock import ObjectLock
from dbbackup.core.ports import BackupStore
from dbbackup.core.server import Server

DEFAULT_DIRECTORY = Path("backups")
BUCKET_VARIABLE = "S3_BACKUP_BUCKET"
TEXTFILE_VARIABLE = "DBBACKUP_TEXTFILE_DIRECTORY"
"""Environment variable of the command: the folder that node_exporter reads."""


def connection_from(environment: Mapping[str, str], *, database: str | None = None) -> Connection:
    """The connection that options and environment describe.

    Raises:
        InvalidRequestError: it cannot be understood.
    """
    url = read_url(environment.get("DATABASE_URL", "")).values
    return from_environment(environment, database=database, url=url, service=service_values(environment, url))


def url_notes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What a person should know of ``DATABASE_URL``.

    Raises:
        InvalidRequestError: it cannot be understood.
    """
    return read_url(environment.get("DATABASE_URL", "")).notes


def pinned(connection: Connection) -> Connection:
    """The same connection; of several hosts with the one that this run works with from now on."""
    return choose_host(connection)


def tools_for(connection: Connection, environment: Mapping[str, str]) -> PostgresTools:
    """The client programs that the environment leads to, for one connection."""
    first, *others = find_folders(environment)
    return PostgresTools(first.folder, connection, others=others, choice=f"from {first.source}")


def restore_tools_for(connection: Connection, environment: Mapping[str, str]) -> DumpTools:
    """The same, for restores."""
    first, *others = find_folders(environment)
    archives = RestoreTools(first.folder, connection, others=others, choice=f"from {first.source}")
    return DumpTools(archives, ScriptTools(connection))


def cluster_for(connection: Connection) -> AbstractContextManager[PostgresCluster]:
    """The server at the end of a connection, for restores."""
    return open_cluster(connection)


def migration_turn(connection: Connection, wait_seconds: float) -> AbstractContextManager[None]:
    """The turn to run a guarded command on the database at the end of a connection."""
    return turn(connection, wait_seconds)


def server_at(connection: Connection) -> Server | None:
    """The server at the end of a connection, as far as it is known."""
    return read_server(connection)


def database_for(connection: Connection) -> PostgresDatabase:
    """The database at the end of a connection."""
    return PostgresDatabase(connection)


def bucket_store(bucket: str, deadline: Deadline = NO_DEADLINE, lock: ObjectLock | None = None) -> BackupStore:
    """Backups in a bucket, for work that has a deadline or none.

    Args:
        bucket: its name.
        deadline: when to give up.
        lock: of what is stored; the bucket's own default where None.

    Raises:
        InvalidRequestError: this can be no bucket's name.
    """
    check_bucket_name(bucket)
    from dbbackup.adapters import s3_store  # the SDK takes as long to import as the rest; a directory needs none of it

    return s3_store.S3Store(s3_store.make_client(hurried=deadline.at is not None), bucket, deadline, lock)


def hurried(store: BackupStore) -> BackupStore:
    """The same place for small writes that somebody waits for: a bucket that does not answer is given up in 45 s."""
    if not store.location.startswith("s3://"):
        return store
    from dbbackup.adapters import s3_store

    return s3_store.S3Store(s3_store.make_client(hurried=True), store.location.removeprefix("s3://"))


def store_for(directory: Path | None, bucket: str | None, environment: Mapping[str, str]) -> BackupStore:
    """The place that options and environment name: a directory, else a bucket, else ``backups/``.

    Raises:
        InvalidRequestError: both a directory and a bucket are named, or this can be no bucket's name.
    """
    if directory is not None and bucket is not None:
        raise InvalidRequestError(
            "Both a directory and a bucket are named.",
            untouched="Nothing was done.",
            action="Give --directory or --bucket, not both.",
        )
    if directory is not None:
        return DirectoryStore(directory)
    named = bucket_named(bucket, environment)
    return bucket_store(named) if named else DirectoryStore(DEFAULT_DIRECTORY)


def bucket_named(bucket: str | None, environment: Mapping[str, str]) -> str | None:
    """The bucket that an option names, else the environment; None where neither does.

    Raises:
        InvalidRequestError: this can be no bucket's name; an option without a value is not taken for none.
    """
    named = environment.get(BUCKET_VARIABLE) or None if bucket is None else bucket
    return None if named is None else check_bucket_name(named)
