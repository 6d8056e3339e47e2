"""What a database of a name is to be once it is restored."""

from __future__ import annotations

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.database_properties import read_properties
from dbbackup.adapters.statements import rows
from dbbackup.core.database_properties import DatabaseProperties

# Object ids up to 16383 are those of initdb: FirstNormalObjectId in PostgreSQL's src/include/access/transam.h. What
# is above them and in the system's own schemas is a provider's.
_MADE = """
    WITH system AS (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema', 'pg_toast'))
    SELECT EXISTS (SELECT FROM pg_class WHERE oid >= 16384 AND relnamespace NOT IN (SELECT oid FROM system))
        OR EXISTS (SELECT FROM pg_proc WHERE oid >= 16384 AND pronamespace NOT IN (SELECT oid FROM system))
        OR EXISTS (SELECT FROM pg_type WHERE oid >= 16384 AND typnamespace NOT IN (SELECT oid FROM system))
        OR EXISTS (SELECT FROM pg_namespace WHERE oid >= 16384) OR EXISTS (SELECT FROM pg_extension WHERE oid >= 16384)
        OR EXISTS (SELECT FROM pg_largeobject_metadata)
"""
_CHANCE = """
    SELECT pg_get_userbyid(datdba) = current_user AND (SELECT rolcreatedb OR rolsuper FROM pg_roles
           WHERE rolname = current_user) FROM pg_database WHERE datname = %s
"""


def is_empty(inside: psycopg.Connection[TupleRow]) -> bool:
    """Whether nobody has ever made anything in the database of this session."""
    return not rows(inside, _MADE)[0][0]


def intended_properties(
    inside: psycopg.Connection[TupleRow], name: str, recorded: DatabaseProperties | None
) -> DatabaseProperties | None:
    """What it is; where it is empty, completed by what was recorded of the one that is restored into it.

    Whoever may create no databases cannot give one away either:
    https://www.postgresql.org/docs/current/sql-alterdatabase.html

    Args:
        inside: a session in it.
        name: its name.
        recorded: of the database that was backed up, if anything is known of it.
    """
    found = read_properties(inside, name)
    if found is None or not is_empty(inside):
        return found
    return found.completed(recorded, owned_by_chance=rows(inside, _CHANCE, name)[0][0])
