"""The only place that opens a connection to PostgreSQL."""

from __future__ import annotations

import psycopg
from psycopg.rows import TupleRow

from dbbackup.contract import SERVICE
from dbbackup.core.connection import CONNECT_TIMEOUT_SECONDS, Connection
from dbbackup.core.diagnosis import connection_failure


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
            client_encoding="utf8",
            autocommit=True,
        )
    except psycopg.Error as error:
        failure = connection_failure(str(error), where=str(connection), database=connection.database)
    # Out here the driver's exception, which holds the password, is not even the context of ours.
    raise failure
