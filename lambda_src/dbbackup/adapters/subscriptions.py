"""Logical replication into a database that is put aside: it must not go on taking what is meant for its successor."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from dbbackup.adapters.database_probes import said
from dbbackup.adapters.statements import rows, say
from dbbackup.core.quoting import quote_name, quote_text
from dbbackup.core.restore_plan import Skip

_OF_DATABASE = """
    SELECT subname, subslotname, subpublications,
           has_column_privilege('pg_subscription', 'subconninfo', 'SELECT'), pg_get_userbyid(subowner)
    FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = %s) ORDER BY 1
"""
_SECRETS = ("password", "sslpassword")
_CONNECTION = """
    SELECT subconninfo FROM pg_subscription
    WHERE subname = %s AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def owners_of_subscriptions(session: psycopg.Connection[TupleRow], database: str) -> dict[str, str]:
    """Subscriptions of a database of the server, and who owns each."""
    return {row[0]: row[4] for row in rows(session, _OF_DATABASE, database)}


def detach(inside: psycopg.Connection[TupleRow]) -> list[Skip]:
    """Remove the subscriptions of the database that we are in, and leave their slots where they are.

    https://www.postgresql.org/docs/current/sql-dropsubscription.html

    Returns:
        Each, with the statement that attaches it to the database that took the place; or what the server said against
        it, with the statements that detach it here.
    """
    found = []
    for name, slot, publications, may_read, _ in rows(inside, _OF_DATABASE, inside.info.dbname):
        connection = str(rows(inside, _CONNECTION, name)[0][0]) if may_read else ""
        subscription = quote_name(name)
        words = (
            f"ALTER SUBSCRIPTION {subscription} DISABLE",
            f"ALTER SUBSCRIPTION {subscription} SET (slot_name = NONE)",
            f"DROP SUBSCRIPTION {subscription}",
        )
        try:
            with inside.transaction():
                for statement in words:
                    say(inside, statement)
        except psycopg.Error as error:
            if inside.broken:
                raise
            found.append(
                Skip(f"end of the subscription {name}", f"{said(error)}; run in the old one", "; ".join(words))
            )
        else:
            why = (
                "detached from what was replaced; what came since the backup is only there. To attach it to the new one"
            )
            found.append(Skip(f"subscription {name}", why, _attach(name, connection, publications, slot)))
    return found


def _attach(name: str, connection: str, publications: list[str], slot: str | None) -> str:
    slot_name = "NONE" if slot is None else quote_text(slot)
    return (
        f"CREATE SUBSCRIPTION {quote_name(name)} CONNECTION {quote_text(_without_password(connection))} "
        f"PUBLICATION {', '.join(quote_name(each) for each in publications)} "
        f"WITH (slot_name = {slot_name}, create_slot = false, copy_data = false, enabled = false, connect = false)"
    )


def _without_password(connection: str) -> str:
    """A statement is shown and logged; whoever runs it knows what stands in the password's place.

    One who is no superuser has to give a password:
    https://www.postgresql.org/docs/current/sql-createsubscription.html
    """
    try:
        known = {key: "..." if key in _SECRETS else value for key, value in conninfo_to_dict(connection).items()}
    except psycopg.Error:
        known = {}
    return make_conninfo("", **known) if known else "host=... dbname=..."
