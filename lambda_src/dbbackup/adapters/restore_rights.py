"""Finds out what a restore may do on a server, by trying it in a transaction that is taken back."""

from __future__ import annotations

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.memberships import Memberships
from dbbackup.adapters.statements import rows, run
from dbbackup.core.restore_rights import Questions, Rights

_RIGHTS = """
    SELECT r.rolsuper,
           current_setting('rds.extensions', true) IS NOT NULL
           AND EXISTS (SELECT FROM pg_roles m WHERE m.rolname = 'rds_superuser' AND pg_has_role(m.oid, 'MEMBER')),
           EXISTS (SELECT FROM pg_roles m WHERE m.rolname = 'pg_write_all_data' AND pg_has_role(m.oid, 'USAGE')),
           ARRAY(SELECT lanname::text FROM pg_language
                 WHERE r.rolsuper OR (lanpltrusted AND has_language_privilege(oid, 'USAGE'))),
           ARRAY(SELECT spcname::text FROM pg_tablespace
                 WHERE spcname = 'pg_default' OR has_tablespace_privilege(oid, 'CREATE'))
    FROM pg_roles r WHERE r.rolname = current_user
"""
# A trusted extension needs no superuser: https://www.postgresql.org/docs/current/sql-createextension.html
_EXTENSIONS = """
    SELECT e.name::text, v.superuser AND NOT v.trusted, coalesce(e.comment, '')
    FROM pg_available_extensions e
    JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version
"""
# cron.database_name, pg_net.database_name: the database whose background worker serves the extension.
# A setting whose library is not loaded can be asked for by its name alone.
_BOUND = """
    SELECT split_part(name, '.', 1), setting FROM pg_settings WHERE name LIKE '%.database_name'
    UNION SELECT 'cron', current_setting('cron.database_name', true)
"""
_BOUND_NAMES: dict[str, str] = {"cron": "pg_cron"}
_ALLOWED = "SELECT current_setting('rds.allowed_extensions', true)"


def rights_of(session: psycopg.Connection[TupleRow], questions: Questions) -> Rights:
    """Ask and try; nothing is changed.

    Raises:
        psycopg.Error: the connection was lost.
    """
    superuser, managed, writes_all, languages, tablespaces = rows(session, _RIGHTS)[0]
    bound = session.execute(_BOUND.encode()).fetchall()  # no values: its % is no place for one
    with session.transaction(force_rollback=True):
        refused = {}
        for statement in questions.role_statements:
            said = _refusal(session, statement)
            if said is not None:
                refused[statement] = said
        acting = Memberships(session).possible(questions.acting)
        settings = frozenset(name for name in questions.settings if _may_set(session, name))
        providers = frozenset(name for name in questions.label_providers if _is_loaded(session, name))
    return Rights(
        superuser=superuser,
        managed=managed,
        writes_all=superuser or writes_all,
        acting=acting,
        refused=refused,
        settings=settings,
        label_providers=providers,
        extensions=_extensions(session, superuser=superuser, managed=managed),
        languages=frozenset(languages),
        tablespaces=frozenset(tablespaces),
        bound_extensions={str(_BOUND_NAMES.get(prefix, prefix)): database for prefix, database in bound if database},
    )


def _extensions(session: psycopg.Connection[TupleRow], *, superuser: bool, managed: bool) -> dict[str, str]:
    found = rows(session, _EXTENSIONS)
    if superuser or not managed:
        return {name: comment for name, needs_superuser, comment in found if superuser or not needs_superuser}
    # RDS lets its master create all that it offers, unless the account has narrowed the choice:
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.FeatureSupport.Extensions.html
    allowed = str(rows(session, _ALLOWED)[0][0] or "*")
    named = {name.strip() for name in allowed.split(",")}
    return {name: comment for name, _, comment in found if "*" in named or name in named}


def _refusal(session: psycopg.Connection[TupleRow], statement: str) -> str | None:
    try:
        with session.transaction():
            session.execute(statement.encode())
    except psycopg.Error as error:
        if session.broken:
            raise
        return " ".join(str(error).split())
    return None


def _may_set(session: psycopg.Connection[TupleRow], name: str) -> bool:
    try:
        with session.transaction():
            run(session, "ALTER ROLE CURRENT_USER SET {} FROM CURRENT", name)
    except psycopg.Error:
        if session.broken:
            raise
        return False
    return True


def _is_loaded(session: psycopg.Connection[TupleRow], provider: str) -> bool:
    try:
        with session.transaction():
            run(session, "SECURITY LABEL FOR {} ON ROLE CURRENT_USER IS NULL", provider)
    except psycopg.errors.InvalidParameterValue:  # "security label provider ... is not loaded"
        return False
    except psycopg.Error:
        if session.broken:
            raise
        return True
    return True
