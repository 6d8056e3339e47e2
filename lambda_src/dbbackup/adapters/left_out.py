"""Asks a database for what it has and no dump of ours holds."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg.rows import TupleRow

from dbbackup.core.left_out import SHOWN, LeftOut, Names, explained
from dbbackup.core.manifest import NotInDump

_TABLES_ASKED: Final = 100
_QUERIES: Final = {
    # As getIndexes in pg_dump chooses: https://github.com/postgres/postgres/blob/master/src/bin/pg_dump/pg_dump.c
    LeftOut.INVALID_INDEXES: """
        SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE NOT (i.indisready AND (i.indisvalid OR t.relkind = 'p')) AND t.relpersistence <> 't'
          AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND t.oid NOT IN (SELECT oid FROM of_extension WHERE classid = 'pg_class'::regclass)
    """,
    # It is not recorded which triggers on its table are the extension's; those that call a function of its are.
    LeftOut.EXTENSION_TRIGGERS: """
        SELECT quote_ident(t.tgname) || ' on ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN of_extension e ON e.oid = c.oid AND e.classid = 'pg_class'::regclass
        WHERE NOT t.tgisinternal
          AND (t.tgfoid, e.extension) NOT IN
              (SELECT oid, extension FROM of_extension WHERE classid = 'pg_proc'::regclass)
    """,
    LeftOut.UNLOGGED_ROWS: """
        SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND pg_is_in_recovery()
    """,
    # Who may see them, as the view itself decides: https://www.postgresql.org/docs/current/view-pg-user-mappings.html
    LeftOut.USER_MAPPINGS: """
        SELECT CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END || ' for server '
               || quote_ident(m.srvname) AS name
        FROM pg_user_mappings m JOIN pg_foreign_server s ON s.oid = m.srvid
        WHERE NOT CASE WHEN m.umuser = 0 THEN pg_has_role(s.srvowner, 'USAGE')
                       ELSE m.usename = current_user
                            AND (pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(s.oid, 'USAGE')) END
          AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    """,
    LeftOut.SUBSCRIPTIONS: """
        SELECT quote_ident(subname) AS name FROM pg_subscription
        WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    """,
}
_UNREGISTERED: Final = """
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN of_extension e ON e.oid = c.oid AND e.classid = 'pg_class'::regclass
    JOIN pg_extension x ON x.oid = e.extension
    WHERE c.relkind = 'r' AND NOT c.oid = ANY(coalesce(x.extconfig, '{}')) AND n.nspname <> 'pg_catalog'
"""
# A name that is no text in UTF-8 is asked for as bytes, since the server would refuse to send it.
_NAMES: Final = """
    WITH of_extension AS (SELECT classid, objid AS oid, refobjid AS extension FROM pg_depend WHERE deptype = 'e')
    SELECT convert_to(name, CASE current_setting('server_encoding') WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END),
           count(*) OVER ()
    FROM ("""


def left_out(connection: psycopg.Connection[TupleRow]) -> tuple[NotInDump, ...]:
    """What the database has and a dump by this user has not.

    It reads the catalogue, and of the tables that extensions own whether there is a row. In the transaction that is
    open, if one is.

    Raises:
        psycopg.Error: the server does not say it; the open transaction can be used all the same.
    """
    with connection.transaction():
        found = {kind: _named(_ask(connection, query, SHOWN)) for kind, query in _QUERIES.items()}
        tables = _ask(connection, _UNREGISTERED, _TABLES_ASKED)
    filled = [(name, count) for name, count in tables if _has_rows(connection, name)]
    more = tables[0][1] - len(tables) if tables else 0
    found[LeftOut.EXTENSION_ROWS] = Names(
        len(filled) + (more if filled else 0), tuple(_shown(name) for name, _ in filled[:SHOWN])
    )
    return explained(found)


def _ask(connection: psycopg.Connection[TupleRow], query: str, limit: int) -> list[tuple[bytes, int]]:
    statement = f"{_NAMES}{query}) found ORDER BY name LIMIT {limit}"
    return [(name, count) for name, count in connection.execute(statement.encode())]


def _named(rows: list[tuple[bytes, int]]) -> Names:
    return Names(rows[0][1] if rows else 0, tuple(_shown(name) for name, _ in rows))


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _has_rows(connection: psycopg.Connection[TupleRow], table: bytes) -> bool:
    """Whether a table has a row, or does not let itself be asked: somebody may hold it, or we may not read it."""
    try:
        with connection.transaction():
            connection.execute(b"SET LOCAL lock_timeout = '1s'")
            connection.execute(b"SET LOCAL row_security = off")
            row = connection.execute(b"SELECT EXISTS (SELECT FROM ONLY " + table + b")").fetchone()
    except psycopg.Error:
        if connection.closed:
            raise
        return True
    return row is not None and bool(row[0])
