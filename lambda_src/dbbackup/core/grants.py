"""Grants that another role has given, as somebody can say them who is no superuser."""

from __future__ import annotations

from dbbackup.core.archive_toc import Entry
from dbbackup.core.sql_tokens import statements


def has_other_grantors(entry: Entry) -> bool:
    """Whether pg_dump wrote it with SET SESSION AUTHORIZATION, which only a superuser may say."""
    return entry.kind == "ACL" and "SET SESSION AUTHORIZATION" in entry.definition


def as_their_grantors(entry: Entry, acting: frozenset[str]) -> tuple[str, list[str]]:
    """The entry with SET ROLE instead.

    Args:
        entry: of kind ACL.
        acting: roles that we can act as.

    Returns:
        The statements, and those of grantors whom we cannot be.
    """
    said, left_out = [], []
    grantor: str | None = None
    role = ""
    for statement in statements(entry.definition):
        if statement.begins("SET", "SESSION", "AUTHORIZATION"):
            token = statement.after("AUTHORIZATION")[0]
            grantor, role = token.identifier, token.text
            if grantor in acting:
                said.append(f"SET ROLE {role};")
        elif statement.begins("RESET", "SESSION", "AUTHORIZATION"):
            if grantor in acting:
                said.append("RESET ROLE;")
            grantor = None
        elif grantor is None or grantor in acting:
            said.append(statement.sql)
        else:
            left_out.append(f"SET SESSION AUTHORIZATION {role}; {statement.sql} RESET SESSION AUTHORIZATION;")
    return "\n".join(said), left_out
