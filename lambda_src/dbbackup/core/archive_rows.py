"""Counts the rows of an archive's tables in the script that pg_restore makes of its data, as that passes by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto

from dbbackup.core.archive_toc import Entry, TableOfContents
from dbbackup.core.archive_toc_reader import damaged
from dbbackup.core.manifest_names import printable

_COPY = b"\nCOPY "
# A COPY statement is made of names only, and a semicolon or a newline within a name stands in quotes.
_STATEMENT = re.compile(rb'(?:[^";]++|"[^"]*+")*+;\n')
_DATA_ENDS = b"\n\\.\n"
_LONGEST_STATEMENT = 1 << 20  # 1,600 columns, the most there are, with the longest names make a fourth of it


class _Place(Enum):
    """Where in the script we are."""

    BETWEEN = auto()
    STATEMENT = auto()
    DATA = auto()


def data_list(contents: TableOfContents) -> str:
    """The entries that hold data, for ``pg_restore --use-list``.

    The script then has comments, COPY statements with their data, and large objects in hexadecimal: no text of the
    database's users outside COPY data could be taken for a statement. Large objects are among it so that their data
    is decompressed, too.
    https://www.postgresql.org/docs/current/app-pgrestore.html
    """
    return "".join(f"{entry.dump_id};\n" for entry in contents.items if entry.has_data)


class RowCounter:
    """Counts lines between a table's COPY statement and the line ``\\.`` that ends its data.

    In COPY's text format a newline ends a row, one within a value is written ``\\n``, and a backslash ``\\\\``: so no
    row looks like the end. https://www.postgresql.org/docs/current/sql-copy.html

    It works on pieces of any size, holds no more than the piece and one COPY statement, and touches no single row.
    """

    def __init__(self, contents: TableOfContents) -> None:
        self._codec = contents.encoding
        self._awaited: Iterator[Entry] = iter([entry for entry in contents.table_data if entry.has_data])
        self._entry = next(self._awaited, None)
        self._countable = all(entry.copy for entry in contents.table_data if entry.has_data)
        self._place = _Place.BETWEEN
        self._left = b"\n"
        """What of the last piece is not settled."""
        self._rows = 0
        self._counted: dict[int, int] = {}

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the script."""
        if self._entry is None or not self._countable:
            return
        data, at = self._left + piece, 0
        while (reached := self._step(data, at)) is not None:
            at = reached

    def _step(self, data: bytes, at: int) -> int | None:
        """Go as far as the next change of place; None where there is none in this piece, and the rest is kept."""
        match self._place:
            case _Place.BETWEEN:
                found = data.find(_COPY, at)
                if found < 0:
                    self._left = data[max(at, len(data) - len(_COPY) + 1) :]
                    return None
                self._place = _Place.STATEMENT
                return found + 1
            case _Place.STATEMENT:
                statement = _STATEMENT.match(data, at)
                if statement is None and len(data) - at < _LONGEST_STATEMENT:
                    self._left = data[at:]
                    return None
                if statement is None:
                    self._place = _Place.BETWEEN
                    return at
                if self._is_awaited(statement[0]):
                    self._place, self._rows = _Place.DATA, -1  # the statement's own newline is counted with the rows
                else:
                    self._place = _Place.BETWEEN
                return statement.end() - 1
            case _Place.DATA:
                # Most data has no backslash, which is found many times as fast as the end that begins with one.
                backslash = data.find(b"\\", at)
                found = -1 if backslash < 0 else data.find(_DATA_ENDS, max(at, backslash - 1))
                end = found + 1 if found >= 0 else max(at, len(data) - len(_DATA_ENDS) + 1)
                self._rows += data.count(b"\n", at, end)
                if found < 0:
                    self._left = data[end:]
                    return None
                self._settle()
                return found + len(_DATA_ENDS) - 1 if self._entry is not None else None

    def _is_awaited(self, statement: bytes) -> bool:
        return self._entry is not None and statement.decode(self._codec, "surrogateescape") == self._entry.copy

    def _settle(self) -> None:
        assert self._entry is not None
        self._counted[self._entry.dump_id] = self._rows
        self._entry = next(self._awaited, None)
        self._place = _Place.BETWEEN

    def result(self) -> Mapping[int, int] | None:
        """Rows by the number of the entry; None for an archive of INSERT statements, which can have several each.

        Raises:
            VerificationFailedError: the data of a table that the table of contents names has not come.
        """
        if not self._countable:
            return None
        if self._entry is not None:
            raise damaged(f"the data of {printable(self._entry.description)} is not there or does not end")
        return self._counted
