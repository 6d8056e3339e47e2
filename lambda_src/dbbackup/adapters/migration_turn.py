"""The turn of a guarded command: while it has it, no other guarded command runs on the same database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from zlib import crc32

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.advisory_locks import give_back
from dbbackup.adapters.postgres_connection import connect
from dbbackup.core.connection import Connection
from dbbackup.core.errors import ConnectionFailedError, DatabaseReadError
from dbbackup.core.receipt_errors import MigrationInProgressError

LOCK_CLASS: Final = 0x6462_6D67
POLL_SECONDS: Final = 0.5
# A connection to the database itself would keep the command from dropping or renaming it, or from copying it.
_MAINTENANCE: Final = "postgres"
_HOLDER: Final = """
    SELECT a.pid, a.backend_start FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = %s AND l.objid = %s
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def migration_turn(connection: Connection, wait_seconds: float) -> Iterator[None]:
    """Have the turn while the context is open; however we end, it ends with our connection.

    It is a session-level advisory lock in a maintenance database, or in the database itself where that one does not
    let us in. https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS

    Args:
        connection: to the database that is migrated.
        wait_seconds: how long to wait for another to end.

    Raises:
        MigrationInProgressError: another had it all the while.
        ConnectionFailedError: the server cannot be reached or does not let us in.
        DatabaseReadError: the connection was lost while we waited.
    """
    session = _connect(connection)
    try:
        _wait(session, connection, wait_seconds)
        yield
        give_back(session)
    finally:
        session.close()


def _connect(connection: Connection) -> psycopg.Connection[TupleRow]:
    try:
        return connect(connection.model_copy(update={"database": _MAINTENANCE}), "migration")
    except ConnectionFailedError as error:
        # Not there, or not for us: the server names it then. Whatever else keeps us out does so from all of them.
        if f'database "{_MAINTENANCE}"' not in error.what or connection.database == _MAINTENANCE:
            raise
    return connect(connection, "migration")


def _wait(session: psycopg.Connection[TupleRow], connection: Connection, wait_seconds: float) -> None:
    keys = (LOCK_CLASS, crc32((connection.database or "").encode()) - 2**31)
    give_up = time.monotonic() + wait_seconds
    try:
        while not _try(session, keys):
            if time.monotonic() >= give_up:
                raise _in_progress(session, keys, connection, wait_seconds)
            time.sleep(POLL_SECONDS)
    except psycopg.Error as error:
        raise DatabaseReadError(
            f"The database session failed while waiting for the turn to migrate: {' '.join(str(error).split())}.",
            untouched="The database was only read.",
            action="Look at the server, then repeat.",
        ) from error


def _try(session: psycopg.Connection[TupleRow], keys: tuple[int, int]) -> bool:
    row = session.execute("SELECT pg_try_advisory_lock(%s, %s)", keys).fetchone()
    return bool(row and row[0])


def _in_progress(
    session: psycopg.Connection[TupleRow], keys: tuple[int, int], connection: Connection, waited: float
) -> MigrationInProgressError:
    row = session.execute(_HOLDER, (keys[0], keys[1] % 2**32)).fetchone()
    holder = f" (server process {row[0]}, connected {row[1]:%Y-%m-%d %H:%M:%S %Z})" if row else ""
    return MigrationInProgressError(
        f"Another guarded command works on the database {connection.database!r}{holder}; after {waited:g} s it had "
        "not ended.",
        untouched="No backup was taken, and the other one goes on.",
        action="Wait for it and look at how it ended (`dbbackup receipt show`) before you repeat.",
    )
