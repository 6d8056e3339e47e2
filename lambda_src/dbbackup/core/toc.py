"""The listing that `pg_restore --list` prints of an archive."""

from __future__ import annotations

import re
from dataclasses import dataclass

# "3370; 0 16389 TABLE DATA public order items ftry": dump id, catalogue, object id, then a description.
_ENTRY = re.compile(r"^(?P<dump_id>\d+); (?P<catalog>\d+) (?P<oid>\d+) (?P<rest>.+)$")
_TABLE_DATA = "TABLE DATA "


@dataclass(frozen=True, slots=True)
class TableOfContents:
    """What an archive says it holds."""

    entries: int
    table_data_oids: frozenset[int]


def parse_listing(listing: str) -> TableOfContents:
    """Count the entries of a listing and pick the tables that have data.

    Names are not taken from here: pg_restore separates them with spaces and does not quote them.
    """
    entries = 0
    oids = set()
    for line in listing.splitlines():
        match = _ENTRY.match(line)
        if match is None:
            continue
        entries += 1
        if match["rest"].startswith(_TABLE_DATA):
            oids.add(int(match["oid"]))
    return TableOfContents(entries, frozenset(oids))
