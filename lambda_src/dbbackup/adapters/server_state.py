"""What a plan asks of a server: what it has, what it lets us do, and what is in the target's place."""

from __future__ import annotations

import time
from dataclasses import replace

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters import contents
from dbbackup.adapters.database_creation import apply
from dbbackup.adapters.database_probes import creation_problem, properties_problems
from dbbackup.adapters.intended_properties import intended_properties, is_empty
from dbbackup.adapters.memberships import acting_roles_left_over
from dbbackup.adapters.postgres_connection import connect
from dbbackup.adapters.statements import rows
from dbbackup.adapters.subscriptions import owners_of_subscriptions
from dbbackup.core import database_changes
from dbbackup.core.connection import Connection
from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.leftovers import MAX_MARK, Beside, Found, sort_out
from dbbackup.core.restore_plan import ExistingDatabase, ServerState, Skip

PASSING_SECONDS = 3.0
"""How long a session that we may not end is given to end by itself before it is one that keeps us from a restore."""
_STATE = """
    SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000, current_user,
           r.rolsuper, r.rolsuper OR r.rolcreatedb, pg_is_in_recovery(),
           ARRAY(SELECT rolname::text FROM pg_roles), ARRAY(SELECT name::text FROM pg_available_extensions),
           ARRAY(SELECT spcname::text FROM pg_tablespace)
    FROM pg_roles r WHERE r.rolname = current_user
"""
_EXISTING = """
    SELECT pg_get_userbyid(datdba),
           CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
                THEN pg_database_size(oid) ELSE 0 END
    FROM pg_database WHERE datname = %s
"""
# The server's own processes have no user; a rename ends them by itself.
_SESSIONS = """
    SELECT format('%%s of %%s, process %%s', coalesce(nullif(application_name, ''), backend_type),
                  coalesce(usename, 'the server'), pid),
           me.rolsuper OR usename IS NULL OR NOT theirs.rolsuper
           AND (pg_has_role(usename, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE'))
    FROM pg_roles me, pg_stat_activity LEFT JOIN pg_roles theirs ON theirs.rolname = usename
    WHERE me.rolname = current_user AND datname = %s AND pid <> pg_backend_pid() ORDER BY backend_start
"""
_PREPARED = "SELECT gid FROM pg_prepared_xacts WHERE database = %s ORDER BY prepared"
_SLOTS = "SELECT slot_name FROM pg_replication_slots WHERE database = %s ORDER BY 1"
_ROLE_PATHS = """
    SELECT pg_get_userbyid(s.setrole), substr(c.setting, strpos(c.setting, '=') + 1)
    FROM pg_db_role_setting s, unnest(s.setconfig) c(setting)
    WHERE s.setdatabase = 0 AND s.setrole <> 0 AND c.setting LIKE %s
"""
# One character more than a mark may have is enough to see that it is none.
_BESIDE = """
    SELECT datname, pg_get_userbyid(datdba), pg_get_userbyid(datdba) = current_user,
           left(shobj_description(oid, 'pg_database'), %s)
    FROM pg_database WHERE datname <> %s
"""


def read_state(
    session: psycopg.Connection[TupleRow], connection: Connection, target: str, wanted: DatabaseProperties | None
) -> ServerState:
    """What the server has, the target where it exists, and what of its properties the server would not give.

    Args:
        session: to a maintenance database.
        connection: how the target is reached.
        target: its name.
        wanted: the properties of a target that does not exist yet, or is empty.
    """
    version, major, user, superuser, may_create, recovery, roles, extensions, spaces = rows(session, _STATE)[0]
    existing, of_existing = _existing(session, connection, target, wanted)
    properties = of_existing or wanted
    beside = databases_beside(session, target)
    in_place = existing is not None and existing.empty and not may_create
    return ServerState(
        version=version,
        major=major,
        user=user,
        superuser=superuser,
        may_create_databases=may_create,
        in_recovery=recovery,
        roles=frozenset(roles),
        extensions=frozenset(extensions),
        tablespaces=frozenset(spaces),
        existing=existing,
        properties=properties,
        creation_problem=creation_problem(session, properties) if properties else None,
        property_problems=_property_problems(session, target, properties, in_place=in_place),
        beside=beside,
        slots=tuple(row[0] for row in rows(session, _SLOTS, target)),
        subscriptions=owners_of_subscriptions(session, target),
        role_paths=dict(rows(session, _ROLE_PATHS, "search_path=%")),
    )


def _property_problems(
    session: psycopg.Connection[TupleRow], target: str, properties: DatabaseProperties | None, *, in_place: bool
) -> tuple[Skip, ...]:
    """What of them the server would not give; a target that is filled itself is asked, and nothing of it is left."""
    if properties is None:
        return ()
    if not in_place:
        return properties_problems(session, target, properties)
    known = {row[0] for row in rows(session, "SELECT rolname FROM pg_roles")}
    changes = database_changes.everything(target, properties)
    with session.transaction(force_rollback=True):
        return tuple(apply(session, [change for change in changes if change.roles <= known]))


def _existing(
    session: psycopg.Connection[TupleRow], connection: Connection, target: str, wanted: DatabaseProperties | None
) -> tuple[ExistingDatabase | None, DatabaseProperties | None]:
    found = rows(session, _EXISTING, target)
    if not found:
        return None, None
    sessions, stubborn = _sessions(session, target)
    with connect(connection.model_copy(update={"database": target}), "restore plan") as inside:
        tables = len(inside.execute(contents.TABLES.encode()).fetchall())
        empty = is_empty(inside)
        properties = intended_properties(inside, target, wanted)
    existing = ExistingDatabase(
        target,
        owner=found[0][0],
        size_bytes=found[0][1],
        sessions=sessions,
        stubborn=stubborn,
        prepared=tuple(row[0] for row in rows(session, _PREPARED, target)),
        tables=tables,
        empty=empty,
    )
    return existing, properties


def _sessions(session: psycopg.Connection[TupleRow], target: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who is connected to the target, and which of them we may not end and stay; a provider's check is soon over."""
    give_up = time.monotonic() + PASSING_SECONDS
    found = rows(session, _SESSIONS, target)
    every = tuple(who for who, _ in found)
    stubborn = [who for who, may_end in found if not may_end]
    while stubborn and time.monotonic() < give_up:
        time.sleep(PASSING_SECONDS / 10)
        there = {who for who, _ in rows(session, _SESSIONS, target)}
        stubborn = [who for who in stubborn if who in there]
    return every, tuple(stubborn)


def databases_beside(session: psycopg.Connection[TupleRow], target: str) -> Beside:
    """What earlier runs have left beside a target, and what only looks like it."""
    found = rows(session, _BESIDE, MAX_MARK + 1, target)
    return replace(sort_out(target, (Found(*row) for row in found)), roles=acting_roles_left_over(session))
