"""A restored copy, looked at: its catalogue, and its rows counted table by table."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from dbbackup.adapters import copy_catalogue
from dbbackup.adapters.postgres_connection import connect
from dbbackup.core.archive_objects import Identity
from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.connection import Connection
from dbbackup.core.copy_ports import CopiedTable, TableName
from dbbackup.core.diagnosis import dump_remedy
from dbbackup.core.errors import DatabaseReadError

# Names go to and fro as the bytes that they are in the database, whatever its encoding is.
_SETTINGS = b"""
    SELECT set_config('client_encoding', 'SQL_ASCII', false), set_config('search_path', '', false),
           set_config('row_security', 'off', false);
    SELECT set_config(name, '0', false) FROM pg_settings
    WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout',
                   'transaction_timeout')
"""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of the copy, with its name as a statement has it."""

    name: TableName
    quoted: bytes
    forced: bool
    of_extension: bool


class RestoredCopy:
    """The database that an archive was restored into."""

    def __init__(self, connection: Connection, contents: TableOfContents) -> None:
        self._connection = connection
        self._codec = contents.encoding
        self._encoding = sql.Literal(contents.server_encoding)

    def _decoded(self, name: bytes) -> str:
        return name.decode(self._codec, "surrogateescape")

    @contextmanager
    def _session(self) -> Iterator[psycopg.Connection[TupleRow]]:
        with connect(self._connection, "restore check") as session:
            try:
                session.execute(_SETTINGS)
                yield session
            except psycopg.Error as error:
                said = " ".join(str(error).split())
                raise DatabaseReadError(
                    f"The restored copy could not be looked at: {said}.",
                    untouched="The target is as it was.",
                    action=dump_remedy(said),
                ) from error

    def objects(self) -> frozenset[Identity]:
        """What it has, named as the archive names it.

        Raises:
            DatabaseReadError: the catalogue could not be read.
        """
        with self._session() as session:
            found = session.execute(sql.SQL(copy_catalogue.OBJECTS).format(encoding=self._encoding))
            return frozenset(
                Identity(kind.decode(), self._decoded(schema), self._decoded(name)) for kind, schema, name in found
            )

    def count(self, tables: Iterable[TableName], jobs: int) -> Mapping[TableName, CopiedTable]:
        """Rows of those tables that it has, each in a transaction of its own: no more locks are held than one needs.

        Args:
            tables: which tables.
            jobs: how many connections do it.

        Raises:
            DatabaseReadError: a table could not be read, or a connection was lost.
        """
        with self._session() as session:
            known = {table.name: table for table in self._tables(session)}
        pending = deque(known[name] for name in tables if name in known)
        counted: dict[TableName, CopiedTable] = {}
        stop = Event()
        open_sessions: list[psycopg.Connection[TupleRow]] = []

        def work() -> None:
            with self._session() as session:
                open_sessions.append(session)
                while not stop.is_set():
                    try:
                        table = pending.popleft()
                    except IndexError:
                        return
                    counted[table.name] = CopiedTable(_rows(session, table), table.of_extension)

        with ThreadPoolExecutor(max(1, min(jobs, len(pending))), thread_name_prefix="count") as pool:
            try:
                for future in [pool.submit(work) for _ in range(max(1, min(jobs, len(pending))))]:
                    future.result()
            finally:  # a failure or a signal: the others need not go on
                stop.set()
                for other in open_sessions:
                    with suppress(Exception):
                        other.cancel_safe(timeout=2)
        return counted

    def _tables(self, session: psycopg.Connection[TupleRow]) -> Iterator[_Table]:
        for schema, name, quoted, forced, of_extension in session.execute(
            sql.SQL(copy_catalogue.TABLES).format(encoding=self._encoding)
        ):
            yield _Table((self._decoded(schema), self._decoded(name)), quoted, forced, of_extension)


def _rows(session: psycopg.Connection[TupleRow], table: _Table) -> int:
    try:
        return _count(session, table)
    except psycopg.errors.InsufficientPrivilege:
        if not table.forced:
            raise
    # Policies that hold for the table's owner, too, are put aside for the moment: nobody else uses the copy.
    # https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    session.execute(b"BEGIN READ WRITE")
    try:
        session.execute(b"ALTER TABLE " + table.quoted + b" NO FORCE ROW LEVEL SECURITY")
        return _count(session, table)
    finally:
        session.execute(b"ROLLBACK")


def _count(session: psycopg.Connection[TupleRow], table: _Table) -> int:
    row = session.execute(b"SELECT count(*) FROM ONLY " + table.quoted).fetchone()
    assert row is not None
    return int(row[0])
