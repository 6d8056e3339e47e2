"""The properties of a database, read from a server of any major version that we know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.rows import TupleRow

from dbbackup.core.database_properties import DatabaseProperties, Grant, Label, Locale, Setting

_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
_TEXT_TYPES = ("text", "name", "varchar")
_SETTINGS = """
    SELECT r.rolname, s.setting
    FROM pg_db_role_setting d LEFT JOIN pg_roles r ON r.oid = d.setrole
    CROSS JOIN unnest(d.setconfig) WITH ORDINALITY AS s (setting, n)
    WHERE d.setdatabase = %s AND (d.setrole = 0 OR r.oid IS NOT NULL) ORDER BY d.ctid, s.n
"""
_GRANTS = """
    SELECT e.rolname, o.rolname, a.privilege_type, a.is_grantable
    FROM pg_database d
    CROSS JOIN aclexplode(d.datacl) WITH ORDINALITY AS a (grantor, grantee, privilege_type, is_grantable, n)
    LEFT JOIN pg_roles e ON e.oid = a.grantee JOIN pg_roles o ON o.oid = a.grantor
    WHERE d.oid = %s AND (a.grantee = 0 OR e.oid IS NOT NULL) ORDER BY a.n
"""
_LABELS = """
    SELECT provider, label FROM pg_shseclabel WHERE objoid = %s AND classoid = 'pg_database'::regclass ORDER BY ctid
"""


class _AnyText(Loader):
    """Text whose bytes may be in an encoding that nobody has declared, in a database of SQL_ASCII for one."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", errors="surrogateescape")


def read_properties(session: psycopg.Connection[TupleRow], name: str) -> DatabaseProperties | None:
    """What a database is, or None where there is none of that name.

    Read from the database itself where it accepts connections, as pg_dump does: names and comments are kept in the
    encoding of whoever wrote them.
    """
    oid = session.execute(b"SELECT oid FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if oid is None:
        return None
    with _undeclared_text_let_through(session):
        return _read(session, oid[0])


@contextmanager
def _undeclared_text_let_through(session: psycopg.Connection[TupleRow]) -> Iterator[None]:
    """In a database of SQL_ASCII, let the server send what is in no encoding that it knows, instead of refusing."""
    if session.info.parameter_status("server_encoding") != "SQL_ASCII":
        yield
        return
    session.execute(b"SET client_encoding = 'SQL_ASCII'")
    try:
        yield
    finally:
        session.execute(b"SET client_encoding = 'UTF8'")


def _read(session: psycopg.Connection[TupleRow], oid: int) -> DatabaseProperties:
    cursor = session.cursor()
    for each in _TEXT_TYPES:
        cursor.adapters.register_loader(each, _AnyText)

    def rows(query: str) -> list[TupleRow]:
        return cursor.execute(query.encode(), (oid,)).fetchall()

    has_grants, provider, *columns = rows(_database_query(session.info.server_version))[0]
    encoding, collate, ctype, locale, rules, version, owner, tablespace, limit, template, accepts, comment = columns
    unreadable: list[str] = []

    def readable(row: tuple[Any, ...], what: str) -> bool:
        if any(isinstance(each, str) and _is_foreign(each) for each in row):
            unreadable.append(what)
            return False
        return True

    settings = tuple(
        Setting(role=role, name=key, value=value)
        for role, (key, _, value) in ((role, text.partition("=")) for role, text in rows(_SETTINGS))
        if readable((role, key, value), "a setting")
    )
    grants = tuple(
        Grant(grantee=grantee, grantor=grantor, privilege=privilege, grantable=grantable)
        for grantee, grantor, privilege, grantable in rows(_GRANTS)
        if readable((grantee, grantor), f"a right {privilege}")
    )
    labels = tuple(
        Label(provider=who, label=label) for who, label in rows(_LABELS) if readable((who, label), "a security label")
    )
    return DatabaseProperties(
        encoding=encoding,
        locale=Locale(
            provider=_PROVIDERS.get(provider, "libc"),
            collate=collate,
            ctype=ctype,
            name=locale,
            rules=rules,
            version=version,
        ),
        owner=owner if readable((owner,), "the owner") else None,
        tablespace=tablespace,
        connection_limit=limit,
        template=template,
        accepts_connections=accepts,
        comment=comment if readable((comment,), "the comment") else None,
        labels=labels,
        settings=settings,
        grants=grants if has_grants else None,
        unreadable=tuple(unreadable),
    )


def _is_foreign(text: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in text)


def _database_query(server_version: int) -> str:
    """The columns of pg_database have changed: https://www.postgresql.org/docs/current/catalog-pg-database.html."""
    major = server_version // 10000
    provider = "datlocprovider::text" if major >= 15 else "'c'"
    locale = "datlocale" if major >= 17 else "daticulocale" if major >= 15 else "NULL"
    rules = "daticurules" if major >= 16 else "NULL"
    version = "datcollversion" if major >= 15 else "NULL"
    return f"""
        SELECT datacl IS NOT NULL, {provider}, pg_encoding_to_char(encoding), datcollate::text, datctype::text,
               {locale}, {rules}, {version}, pg_get_userbyid(datdba), t.spcname, datconnlimit, datistemplate,
               datallowconn, shobj_description(d.oid, 'pg_database')
        FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.oid = %s
    """  # noqa: S608 - columns of ours
