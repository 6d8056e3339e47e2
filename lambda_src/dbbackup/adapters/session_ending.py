"""Ends the sessions of databases, again and again, while another connection needs them gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.postgres_connection import connect
from dbbackup.core.connection import Connection

_PAUSE_SECONDS = 0.05
# A rename and a drop end autovacuum's workers by themselves, whoever asks (CountOtherDBBackends in PostgreSQL's
# procarray.c); to end them here takes rights of their own: https://www.postgresql.org/docs/current/predefined-roles.html
_OTHERS = """
    SELECT pid, coalesce(nullif(application_name, ''), backend_type), coalesce(usename, 'the server')
    FROM pg_stat_activity
    WHERE datname = ANY(%s) AND pid <> pg_backend_pid() AND backend_type IS DISTINCT FROM 'autovacuum worker'
"""


class SessionEnding:
    """What one user could and could not end."""

    def __init__(self) -> None:
        self._stubborn: dict[int, str] = {}

    def stubborn(self) -> list[str]:
        """Sessions that were there in the last round and that we may not end."""
        return list(self._stubborn.values())

    def one_round(self, session: psycopg.Connection[TupleRow], names: tuple[str, ...]) -> None:
        """End each by itself: one that we may not end, a superuser's for one, does not save the others."""
        refused = {}
        for pid, what, who in session.execute(_OTHERS, (list(names),)).fetchall():
            try:
                session.execute("SELECT pg_terminate_backend(%s)", (pid,))
            except psycopg.errors.InsufficientPrivilege:
                refused[pid] = f"{what} of {who}, process {pid}"
        self._stubborn = refused


@contextmanager
def ending_sessions(connection: Connection, names: tuple[str, ...]) -> Iterator[SessionEnding]:
    """End the sessions of these databases for as long as the context is open.

    Args:
        connection: to another database than these.
        names: of the databases.
    """
    ending = SessionEnding()
    stop = threading.Event()
    with connect(connection, "swap") as session:

        def work() -> None:
            with suppress(psycopg.Error):  # without it nothing is renamed, and the rename says so
                while not stop.wait(_PAUSE_SECONDS):
                    ending.one_round(session, names)

        ender = threading.Thread(target=work, daemon=True)
        ender.start()
        try:
            yield ending
        finally:
            stop.set()
            ender.join()
