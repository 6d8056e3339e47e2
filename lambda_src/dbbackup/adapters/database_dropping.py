"""Drops a database that others may still be connected to."""

from __future__ import annotations

import time

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.session_ending import SessionEnding
from dbbackup.adapters.statements import rows, run

SECONDS = 10
_PAUSE_SECONDS = 0.1
_IS_TEMPLATE = "SELECT FROM pg_database WHERE datname = %s AND datistemplate"


def drop_database(session: psycopg.Connection[TupleRow], name: str) -> None:
    """Drop a database where there is one, ending whatever is connected to it and may be ended.

    ``FORCE`` gives up where one session may not be ended, an autovacuum worker for one, and where somebody reads from
    a replication slot of the database: https://www.postgresql.org/docs/current/sql-dropdatabase.html

    Raises:
        psycopg.Error: the server refuses.
    """
    if rows(session, _IS_TEMPLATE, name):
        run(session, "ALTER DATABASE {} IS_TEMPLATE false", name)
    give_up = time.monotonic() + SECONDS
    force = " WITH (FORCE)"
    while True:
        try:
            run(session, f"DROP DATABASE IF EXISTS {{}}{force}", name)
        except psycopg.errors.InsufficientPrivilege:
            if time.monotonic() >= give_up or _is_not_ours(session, name):
                raise
            force = ""  # which ends autovacuum's workers, and waits for others
        except psycopg.errors.ObjectInUse as error:
            if time.monotonic() >= give_up or "prepared transaction" in str(error):
                raise
        else:
            return
        SessionEnding().one_round(session, (name,))
        time.sleep(_PAUSE_SECONDS)


def _is_not_ours(session: psycopg.Connection[TupleRow], name: str) -> bool:
    query = "SELECT NOT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = %s"
    return any(row[0] for row in rows(session, query, name))
