"""Whether this server would give a database its properties, asked without leaving anything behind."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.memberships import Memberships
from dbbackup.adapters.statements import rows, say
from dbbackup.core import database_changes as changes
from dbbackup.core.database_properties import DatabaseProperties, Label, Setting
from dbbackup.core.quoting import quote_name, quote_text
from dbbackup.core.restore_plan import Skip

_DEFAULT_TABLESPACE = """
    SELECT spcname FROM pg_database JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = 'template0'
"""
_TABLESPACE = """
    SELECT has_tablespace_privilege(t.oid, 'CREATE') OR t.oid = d.dattablespace
    FROM pg_tablespace t, pg_database d WHERE t.spcname = %s AND d.datname = 'template0'
"""


def default_tablespace(session: psycopg.Connection[TupleRow]) -> str:
    """Where a new database lies if nobody says where: where its template lies."""
    return str(rows(session, _DEFAULT_TABLESPACE)[0][0])


def tablespace_problem(session: psycopg.Connection[TupleRow], tablespace: str) -> str | None:
    """Why a database cannot lie in that tablespace, or None."""
    found = rows(session, _TABLESPACE, tablespace)
    if not found:
        return "this server has no such tablespace"
    return None if found[0][0] else "this user may not create anything in it"


def creation_problem(session: psycopg.Connection[TupleRow], properties: DatabaseProperties) -> str | None:
    """Why the server cannot make a database of that encoding and locale, or None.

    It is asked for one under a name that exists: it looks at everything else first, and then refuses that.
    https://git.postgresql.org/gitweb/?p=postgresql.git;a=blob;f=src/backend/commands/dbcommands.c (createdb)
    """
    major = session.info.server_version // 10000
    if (too_old := changes.too_old_for(properties, major)) is not None:
        return too_old
    known = default_tablespace(session)
    statement = changes.create(
        session.info.dbname,
        properties.model_copy(update={"tablespace": known}),
        server_major=major,
        default_tablespace=known,
    )
    try:
        say(session, statement)
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.InsufficientPrivilege):
        return None  # nobody may create databases here without rights, whatever the locale
    except psycopg.errors.ReadOnlySqlTransaction:
        return None  # a standby, which is another reason
    except psycopg.Error as error:
        return said(error)
    raise AssertionError("a database of a name that exists was created")  # pragma: no cover


def properties_problems(
    session: psycopg.Connection[TupleRow], name: str, properties: DatabaseProperties
) -> tuple[Skip, ...]:
    """What of a database's properties this user cannot give it on this server, with the statement to run later.

    Roles that do not exist are no matter of this one: they may be created before.

    Args:
        session: to any database of the server.
        name: the database that is to have them.
        properties: what is wanted.
    """
    if rows(session, "SELECT pg_is_in_recovery()")[0][0]:
        return ()
    database = f"DATABASE {quote_name(name)}"
    found = []
    if (why := tablespace_problem(session, properties.tablespace)) is not None:
        statement = f"ALTER {database} SET TABLESPACE {quote_name(properties.tablespace)}"
        found.append(Skip(f"tablespace {properties.tablespace} of the database", f"{why}; the default one", statement))
    found += _settings(session, name, properties.settings)
    found += _labels(session, name, properties.labels)
    found += _acting_roles(session, name, properties)
    if not properties.accepts_connections:
        refuse = f"ALTER {database} ALLOW_CONNECTIONS false"
        found.append(Skip("refusal of all connections to the database", "it could not be checked then", refuse))
    found += [Skip(f"{what} of the database", "its text is in no declared encoding") for what in properties.unreadable]
    return tuple(found)


def _settings(session: psycopg.Connection[TupleRow], name: str, settings: Iterable[Setting]) -> list[Skip]:
    """A role may set for itself what it may set for a database: the same rules of each setting hold.

    https://www.postgresql.org/docs/current/sql-alterrole.html
    """
    found = []
    for setting in settings:
        real = changes.setting_change(name, setting)
        own = changes.setting_change(session.info.dbname, setting.model_copy(update={"role": session.info.user}))
        probes = [own.statement]
        if setting.role is not None and rows(session, "SELECT FROM pg_roles WHERE rolname = %s", setting.role):
            probes = [changes.setting_change(session.info.dbname, setting).statement]
        for probe in probes:
            if (why := _refused(session, probe)) is not None:
                found.append(Skip(real.what, why, real.statement))
    return found


def _labels(session: psycopg.Connection[TupleRow], name: str, labels: Iterable[Label]) -> list[Skip]:
    found = []
    for label in labels:
        real = changes.label_change(name, label)
        table = "CREATE TEMPORARY TABLE dbbackup_probe () ON COMMIT DROP"
        words = f"SECURITY LABEL FOR {quote_name(label.provider)} ON TABLE dbbackup_probe IS {quote_text(label.label)}"
        if (why := _refused(session, table, words)) is not None:
            found.append(Skip(real.what, why, real.statement))
    return found


def _acting_roles(session: psycopg.Connection[TupleRow], name: str, properties: DatabaseProperties) -> list[Skip]:
    there = properties.acting_roles & {row[0] for row in rows(session, "SELECT rolname FROM pg_roles")}
    unable = there - Memberships(session).possible(there)
    found = []
    for change in changes.rights(name, properties):
        if change.by in unable:
            why = f"{session.info.user} cannot act as {change.by}, who gave it; the owner gives it instead"
            found.append(Skip(f"grantor of the {change.what}", why, changes.spoken(change)))
    if properties.owner in unable:
        rights = changes.rights(name, properties)
        later = "; ".join(changes.spoken(change) for change in rights)
        found.append(Skip(rights[0].what, f"{session.info.user} cannot act as {properties.owner}", later))
    return found


def _refused(session: psycopg.Connection[TupleRow], *statements: str) -> str | None:
    """What the server says against statements that are undone in any case; None where it takes them."""
    try:
        with session.transaction(force_rollback=True):
            for statement in statements:
                say(session, statement)
    except psycopg.Error as error:
        return said(error)
    return None


def said(error: psycopg.Error) -> str:
    """The first line of what the server said."""
    return error.diag.message_primary or " ".join(str(error).split())
