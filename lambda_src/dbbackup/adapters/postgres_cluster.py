"""A server as a restore needs it: databases are created, marked, given their properties, exchanged and dropped here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any
from zlib import crc32

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.copy_session import CopySession, open_copy
from dbbackup.adapters.database_creation import apply, create_database
from dbbackup.adapters.database_dropping import drop_database
from dbbackup.adapters.database_properties import read_properties
from dbbackup.adapters.exchange import exchange
from dbbackup.adapters.intended_properties import intended_properties
from dbbackup.adapters.memberships import Memberships, remove_acting_role
from dbbackup.adapters.postgres_connection import connect
from dbbackup.adapters.postgres_session import PostgresDatabase
from dbbackup.adapters.restore_rights import rights_of
from dbbackup.adapters.server_state import databases_beside, read_state
from dbbackup.adapters.session_ending import ending_sessions
from dbbackup.adapters.statements import rows, run, say
from dbbackup.adapters.subscriptions import detach, owners_of_subscriptions
from dbbackup.core import database_changes
from dbbackup.core.connection import Connection
from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.errors import ConnectionFailedError, DatabaseReadError, RestoreFailedError, RestoreInProgressError
from dbbackup.core.leftovers import Beside, Mark
from dbbackup.core.restore_plan import ServerState, Skip
from dbbackup.core.restore_rights import Questions, Rights
from dbbackup.core.session_settings import AS_IT_IS

LOCK_CLASS = 0x6462_7273
_MAINTENANCE = ("postgres", "template1")
_CLOSED_TO_US = ("permission denied for database", "too many connections for database")


class PostgresCluster:
    """A server, through a connection to one of its maintenance databases."""

    def __init__(self, session: psycopg.Connection[TupleRow], connection: Connection) -> None:
        self._session = session
        self._connection = connection

    def _to(self, name: str) -> Connection:
        return self._connection.model_copy(update={"database": name})

    def _inside(self, name: str, purpose: str) -> psycopg.Connection[TupleRow]:
        return connect(self._to(name), purpose)

    def state(self, target: str, wanted: DatabaseProperties | None = None) -> ServerState:
        """What the server has, the target where it exists, and what it would not give.

        Args:
            target: the database.
            wanted: the properties of one that does not exist yet, or is empty.
        """
        return read_state(self._session, self._connection, target, wanted)

    @contextmanager
    def lock(self, target: str) -> Iterator[None]:
        """Be the only restore into this target while the context is open; the lock ends with our connection.

        Raises:
            RestoreInProgressError: another one is running.
        """
        keys = (LOCK_CLASS, crc32(target.encode()) - 2**31)
        locked = rows(self._session, "SELECT pg_try_advisory_lock(%s, %s)", *keys)[0][0]
        if not locked:
            raise RestoreInProgressError(
                f"Another restore into the database {target!r} is running.",
                untouched="This run did nothing, and the other one goes on.",
                action="Wait for it and look at what it did before you repeat.",
            )
        try:
            yield
        finally:
            with suppress(psycopg.Error):  # a session that is lost has lost its locks
                rows(self._session, "SELECT pg_advisory_unlock(%s, %s)", *keys)

    def beside(self, target: str) -> Beside:
        """What earlier runs have left beside a target; the caller holds its lock, so their runs are gone."""
        return databases_beside(self._session, target)

    def names(self) -> list[str]:
        """All databases."""
        return [row[0] for row in rows(self._session, "SELECT datname FROM pg_database")]

    def ask(self, name: str, statement: str) -> str | None:
        """The first column of the first row of a question to a database, as text.

        Raises:
            DatabaseReadError: the server refused the question.
        """
        with connect(self._to(name), "check", settings=AS_IT_IS) as session:
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

    def create(self, name: str, mark: Mark, properties: DatabaseProperties | None) -> None:
        """Create an empty database beside the target, owned by us, and mark it.

        Args:
            name: its name.
            mark: what it says of itself.
            properties: encoding, locale and tablespace; None for the server's own.
        """
        create_database(self._session, name, properties)
        self.mark(name, mark)

    def properties(self, name: str, recorded: DatabaseProperties | None) -> DatabaseProperties | None:
        """What a database is to be: what it is; what was recorded, where there is none or an empty one says nothing."""
        if name not in self.names():
            return recorded
        try:
            with self._inside(name, "properties") as session:
                return intended_properties(session, name, recorded)
        except ConnectionFailedError:  # the names and texts in it then are in our encoding, or mostly
            return read_properties(self._session, name)

    def give_all(self, name: str, properties: DatabaseProperties) -> list[Skip]:
        """Give a database that has its name already all its properties, and say what the server refused."""
        with self._inside(name, "properties") as session:
            return apply(session, database_changes.everything(name, properties))

    def give_settings(self, name: str, properties: DatabaseProperties) -> list[Skip]:
        """Give a database the settings and security labels of another, and say what the server refused.

        When it is filled: read-only by default, or with a short timeout, it could not be.
        """
        changes = [*database_changes.settings(name, properties), *database_changes.labels(name, properties)]
        with self._inside(name, "properties") as session:
            return apply(session, changes)

    def rights(self, questions: Questions) -> Rights:
        """What we may do there; tried in a transaction that is taken back."""
        return rights_of(self._session, questions)

    def acting_as(self, roles: Iterable[str]) -> AbstractContextManager[list[Skip]]:
        """Be able to act as these roles; memberships that were taken for that are given back.

        Returns:
            What the server refused to take back; it is there when the context has ended.
        """
        return Memberships(self._session).held(roles)

    def remove_acting_role(self, name: str) -> list[Skip]:
        """Give back the memberships of a restore that is gone; what the server refused."""
        return remove_acting_role(self._session, name)

    def copy_session(self, name: str) -> AbstractContextManager[CopySession]:
        """A session in a copy that is being filled."""
        return open_copy(self._to(name))

    def create_roles(self, statements: Sequence[str]) -> None:
        """Run statements of a role dump, all or none."""
        with self._session.transaction():
            for statement in statements:
                say(self._session, statement)

    def mark(self, name: str, mark: Mark) -> None:
        """Say in a database's comment what it is."""
        run(self._session, "COMMENT ON DATABASE {} IS {m}", name, m=mark.to_comment())

    def comment(self, name: str, text: str) -> None:
        """Give a database a comment for people."""
        run(self._session, "COMMENT ON DATABASE {} IS {m}", name, m=text)

    def drop(self, name: str) -> None:
        """Drop a database, ending whatever is connected to it.

        Raises:
            RestoreFailedError: the server refuses, for an active replication slot in it perhaps.
        """
        try:
            if owners_of_subscriptions(self._session, name):
                self._detach(name)
            drop_database(self._session, name)
        except psycopg.Error as error:
            raise RestoreFailedError(
                f"The database {name!r} could not be removed: {' '.join(str(error).split())}.",
                untouched="The target answers under its name.",
                action="Mend the cause, then remove it: DROP DATABASE, or dbbackup restore --resume.",
            ) from error

    def database(self, name: str) -> PostgresDatabase:
        """A database of this server."""
        return PostgresDatabase(self._to(name))

    def answers(self, name: str) -> bool:
        """Whether a database accepts a connection under its name, or says that it does so from others."""
        try:
            with self.database(name).session("restore check"):
                return True
        except ConnectionFailedError as error:
            return any(words in str(error) for words in _CLOSED_TO_US)
        except Exception:  # noqa: BLE001 - whatever it is, it does not answer
            return False

    def swap(
        self, new: str, target: str, old: str | None, *, properties: DatabaseProperties | None, mark: Mark | None
    ) -> list[Skip]:
        """Give the copy the target's name and its properties, and the target another name, in one transaction.

        Args:
            new: the copy, which is ours.
            target: the name.
            old: what the target is called from now on; None where there is none.
            properties: what was recorded; what the target is at this moment goes before.
            mark: what the old one says of itself from now on, as ours; None where it is to be kept.

        Returns:
            What the server refused of the properties, and subscriptions that what was replaced had.

        Raises:
            RestoreFailedError: sessions could not be ended, and nothing was renamed.
        """
        final = self.properties(target, properties)
        with ending_sessions(self._to(self._session.info.dbname), (target, new)) as ending:
            refused = exchange(self._session, ending, (new, target, old), final, mark)
        # Not before: a target that is not replaced in the end must not have lost its replication.
        if old is not None and owners_of_subscriptions(self._session, old):
            refused += self._detach(old)
        if final is not None and not (final.comment or "").isascii():
            refused += self._say_comment(target, final.comment)
        return refused

    def _say_comment(self, name: str, text: str | None) -> list[Skip]:
        """Comments are kept in the encoding of the database that they were written from: from this one, once more."""
        try:
            with self._inside(name, "comment") as session:
                return apply(session, [database_changes.comment(name, text)])
        except ConnectionFailedError:
            return []  # it stays as it was written from the other one

    def _detach(self, name: str) -> list[Skip]:
        try:
            with self._inside(name, "subscriptions") as session:
                return detach(session)
        except (ConnectionFailedError, psycopg.Error) as error:
            return [Skip(f"end of the subscriptions in {name!r}", " ".join(str(error).split()))]

    def give_back(self, name: str, properties: DatabaseProperties) -> list[Skip]:
        """Make what we have replaced and cannot remove its owner's again, without a mark."""
        changes = [database_changes.comment(name, properties.comment), *database_changes.rights(name, properties)]
        with self._session.transaction():
            return apply(self._session, changes)


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
                yield PostgresCluster(session, connection)
            except psycopg.Error as error:
                raise RestoreFailedError(
                    f"The server refused: {' '.join(str(error).split())}.",
                    untouched="The target is as it was, unless the message says otherwise.",
                    action="Mend the cause, then repeat; the next run removes what this one has left.",
                ) from error
        return
    raise last
