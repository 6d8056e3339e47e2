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
from dbbackup.adapters.session_settings import TRIES, settle
from dbbackup.contract import SERVICE
from dbbackup.core.connection import CONNECT_TIMEOUT_SECONDS, Address, Connection
from dbbackup.core.diagnosis import connection_failure
from dbbackup.core.errors import ConnectionFailedError, InvalidRequestError
from dbbackup.core.libpq import OURS

NO_SETTINGS: Final[Mapping[str, str | None]] = {}
_LASTING: Final = {
    "connect_timeout": str(CONNECT_TIMEOUT_SECONDS),
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds that sent data may stay unacknowledged
}


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

    def open_one() -> psycopg.Connection[TupleRow]:
        return psycopg.connect(
            "",
            **{**_LASTING, **connection.settings()},  # type: ignore[arg-type]
            application_name=f"{SERVICE} {purpose}"[:63],
            client_encoding="utf8",
            autocommit=True,
            prepare_threshold=None,  # nothing of ours stays in a session that a pooler gives to others
        )

    try:
        session = open_one()
        try:
            for left in reversed(range(TRIES)):
                try:
                    refuse_transaction_pooling(session, open_one, str(connection))
                    settle(session, connection, settings)
                    break
                except psycopg.errors.QueryCanceled:
                    if not left:
                        raise
        except BaseException:
            session.close()
            raise
    except psycopg.Error as error:
        failure = connection_failure(str(error), where=str(connection), database=connection.database)
    else:
        return session
    # Out here the driver's exception, which holds the password, is not even the context of ours.
    raise failure


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
