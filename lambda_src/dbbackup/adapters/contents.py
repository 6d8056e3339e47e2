"""Queries for the tables of a database."""

from __future__ import annotations

from typing import Final

TABLES: Final = """
    SELECT textsend(quote_ident(n.nspname) || '.' || quote_ident(c.relname)), coalesce(pg_table_size(c.oid), 0)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""
"""The tables that are the database's own, as a statement names them: partitions among them, none of extensions."""
