"""A restored copy held against the manifest: rows of every table, and how many objects of each kind."""

from __future__ import annotations

from dataclasses import dataclass

from dbbackup.core.manifest import Manifest
from dbbackup.core.ports import Database
from dbbackup.core.restore_plan import RestoreOptions

_EVERYTHING = 2**62
# What a plan may leave out changes these, and says so.
_MAY_DIFFER = frozenset({"policies"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a copy holds.

    Attributes:
        tables: tables in it.
        rows: rows of all of them.
        differences: what is not as in the manifest; empty for a faithful copy.
        notes: what differs where the manifest itself holds an estimate.
    """

    tables: int
    rows: int
    differences: tuple[str, ...]
    notes: tuple[str, ...]


def compare(database: Database, manifest: Manifest | None, options: RestoreOptions) -> Comparison:
    """Count what is in a copy and compare.

    Args:
        database: the copy.
        manifest: of the backup; None for an archive nobody vouches for, which is counted only.
        options: a partial restore is compared only in the tables that were asked for.
    """
    with database.session("restore check") as session:
        session.export_snapshot()  # its transaction sees all rows, or fails where a policy would hide some
        counted = session.count_rows(_EVERYTHING)
        objects = session.count_objects()
    rows = {(table.schema_name, table.table): table.rows for table in counted}
    differences: list[str] = []
    notes: list[str] = []
    for table in manifest.tables if manifest else ():
        name = (table.schema_name, table.table)
        if not wanted(name, options):
            continue
        found = rows.get(name)
        if found is None:
            differences.append(f"table {'.'.join(name)}: missing")
        elif table.exact and found != table.rows:
            differences.append(f"table {'.'.join(name)}: {found:,} rows instead of {table.rows:,}")
        elif not table.exact:
            notes.append(f"table {'.'.join(name)}: {found:,} rows, the manifest estimated {table.rows:,}")
    if manifest is not None and not options.partial:
        for kind in sorted(manifest.objects.keys() | objects.keys()):
            expected, has = manifest.objects.get(kind, 0), objects.get(kind, 0)
            if expected != has and kind not in _MAY_DIFFER and manifest.objects:
                differences.append(f"{kind}: {has} instead of {expected}")
    return Comparison(len(counted), sum(rows.values()), tuple(differences), tuple(notes))


def wanted(table: tuple[str, str], options: RestoreOptions) -> bool:
    """Whether a table's data is asked for."""
    return not options.partial or table in options.tables or table[0] in options.schemas
