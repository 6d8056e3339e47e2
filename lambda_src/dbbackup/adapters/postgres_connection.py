"""The only place that opens a connection to PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg.pq import Conninfo, PGconn
from psycopg.rows import TupleRow

from dbbackup.adapters.pooler_check import refuse_transaction_pooling
from dbbackup.adapters.session_settings import set_after_the_start, set_from_the_start, settle, start_options
from dbbackup.contract import SERVICE
from dbbackup.core.connection import CONNECT_TIMEOUT_SECONDS, Address, Connection
from dbbackup.core.diagnosis import connection_failure
from dbbackup.core.entry_script import FIRST_MAJOR_WITH_TRANSACTION_TIMEOUT
from dbbackup.core.errors import ConnectionFailedError, InvalidRequestError
from dbbackup.core.libpq import OURS
from dbbackup.core.pooler import refuses_options
from dbbackup.core.timeout_remedies import ENDED_BY_TIMEOUT, timeout_in

NO_SETTINGS: Final[Mapping[str, str | None]] = {}
_LASTING: Final = {
    "connect_timeout": str(CONNECT_TIMEOUT_SECONDS),
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds that sent data may stay unacknowledged
}
_TRIES: Final = 20
"""How often to try: a timeout of a millisecond may end the statement that takes it away."""


def service_values(environment: Mapping[str, str], url: Mapping[str, str] | None = None) -> dict[str, str] | None:
    """What libpq makes of a connection service and its own variables, by keyword; None where no service is named.

    The client programs are then told each value: a service of theirs would win over what we tell them.
    https://www.postgresql.org/docs/current/libpq-pgservice.html

    Args:
        environment: the variables.
        url: values of ``DATABASE_URL``, which may name one, too.

    Raises:
        InvalidRequestError: there is no such service, or libpq cannot read it.
    """
    named = (url or {}).get("service") or environment.get("PGSERVICE")
    if not named:
        return None
    with _service(named):
        # It ignores a service that is not there; a connection does not, and this one ends before it has begun.
        said = PGconn.connect_start(b"port=0").error_message.decode(errors="replace")
        found = Conninfo.get_defaults()
    if "service" in said:
        raise InvalidRequestError(
            f"The connection service {named!r} cannot be read: {' '.join(said.split())}.",
            untouched="Nothing was connected to.",
            action="Check PGSERVICE (or service in DATABASE_URL), and the file ~/.pg_service.conf or PGSERVICEFILE.",
        )
    # Of what libpq would choose by itself only that is told which an environment variable would change.
    values = {
        option.keyword.decode(): option.val.decode()
        for option in found
        if option.val and (option.val != option.compiled or (option.envvar and option.envvar.decode() in environment))
    }
    if "dbname" in values:
        values["database"] = values.pop("dbname")
    return {keyword: value for keyword, value in values.items() if keyword not in OURS}


@contextmanager
def _service(name: str) -> Iterator[None]:
    """Only the environment tells libpq of a service without a connection."""
    before = os.environ.get("PGSERVICE")
    os.environ["PGSERVICE"] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ["PGSERVICE"]
        else:
            os.environ["PGSERVICE"] = before


def connect(
    connection: Connection, purpose: str, *, settings: Mapping[str, str | None] = NO_SETTINGS
) -> psycopg.Connection[TupleRow]:
    """Open a connection in autocommit mode, with the settings that our sessions need.

    Args:
        connection: where to, and who we are there.
        purpose: shown to whoever looks at the server's sessions.
        settings: what this session wants otherwise than all of ours; None for what it leaves as it is.

    Raises:
        ConnectionFailedError: the server cannot be reached, does not let us in, or lends us a session for a
            transaction at a time, through a pooler.
    """

    failure = ""
    for _ in range(_TRIES):
        try:
            return _settled(connection, f"{SERVICE} {purpose}"[:63], settings)
        except _EndedEarlyError as ended:
            failure = str(ended)
            set_from_the_start(connection, ended.server_major)
        except psycopg.Error as error:
            failure = str(error)
            if not (refuses_options(failure) and set_after_the_start(connection)):
                break
    # Out here the driver's exception, which holds the password, is not even the context of ours.
    raise connection_failure(failure, where=str(connection), database=connection.database, user=connection.user)


class _EndedEarlyError(Exception):
    """A session was lost, or a statement of it ended, before it had what it needs: by a short timeout perhaps."""

    def __init__(self, said: str, server_major: int) -> None:
        super().__init__(said)
        self.server_major = server_major


def _settled(connection: Connection, name: str, settings: Mapping[str, str | None]) -> psycopg.Connection[TupleRow]:
    options = start_options(connection)

    def open_one() -> psycopg.Connection[TupleRow]:
        try:
            return psycopg.connect(
                "",
                **{**_LASTING, **connection.settings(), **options},  # type: ignore[arg-type]
                application_name=name,
                client_encoding="utf8",
                autocommit=True,
                prepare_threshold=None,  # nothing of ours stays in a session that a pooler gives to others
            )
        except psycopg.OperationalError as error:
            # Of the timeouts only this one counts while a session begins, and only these servers have it.
            if timeout_in(str(error)) != "transaction_timeout":
                raise
            raise _EndedEarlyError(str(error), FIRST_MAJOR_WITH_TRANSACTION_TIMEOUT) from None

    session = open_one()
    server_major = session.info.server_version // 10000  # it is not said any more once the session is lost
    try:
        refuse_transaction_pooling(session, open_one, str(connection))
        settled = settle(session, connection, settings)
    except psycopg.Error as error:
        session.close()
        # A session that is lost may have been ended by a timeout, too: the server's words do not always arrive.
        if error.sqlstate not in ENDED_BY_TIMEOUT and (options or not session.broken):
            raise
        raise _EndedEarlyError(str(error), server_major) from None
    except BaseException:
        session.close()
        raise
    if settled:
        return session
    session.close()
    raise _EndedEarlyError("timeouts of the user are too short", server_major)


def pinned(connection: Connection) -> Connection:
    """The same, of several hosts with the one that libpq chooses now: pg_dump must reach the server of our session.

    Raises:
        ConnectionFailedError: none of them lets us in.
    """
    if not connection.several:
        return connection
    refusal = None
    for database in (connection.database, "postgres", "template1"):  # that of a restore may not be there yet
        try:
            session = connect(connection.model_copy(update={"database": database}), "choosing a host")
        except ConnectionFailedError as error:
            refusal = refusal or error
            continue
        with session:
            here = Address(session.info.host, session.info.hostaddr, session.info.port)
        return connection.model_copy(update={"pinned": here})
    assert refusal is not None
    raise refusal
