"""The statements of a role dump that bring missing roles back, as far as somebody may say them who is no superuser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dbbackup.core.acting_role import is_acting_role
from dbbackup.core.sql_tokens import Statement, statements

# pg_dumpall of late 2025 and later writes it at the head, before anything that comes from the server, and its
# counterpart with the same random key at the end: https://www.postgresql.org/docs/current/app-psql.html
_RESTRICT = re.compile(r"^\\restrict (\w+)$", re.MULTILINE)
_HEAD_CHARACTERS = 1000
# Attributes that only somebody who has them may speak of, even to say that a role has not got them:
# https://www.postgresql.org/docs/current/sql-alterrole.html
_POWERS = ("SUPERUSER", "REPLICATION", "BYPASSRLS", "CREATEDB", "CREATEROLE")
FIRST_MAJOR_WITH_MEMBERSHIP_OPTIONS = 16
"""https://www.postgresql.org/docs/16/release-16.html: INHERIT and SET of each membership, and several grantors."""


@dataclass(frozen=True, slots=True)
class RoleStatement:
    """One statement, and the role that it makes or changes."""

    role: str
    sql: str

    @property
    def creates(self) -> bool:
        """Whether it makes the role, without which nothing that belongs to it can be restored."""
        return self.sql.startswith("CREATE ROLE")


def roles_of(role_dump: str) -> dict[str, set[str]]:
    """The roles of a dump, each with those that it is a member of or that are members of it."""
    neighbours: dict[str, set[str]] = {}
    memberships = []
    for statement in statements_of(role_dump):
        if statement.begins("CREATE", "ROLE"):
            neighbours[statement.tokens[2].identifier] = set()
        elif (pair := _membership(statement)) and not _is_for_administration(statement):
            memberships.append(pair)
    for group, member in memberships:
        if group in neighbours and member in neighbours:
            neighbours[group].add(member)
            neighbours[member].add(group)
    return neighbours


def to_create(role_dump: str, needed: Iterable[str], existing: frozenset[str], *, everything: bool) -> tuple[str, ...]:
    """Roles of a dump that are to be created: those needed, and whatever memberships connect them with.

    Without the latter nobody could log in who works through a group, and no group would give what it gave.

    Args:
        role_dump: what ``pg_dumpall --globals-only --no-role-passwords`` wrote.
        needed: roles that the archive and the database's properties refer to.
        existing: roles that the server has.
        everything: also roles that have nothing to do with this database.
    """
    neighbours = roles_of(role_dump)
    wanted = set(neighbours) if everything else set(needed) & neighbours.keys()
    waiting = list(wanted)
    while waiting:
        for role in neighbours[waiting.pop()] - wanted:
            wanted.add(role)
            if role not in existing:
                waiting.append(role)
    return tuple(sorted(wanted - existing))


def role_statements(
    role_dump: str, missing: Iterable[str], existing: frozenset[str], *, user: str, superuser: bool, major: int
) -> tuple[RoleStatement, ...]:
    """What creates the missing roles, and gives them their attributes, settings, comments and memberships.

    Args:
        role_dump: what ``pg_dumpall --globals-only --no-role-passwords`` wrote.
        missing: roles to create; those not in the dump get no statement.
        existing: roles that the server has; a membership in one that is neither there nor created is left out.
        user: who will say them; whoever creates a role may administer it by that.
        superuser: whether that is a superuser.
        major: of the server that they are said to.
    """
    created = set(missing)
    known = created | existing
    found: list[RoleStatement] = []
    for statement in statements_of(role_dump):
        if pair := _membership(statement):
            group, member = pair
            if member == user and group in created and _is_for_administration(statement):
                continue
            if created & {group, member} and {group, member} <= known:
                found.append(RoleStatement(member, _grant(statement, known, superuser=superuser, major=major)))
            continue
        role = _subject(statement)
        if role not in created or statement.has("IN", "DATABASE"):
            continue  # settings in a database are properties of that
        if statement.begins("ALTER", "ROLE") and statement.has("WITH") and not superuser:
            found += [RoleStatement(role, sql) for sql in _attributes(statement)]
        else:
            found.append(RoleStatement(role, statement.sql))
    return tuple(found)


def statements_of(role_dump: str) -> Iterator[Statement]:
    """The statements of a role dump, without commands of psql."""
    if key := _RESTRICT.search(role_dump[:_HEAD_CHARACTERS]):
        for command in ("restrict", "unrestrict"):
            role_dump = role_dump.replace(f"\\{command} {key[1]}\n", "\n", 1)
    # A restore that went on beside the backup has its memberships from a role that is not to come back.
    for statement in statements(role_dump):
        if not any(is_acting_role(token.identifier) for token in statement.tokens):
            yield statement


def _subject(statement: Statement) -> str | None:
    for words in (("CREATE", "ROLE"), ("ALTER", "ROLE"), ("COMMENT", "ON", "ROLE")):
        if statement.begins(*words) and len(statement.tokens) > len(words):
            return statement.tokens[len(words)].identifier
    if statement.begins("SECURITY", "LABEL") and (after := statement.after("ON", "ROLE")):
        return after[0].identifier
    if statement.begins("GRANT") and statement.has("ON", "PARAMETER") and (after := statement.after("TO")):
        return after[0].identifier
    return None


def _membership(statement: Statement) -> tuple[str, str] | None:
    if not statement.begins("GRANT") or len(statement.tokens) < 4 or not statement.tokens[2].is_word("TO"):
        return None
    return statement.tokens[1].identifier, statement.tokens[3].identifier


def _is_for_administration(statement: Statement) -> bool:
    """Whether it gives nothing but the right to administer, as who creates a role gets it: all are of the master."""
    return statement.has("INHERIT", "FALSE") and statement.has("SET", "FALSE")


def _grant(statement: Statement, known: set[str], *, superuser: bool, major: int) -> str:
    grantor = statement.after("GRANTED", "BY")
    end = len(statement.sql)
    if grantor:
        by = statement.tokens[len(statement.tokens) - len(grantor) - 2]
        end = by.start - statement.tokens[0].start
    head = statement.sql[:end].rstrip("; \n")
    if major < FIRST_MAJOR_WITH_MEMBERSHIP_OPTIONS:
        admin = statement.has("ADMIN", "OPTION") or statement.has("ADMIN", "TRUE")
        group, member = statement.tokens[1].text, statement.tokens[3].text
        head = f"GRANT {group} TO {member}" + (" WITH ADMIN OPTION" if admin else "")
    if grantor and superuser and grantor[0].identifier in known:
        head += f" GRANTED BY {grantor[0].text}"
    return head + ";"


def _attributes(statement: Statement) -> list[str]:
    """ALTER ROLE in statements of which each can be refused by itself."""
    role = statement.tokens[2].text
    rest, single = [], []
    for token in statement.tokens[4:]:
        if token.text == ";" or token.is_word(*(f"NO{power}" for power in _POWERS)):
            continue  # a role that was just created has none of them
        if token.is_word(*_POWERS):
            single.append(f"ALTER ROLE {role} WITH {token.text};")
        else:
            rest.append(token.text)
    # Signs as -1 are two tokens: "CONNECTION LIMIT -1".
    words = " ".join(rest).replace("- ", "-")
    return ([f"ALTER ROLE {role} WITH {words};"] if words else []) + single
