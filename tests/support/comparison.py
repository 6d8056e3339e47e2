"""Whether two databases hold the same."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from tests.support.backups import run_tool
from tests.support.databases import Database

Rows = list[tuple[Any, ...]]
_RELATIONS = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = ANY(%s) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND (c.relkind <> 'm' OR c.relispopulated)
    ORDER BY 1, 2
"""


def schema(database: Database) -> list[str]:
    """The whole definition, as pg_dump writes it."""
    text = run_tool(database.server.bindir, "pg_dump", database, "--schema-only")
    # \\restrict carries a key that is drawn for each dump.
    return [line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def contents(database: Database) -> dict[tuple[str, str], tuple[int, str]]:
    """Rows and a checksum of every table's and materialized view's own rows."""
    found = {}
    with database.connect() as connection:
        for name, relation in connection.execute(_RELATIONS, (["r", "m"],)).fetchall():
            query = sql.SQL("SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM ONLY {} t")
            row = connection.execute(query.format(sql.Identifier(name, relation))).fetchone()
            assert row is not None
            found[name, relation] = (row[0], row[1])
    return found


def sequences(database: Database) -> dict[tuple[str, str], Any]:
    """Where every sequence stands."""
    found = {}
    with database.connect() as connection:
        for name, relation in connection.execute(_RELATIONS, (["S"],)).fetchall():
            query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name, relation))
            found[name, relation] = connection.execute(query).fetchone()
    return found


def large_objects(database: Database) -> Rows:
    """Owner and checksum of every large object."""
    with database.connect() as connection:
        return connection.execute(
            "SELECT oid, pg_get_userbyid(lomowner), length(lo_get(oid)), md5(lo_get(oid)) FROM pg_largeobject_metadata "
            "ORDER BY oid"
        ).fetchall()
