"""Statements whose names and values are quoted by the driver, never by us.

Identifiers never share a statement with parameters: where there are any, even none (``()``), psycopg reads every
percent sign as the place of one, in a quoted name, too.
https://www.psycopg.org/psycopg3/docs/basic/params.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow


def rows(session: psycopg.Connection[TupleRow], query: str, *values: object) -> list[TupleRow]:
    """All rows of a query with ``%s`` places."""
    with _settled(session):
        # Without values nothing is a place for one: the driver looks for places as soon as it is given any, even none.
        return session.execute(query.encode(), values or None).fetchall()


def run(session: psycopg.Connection[TupleRow], statement: str, *names: str, **literals: object) -> None:
    """Run a statement whose ``{}`` are identifiers and whose ``{name}`` are literals, as utility commands need it."""
    composed = sql.SQL(statement).format(
        *(sql.Identifier(name) for name in names),
        **{key: sql.Literal(value) for key, value in literals.items()},
    )
    with _settled(session):
        session.execute(composed)


def say(session: psycopg.Connection[TupleRow], statement: str) -> None:
    """Run a statement as it is written; in one without parameters ``%`` is nothing special."""
    with _settled(session):
        session.execute(statement.encode())


def ask(session: psycopg.Connection[TupleRow], query: str, *names: tuple[str, ...]) -> list[TupleRow]:
    """All rows of a query whose ``{}`` are identifiers, each given by its parts."""
    composed = sql.SQL(query).format(*(sql.Identifier(*parts) for parts in names))
    with _settled(session):
        return session.execute(composed).fetchall()


@contextmanager
def _settled(session: psycopg.Connection[TupleRow]) -> Iterator[None]:
    """Leave a session that can be used: a signal that comes during a statement cancels it and waits for its end.

    The driver does so for KeyboardInterrupt only, and otherwise leaves the statement running.
    """
    try:
        yield
    except psycopg.Error:
        raise
    except BaseException:
        server = session.pgconn
        if server.transaction_status == TransactionStatus.ACTIVE:
            session.cancel_safe(timeout=5)
            while server.get_result() is not None:
                pass
        raise
