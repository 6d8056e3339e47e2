"""Which server we have to do with, as far as it lets us know."""

from __future__ import annotations

import psycopg

from dbbackup.adapters.postgres_connection import connect
from dbbackup.core.connection import Connection
from dbbackup.core.errors import ConnectionFailedError
from dbbackup.core.server import Server


def read_server(connection: Connection) -> Server | None:
    """The server at the end of a connection, with its system identifier where it can be reached and tells it.

    Returns:
        None where it cannot be reached and nobody has named it: libpq's default host is that of any machine.
    """
    for database in ("postgres", connection.database):
        try:
            with connect(connection.model_copy(update={"database": database}), "server") as session:
                row = session.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
                return Server(connection.server, row[0] if row else None)
        except ConnectionFailedError as error:
            if f'database "{database}"' not in error.what:
                break  # whatever else keeps us out does so from every database
        except psycopg.Error:
            return Server(connection.server)
    return Server(connection.server) if connection.host else None
