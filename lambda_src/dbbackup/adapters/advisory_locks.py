"""Giving advisory locks back before a connection is closed."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg.rows import TupleRow


def give_back(connection: psycopg.Connection[TupleRow]) -> None:
    """Give every advisory lock of a session back, for whoever comes next without a wait.

    They end with the session in any case, but the server notices a moment after it was closed that it is gone. Only
    for a session that has ended well: with one that has failed, nobody knows how long the server takes to answer.

    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS
    """
    with suppress(psycopg.Error):  # a session that is lost has lost its locks
        connection.rollback()
        connection.execute("SELECT pg_advisory_unlock_all()")
