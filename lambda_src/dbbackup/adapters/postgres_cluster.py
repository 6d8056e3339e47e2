"""A server as a restore needs it: databases are created, marked, compared, renamed and dropped here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from zlib import crc32

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from dbbackup.adapters import contents
from dbbackup.adapters.database_creation import DatabaseCreation
from dbbackup.adapters.postgres_connection import connect
from dbbackup.adapters.postgres_session import PostgresDatabase
from dbbackup.adapters.statements import rows, run
from dbbackup.core.connection import Connection
from dbbackup.core.errors import DatabaseReadError, RestoreFailedError, RestoreInProgressError
from dbbackup.core.leftovers import Leftover, Mark, State, is_unmarked_copy, parse_mark
from dbbackup.core.manifest import Source
from dbbackup.core.restore_plan import ExistingDatabase, ServerState

LOCK_CLASS = 0x6462_7273
SWAP_SECONDS = 60
LOCK_WAIT = "5s"
"""Whoever connects to the target meanwhile waits behind us."""
# A role or database may have some, for applications: ours is idle while pg_restore works, and its statements are long.
NO_TIMEOUTS = """
    SELECT set_config(name, '0', false) FROM pg_settings
    WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout',
                   'transaction_timeout')
"""
_MAINTENANCE = ("postgres", "template1")
_STATE = """
    SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000, current_user,
           r.rolsuper, r.rolsuper OR r.rolcreatedb, pg_is_in_recovery(),
           ARRAY(SELECT rolname::text FROM pg_roles), ARRAY(SELECT name::text FROM pg_available_extensions),
           ARRAY(SELECT spcname::text FROM pg_tablespace), current_setting('cron.database_name', true)
    FROM pg_roles r WHERE r.rolname = current_user
"""
_EXISTING = "SELECT pg_get_userbyid(datdba), pg_database_size(oid) FROM pg_database WHERE datname = %s"
_SESSIONS = """
    SELECT format('%%s of %%s, process %%s', coalesce(nullif(application_name, ''), backend_type), usename, pid)
    FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() ORDER BY backend_start
"""
_BESIDE = "SELECT datname, shobj_description(oid, 'pg_database'), pg_database_size(oid) FROM pg_database"


class PostgresCluster:
    """A server, through a connection to one of its maintenance databases."""

    def __init__(self, session: psycopg.Connection[TupleRow], connection: Connection) -> None:
        self._session = session
        self._connection = connection

    def _rows(self, query: str, *values: object) -> list[TupleRow]:
        with self._settled():
            return rows(self._session, query, *values)

    def _do(self, statement: str, *names: str, **literals: object) -> None:
        with self._settled():
            run(self._session, statement, *names, **literals)

    @contextmanager
    def _settled(self) -> Iterator[None]:
        """Leave a session that can be used: a signal that comes during a statement cancels it and waits for its end.

        The driver does so for KeyboardInterrupt only, and otherwise leaves the statement running.
        """
        try:
            yield
        except psycopg.Error:
            raise
        except BaseException:
            server = self._session.pgconn
            if server.transaction_status == TransactionStatus.ACTIVE:
                self._session.cancel_safe(timeout=5)
                while server.get_result() is not None:
                    pass
            raise

    def state(self, target: str) -> ServerState:
        """What the server has, and the target where it exists."""
        version, major, user, superuser, may_create, recovery, roles, extensions, spaces, cron = self._rows(_STATE)[0]
        return ServerState(
            version=version,
            major=major,
            user=user,
            superuser=superuser,
            may_create_databases=may_create,
            in_recovery=recovery,
            roles=frozenset(roles),
            extensions=frozenset(extensions),
            tablespaces=frozenset(spaces),
            cron_database=cron,
            existing=self._existing(target),
        )

    def _existing(self, target: str) -> ExistingDatabase | None:
        found = self._rows(_EXISTING, target)
        if not found:
            return None
        sessions = tuple(row[0] for row in self._rows(_SESSIONS, target))
        with connect(self._connection.model_copy(update={"database": target}), "restore plan") as session:
            tables = len(session.execute(contents.TABLES.encode()).fetchall())
        return ExistingDatabase(target, found[0][0], found[0][1], sessions, tables)

    @contextmanager
    def lock(self, target: str) -> Iterator[None]:
        """Be the only restore into this target while the context is open; the lock ends with our connection.

        Raises:
            RestoreInProgressError: another one is running.
        """
        keys = (LOCK_CLASS, crc32(target.encode()) - 2**31)
        if not self._rows("SELECT pg_try_advisory_lock(%s, %s)", *keys)[0][0]:
            raise RestoreInProgressError(
                f"Another restore into the database {target!r} is running.",
                untouched="This run did nothing, and the other one goes on.",
                action="Wait for it and look at what it did before you repeat.",
            )
        try:
            yield
        finally:
            with suppress(psycopg.Error):  # a session that is lost has lost its locks
                self._rows("SELECT pg_advisory_unlock(%s, %s)", *keys)

    def leftovers(self, target: str) -> list[Leftover]:
        """Databases that earlier runs have left beside a target; the caller holds its lock, so their runs are gone."""
        found = []
        for name, comment, size in self._rows(_BESIDE):
            mark = parse_mark(comment)
            if mark is None and is_unmarked_copy(name, target):
                mark = Mark(target, State.RESTORING, "")
            if mark is not None and mark.target == target and name != target:
                found.append(Leftover(name, mark, size))
        return found

    def names(self) -> list[str]:
        """All databases."""
        return [row[0] for row in self._rows("SELECT datname FROM pg_database")]

    def ask(self, name: str, statement: str) -> str | None:
        """The first column of the first row of a question to a database, as text.

        Raises:
            DatabaseReadError: the server refused the question.
        """
        with connect(self._connection.model_copy(update={"database": name}), "check") as session:
            try:
                session.execute(b"SET default_transaction_read_only = on")
                row = session.execute(statement.encode()).fetchone()
            except psycopg.Error as error:
                raise DatabaseReadError(
                    f"The question {statement!r} failed: {' '.join(str(error).split())}.",
                    untouched="The database was only read.",
                    action="Correct the question.",
                ) from error
        return None if row is None or row[0] is None else str(row[0])

    def create(self, name: str, mark: Mark, *, like: str | None, source: Source | None) -> None:
        """Create an empty database beside the target, and mark it.

        Args:
            name: its name.
            mark: what it says of itself.
            like: an existing database whose owner, encoding and locale it gets.
            source: the database of the manifest, for encoding and collation where there is no ``like``.
        """
        creation = DatabaseCreation(self._session)
        with self._settled():
            if like is None:
                creation.like_source(name, source)
            else:
                creation.like_database(name, like)
            self.mark(name, mark)

    def copy_properties(self, source: str, name: str) -> None:
        """Give a database the settings, grants and connection limit of another.

        When it is filled: read-only by default, or with a short timeout, it could not be.
        """
        with self._settled():
            DatabaseCreation(self._session).copy_properties(source, name)

    def create_roles(self, statements: list[str]) -> None:
        """Run statements of a role dump, all or none."""
        with self._settled(), self._session.transaction():
            for statement in statements:
                self._session.execute(statement.encode())

    def mark(self, name: str, mark: Mark) -> None:
        """Say in a database's comment what it is."""
        self._do("COMMENT ON DATABASE {} IS {m}", name, m=mark.to_comment())

    def drop(self, name: str) -> None:
        """Drop a database, ending whatever is connected to it.

        Raises:
            RestoreFailedError: the server refuses, for a replication slot in it perhaps.
        """
        try:
            self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        except psycopg.Error as error:
            raise RestoreFailedError(
                f"The database {name!r} could not be removed: {' '.join(str(error).split())}.",
                untouched="The target answers under its name.",
                action="Mend the cause, then remove it: DROP DATABASE, or dbbackup restore --resume.",
            ) from error

    def database(self, name: str) -> PostgresDatabase:
        """A database of this server."""
        return PostgresDatabase(self._connection.model_copy(update={"database": name}))

    def answers(self, name: str) -> bool:
        """Whether a database accepts a connection under its name."""
        try:
            with self.database(name).session("restore check"):
                return True
        except Exception:  # noqa: BLE001 - whatever it is, it does not answer
            return False

    def swap(self, new: str, target: str, old: str | None, *, backup: str, keep_old: bool) -> None:
        """Give the copy the target's name, and the target another, in one transaction.

        A rename holds a lock on the database that makes new connections wait and, before it goes on, waits a
        few seconds for the present ones to end; meanwhile another connection ends them. So there is no moment
        without the target, and an application that reconnects at once cannot keep us from it.

        Raises:
            RestoreFailedError: sessions could not be ended, and nothing was renamed.
        """
        comment = self._rows("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", target)
        original = comment[0][0] if comment else None
        stop = threading.Event()
        ender = threading.Thread(target=self._end_sessions, args=((target, new), stop), daemon=True)
        ender.start()
        try:
            self._rename(new, target, old, backup, original, keep_old)
        finally:
            stop.set()
            ender.join()

    def _rename(
        self, new: str, target: str, old: str | None, backup: str, original: str | None, keep_old: bool
    ) -> None:
        give_up = time.monotonic() + SWAP_SECONDS
        while True:
            try:
                with self._settled(), self._session.transaction():
                    self._do("SET LOCAL lock_timeout = {t}", t=LOCK_WAIT)
                    if old is not None:
                        self._do("ALTER DATABASE {} RENAME TO {}", target, old)
                        mark = Mark(target, State.REPLACED, backup, original)
                        self._do("COMMENT ON DATABASE {} IS {m}", old, m=original if keep_old else mark.to_comment())
                    self._do("ALTER DATABASE {} RENAME TO {}", new, target)
                    self._do("COMMENT ON DATABASE {} IS {m}", target, m=original)
            except (psycopg.errors.ObjectInUse, psycopg.errors.LockNotAvailable) as error:
                if time.monotonic() >= give_up:
                    raise RestoreFailedError(
                        f"{target!r} could not be renamed: {' '.join(str(error).split())}.",
                        untouched=f"{target!r} is as it was. The restored copy is complete, as {new!r}.",
                        action=f"Stop what is connected, then finish: dbbackup restore --resume --to {target}",
                    ) from error
            else:
                return

    def _end_sessions(self, names: tuple[str, ...], stop: threading.Event) -> None:
        with connect(self._connection.model_copy(update={"database": self._session.info.dbname}), "swap") as session:
            while not stop.wait(0.05):
                try:
                    session.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)", (list(names),)
                    )
                except psycopg.errors.InsufficientPrivilege:
                    return  # the rename fails then, and says who is connected


@contextmanager
def open_cluster(connection: Connection) -> Iterator[PostgresCluster]:
    """Connect to a maintenance database of the server.

    Raises:
        ConnectionFailedError: no maintenance database lets us in.
        RestoreFailedError: the server refused a statement; what it said is in the message.
    """
    last: Any = None
    for name in _MAINTENANCE:
        if name == connection.database:
            continue  # a database cannot be renamed from within
        try:
            session = connect(connection.model_copy(update={"database": name}), "restore")
        except Exception as error:  # noqa: BLE001 - the last one is raised below
            last = error
            continue
        with session:
            try:
                session.execute(NO_TIMEOUTS)
                yield PostgresCluster(session, connection)
            except psycopg.Error as error:
                raise RestoreFailedError(
                    f"The server refused: {' '.join(str(error).split())}.",
                    untouched="The target is as it was, unless the message says otherwise.",
                    action="Mend the cause, then repeat; the next run removes what this one has left.",
                ) from error
        return
    raise last
