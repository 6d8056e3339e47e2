"""A restored server, looked at over SQL: read only, and never longer than it should take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.postgres_connection import connect
from dbbackup.adapters.statements import ask
from dbbackup.core.connection import Connection
from dbbackup.core.pitr_errors import RestoredDataError
from dbbackup.core.pitr_ports import Inspection, WatchedTable
from dbbackup.core.session_settings import AS_IT_IS

STATEMENT_TIMEOUT: Final = "240s"
_SETTINGS: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": STATEMENT_TIMEOUT,
    "timezone": "UTC",
    **AS_IT_IS,  # a watched table may be named without its schema
}
_TABLES: Final = (
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
)
_ABSENT: Final = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InvalidSchemaName)


class PostgresRestoredServer:
    """The server at the end of a connection; each database is connected to anew."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def inspect(self, database: str, watched: Sequence[WatchedTable]) -> Inspection:
        """Look at one database.

        Raises:
            ConnectionFailedError: it cannot be reached or does not let us in.
            RestoredDataError: a query failed.
        """
        newest: dict[str, datetime | None] = {}
        missing: list[str] = []
        with self._session(database) as session, _translated(database):
            facts = _row(session, "SELECT current_setting('server_version'), pg_is_in_recovery()")
            tables = _row(session, _TABLES)[0]
            for each in watched:
                try:
                    newest[each.table] = _newest(session, each)
                except _ABSENT as error:
                    missing.append(f"{each.table}.{each.timestamp_column} ({type(error).__name__})")
        return Inspection(
            database=database,
            server_version=facts[0],
            in_recovery=facts[1],
            tables=tables,
            newest=newest,
            missing=tuple(missing),
        )

    @contextmanager
    def _session(self, database: str) -> Iterator[psycopg.Connection[TupleRow]]:
        session = connect(self._connection.model_copy(update={"database": database}), "verify", settings=_SETTINGS)
        try:
            yield session
        finally:
            session.close()


def _row(session: psycopg.Connection[TupleRow], query: str) -> Any:
    row = session.execute(query.encode()).fetchone()
    assert row is not None, "every one of our queries gives a row"
    return row


def _newest(session: psycopg.Connection[TupleRow], watched: WatchedTable) -> datetime | None:
    table = tuple(watched.table.split(".", 1))
    (row,) = ask(session, "SELECT max({})::timestamptz FROM {}", (watched.timestamp_column,), table)
    newest: datetime | None = row[0]
    return None if newest is None else newest.astimezone(UTC)


@contextmanager
def _translated(database: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise RestoredDataError(
            f"Database {database} of the restored instance could not be read: {' '.join(str(error).split())}.",
            untouched="Production is as it was.",
            action="Look at the restored instance's log, and restore again.",
        ) from error
