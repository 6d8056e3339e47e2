"""Statements whose names and values are quoted by the driver, never by us."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow


def rows(session: psycopg.Connection[TupleRow], query: str, *values: object) -> list[TupleRow]:
    """All rows of a query with ``%s`` places."""
    return session.execute(query.encode(), values).fetchall()


def run(session: psycopg.Connection[TupleRow], statement: str, *names: str, **literals: object) -> None:
    """Run a statement whose ``{}`` are identifiers and whose ``{name}`` are literals, as utility commands need it."""
    session.execute(
        sql.SQL(statement).format(
            *(sql.Identifier(name) for name in names),
            **{key: sql.Literal(value) for key, value in literals.items()},
        )
    )
