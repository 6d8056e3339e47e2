"""What a comparison needs of a restored copy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dbbackup.core.archive_objects import Identity

TableName = tuple[str, str]
"""Schema and name."""


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table of the copy: its rows, and whether it came with an extension, which may have put rows in of its own."""

    rows: int
    of_extension: bool


class Copy(Protocol):
    """A database that an archive was restored into."""

    def objects(self) -> frozenset[Identity]:
        """What it has."""

    def count(self, tables: Iterable[TableName], jobs: int) -> Mapping[TableName, CopiedTable]:
        """Rows of those tables that it has, counted one by one."""
