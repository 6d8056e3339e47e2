"""The listing that `pg_restore --list` prints of an archive."""

from __future__ import annotations

import re
from dataclasses import dataclass

# "3370; 0 16389 TABLE DATA public order items ftry": dump id, catalogue, object id, then a description.
_ENTRY = re.compile(r"^(?P<dump_id>\d+); (?P<catalog>\d+) (?P<oid>\d+) (?P<rest>.+)$")
_SERVER = re.compile(r"^;\s+Dumped from database version: (?P<version>(?P<major>\d+)\S*)")
_TABLE_DATA = "TABLE DATA "
_EXTENSION = "EXTENSION - "
EXTENSION_COMMENT = "COMMENT - EXTENSION "


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing."""

    dump_id: int
    oid: int
    description: str
    """Kind, schema, name and owner, separated by spaces and not quoted."""
    line: str


@dataclass(frozen=True, slots=True)
class TableOfContents:
    """What an archive says it holds."""

    items: tuple[Entry, ...]
    server_version: str | None
    server_major: int | None

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return len(self.items)

    @property
    def table_data_oids(self) -> frozenset[int]:
        """Object ids of the tables that have data."""
        return frozenset(item.oid for item in self.items if item.description.startswith(_TABLE_DATA))

    @property
    def extensions(self) -> tuple[str, ...]:
        """Names of the extensions it creates."""
        return tuple(
            item.description.removeprefix(_EXTENSION).strip()
            for item in self.items
            if item.description.startswith(_EXTENSION)
        )


def parse_listing(listing: str) -> TableOfContents:
    """Read a listing.

    Names of tables are not taken from it: pg_restore separates them with spaces and does not quote them.
    """
    items = []
    server_version = server_major = None
    for line in listing.splitlines():
        if match := _ENTRY.match(line):
            items.append(Entry(int(match["dump_id"]), int(match["oid"]), match["rest"], line))
        elif match := _SERVER.match(line):
            server_version, server_major = match["version"], int(match["major"])
    return TableOfContents(tuple(items), server_version, server_major)
