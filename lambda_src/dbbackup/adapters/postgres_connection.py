"""The only place that opens a connection to PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg.pq import Conninfo
from psycopg.rows import TupleRow

from dbbackup.contract import SERVICE
from dbbackup.core.connection import CONNECT_TIMEOUT_SECONDS, Connection
from dbbackup.core.diagnosis import connection_failure
from dbbackup.core.errors import InvalidRequestError

_OF_SERVICES = {"dbname": "database"}
_FIELDS = frozenset({"host", "port", "user", "password", "database", "sslmode", "sslrootcert"})


def service_values(environment: Mapping[str, str]) -> dict[str, str] | None:
    """What libpq makes of ``PGSERVICE`` and its own variables, by field; None where no service is named.

    The client programs are then told each value: a service of theirs would win over what we tell them.
    https://www.postgresql.org/docs/current/libpq-pgservice.html

    Raises:
        InvalidRequestError: libpq cannot read the service.
    """
    if not environment.get("PGSERVICE"):
        return None
    found = {option.keyword.decode(): option.val for option in Conninfo.get_defaults()}
    values = {_OF_SERVICES.get(name, name): value.decode() for name, value in found.items() if value}
    if not values:
        raise InvalidRequestError(
            f"The connection service {environment['PGSERVICE']!r} cannot be read.",
            untouched="Nothing was connected to.",
            action="Check PGSERVICE and the file ~/.pg_service.conf or PGSERVICEFILE.",
        )
    return {name: value for name, value in values.items() if name in _FIELDS}


def connect(connection: Connection, purpose: str) -> psycopg.Connection[TupleRow]:
    """Open a connection in autocommit mode.

    Args:
        connection: where to, and who we are there.
        purpose: shown to whoever looks at the server's sessions.

    Raises:
        ConnectionFailedError: the server cannot be reached or does not let us in.
    """
    password = connection.password
    try:
        return psycopg.connect(
            host=connection.host,
            port=connection.port,
            user=connection.user,
            password=None if password is None else password.get_secret_value(),
            dbname=connection.database,
            sslmode=connection.sslmode,
            sslrootcert=connection.sslrootcert,
            application_name=f"{SERVICE} {purpose}"[:63],
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
            tcp_user_timeout=30_000,  # milliseconds that sent data may stay unacknowledged
            client_encoding="utf8",
            autocommit=True,
        )
    except psycopg.Error as error:
        failure = connection_failure(str(error), where=str(connection), database=connection.database)
    # Out here the driver's exception, which holds the password, is not even the context of ours.
    raise failure
