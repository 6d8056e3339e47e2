"""A session in a copy that is being filled: rights for the time, and single entries that pg_restore could not make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.postgres_connection import connect
from dbbackup.adapters.statements import rows, run
from dbbackup.core.connection import Connection
from dbbackup.core.entry_script import prepared, rows_of_copy, split_at
from dbbackup.core.errors import RestoreFailedError
from dbbackup.core.fill_order import FillOrder

# What no second try mends: the connection, resources, an operator's command, the system itself.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_HOPELESS = ("08", "53", "57P", "58", "XX")


class CopySession:
    """One connection to the copy."""

    def __init__(self, connection: psycopg.Connection[TupleRow]) -> None:
        self._connection = connection
        self._major = connection.info.server_version // 10000
        self._name = connection.info.dbname

    @contextmanager
    def creating_allowed(self, order: FillOrder) -> Iterator[None]:
        """Let owners create in their objects' schemas until the context ends; who could before goes on to."""
        with self._allowed("CREATE", order.creators):
            yield

    @contextmanager
    def granting_allowed(self, order: FillOrder) -> Iterator[None]:
        """Let grantors use the schemas of what they have granted until the context ends."""
        with self._allowed("USAGE", order.grantors):
            yield

    @contextmanager
    def _allowed(self, right: str, pairs: Iterable[tuple[str, str]]) -> Iterator[None]:
        given: list[tuple[str, str]] = []
        try:
            for schema, role in sorted(pairs):
                if self._grant(right, schema, role):
                    given.append((schema, role))
            yield
        finally:
            for schema, role in given:
                with suppress(psycopg.OperationalError):  # the connection is lost, and the copy will be removed
                    run(self._connection, f"REVOKE {right} ON SCHEMA {{}} FROM {{}}", schema, role)

    def _grant(self, right: str, schema: str, role: str) -> bool:
        query = "SELECT has_schema_privilege(%s, oid, %s) FROM pg_namespace WHERE nspname = %s"
        if rows(self._connection, query, role, right, schema) != [(False,)]:
            return False  # it may, or nothing of this schema could be made
        with suppress(psycopg.errors.InsufficientPrivilege):  # an extension's schema: what cannot be made is then named
            run(self._connection, f"GRANT {right} ON SCHEMA {{}} TO {{}}", schema, role)
            return True
        return False

    @contextmanager
    def publishing_allowed(self, order: FillOrder) -> Iterator[None]:
        """Let owners of publications create in the database until the context ends."""
        given = [role for role in sorted(order.publishers) if not self._may_create(role)]
        try:
            for role in given:
                run(self._connection, "GRANT CREATE ON DATABASE {} TO {}", self._name, role)
            yield
        finally:
            for role in given:
                with suppress(psycopg.OperationalError):
                    run(self._connection, "REVOKE CREATE ON DATABASE {} FROM {}", self._name, role)

    def _may_create(self, role: str) -> bool:
        query = "SELECT has_database_privilege(%s, current_database(), 'CREATE')"
        return bool(rows(self._connection, query, role)[0][0])

    def execute(self, sql: str) -> str | None:
        """Run statements, all or none.

        Returns:
            The server's words where it refused.

        Raises:
            RestoreFailedError: the server is in no state to go on.
        """
        with self._server_words() as said:
            self._connection.execute(sql.encode(self._codec(), "surrogateescape"))
        return said.words

    def repeat(self, chunks: Iterator[bytes], copy: bytes, search_path: str) -> str | None:
        """Run the script that pg_restore has written of one entry.

        Args:
            chunks: the script.
            copy: the COPY statement in it; empty where there is none.
            search_path: in which schemas functions may find what they do not qualify.

        Returns:
            The server's words where it refused.

        Raises:
            RestoreFailedError: the server is in no state to go on.
        """
        head, data = split_at(chunks, copy) if copy else (b"".join(chunks), b"")
        with self._server_words() as said:
            rows(self._connection, "SELECT set_config('search_path', %s, false)", search_path)
            self._connection.execute(prepared(head, self._major))
            if copy:
                with self._connection.cursor().copy(copy) as into:
                    for part in rows_of_copy(data, chunks):
                        into.write(part)
        for _ in chunks:  # pg_restore ends when all it writes was read
            pass
        return said.words

    def _codec(self) -> str:
        return self._connection.info.encoding

    @contextmanager
    def _server_words(self) -> Iterator[_Said]:
        said = _Said()
        try:
            yield said
        except psycopg.Error as error:
            words = " ".join(str(error).split())
            if self._connection.broken or (error.sqlstate or "").startswith(_HOPELESS):
                raise RestoreFailedError(
                    f"The server could not go on: {words}.",
                    untouched="The target is as it was; the unfinished copy is removed.",
                    action="The server has no room for a second copy: free or add storage, then repeat."
                    if (error.sqlstate or "").startswith("53")
                    else "Look at the server's log, mend the cause, then repeat.",
                ) from error
            said.words = words


class _Said:
    """What the server said, where it refused."""

    words: str | None = None


@contextmanager
def open_copy(connection: Connection) -> Iterator[CopySession]:
    """Connect to a copy.

    Raises:
        ConnectionFailedError: it does not let us in.
    """
    with connect(connection, "restore copy") as session:
        yield CopySession(session)
