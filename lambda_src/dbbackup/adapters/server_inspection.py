"""Looks at a server and at what our user may read there, in a session that cannot write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.left_out import left_out
from dbbackup.adapters.postgres_connection import connect
from dbbackup.adapters.statements import rows
from dbbackup.core.connection import Connection
from dbbackup.core.connection_limits import ConnectionLook
from dbbackup.core.doctor_ports import GuardedTable, Part, ServerLook
from dbbackup.core.errors import DatabaseReadError
from dbbackup.core.manifest import NotInDump

_SETTINGS: Final = {"default_transaction_read_only": "on", "statement_timeout": "30s"}
_FACTS: Final = """
    SELECT clock_timestamp(), pg_is_in_recovery(), current_setting('hot_standby_feedback')::bool,
           pg_database_size(current_database()), current_user, rolsuper,
           ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL)
    FROM pg_roles WHERE rolname = current_user
"""
_CONNECTIONS: Final = """
    SELECT current_user, r.rolsuper, r.rolconnlimit,
           (SELECT count(*) - 1 FROM pg_stat_activity WHERE usename = current_user),
           d.datname, d.datconnlimit,
           (SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = d.datname),
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0)
           - (SELECT count(*) - 1 FROM pg_stat_activity WHERE backend_type = 'client backend')
    FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()
"""
# What pg_dump reads or locks: no system schema, nothing temporary, nothing that comes with an extension.
_OWN: Final = """
    n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'
    AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""
_OF_CLASS: Final = f"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OWN}"
_NAME: Final = "quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
_QUERIES: Final = {
    Part.SCHEMAS: f"""
        SELECT DISTINCT quote_ident(n.nspname) AS name {_OF_CLASS} AND c.relkind IN ('r', 'p', 'S')
        AND NOT has_schema_privilege(n.oid, 'USAGE') ORDER BY name
    """,
    Part.TABLES: f"""
        SELECT {_NAME} AS name {_OF_CLASS} AND c.relkind IN ('r', 'p')
        AND NOT has_table_privilege(c.oid, 'SELECT') ORDER BY name
    """,
    Part.SEQUENCES: f"""
        SELECT {_NAME} AS name {_OF_CLASS} AND c.relkind = 'S'
        AND NOT CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT') END ORDER BY name
    """,
    # By the owner and the list of rights: there is a function for it from PostgreSQL 18 on only.
    Part.LARGE_OBJECTS: """
        SELECT o.oid::text FROM pg_largeobject_metadata o
        WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
          AND NOT current_setting('lo_compat_privileges')::bool
          AND NOT pg_has_role(o.lomowner, 'USAGE')
          AND NOT EXISTS (SELECT FROM aclexplode(o.lomacl) a WHERE a.privilege_type = 'SELECT'
                          AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))
        ORDER BY o.oid
    """,
    Part.SUBSCRIPTIONS: """
        SELECT quote_ident(subname) FROM pg_subscription
        WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        ORDER BY subname
    """,
}
# Since 16 only who holds a role WITH ADMIN OPTION grants it; before, whoever has CREATEROLE.
# https://www.postgresql.org/docs/16/role-attributes.html
_GUARDED: Final = f"""
    SELECT {_NAME} AS name, o.rolname::text, c.relforcerowsecurity, pg_has_role(o.oid, 'USAGE'),
           NOT o.rolsuper AND (current_setting('server_version_num')::int < 160000 OR EXISTS (
               SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
               WHERE m.roleid = o.oid AND m.admin_option AND NOT r.rolsuper))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner
    WHERE {_OWN} AND c.relkind IN ('r', 'p') AND row_security_active(c.oid) ORDER BY name
"""  # noqa: S608 - constants of this file


class ServerInspection:
    """One connection that only looks."""

    def __init__(self, connection: psycopg.Connection[TupleRow]) -> None:
        self._connection = connection

    def look(self) -> ServerLook:
        """What there is to know about the server and the connection to it.

        Raises:
            DatabaseReadError: the server does not say it.
        """
        before = datetime.now(UTC)
        found = self._rows(_FACTS)
        between = before + (datetime.now(UTC) - before) / 2
        now, standby, feedback, size, user, superuser, slots = found[0]
        info = self._connection.info
        options = {option.keyword: option.val or b"" for option in self._connection.pgconn.info}
        return ServerLook(
            version=info.parameter_status("server_version") or "?",
            version_num=info.server_version,
            host=info.host,
            encrypted=bool(self._connection.pgconn.ssl_in_use),
            sslmode=options.get(b"sslmode", b"").decode() or "prefer",
            standby=standby,
            feedback=feedback,
            idle_slots=tuple(slots),
            skew_seconds=(now - between).total_seconds(),
            database_bytes=size,
            user=user,
            superuser=superuser,
        )

    def connections(self) -> ConnectionLook:
        """Limits of connections, and what is connected besides us.

        Raises:
            DatabaseReadError: the server does not say it.
        """
        return ConnectionLook(*self._rows(_CONNECTIONS)[0])

    def unreadable(self, part: Part) -> tuple[str, ...]:
        """Names of the objects that our user's dump could not read.

        Raises:
            DatabaseReadError: the server does not say it.
        """
        return tuple(row[0] for row in self._rows(_QUERIES[part]))

    def left_out(self) -> tuple[NotInDump, ...]:
        """What the database has and a dump by our user has not.

        Raises:
            DatabaseReadError: the server does not say it.
        """
        try:
            return left_out(self._connection)
        except psycopg.Error as error:
            said = " ".join(str(error).split())
        raise _not_said(said)

    def guarded(self) -> tuple[GuardedTable, ...]:
        """The tables that our user's dump could not read whole.

        Raises:
            DatabaseReadError: the server does not say it.
        """
        return tuple(GuardedTable(*row) for row in self._rows(_GUARDED))

    def _rows(self, query: str) -> list[TupleRow]:
        try:
            return rows(self._connection, query)
        except psycopg.Error as error:
            said = " ".join(str(error).split())
        raise _not_said(said)


def _not_said(said: str) -> DatabaseReadError:
    return DatabaseReadError(
        f"The database cannot be looked at: {said}.",
        untouched="Nothing was changed.",
        action="Look at the server's log; a backup would fail in the same way.",
    )


@contextmanager
def inspect_server(connection: Connection) -> Iterator[ServerInspection]:
    """Connect for looking only; the connection ends with the context.

    Raises:
        ConnectionFailedError: the server cannot be reached or does not let us in.
    """
    session = connect(connection, "doctor", settings=_SETTINGS)
    try:
        yield ServerInspection(session)
    finally:
        session.close()
