"""Sets what our sessions need, and remembers what the client programs have to be told for the same reason."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from dbbackup.core.connection import Connection
from dbbackup.core.session_settings import (
    TIMEOUTS,
    differing,
    needed,
    options_with,
    program_options,
    timeouts_of,
    too_short,
)

_Place = tuple[str, int, str]
"""Host, port and user. A session of ours is always there before a client program starts."""
_NOTHING: Final = frozenset[str]()
_differing: defaultdict[_Place, frozenset[str]] = defaultdict(frozenset)
"""In any database there: a client program connects to another one than our session did."""
_from_the_start: dict[_Place, frozenset[str]] = {}
"""Timeouts that may end a session before it can take them away."""
_encodings: dict[tuple[str, int, str, str], str] = {}
"""That of each database."""


def settle(session: psycopg.Connection[TupleRow], connection: Connection, ours: Mapping[str, str | None]) -> bool:
    """Set what this session needs, of what its server knows.

    Returns:
        False where a timeout is so short that it should be taken away as a connection is made, which was not tried yet.

    Raises:
        psycopg.Error: the server refused.
    """
    wanted = needed(_options_of_the_person(connection), ours)
    # With its schema: until we have set it, the search path is anybody's.
    asked = sql.SQL("SELECT {}").format(
        sql.SQL(", ").join(
            sql.SQL("pg_catalog.current_setting({}, true)").format(name) for name in map(sql.Literal, wanted)
        )
    )
    row = session.execute(asked).fetchone()
    assert row is not None
    current: dict[str, str | None] = dict(zip(wanted, row, strict=True))
    session.execute(
        sql.SQL("; ").join(
            sql.SQL("SET {} TO {}").format(sql.Identifier(name), sql.Literal(value))
            for name, value in wanted.items()
            if current[name] is not None
        )
    )
    place = _place(connection)
    encoding = session.info.parameter_status("server_encoding")
    if encoding:
        _encodings[*place, connection.database or ""] = encoding
    _differing[place] |= differing(current)
    return place in _from_the_start or not too_short(current)


def start_options(connection: Connection) -> dict[str, str]:
    """Options of a connection: the person's, and ours once a session has not lived to set what it needs.

    Not always, as many a pooler refuses a connection with options.
    """
    names = _from_the_start.get(_place(connection))
    return {"options": options_with(names, _options_of_the_person(connection))} if names else {}


def set_from_the_start(connection: Connection, server_major: int) -> None:
    """Take timeouts away from the next connections as they are made, unless a pooler has refused that."""
    _from_the_start.setdefault(_place(connection), timeouts_of(server_major))


def set_after_the_start(connection: Connection) -> bool:
    """Do not, as a pooler refused it; False where it was not done."""
    place = _place(connection)
    done = bool(_from_the_start.get(place))
    _from_the_start[place] = _NOTHING
    return done


def variables_for(program: str, connection: Connection) -> dict[str, str]:
    """The environment variables of a client program that keep settings of role and database away from it.

    A dump is written in the database's own encoding, so that no character of it can be missing in another.
    """
    place = _place(connection)
    short, names = _from_the_start.get(place), _differing[place]
    if short == _NOTHING:  # a pooler has refused them
        names -= TIMEOUTS.keys()
    options = program_options(program, names, short or _NOTHING, _options_of_the_person(connection))
    encoding = _encodings.get((*place, connection.database or ""))
    return {
        **({"PGOPTIONS": options} if options else {}),
        **({"PGCLIENTENCODING": encoding} if encoding else {}),
    }


def _options_of_the_person(connection: Connection) -> str:
    return connection.settings().get("options", os.environ.get("PGOPTIONS", ""))


def _place(connection: Connection) -> _Place:
    return connection.where or "", connection.port or 0, connection.user or ""
