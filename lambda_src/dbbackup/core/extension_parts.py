"""Which entries of an archive go with another: what needs it, and what belongs to an extension."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from dbbackup.core.archive_toc import EXTENSION, Entry, TableOfContents
from dbbackup.core.sql_tokens import statements

# Extensions that keep their tables in a schema of another name than their own.
_SCHEMAS = {"pg_cron": "cron", "pg_net": "net", "pg_partman": "partman"}
_SHARED_SCHEMAS = ("public", "pg_catalog")


def dependents_of(contents: TableOfContents, roots: Iterable[int]) -> set[int]:
    """Numbers of the entries that need one of these, at first or second hand; without these themselves."""
    needed_by: dict[int, list[int]] = defaultdict(list)
    servers = {entry.tag: entry.dump_id for entry in contents.items if entry.kind == "SERVER"}
    for entry in contents.items:
        for number in (*entry.dependencies, *_server_of(entry, servers)):
            needed_by[number].append(entry.dump_id)
    found = set(roots)
    waiting = list(found)
    while waiting:
        for number in needed_by[waiting.pop()]:
            if number not in found:
                found.add(number)
                waiting.append(number)
    return found - set(roots)


def _server_of(entry: Entry, servers: dict[str, int]) -> Iterator[int]:
    """The server of a user mapping, which pg_dump names in the statement alone: dumpUserMappings in its pg_dump.c."""
    if entry.kind == "USER MAPPING":
        for statement in statements(entry.definition):
            if (after := statement.after("SERVER")) and after[0].identifier in servers:
                yield servers[after[0].identifier]


def orphans_of(contents: TableOfContents) -> tuple[Entry, ...]:
    """Entries about objects that are not in the archive: those that an extension makes by itself."""
    return tuple(
        entry
        for entry in contents.items
        if entry.dependencies and not any(number in contents.by_id for number in entry.dependencies)
    )


def parts_of(contents: TableOfContents, extension: Entry) -> set[int]:
    """Numbers of an extension's entry, and of what is about its own objects; without what else needs them."""
    schemas = {extension.tag, _SCHEMAS.get(extension.tag, extension.tag)}
    for statement in statements(extension.definition):
        if schema := statement.after("SCHEMA"):
            schemas.add(schema[0].identifier)
    schemas -= set(_SHARED_SCHEMAS)
    parts = {extension.dump_id}
    for entry in orphans_of(contents):
        if entry.kind != EXTENSION and _schema_of(entry) in schemas:
            parts.add(entry.dump_id)
    return parts


def _schema_of(entry: Entry) -> str:
    return entry.schema or entry.tag.removeprefix("SCHEMA ").strip('"')
