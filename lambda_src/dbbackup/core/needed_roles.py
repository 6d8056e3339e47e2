"""Roles and tablespaces that an archive refers to, from its entries' owners, grants and definitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dbbackup.core.archive_toc import Entry
from dbbackup.core.quoting import quote_name
from dbbackup.core.sql_tokens import Statement, Token, statements

# What pg_restore writes OWNER TO for: _printTocEntry in PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c.
_OWNED = frozenset(
    (
        "AGGREGATE",
        "BLOB",
        "BLOB METADATA",
        "COLLATION",
        "CONVERSION",
        "DOMAIN",
        "EVENT TRIGGER",
        "FOREIGN DATA WRAPPER",
        "FOREIGN TABLE",
        "FUNCTION",
        "MATERIALIZED VIEW",
        "OPERATOR",
        "OPERATOR CLASS",
        "OPERATOR FAMILY",
        "PROCEDURAL LANGUAGE",
        "PROCEDURE",
        "PUBLICATION",
        "SCHEMA",
        "SEQUENCE",
        "SERVER",
        "STATISTICS",
        "SUBSCRIPTION",
        "TABLE",
        "TEXT SEARCH CONFIGURATION",
        "TEXT SEARCH DICTIONARY",
        "TYPE",
        "VIEW",
    )
)
_LARGE_OBJECTS = ("BLOB", "BLOB METADATA")
ACL_KINDS = ("ACL", "ACL LANGUAGE", "DEFAULT ACL")
_NOBODY = ("PUBLIC", "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE")


@dataclass(frozen=True, slots=True)
class Needs:
    """Names that must exist on the server.

    Attributes:
        owners: roles that own something.
        grantees: roles that grants, and defaults for them, name.
        named: roles that policies and user mappings name; no option of pg_restore leaves those out.
        grantors: roles that we must act as, as grants are theirs, or defaults for what they will create.
        tablespaces: tablespaces that something lies in.
        public_owner: who owned the schema public, which there is without the archive; empty for its usual owner.
    """

    owners: frozenset[str] = frozenset()
    grantees: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    grantors: frozenset[str] = frozenset()
    tablespaces: frozenset[str] = frozenset()
    public_owner: str = ""

    def roles(self, *, owner: bool, privileges: bool) -> frozenset[str]:
        """Roles that a restore with or without ownership and grants refers to."""
        granted = self.grantees | self.grantors if privileges else frozenset[str]()
        return self.named | granted | (self.owners if owner else frozenset())

    def acting(self, *, owner: bool, privileges: bool) -> frozenset[str]:
        """Roles that such a restore must be able to act as."""
        owners = self.owners | {self.public_owner} - {""} if owner else frozenset[str]()
        return owners | (self.grantors if privileges else frozenset())


def is_of_database(entry: Entry) -> bool:
    """Whether it says something of the database itself, which pg_restore leaves out without ``--create``."""
    return entry.kind.startswith("DATABASE") or (
        entry.kind in ("ACL", "COMMENT", "SECURITY LABEL") and entry.tag.startswith("DATABASE ")
    )


def is_public(entry: Entry) -> bool:
    """Whether it is the schema public, or says something of it."""
    return (entry.kind == "SCHEMA" and entry.tag == "public") or (not entry.schema and entry.tag == "SCHEMA public")


def owner_of(entry: Entry) -> str:
    """The role that pg_restore gives the object to; empty for none."""
    if entry.kind not in _OWNED or not (entry.drop or entry.kind in _LARGE_OBJECTS):
        return ""
    return entry.owner


def owner_statement(entry: Entry) -> str:
    """What gives the object to its owner, as pg_restore says it; empty where it says nothing.

    Made of what removes the object, as _getObjectDescription in PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c does.
    """
    owner = owner_of(entry)
    if entry.kind == "SCHEMA":  # public is never removed
        return f"ALTER SCHEMA {quote_name(entry.tag)} OWNER TO {quote_name(owner)};" if owner else ""
    named = entry.drop.strip().removesuffix(";").removesuffix(" CASCADE").removeprefix("DROP ")
    return f"ALTER {named} OWNER TO {quote_name(owner)};" if owner and named else ""


def needs_of(entries: Iterable[Entry]) -> Needs:
    """What these entries need."""
    owners, grantees, named, grantors, spaces = set[str](), set[str](), set[str](), set[str](), set[str]()
    public_owner = ""
    for entry in entries:
        if is_of_database(entry):
            continue
        if entry.kind == "SCHEMA" and is_public(entry):
            public_owner = owner_of(entry)
        else:
            owners.add(owner_of(entry))
        spaces.add(entry.tablespace)
        if entry.kind in ACL_KINDS:
            for statement in statements(entry.definition):
                grantees |= grantees_of(statement)
                grantors |= _grantors(statement)
        elif entry.kind == "POLICY":
            for statement in statements(entry.definition):
                named |= _roles(statement.after("TO"))
        elif entry.kind == "USER MAPPING":
            for statement in statements(entry.definition):
                named |= _roles(statement.after("MAPPING", "FOR"))
    return Needs(
        owners=frozenset(owners - {""}),
        grantees=frozenset(grantees),
        named=frozenset(named),
        grantors=frozenset(grantors),
        tablespaces=frozenset(spaces - {""}),
        public_owner=public_owner,
    )


def grantees_of(statement: Statement) -> set[str]:
    """Whom a GRANT or REVOKE names."""
    if not any(statement.begins(word) for word in ("GRANT", "REVOKE", "ALTER")):
        return set()
    # Both words are reserved, so no name is one of them without quotes:
    # https://www.postgresql.org/docs/current/sql-keywords-appendix.html
    return _roles(statement.after("TO") or statement.after("FROM"))


def grantors_of(entry: Entry) -> set[str]:
    """Roles that we must act as to say these grants, or these defaults."""
    return {role for statement in statements(entry.definition) for role in _grantors(statement)}


def _grantors(statement: Statement) -> set[str]:
    if statement.begins("SET", "SESSION", "AUTHORIZATION"):
        return _roles(statement.after("AUTHORIZATION"))
    if statement.begins("ALTER", "DEFAULT", "PRIVILEGES"):
        return _roles(statement.after("FOR", "ROLE"))
    return set()


def _roles(found: Sequence[Token]) -> set[str]:
    """The names of a list at the beginning of these tokens. By its place alone, as a role may be called ``server``."""
    names = set[str]()
    complete = False
    for token in found:
        if token.text == ",":
            complete = False
        elif complete or token.kind not in ("word", "name"):
            break
        elif not token.is_word("GROUP"):
            complete = True
            if not token.is_word(*_NOBODY):
                names.add(token.identifier)
    return names
