"""The connection that options and environment name, and what is to be said of it."""

from __future__ import annotations

import os
from typing import Final

from dbbackup import assembly
from dbbackup.cli.output import warn
from dbbackup.core.connection import Connection
from dbbackup.core.errors import InvalidRequestError

_SAID: Final[set[str]] = set()


def asked_connection(database: str | None = None) -> Connection:
    """The connection that the option and the environment describe; what is left out of it is said once.

    Raises:
        InvalidRequestError: it cannot be understood.
    """
    for note in assembly.url_notes(os.environ):
        if note not in _SAID:
            _SAID.add(note)
            warn(note)
    return assembly.connection_from(os.environ, database=database)


def named_connection(database: str | None) -> Connection:
    """The same, with a database.

    Raises:
        InvalidRequestError: no database is named.
    """
    connection = asked_connection(database)
    if not connection.database:
        raise InvalidRequestError(
            "No database is named.",
            untouched="Nothing was connected to.",
            action="Set POSTGRES_DB, DATABASE_URL or PGDATABASE, or give --database.",
        )
    return connection
