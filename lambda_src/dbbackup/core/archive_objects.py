"""The objects that an archive promises, each by kind, schema and name, as a catalogue can be asked for them."""

from __future__ import annotations

from collections.abc import Container
from typing import Final, NamedTuple

from dbbackup.core.archive_toc import TableOfContents


class Identity(NamedTuple):
    """One object. A constraint, trigger, rule, policy or default is named with its table: ``table name``."""

    kind: str
    schema: str
    name: str


# What pg_dump calls it, and what it is asked for as: which kind of constraint or type it is, versions see differently.
KINDS: Final = {
    "SCHEMA": "schema",
    "EXTENSION": "extension",
    "TABLE": "table",
    "FOREIGN TABLE": "table",
    "VIEW": "view",
    "MATERIALIZED VIEW": "materialized view",
    "SEQUENCE": "sequence",
    "INDEX": "index",
    "STATISTICS": "statistics",
    "CONSTRAINT": "constraint",
    "FK CONSTRAINT": "constraint",
    "CHECK CONSTRAINT": "constraint",
    "DEFAULT": "default",
    "TRIGGER": "trigger",
    "RULE": "rule",
    "POLICY": "policy",
    "ROW SECURITY": "row security",
    "FUNCTION": "function",
    "PROCEDURE": "function",
    "AGGREGATE": "function",
    "TYPE": "type",
    "SHELL TYPE": "type",
    "DOMAIN": "type",
    "COLLATION": "collation",
    "OPERATOR": "operator",
    "OPERATOR CLASS": "operator class",
    "OPERATOR FAMILY": "operator family",
    "TEXT SEARCH CONFIGURATION": "text search configuration",
    "TEXT SEARCH DICTIONARY": "text search dictionary",
    "FOREIGN DATA WRAPPER": "foreign data wrapper",
    "SERVER": "server",
    "EVENT TRIGGER": "event trigger",
    "PUBLICATION": "publication",
}
"""Kinds of entries that are compared. The others are rights, comments, attachments and data, or hang on these."""


def expected(contents: TableOfContents, skipped: Container[int]) -> dict[Identity, str]:
    """What a copy must have, with what to call each in a message.

    Args:
        contents: the archive's table of contents.
        skipped: numbers of entries that were left out.
    """
    return {
        Identity(KINDS[entry.kind], entry.schema, entry.tag): entry.description
        for entry in contents.items
        if entry.kind in KINDS and entry.dump_id not in skipped
    }
