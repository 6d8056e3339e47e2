"""A new database with the properties of another, and the rest of them when it is filled."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.database_probes import default_tablespace, said, tablespace_problem
from dbbackup.adapters.statements import say
from dbbackup.core import database_changes
from dbbackup.core.database_changes import Change
from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.quoting import quote_name
from dbbackup.core.restore_plan import Skip

# Errors that say that this cannot be given here. With all others, a lost connection or a lock, nothing goes on.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CLASSES = frozenset({"0A", "0L", "0P", "22", "42"})
_CANNOT_CHANGE = "55P02"


def create_database(session: psycopg.Connection[TupleRow], name: str, properties: DatabaseProperties | None) -> None:
    """An empty database of this encoding, locale and tablespace, owned by us; the server's own where there are none.

    In a tablespace that is not there, or not for us, it cannot be: it gets the default one.
    """
    default = default_tablespace(session)
    if properties is not None and tablespace_problem(session, properties.tablespace) is not None:
        properties = properties.model_copy(update={"tablespace": default})
    major = session.info.server_version // 10000
    statement = database_changes.create(name, properties, server_major=major, default_tablespace=default)
    say(session, statement)


def apply(session: psycopg.Connection[TupleRow], changes: Iterable[Change]) -> list[Skip]:
    """Run statements, each by itself and all in the transaction that is open, if one is.

    What somebody other than the owner has granted and cannot grant again is granted by the owner.

    Returns:
        What the server refused, with its words and the statement to run later.
    """
    left = []
    for change in changes:
        why = _refusal(session, change.statement, change.by)
        if why is not None:
            left.append(Skip(change.what, why, database_changes.spoken(change)))
            if change.by is not None:
                _refusal(session, change.statement, None)
    return left


def _refusal(session: psycopg.Connection[TupleRow], statement: str, by: str | None) -> str | None:
    try:
        with session.transaction():
            if by is not None:
                say(session, f"SET LOCAL ROLE {quote_name(by)}")
            say(session, statement)
            if by is not None:
                say(session, "RESET ROLE")
    except psycopg.Error as error:
        state = error.sqlstate or ""
        if state[:2] not in _CLASSES and state != _CANNOT_CHANGE:
            raise
        return said(error)
    return None
