"""What the structure of an archive, written out as SQL, needs of a server: roles and tablespaces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = r'(?P<name>"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)'
# One statement a line, as pg_restore writes them.
_ROLES = tuple(
    re.compile(pattern.replace("NAME", _NAME))
    for pattern in (
        r"^ALTER .* OWNER TO NAME;$",
        r"^GRANT .* TO NAME(?: WITH GRANT OPTION)?(?: GRANTED BY .*)?;$",
        r"^REVOKE .* FROM NAME(?: GRANTED BY .*)?;$",
        r"^ALTER DEFAULT PRIVILEGES FOR ROLE NAME .*;$",
        r"^CREATE POLICY .* TO NAME(?:, .*)?(?: (?:USING|WITH CHECK) .*)?;$",
        r"^SET SESSION AUTHORIZATION NAME;$",
    )
)
_TABLESPACE = re.compile(rf"^SET default_tablespace = {_NAME};$")
_NOT_A_ROLE = frozenset({"public", "current_user", "session_user"})


@dataclass(frozen=True, slots=True)
class Needs:
    """Names that must exist on the server."""

    roles: frozenset[str]
    tablespaces: frozenset[str]


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def read_needs(lines: Iterable[str]) -> Needs:
    """Pick the roles and tablespaces out of a script.

    A function's body may hold a line that looks like one of these; a role found so by mistake is reported as
    missing, which a person can see through, and never hides one that really is.
    """
    roles: set[str] = set()
    tablespaces: set[str] = set()
    for line in lines:
        if (match := _TABLESPACE.match(line)) and match["name"] != '""':
            tablespaces.add(_unquoted(match["name"]))
            continue
        for pattern in _ROLES:
            if match := pattern.match(line):
                roles.add(_unquoted(match["name"]))
                break
    return Needs(frozenset(role for role in roles if role.lower() not in _NOT_A_ROLE), frozenset(tablespaces))


_ROLE_STATEMENT = re.compile(rf"^(?:CREATE|ALTER) ROLE {_NAME}(?: .*)?;$")
_MEMBERSHIP = re.compile(rf"^GRANT {_NAME} TO .*;$")


def statements_for(role_dump: str, missing: Iterable[str]) -> list[str]:
    """The statements of a role dump that create the missing roles and give them their attributes and memberships.

    Args:
        role_dump: what ``pg_dumpall --globals-only --no-role-passwords`` wrote.
        missing: roles to create; those not in the dump get no statement.
    """
    wanted = set(missing)
    chosen = []
    for line in role_dump.splitlines():
        match = _ROLE_STATEMENT.match(line) or _MEMBERSHIP.match(line)
        if match is None:
            continue
        member = re.search(rf" TO {_NAME}(?: .*)?;$", line) if line.startswith("GRANT ") else None
        subject = _unquoted(member["name"]) if member else _unquoted(match["name"])
        if subject in wanted:
            chosen.append(line)
    return chosen
