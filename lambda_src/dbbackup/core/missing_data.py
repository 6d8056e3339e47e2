"""What must wait for data that is not there yet, and what was made without it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from dbbackup.core.archive_toc import TABLE_DATA, TableOfContents

ACTS_ON_DATA = frozenset(("CHECK CONSTRAINT", "FK CONSTRAINT", "ROW SECURITY", "TRIGGER"))
"""What would change or refuse data that comes later: a trigger fires, a check that is not valid refuses old rows."""
_TABLES = frozenset(("TABLE", "FOREIGN TABLE"))
_REFRESH = "MATERIALIZED VIEW DATA"


def waiting_for_data(contents: TableOfContents, failed: AbstractSet[int]) -> frozenset[int]:
    """What is not to be made as long as data of its table, or of one that inherits from that, is missing."""
    tables = _tables_without_data(contents, failed)
    if not tables:
        return frozenset()
    return frozenset(
        entry.dump_id
        for entry in contents.items
        if entry.kind in ACTS_ON_DATA and not tables.isdisjoint(entry.dependencies)
    )


def refreshed_without(contents: TableOfContents, failed: AbstractSet[int]) -> frozenset[int]:
    """Entries that filled materialized views from tables, or from other such views, whose data was missing then."""
    without = _tables_without_data(contents, failed)
    for number in failed & contents.by_id.keys():
        if contents.by_id[number].kind == _REFRESH:
            without |= set(contents.by_id[number].dependencies)
    if not without:
        return frozenset()
    needing = defaultdict[int, list[int]](list)
    for entry in contents.items:
        for needed in entry.dependencies:
            needing[needed].append(entry.dump_id)
    reached = _closure(without, needing)
    return (
        frozenset(entry.dump_id for entry in contents.items if entry.kind == _REFRESH and entry.dump_id in reached)
        - failed
    )


def _tables_without_data(contents: TableOfContents, failed: AbstractSet[int]) -> set[int]:
    """Their entries, and those of the tables that they are read through."""
    by_id = contents.by_id
    kind = {number: by_id[number].kind for number in by_id}
    start = {
        needed
        for number in failed & by_id.keys()
        if kind[number] == TABLE_DATA
        for needed in by_id[number].dependencies
        if kind.get(needed) in _TABLES
    }
    parents = defaultdict[int, list[int]](list)
    for entry in contents.items if start else ():
        needed = [number for number in entry.dependencies if kind.get(number) in _TABLES]
        if entry.kind in _TABLES:
            parents[entry.dump_id] += needed
        elif entry.kind == "TABLE ATTACH":
            for child in needed:
                if (by_id[child].schema, by_id[child].tag) == (entry.schema, entry.tag):
                    parents[child] += [number for number in needed if number != child]
    return _closure(start, parents)


def _closure(start: Iterable[int], edges: dict[int, list[int]]) -> set[int]:
    reached = set(start)
    waiting = list(reached)
    while waiting:
        new = set(edges.get(waiting.pop(), ())) - reached
        reached |= new
        waiting += new
    return reached
