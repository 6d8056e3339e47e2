"""The search paths that functions of a database may rely on: its own, those of its roles, PostgreSQL's default."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.quoting import quote_name
from dbbackup.core.role_statements import statements_of

DEFAULT_SEARCH_PATH: Final = '"$user", public'
"""https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SEARCH-PATH"""
_NAME: Final = "search_path"


def search_paths(
    properties: DatabaseProperties | None, of_roles: Mapping[str, str], roles: Iterable[str]
) -> tuple[str, ...]:
    """The paths to try, the likeliest first.

    Args:
        properties: of the database.
        of_roles: what roles have in every database.
        roles: the database's owner and the roles that the archive names.
    """
    settings = [setting for setting in (properties.settings if properties else ()) if setting.name == _NAME]
    own = [setting.value for setting in settings if setting.role is None]
    inside = sorted(setting.value for setting in settings if setting.role is not None)
    owner = [properties.owner] if properties and properties.owner else []
    everywhere = [of_roles[role] for role in (*owner, *sorted(roles)) if role in of_roles]
    return tuple(dict.fromkeys((*own, *inside, *everywhere, DEFAULT_SEARCH_PATH)))


def paths_in_role_dump(role_dump: str, roles: Collection[str]) -> dict[str, str]:
    """What a role dump gives these roles in every database, as the catalogue has it.

    A dump writes schemas as texts, the catalogue as names:
    ``makeAlterConfigCommand`` in PostgreSQL's src/bin/pg_dump/dumputils.c.
    """
    found: dict[str, str] = {}
    for statement in statements_of(role_dump):
        if not statement.begins("ALTER", "ROLE") or len(statement.tokens) < len(("ALTER", "ROLE", "x", "SET", "y")):
            continue
        role, verb, setting = statement.tokens[2:5]
        if role.identifier in roles and verb.is_word("SET") and setting.identifier == _NAME:
            schemas = (token.text[1:-1].replace("''", "'") for token in statement.tokens[5:] if token.kind == "text")
            found[role.identifier] = ", ".join(quote_name(schema) for schema in schemas)
    return found
