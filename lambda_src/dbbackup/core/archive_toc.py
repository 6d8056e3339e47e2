"""What an archive says it holds: its table of contents."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

_MAJOR = re.compile(r"\d+")
TABLE_DATA = "TABLE DATA"
EXTENSION = "EXTENSION"
SCRIPT = "script"


class Section(IntEnum):
    """When pg_restore comes to an entry: https://www.postgresql.org/docs/current/app-pgrestore.html (--section)."""

    NONE = 1
    PRE_DATA = 2
    DATA = 3
    POST_DATA = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        dump_id: its number in the archive.
        catalog: object id of the catalogue that the object is in; 0 for none.
        oid: the object's id on the server that was dumped; 0 for none.
        kind: ``TABLE``, ``TABLE DATA``, ``FK CONSTRAINT`` and so on.
        schema: empty where there is none.
        tag: the object's name, as pg_dump calls it: of a constraint ``table name``, of a function with its arguments,
            of what belongs to an object (``ACL``, ``COMMENT``) ``KIND name``.
        owner: the role that owned it.
        section: when pg_restore comes to it.
        definition: SQL that makes it; empty for data.
        drop: SQL that removes it.
        copy: the COPY statement of a table's data.
        tablespace: where it lay; empty for the database's own.
        dependencies: numbers of the entries that it needs.
        has_data: whether data belongs to it.
        position: where its data begins, in custom format.
        file: where its data is, in directory and tar format.
    """

    dump_id: int
    catalog: int
    oid: int
    kind: str
    schema: str
    tag: str
    owner: str
    section: Section
    definition: str = ""
    drop: str = ""
    copy: str = ""
    tablespace: str = ""
    dependencies: tuple[int, ...] = ()
    has_data: bool = False
    position: int | None = None
    file: str | None = None

    @property
    def description(self) -> str:
        """The entry for a person: kind and name."""
        name = f"{self.schema}.{self.tag}" if self.schema else self.tag
        return f"{self.kind} {name}".strip()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of a script that is never carried out, and why."""

    what: str
    why: str
    statement: str


@dataclass(frozen=True)
class TableOfContents:
    """What an archive says it holds.

    Attributes:
        items: its entries, in the order of the archive.
        server_version: of the server that was dumped.
        format: ``custom``, ``directory`` or ``script``; a tar file has the table of contents of the latter.
        compression: ``none``, ``gzip``, ``lz4`` or ``zstd``.
        database: name of the database that was dumped.
        dump_version: of the pg_dump that made it.
        encoding: of its texts, as Python calls it.
        left_out: what is in it and is never restored, whoever asks.
    """

    items: tuple[Entry, ...]
    server_version: str | None
    format: str = "custom"
    compression: str = "none"
    database: str = ""
    dump_version: str | None = None
    encoding: str = "utf-8"
    left_out: tuple[LeftOut, ...] = ()

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return len(self.items)

    @property
    def server_major(self) -> int | None:
        """Major version of the server that was dumped."""
        match = _MAJOR.match(self.server_version or "")
        return int(match[0]) if match else None

    @property
    def server_encoding(self) -> str:
        """The encoding of its texts, as PostgreSQL calls it."""
        said = next((entry.definition for entry in self.items if entry.kind == "ENCODING"), "")
        return said.partition("'")[2].partition("'")[0] or "SQL_ASCII"

    @cached_property
    def by_id(self) -> dict[int, Entry]:
        """The entries by their number."""
        return {entry.dump_id: entry for entry in self.items}

    @cached_property
    def table_data(self) -> tuple[Entry, ...]:
        """The entries of tables' data."""
        return tuple(entry for entry in self.items if entry.kind == TABLE_DATA)

    @property
    def kinds(self) -> dict[str, int]:
        """How many entries of each kind there are."""
        return dict(sorted(Counter(entry.kind for entry in self.items).items()))

    @property
    def table_data_oids(self) -> frozenset[int]:
        """Object ids of the tables that have data."""
        return frozenset(entry.oid for entry in self.table_data)

    @property
    def extensions(self) -> tuple[str, ...]:
        """Names of the extensions it creates."""
        return tuple(entry.tag for entry in self.items if entry.kind == EXTENSION)
