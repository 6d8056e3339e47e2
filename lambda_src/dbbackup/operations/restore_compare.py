"""A restored copy held against what the archive holds: rows of every table, and every object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dbbackup.core.archive_objects import expected
from dbbackup.core.archive_toc import SCRIPT, TableOfContents
from dbbackup.core.copy_ports import CopiedTable, TableName
from dbbackup.core.manifest import Manifest, TableCount
from dbbackup.core.manifest_names import printable
from dbbackup.core.ports import Database
from dbbackup.core.restore_plan import RestoreOptions


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a copy holds.

    Attributes:
        tables: tables whose data was in the archive and is in the copy.
        rows: rows of all of them.
        differences: what is not as in the archive; empty for a faithful copy.
        notes: what differs where the manifest itself was not exact.
    """

    tables: int
    rows: int
    differences: tuple[str, ...]
    notes: tuple[str, ...]


def compare(
    database: Database,
    contents: TableOfContents,
    manifest: Manifest | None,
    skipped: frozenset[int],
    options: RestoreOptions,
    *,
    recount: Callable[[], Mapping[int, int] | None] | None = None,
) -> Comparison:
    """Look at a copy and compare, in one direction: whatever the archive has must be there.

    Args:
        database: the copy.
        contents: the archive's table of contents.
        manifest: of the backup; for an archive nobody vouches for, None: its objects are compared, its rows counted.
        skipped: numbers of the entries that were left out.
        options: how many may look at once.
        recount: counts the rows in the archive itself, by the number of the entry; asked where a manifest disagrees.
            Those of before counted in the server, which could be another moment's.
    """
    copy = database.as_copy(contents)
    data = [entry for entry in contents.table_data if entry.dump_id not in skipped]
    has = copy.count([(entry.schema, entry.tag) for entry in data], options.jobs)
    objects = copy.objects()
    # Of a script each statement was carried out by itself: what it made is there, or was refused and is named.
    listed = {} if contents.format == SCRIPT else expected(contents, skipped)
    missing = [what for identity, what in listed.items() if identity not in objects]
    rows = _Rows(has, recount, {(entry.schema, entry.tag): entry.dump_id for entry in data})
    left_out = {(entry.schema, entry.tag) for entry in contents.table_data if entry.dump_id in skipped}
    for table in manifest.tables if manifest else ():
        if (table.schema_name, table.table) not in left_out:
            rows.check(table)
    return Comparison(
        tables=len(has),
        rows=sum(table.rows for table in has.values()),
        differences=(*(f"{printable(what)}: missing" for what in missing), *rows.differences),
        notes=tuple(rows.notes),
    )


class _Rows:
    """Rows of the copy against those of the manifest."""

    def __init__(
        self,
        has: Mapping[TableName, CopiedTable],
        recount: Callable[[], Mapping[int, int] | None] | None,
        entries: Mapping[TableName, int],
    ) -> None:
        self._has = has
        self._recount = recount
        self._entries = entries
        self._in_archive: Mapping[int, int] | None = None
        self.differences: list[str] = []
        self.notes: list[str] = []

    def check(self, table: TableCount) -> None:
        name = (table.schema_name, table.table)
        called = printable(".".join(name))
        found = self._has.get(name)
        if found is None:
            self.differences.append(f"table {called}: missing")
        elif not table.exact:
            self.notes.append(f"table {called}: {found.rows:,} rows, the manifest estimated {table.rows:,}")
        elif not _fits(found, table.rows):
            holds = self._archive_has(name) if table.counted_in_server else None
            if holds is not None and _fits(found, holds):
                self.notes.append(f"table {called}: {found.rows:,} rows, as in the archive; manifest: {table.rows:,}")
            else:
                self.differences.append(f"table {called}: {found.rows:,} rows instead of {table.rows:,}")

    def _archive_has(self, name: TableName) -> int | None:
        if self._in_archive is None and self._recount is not None:
            self._in_archive = self._recount() or {}
        return (self._in_archive or {}).get(self._entries[name])


def _fits(found: CopiedTable, rows: int) -> bool:
    """Whether a table has as many rows as it should; one of an extension may have more, which that has put in."""
    return found.rows == rows or (found.of_extension and found.rows > rows)


def wanted(table: tuple[str, str], options: RestoreOptions) -> bool:
    """Whether a table's data is asked for."""
    return not options.partial or table in options.tables or table[0] in options.schemas
