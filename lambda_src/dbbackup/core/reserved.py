"""Entries of an archive that somebody who is no superuser cannot restore, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from dbbackup.core.archive_toc import Entry, TableOfContents
from dbbackup.core.needed_roles import ACL_KINDS
from dbbackup.core.restore_rights import Rights
from dbbackup.core.sql_tokens import Statement, statements

# https://www.postgresql.org/docs/current/sql-commands.html: each of these commands asks for a superuser.
_ALWAYS = {
    "ACCESS METHOD": "access methods",
    "FOREIGN DATA WRAPPER": "foreign data wrappers",
    "OPERATOR CLASS": "operator classes",
    "OPERATOR FAMILY": "operator families",
    "PROCEDURAL LANGUAGE": "languages",
    "SHELL TYPE": "base types",
    "TEXT SEARCH PARSER": "text search parsers",
    "TEXT SEARCH TEMPLATE": "text search templates",
}
_TYPES = ("TYPE", "DOMAIN", "TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE")
_ROUTINES = ("FUNCTION", "PROCEDURE", "AGGREGATE")
_OF_THE_SYSTEM = ("pg_catalog", "information_schema")


def settings_of(contents: TableOfContents) -> frozenset[str]:
    """Settings that functions of an archive fix for themselves."""
    return frozenset(name for entry in contents.items for name in _settings(entry))


def label_providers_of(contents: TableOfContents) -> frozenset[str]:
    """Providers of the security labels in an archive."""
    return frozenset(
        after[0].identifier
        for entry in contents.items
        if entry.kind == "SECURITY LABEL"
        for statement in statements(entry.definition)
        if (after := statement.after("LABEL", "FOR"))
    )


def reserved(contents: TableOfContents, rights: Rights) -> Iterator[tuple[Entry, str]]:
    """The entries that this user cannot restore, each with the reason."""
    of_schemas = _publications_of_schemas(contents)
    for entry in contents.items:
        why = _label_problem(entry, rights)
        if why is None and not rights.superuser and entry.dump_id in of_schemas:
            why = "only a superuser publishes whole schemas"
        if why is None and not rights.superuser:
            why = _problem(entry, contents, rights)
        if why is not None:
            yield entry, why


def _publications_of_schemas(contents: TableOfContents) -> frozenset[int]:
    parts = (entry for entry in contents.items if entry.kind == "PUBLICATION TABLES IN SCHEMA")
    return frozenset(
        number
        for part in parts
        for number in part.dependencies
        if number in contents.by_id and contents.by_id[number].kind == "PUBLICATION"
    )


def _label_problem(entry: Entry, rights: Rights) -> str | None:
    if entry.kind != "SECURITY LABEL":
        return None
    for statement in statements(entry.definition):
        after = statement.after("LABEL", "FOR")
        if after and after[0].identifier not in rights.label_providers:
            return f"the server has not loaded the label provider {after[0].identifier}"
    return None


def _problem(entry: Entry, contents: TableOfContents, rights: Rights) -> str | None:
    if entry.kind in _ALWAYS:
        return f"only a superuser makes {_ALWAYS[entry.kind]}"
    if entry.kind == "EVENT TRIGGER":
        return None if rights.managed else "only a superuser makes event triggers"
    if entry.kind == "PUBLICATION" and _first(entry).has("FOR", "ALL", "TABLES"):
        return "only a superuser publishes all tables"
    if is_on_extension(entry):
        return "only the owner of an extension may comment on it"
    if entry.kind == "TYPE" and not _first(entry).has("AS"):
        return "only a superuser makes base types"
    if entry.kind == "CAST":
        return _cast_problem(entry, contents)
    if entry.kind == "TRANSFORM" and not _depends_on_own_type(entry, contents):
        return "only the owner of a type makes its transform, and this one belongs to a superuser"
    if entry.kind in _ROUTINES:
        return _routine_problem(entry, rights)
    if entry.kind in (*ACL_KINDS, "COMMENT", "SECURITY LABEL") and entry.schema in _OF_THE_SYSTEM:
        return "it is about an object of the system, which belongs to a superuser"
    return _foreign_problem(entry, contents, rights)


def is_on_extension(entry: Entry) -> bool:
    """Whether it is the comment of an extension."""
    return entry.kind == "COMMENT" and entry.tag.startswith("EXTENSION ")


def says_nothing_new(entry: Entry, rights: Rights) -> bool:
    """Whether it is the comment that CREATE EXTENSION gives the extension anyway."""
    name = entry.tag.removeprefix("EXTENSION ").strip('"')
    comment = rights.extensions.get(name)
    return comment is not None and any(
        token.kind == "text" and token.text[1:-1].replace("''", "'") == comment for token in _first(entry).tokens
    )


def _foreign_problem(entry: Entry, contents: TableOfContents, rights: Rights) -> str | None:
    """What is about an object that is not in the archive: one that an extension makes."""
    if not entry.dependencies or any(number in contents.by_id for number in entry.dependencies):
        return None
    if entry.kind == "ACL" and entry.tag != "SCHEMA public" and not entry.tag.startswith("LARGE OBJECT"):
        return "it is about an object that an extension made, which belongs to a superuser"
    if entry.kind == "TABLE DATA" and not rights.writes_all:
        return "it goes into a table that an extension made, which belongs to a superuser"
    return None


def _first(entry: Entry) -> Statement:
    return next(statements(entry.definition), Statement("", ()))


def _head(entry: Entry) -> Statement:
    """What a routine is, without its body."""
    statement = _first(entry)
    for index, token in enumerate(statement.tokens):
        if token.depth == 0 and token.is_word("AS", "RETURN", "BEGIN"):
            return Statement(statement.sql, statement.tokens[:index])
    return statement


def _cast_problem(entry: Entry, contents: TableOfContents) -> str | None:
    if _first(entry).has("WITHOUT", "FUNCTION"):
        return "only a superuser makes casts without a function"
    if _depends_on_own_type(entry, contents):
        return None
    return "only the owner of one of the two types makes a cast, and both belong to the system or to an extension"


def _depends_on_own_type(entry: Entry, contents: TableOfContents) -> bool:
    """Whether one of its types is in the archive. Those of a trusted extension are not: they are a superuser's.

    https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-FILES-TRUSTED
    """
    kinds = {contents.by_id[number].kind for number in entry.dependencies if number in contents.by_id}
    return not kinds.isdisjoint(_TYPES)


def _routine_problem(entry: Entry, rights: Rights) -> str | None:
    statement = _head(entry)
    if statement.has("LEAKPROOF"):
        return "only a superuser makes leakproof functions"
    if statement.has("SUPPORT"):
        return "only a superuser gives functions a support function"
    if entry.kind == "AGGREGATE" and _has_internal_state(statement):
        return "only a superuser makes aggregates with an internal state"
    language = statement.after("LANGUAGE")
    if language and language[0].identifier.strip("'") not in rights.languages:
        return f"only a superuser writes functions in the language {language[0].identifier}"
    for name in _settings(entry):
        if name not in rights.settings:
            return f"only a superuser may set {name}"
    return None


def _has_internal_state(statement: Statement) -> bool:
    names = [token.text.lower() for token in statement.tokens]
    return any(
        names[index] in ("stype", "mstype") and names[index + 1 : index + 3] == ["=", "internal"]
        for index in range(len(names))
    )


def _settings(entry: Entry) -> Iterable[str]:
    """Names after SET in the head of a function; its body is one literal, or comes after all of them."""
    if entry.kind not in _ROUTINES or " SET " not in entry.definition:
        return
    for token, following in pairwise(_head(entry).tokens):
        if token.is_word("SET") and token.depth == 0:
            yield following.identifier
