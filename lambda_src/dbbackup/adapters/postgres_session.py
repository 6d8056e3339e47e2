"""The session beside the dump: it locks other backups out and holds the snapshot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters import contents
from dbbackup.adapters.advisory_locks import give_back
from dbbackup.adapters.database_properties import read_properties
from dbbackup.adapters.left_out import left_out
from dbbackup.adapters.postgres_connection import connect
from dbbackup.adapters.restored_copy import RestoredCopy
from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.connection import Connection
from dbbackup.core.deadline import Deadline
from dbbackup.core.diagnosis import dump_remedy
from dbbackup.core.errors import BackupInProgressError, DatabaseReadError
from dbbackup.core.left_out import not_asked
from dbbackup.core.manifest import NotInDump
from dbbackup.core.ports import RowTotal, ServerFacts, Snapshot

# Two-key advisory locks are per database, so the pair only has to be unlike other programs' pairs.
LOCK_KEYS = (0x6462_6261, 1)
LOCK_POLL_SECONDS = 0.5
_LARGE = 1024**3
_RAW_NAMES = b"SET LOCAL client_encoding = 'SQL_ASCII'"
_FACTS = """
    SELECT pg_export_snapshot(), now(), pg_database_size(current_database()),
           pg_encoding_to_char(encoding), datcollate,
           (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text,
           pg_is_in_recovery()
    FROM pg_database WHERE datname = current_database()
"""
_LOCK_HOLDER = """
    SELECT a.pid, a.application_name, a.backend_start
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = %s AND l.objid = %s
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class PostgresSession:
    """One connection to the database that is backed up."""

    def __init__(self, connection: psycopg.Connection[TupleRow]) -> None:
        self._connection = connection

    @property
    def server_version(self) -> tuple[int, str]:
        """Number and text of the server's version, for example 180006 and ``18.6``."""
        return self._connection.info.server_version, self._connection.info.parameter_status("server_version") or "?"

    def _one(self, statement: str | bytes, *values: object) -> TupleRow:
        # Without values nothing is a place for one: None, not an empty tuple.
        row = self._connection.execute(statement, values or None).fetchone()
        if row is None:  # pragma: no cover - each statement here yields a row
            raise DatabaseReadError("The server gave no row where there is always one.")
        return row

    def lock(self, wait_seconds: float, deadline: Deadline) -> None:
        """Become the only backup of this database.

        A session-level advisory lock, so it ends with the connection however we end.
        https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS

        Raises:
            BackupInProgressError: another backup held it all the while.
            DeadlineExceededError: the deadline came first.
        """
        give_up = time.monotonic() + wait_seconds
        with self._translated("waiting for its turn"):
            while not self._one("SELECT pg_try_advisory_lock(%s, %s)", *LOCK_KEYS)[0]:
                deadline.check("waiting for another backup of this database")
                if time.monotonic() >= give_up:
                    raise self._in_progress(wait_seconds)
                time.sleep(LOCK_POLL_SECONDS)

    def _in_progress(self, waited: float) -> BackupInProgressError:
        row = self._connection.execute(_LOCK_HOLDER, LOCK_KEYS).fetchone()
        holder = (
            f" ({row[1] or 'unnamed'}, server process {row[0]}, connected {row[2]:%Y-%m-%d %H:%M:%S %Z})" if row else ""
        )
        return BackupInProgressError(
            f"Another backup of this database is running{holder}; after {waited:g} s it had not ended.",
            untouched="This run read nothing and wrote nothing, and the other one goes on.",
            action="Wait for it and repeat, or allow a longer wait.",
        )

    def export_snapshot(self) -> Snapshot:
        """Open the read-only transaction whose view of the data the dump shares.

        https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION

        Raises:
            DatabaseReadError: the server refused.
        """
        with self._translated("taking the snapshot"):
            self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            name, taken_at, size, encoding, collation, wal, standby = self._one(_FACTS)
            number, version = self.server_version
            facts = ServerFacts(
                version=version,
                version_num=number,
                system_identifier=self.system_identifier(),
                database_size_bytes=size,
                encoding=encoding,
                collation=collation,
                wal_position=wal,
                properties=read_properties(self._connection, self._connection.info.dbname),
                standby=standby,
            )
        return Snapshot(name=name, taken_at=taken_at, facts=facts)

    def system_identifier(self) -> str | None:
        """What identifies the cluster, the same for its standbys and for copies of its files."""
        try:
            with self._connection.transaction():
                return str(self._one("SELECT system_identifier FROM pg_control_system()")[0])
        except psycopg.errors.InsufficientPrivilege:
            return None  # not given to everybody on every platform, and only good to know

    def left_out(self) -> tuple[NotInDump, ...]:
        """What the database has and a dump by this user has not; a server that does not say it costs no backup.

        Raises:
            DatabaseReadError: the connection was lost.
        """
        try:
            return left_out(self._connection)
        except psycopg.Error as error:
            self.check_alive()
            return (not_asked(" ".join(str(error).split())),)

    def count_rows(self) -> RowTotal:
        """How many tables there are and how many rows they have, of large ones by the planner's estimate.

        Raises:
            DatabaseReadError: a table could not be read, or the connection was lost.
        """
        with self._translated("counting rows"):
            self._connection.execute(_RAW_NAMES)
            tables = self._connection.execute(contents.TABLES.encode()).fetchall()
            return RowTotal(len(tables), sum(self._count(quoted, large=size > _LARGE) for quoted, size in tables))

    def _count(self, quoted: bytes, *, large: bool) -> int:
        # The name is part of the statement and never of a template: it may have a percent sign in it.
        if not large:
            return int(self._one(b"SELECT count(*) FROM ONLY " + quoted)[0])
        return _planned_rows(self._one(b"EXPLAIN (FORMAT JSON) SELECT FROM ONLY " + quoted)[0])

    def check_alive(self) -> None:
        """Raise where the connection, and so the lock, has been lost.

        Raises:
            DatabaseReadError: it has.
        """
        with self._translated("holding the snapshot"):
            self._one("SELECT 1")

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            said = " ".join(str(error).split())
            raise DatabaseReadError(
                f"The database session failed while {doing}: {said}.",
                untouched="The database was only read, nothing is stored under a final name, and earlier backups "
                "are as they were.",
                action=dump_remedy(said),
            ) from error


def _planned_rows(plan: Any) -> int:
    return int(plan[0]["Plan"]["Plan Rows"])


class PostgresDatabase:
    """The database to back up, reached with psycopg."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def name(self) -> str:
        """Its name."""
        return self._connection.database or ""

    @property
    def host(self) -> str | None:
        """Where it is, as far as we were told."""
        return self._connection.where

    @property
    def port(self) -> int | None:
        """Likewise."""
        return self._connection.port

    def as_copy(self, contents: TableOfContents) -> RestoredCopy:
        """The database as one that an archive was restored into."""
        return RestoredCopy(self._connection, contents)

    @contextmanager
    def session(self, purpose: str) -> Iterator[PostgresSession]:
        """Connect; the connection, its lock and its snapshot end with the context.

        Raises:
            ConnectionFailedError: the server cannot be reached or does not let us in.
        """
        connection = connect(self._connection, purpose)
        try:
            yield PostgresSession(connection)
            give_back(connection)
        finally:
            connection.close()
