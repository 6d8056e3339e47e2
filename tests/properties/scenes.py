"""Databases with everything that a database can have beside its contents."""

from __future__ import annotations

NAME = """it's 100% "ours" """.strip()
QUOTED = '"' + NAME.replace('"', '""') + '"'
ROLES = ("app%s owner", 'it\'s "b"', "reader", "other")
_OWNER, _SECOND, _READER, _OTHER = ('"' + role.replace('"', '""') + '"' for role in ROLES)

# How each is created; the server's encoding is UTF8 and its locale C.
LOCALES = {
    "libc": "LOCALE_PROVIDER libc LC_COLLATE 'C.utf8' LC_CTYPE 'C.utf8'",
    "libc, two": "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C.utf8'",
    "builtin": "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'",
    "LATIN1": "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
    "SQL_ASCII": "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'",
    "EUC_JP": "ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'",
    "tablespace": "LC_COLLATE 'C' LC_CTYPE 'C' TABLESPACE quick",
}
ICU = {
    "ICU": "LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' LC_COLLATE 'C' LC_CTYPE 'C'",
    "ICU with rules": "LOCALE_PROVIDER icu ICU_LOCALE 'en' ICU_RULES '&a < g' LC_COLLATE 'C' LC_CTYPE 'C'",
}

PROPERTIES = f"""
    ALTER DATABASE {QUOTED} OWNER TO {_OWNER};
    SET ROLE {_OWNER};
    REVOKE ALL ON DATABASE {QUOTED} FROM PUBLIC;
    REVOKE CREATE ON DATABASE {QUOTED} FROM {_OWNER};
    GRANT CONNECT, TEMPORARY ON DATABASE {QUOTED} TO {_SECOND} WITH GRANT OPTION;
    GRANT TEMPORARY ON DATABASE {QUOTED} TO PUBLIC;
    RESET ROLE;
    SET ROLE {_SECOND};
    GRANT CONNECT ON DATABASE {QUOTED} TO {_READER};
    RESET ROLE;
    SET ROLE {_OWNER};
    GRANT CREATE ON DATABASE {QUOTED} TO {_OTHER};
    RESET ROLE;
    ALTER DATABASE {QUOTED} SET search_path TO "$user", public, 'My "own", Schema', 'per%sent';
    ALTER DATABASE {QUOTED} SET work_mem TO '8MB';
    ALTER DATABASE {QUOTED} SET "DateStyle" TO 'ISO, DMY';
    ALTER DATABASE {QUOTED} SET statement_timeout TO '40s';
    ALTER DATABASE {QUOTED} SET default_transaction_read_only TO on;
    ALTER ROLE {_SECOND} IN DATABASE {QUOTED} SET lock_timeout TO '7s';
    ALTER ROLE {_SECOND} IN DATABASE {QUOTED} SET search_path TO '';
    ALTER ROLE {_READER} IN DATABASE {QUOTED} SET application_name TO E'a ''quoted''\\n%s \\\\ name';
    COMMENT ON DATABASE {QUOTED} IS E'it''s 100%% %s {{}}\\nof "two" lines \\\\';
    ALTER DATABASE {QUOTED} CONNECTION LIMIT 7;
    ALTER DATABASE {QUOTED} IS_TEMPLATE true
"""
SUPERUSERS = f"""
    ALTER DATABASE {QUOTED} SET log_statement TO 'ddl';
    ALTER DATABASE {QUOTED} SET session_preload_libraries TO 'auto_explain', 'plpgsql';
    ALTER DATABASE {QUOTED} SET app.tenant TO 'x';
    ALTER DATABASE {QUOTED} SET temp_tablespaces TO 'quick', 'nowhere';
"""


def make(locale: str, *, superusers: bool) -> list[str]:
    """Statements that make roles, tablespace and database, one by one."""
    return [
        f"CREATE DATABASE {QUOTED} TEMPLATE template0 {locale}",
        *(SUPERUSERS.split(";\n") if superusers else ()),
        *PROPERTIES.split(";\n"),
    ]


def roles() -> list[str]:
    """Statements that make the roles."""
    return [f"CREATE ROLE {name}" for name in (_OWNER, _SECOND, _READER, _OTHER)]
