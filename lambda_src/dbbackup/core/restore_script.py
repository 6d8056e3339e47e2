"""What the structure of an archive, written out as SQL, needs of a server: roles and tablespaces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = r'(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)'
_ONE = rf"(?P<names>{_NAME})"
_SEVERAL = rf"(?P<names>{_NAME}(?:, {_NAME})*)"
_GRANTED_BY = r"(?: GRANTED BY .*)?"
# One statement a line, as pg_restore writes them; only expressions, at the end of policies, go over several.
_OWNERS = (re.compile(rf"^ALTER .* OWNER TO {_ONE};$"),)
_GRANTEES = (
    re.compile(rf"^(?:ALTER DEFAULT PRIVILEGES .* )?GRANT .* TO {_ONE}(?: WITH GRANT OPTION)?{_GRANTED_BY};$"),
    re.compile(rf"^(?:ALTER DEFAULT PRIVILEGES .* )?REVOKE .* FROM {_ONE}{_GRANTED_BY};$"),
    re.compile(rf"^ALTER DEFAULT PRIVILEGES FOR ROLE {_ONE} .*;$"),
    re.compile(rf"^SET SESSION AUTHORIZATION {_ONE};$"),
)
_NAMED = (
    re.compile(rf"^CREATE POLICY .*? TO {_SEVERAL}(?: USING | WITH CHECK |;$)"),
    re.compile(rf"^CREATE USER MAPPING FOR {_ONE} SERVER "),
)
_TABLESPACE = re.compile(rf"^SET default_tablespace = {_ONE};$")
_NOT_A_ROLE = frozenset({"public", "current_user", "session_user"})


@dataclass(frozen=True, slots=True)
class Needs:
    """Names that must exist on the server.

    Attributes:
        owners: roles that own something.
        grantees: roles that grants, and defaults for them, name.
        named: roles that policies and user mappings name; no option of pg_restore leaves those out.
        tablespaces: tablespaces that something lies in.
    """

    owners: frozenset[str]
    grantees: frozenset[str]
    named: frozenset[str]
    tablespaces: frozenset[str]

    def roles(self, *, owner: bool, privileges: bool) -> frozenset[str]:
        """Roles that a restore with or without ownership and grants refers to."""
        return self.named | (self.owners if owner else frozenset()) | (self.grantees if privileges else frozenset())


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _found(patterns: Iterable[re.Pattern[str]], line: str) -> set[str]:
    matches = (pattern.match(line) for pattern in patterns)
    names = {_unquoted(name) for match in matches if match for name in re.findall(_NAME, match["names"])}
    return {name for name in names if name.lower() not in _NOT_A_ROLE}


def read_needs(lines: Iterable[str]) -> Needs:
    """Pick the roles and tablespaces out of a script.

    A function's body may hold a line that looks like one of these; a role found so by mistake is reported as
    missing, which a person can see through, and never hides one that really is.
    """
    owners: set[str] = set()
    grantees: set[str] = set()
    named: set[str] = set()
    tablespaces: set[str] = set()
    for line in lines:
        owners |= _found(_OWNERS, line)
        grantees |= _found(_GRANTEES, line)
        named |= _found(_NAMED, line)
        if match := _TABLESPACE.match(line):
            tablespaces.add(_unquoted(match["names"]))
    return Needs(frozenset(owners), frozenset(grantees), frozenset(named), frozenset(tablespaces))


_ROLE_STATEMENT = re.compile(rf"^(?:CREATE|ALTER) ROLE (?P<role>{_NAME})(?: .*)?;$")
_MEMBERSHIP = re.compile(
    rf"^(?P<grant>GRANT (?P<group>{_NAME}) TO (?P<role>{_NAME}).*?)(?: GRANTED BY (?P<grantor>{_NAME}))?;$"
)


def statements_for(role_dump: str, missing: Iterable[str], *, existing: frozenset[str]) -> list[str]:
    """The statements of a role dump that create the missing roles and give them their attributes and memberships.

    Args:
        role_dump: what ``pg_dumpall --globals-only --no-role-passwords`` wrote.
        missing: roles to create; those not in the dump get no statement.
        existing: roles that the server has. A membership in one that is neither there nor created is left out, and
            so is the mention of a grantor like that.
    """
    wanted = set(missing)
    chosen = []
    for line in role_dump.splitlines():
        if (match := _ROLE_STATEMENT.match(line)) and _unquoted(match["role"]) in wanted:
            chosen.append(line)
        elif (match := _MEMBERSHIP.match(line)) and _unquoted(match["role"]) in wanted:
            if _unquoted(match["group"]) not in wanted | existing:
                continue
            known = match["grantor"] is None or _unquoted(match["grantor"]) in wanted | existing
            chosen.append(line if known else f"{match['grant']};")
    return chosen
