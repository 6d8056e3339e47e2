"""The statements that give a database its properties, in the order in which they are to be run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dbbackup.core.database_properties import NO_LIMIT, DatabaseProperties, Grant, Label, Setting
from dbbackup.core.quoting import quote_name, quote_text, split_list

# Settings whose value is stored as a list of quoted names: GUC_LIST_QUOTE in PostgreSQL's guc_tables.c. Each name is
# then a constant of its own, as variable_is_guc_list_quote in pg_dump's dumputils.c has it.
_QUOTED_LISTS = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
_LOCALE_PROVIDERS_SINCE = 15
_BUILTIN_SINCE = 17
_ICU_RULES_SINCE = 16


@dataclass(frozen=True, slots=True)
class Change:
    """One statement about a database.

    Attributes:
        what: what it gives, in a few words.
        statement: SQL, without a semicolon.
        roles: roles that it names.
        by: the role that must say it; None for the owner.
    """

    what: str
    statement: str
    roles: frozenset[str] = frozenset()
    by: str | None = None


def create(name: str, properties: DatabaseProperties | None, *, server_major: int, default_tablespace: str) -> str:
    """``CREATE DATABASE``, owned by whoever runs it.

    https://www.postgresql.org/docs/current/sql-createdatabase.html

    Args:
        name: its name.
        properties: encoding, locale and tablespace; None for the server's own.
        server_major: major version of the server.
        default_tablespace: the one it gets where none is named: that of template0.
    """
    words = [f"CREATE DATABASE {quote_name(name)} TEMPLATE template0"]
    if properties is not None:
        locale = properties.locale
        words.append(f"ENCODING {quote_text(properties.encoding)}")
        if server_major >= _LOCALE_PROVIDERS_SINCE:
            words.append(f"LOCALE_PROVIDER {locale.provider}")
        words.append(f"LC_COLLATE {quote_text(locale.collate)} LC_CTYPE {quote_text(locale.ctype)}")
        if locale.name is not None and locale.provider != "libc":
            words.append(f"{locale.provider.upper()}_LOCALE {quote_text(locale.name)}")
        if locale.rules is not None:
            words.append(f"ICU_RULES {quote_text(locale.rules)}")
        if properties.tablespace != default_tablespace:
            words.append(f"TABLESPACE {quote_name(properties.tablespace)}")
    return " ".join(words)


def too_old_for(properties: DatabaseProperties, server_major: int) -> str | None:
    """Why a server of this major version cannot have a database of that locale, or None."""
    locale = properties.locale
    needed = {"libc": 0, "icu": _LOCALE_PROVIDERS_SINCE, "builtin": _BUILTIN_SINCE}[locale.provider]
    if locale.rules is not None:
        needed = max(needed, _ICU_RULES_SINCE)
    return f"PostgreSQL has it since {needed}" if server_major < needed else None


def settings(name: str, properties: DatabaseProperties) -> list[Change]:
    """What sessions in the database begin with."""
    return [setting_change(name, setting) for setting in properties.settings]


def setting_change(name: str, setting: Setting) -> Change:
    """One setting."""
    if setting.role is None:
        subject, what = f"DATABASE {quote_name(name)}", f"setting {setting.name} of the database"
    else:
        subject = f"ROLE {quote_name(setting.role)} IN DATABASE {quote_name(name)}"
        what = f"setting {setting.name} of the role {setting.role} in the database"
    return Change(
        what,
        f"ALTER {subject} SET {quote_name(setting.name)} TO {_value(setting)}",
        frozenset({setting.role}) if setting.role is not None else frozenset(),
    )


def _value(setting: Setting) -> str:
    if setting.name.lower() in _QUOTED_LISTS:
        return ", ".join(quote_text(each) for each in split_list(setting.value)) or "''"
    return quote_text(setting.value)


def label_change(name: str, label: Label) -> Change:
    """One security label."""
    return Change(
        f"security label of {label.provider} on the database",
        f"SECURITY LABEL FOR {quote_name(label.provider)} ON DATABASE {quote_name(name)} IS {quote_text(label.label)}",
    )


def labels(name: str, properties: DatabaseProperties) -> list[Change]:
    """Its security labels."""
    return [label_change(name, label) for label in properties.labels]


def comment(name: str, text: str | None) -> Change:
    """Its comment, or none."""
    constant = "NULL" if text is None else quote_text(text)
    return Change("comment of the database", f"COMMENT ON DATABASE {quote_name(name)} IS {constant}")


def attributes(name: str, properties: DatabaseProperties) -> list[Change]:
    """Comment, connection limit and whether it is a template."""
    changes = [comment(name, properties.comment)]
    database = f"ALTER DATABASE {quote_name(name)}"
    if properties.connection_limit != NO_LIMIT:
        limit = f"{database} CONNECTION LIMIT {properties.connection_limit}"
        changes.append(Change("connection limit of the database", limit))
    if properties.template:
        changes.append(Change("the database is a template", f"{database} IS_TEMPLATE true"))
    return changes


def rights(name: str, properties: DatabaseProperties) -> list[Change]:
    """Owner and grants.

    The grants are made in the order in which they were recorded, so that a dump writes them in that order again. An
    owner may always grant, even what it has revoked from itself:
    https://www.postgresql.org/docs/current/sql-grant.html

    Args:
        name: the database, which belongs to us and has the rights of a new one.
        properties: what it is to be.
    """
    owner = properties.owner
    changes = []
    revoke = f"REVOKE ALL ON DATABASE {quote_name(name)} FROM"
    if owner is not None:
        statement = f"ALTER DATABASE {quote_name(name)} OWNER TO {quote_name(owner)}"
        changes.append(Change("owner of the database", statement, frozenset({owner})))
    if properties.grants is None:
        return changes
    changes.append(Change("rights of everybody on the database", f"{revoke} PUBLIC"))
    if owner is not None:
        own = f"{revoke} {quote_name(owner)}"
        changes.append(Change("rights of the owner on the database", own, frozenset({owner})))
    return changes + [_grant(name, grant, owner) for grant in _in_order(properties.grants, owner)]


def _grant(name: str, grant: Grant, owner: str | None) -> Change:
    grantee = "PUBLIC" if grant.grantee is None else quote_name(grant.grantee)
    by = None if grant.grantor == owner else grant.grantor
    return Change(
        f"right {grant.privilege} on the database for {grant.grantee or 'everybody'}",
        f"GRANT {grant.privilege} ON DATABASE {quote_name(name)} TO {grantee}"
        + (" WITH GRANT OPTION" if grant.grantable else ""),
        frozenset(role for role in (grant.grantee, by) if role is not None),
        by,
    )


def _in_order(grants: Iterable[Grant], owner: str | None) -> list[Grant]:
    """Each grant after the one that its grantor may make it by; one without such comes last."""
    ordered: list[Grant] = []
    waiting = list(grants)
    may_grant: set[tuple[str | None, str]] = set()
    while waiting:
        ready = (
            each for each in waiting if each.grantor in (None, owner) or (each.grantor, each.privilege) in may_grant
        )
        grant = next(ready, waiting[0])
        waiting.remove(grant)
        ordered.append(grant)
        if grant.grantable:
            may_grant.add((grant.grantee, grant.privilege))
    return ordered


def everything(name: str, properties: DatabaseProperties) -> list[Change]:
    """What gives a database of its own name all of them."""
    return [
        *settings(name, properties),
        *labels(name, properties),
        *attributes(name, properties),
        *rights(name, properties),
    ]


def missing_roles(name: str, properties: DatabaseProperties, roles: frozenset[str]) -> list[Change]:
    """What names a role that is none of these."""
    changes = rights(name, properties) + settings(name, properties)
    return [change for change in changes if not change.roles <= roles]


def spoken(change: Change) -> str:
    """The statement as a superuser or a member of the role says it."""
    if change.by is None:
        return change.statement
    return f"SET ROLE {quote_name(change.by)}; {change.statement}; RESET ROLE"
