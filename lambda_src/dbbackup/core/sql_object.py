"""Which object a statement is about: its kind as pg_dump calls it, its schema and its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dbbackup.core.sql_words import TEXT, unquoted

_KINDS: tuple[tuple[str, ...], ...] = tuple(
    tuple(kind.split())
    for kind in (
        "access method",
        "event trigger",
        "foreign data wrapper",
        "foreign table",
        "large object",
        "materialized view",
        "operator class",
        "operator family",
        "text search configuration",
        "text search dictionary",
        "text search parser",
        "text search template",
        "user mapping",
    )
)
_BEFORE_KIND = frozenset(
    ("or", "replace", "unlogged", "temp", "temporary", "global", "local", "unique", "trusted", "procedural")
)
_BEFORE_NAME = frozenset(("if", "not", "exists", "only", "concurrently"))
_NAMED_AT_TABLE = frozenset(("policy", "rule", "trigger", "constraint"))
# Of the whole server: https://www.postgresql.org/docs/current/catalogs-overview.html
SERVER_KINDS = frozenset(("ROLE", "USER", "GROUP", "TABLESPACE", "SYSTEM", "PARAMETER", "OWNED"))
_CALLED = {"LANGUAGE": "PROCEDURAL LANGUAGE", "LARGE OBJECT": "BLOB"}


@dataclass(frozen=True, slots=True)
class SqlObject:
    """An object. ``rest`` are the words behind its name."""

    kind: str
    schema: str
    name: str
    rest: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The object for a person."""
        return f"{self.kind} {self.schema}.{self.name}" if self.schema else f"{self.kind} {self.name}"


def object_of(found: Sequence[str]) -> SqlObject:
    """The object that words like ``TABLE IF NOT EXISTS ONLY public.item`` begin with.

    Args:
        found: the words outside parentheses, from the kind on, or from what may stand before it.
    """
    at = 0
    while at < len(found) and (found[at] in _BEFORE_KIND or list(found[at : at + 2]) == ["constraint", "trigger"]):
        at += 1
    if at == len(found):
        return SqlObject("", "", "")
    words = next((kind for kind in _KINDS if tuple(found[at : at + len(kind)]) == kind), (found[at],))
    kind = " ".join(words).upper()
    at += len(words)
    while at < len(found) and found[at] in _BEFORE_NAME:
        at += 1
    if kind == "USER MAPPING":
        name = unquoted(found[at + 1]) if at + 1 < len(found) else ""
        return SqlObject(kind, "", name, tuple(found[at + 2 :]))
    schema, name, behind = _qualified(found, at)
    if words[0] in _NAMED_AT_TABLE and "on" in found[at:]:
        schema, table, _ = _qualified(found, found.index("on", at) + 1)
        name = f"{table} {name}"
    return SqlObject(_CALLED.get(kind, kind), schema, name, tuple(found[behind:]))


def _qualified(found: Sequence[str], at: int) -> tuple[str, str, int]:
    """Schema and name that stand at a place, and the place behind them."""
    while at < len(found) and found[at] in _BEFORE_NAME:
        at += 1
    if at >= len(found) or found[at] == TEXT:
        return "", "", at
    if found[at + 1 : at + 2] == ["."] and at + 2 < len(found):
        return unquoted(found[at]), unquoted(found[at + 2]), at + 3
    return "", unquoted(found[at]), at + 1


def table_of(found: Sequence[str]) -> tuple[str, str]:
    """Schema and name of the table in words like ``ONLY public.item``."""
    schema, name, _ = _qualified(found, 0)
    return schema, name
