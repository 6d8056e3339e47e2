"""A new database that is like another: its locale, and what a dump of the other would not restore."""

from __future__ import annotations

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.statements import rows, run
from dbbackup.core.manifest import Source

# Settings whose value is stored as a list of quoted names: GUC_LIST_QUOTE in PostgreSQL's guc_tables.c. Every other one
# is set without having it: with a role or a timeout of the database we could not go on.
_QUOTED_LISTS = frozenset({"search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"})


class DatabaseCreation:
    """Creates databases through one session."""

    def __init__(self, session: psycopg.Connection[TupleRow]) -> None:
        self._session = session

    def like_database(self, name: str, like: str) -> None:
        """An empty database with owner, encoding and locale of an existing one."""
        encoding, collate, ctype, owner, provider, locale = self._locale(like)
        statement = "CREATE DATABASE {} TEMPLATE template0 OWNER {} ENCODING {e} LC_COLLATE {c} LC_CTYPE {t}"
        literals: dict[str, object] = {"e": encoding, "c": collate, "t": ctype}
        if provider in ("i", "b"):
            kind = "icu" if provider == "i" else "builtin"
            statement += f" LOCALE_PROVIDER {kind} {'ICU_LOCALE' if kind == 'icu' else 'BUILTIN_LOCALE'} {{l}}"
            literals["l"] = locale
        run(self._session, statement, name, owner, **literals)

    def _locale(self, name: str) -> TupleRow:
        columns = {
            row[0]
            for row in rows(self._session, "SELECT attname FROM pg_attribute WHERE attrelid = 'pg_database'::regclass")
        }
        locale = next((column for column in ("datlocale", "daticulocale") if column in columns), "NULL")
        provider = "datlocprovider::text" if "datlocprovider" in columns else "'c'"
        query = (
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype, pg_get_userbyid(datdba), "  # noqa: S608
            f"{provider}, {locale} FROM pg_database WHERE datname = %s"
        )
        return rows(self._session, query, name)[0]

    def like_source(self, name: str, source: Source | None) -> None:
        """An empty database with encoding and collation of the one in a manifest, where this server has them."""
        if source is None:
            run(self._session, "CREATE DATABASE {} TEMPLATE template0", name)
            return
        try:
            run(
                self._session,
                "CREATE DATABASE {} TEMPLATE template0 ENCODING {e} LC_COLLATE {c} LC_CTYPE {c}",
                name,
                e=source.encoding,
                c=source.collation,
            )
        except (psycopg.errors.WrongObjectType, psycopg.errors.InvalidParameterValue):
            # A locale that this system does not have: the server's own will sort otherwise, and lose nothing.
            run(self._session, "CREATE DATABASE {} TEMPLATE template0 ENCODING {e}", name, e=source.encoding)

    def copy_properties(self, source: str, name: str) -> None:
        """Settings, grants and connection limit of a database, which its dump does not restore without --create."""
        settings = rows(
            self._session,
            "SELECT r.rolname, s.setting FROM pg_db_role_setting d JOIN pg_database b ON b.oid = d.setdatabase "
            "LEFT JOIN pg_roles r ON r.oid = d.setrole CROSS JOIN unnest(d.setconfig) AS s(setting) WHERE datname = %s",
            source,
        )
        for role, setting in settings:
            key, _, value = setting.partition("=")
            subject = "DATABASE {}" if role is None else "ROLE {} IN DATABASE {}"
            names = (name,) if role is None else (role, name)
            with self._session.transaction():
                if key in _QUOTED_LISTS:  # FROM CURRENT lets the server take the list apart
                    rows(self._session, "SELECT set_config(%s, %s, true)", key, value)
                    run(self._session, f"ALTER {subject} SET {{}} FROM CURRENT", *names, key)
                else:
                    run(self._session, f"ALTER {subject} SET {{}} TO {{v}}", *names, key, v=value)
        limit, has_grants = rows(
            self._session, "SELECT datconnlimit, datacl IS NOT NULL FROM pg_database WHERE datname = %s", source
        )[0]
        if limit >= 0:
            run(self._session, "ALTER DATABASE {} CONNECTION LIMIT {n}", name, n=limit)
        if has_grants:
            run(self._session, "REVOKE ALL ON DATABASE {} FROM PUBLIC", name)
            grants = rows(
                self._session,
                "SELECT a.privilege_type, r.rolname, a.is_grantable FROM pg_database d "
                "CROSS JOIN aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE datname = %s",
                source,
            )
            for privilege, grantee, grantable in grants:
                option = " WITH GRANT OPTION" if grantable else ""
                if grantee is None:
                    run(self._session, f"GRANT {privilege} ON DATABASE {{}} TO PUBLIC", name)
                else:
                    run(self._session, f"GRANT {privilege} ON DATABASE {{}} TO {{}}{option}", name, grantee)
