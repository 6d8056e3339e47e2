"""Sets what our sessions need, and remembers what the client programs have to be told for the same reason."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from dbbackup.core.connection import Connection
from dbbackup.core.session_settings import differing, needed, program_options

TRIES: Final = 20
"""How often to try: a statement_timeout of a millisecond may end the statement that takes it away."""
_differing: dict[tuple[str, int, str], frozenset[str]] = {}
"""By host, port and user. A session of ours is always there before a client program starts."""
_encodings: dict[tuple[str, int, str, str], str] = {}
"""That of each database."""


def settle(session: psycopg.Connection[TupleRow], connection: Connection, ours: Mapping[str, str | None]) -> None:
    """Set what this session needs.

    With SET and not with options of the connection, which many a pooler refuses.

    Raises:
        psycopg.Error: the server refused.
    """
    options = _options_of_the_person(connection)
    wanted = needed(session.info.server_version // 10000, options=options, ours=ours)
    asked = sql.SQL("SELECT {}").format(
        sql.SQL(", ").join(sql.SQL("current_setting({})").format(sql.Literal(name)) for name in wanted)
    )
    settings = sql.SQL("; ").join(
        sql.SQL("SET {} TO {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in wanted.items()
    )
    row = session.execute(asked).fetchone()
    session.execute(settings)
    assert row is not None
    encoding = session.info.parameter_status("server_encoding")
    if encoding:
        _encodings[*_place(connection), connection.database or ""] = encoding
    _differing[_place(connection)] = differing(dict(zip(wanted, row, strict=True)))


def variables_for(program: str, connection: Connection) -> dict[str, str]:
    """The environment variables of a client program that keep settings of role and database away from it.

    A dump is written in the database's own encoding, so that no character of it can be missing in another.
    """
    names = _differing.get(_place(connection), frozenset())
    options = f"{_options_of_the_person(connection)} {program_options(program, names)}".strip()
    encoding = _encodings.get((*_place(connection), connection.database or ""))
    return {
        **({"PGOPTIONS": options} if options else {}),
        **({"PGCLIENTENCODING": encoding} if encoding else {}),
    }


def _options_of_the_person(connection: Connection) -> str:
    return connection.settings().get("options", os.environ.get("PGOPTIONS", ""))


def _place(connection: Connection) -> tuple[str, int, str]:
    return connection.where or "", connection.port or 0, connection.user or ""
