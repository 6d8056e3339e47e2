"""Walks the data of an archive in custom format from its first block to its last.

The layout is that of ``_PrintTocData`` and ``_readBlockHeader`` in PostgreSQL's
``src/bin/pg_dump/pg_backup_custom.c``: a kind, the number of the entry, then pieces of a length each; length 0 ends it.
"""

from __future__ import annotations

from collections.abc import Callable

from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.archive_toc_reader import damaged

_DATA, _LARGE_OBJECTS = 1, 3
_PIECE = 1 << 20
_INTEGER_BYTES = 4


class _Blocks:
    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read

    def _exactly(self, size: int) -> bytes:
        data = self._read(size)
        if len(data) != size:
            raise damaged("it ends within its data")
        return data

    def kind(self) -> int | None:
        """The kind of the next block; None at the end."""
        data = self._read(1)
        return data[0] if data else None

    def integer(self) -> int:
        data = self._exactly(1 + _INTEGER_BYTES)
        number = int.from_bytes(data[1:], "little")
        return -number if data[0] else number

    def skip_pieces(self) -> None:
        """Go behind the pieces of one block."""
        while (size := self.integer()) != 0:
            if size < 0:
                raise damaged("its data names an impossible length")
            while size:
                size -= len(self._exactly(min(size, _PIECE)))


def check_blocks(read: Callable[[int], bytes], contents: TableOfContents) -> None:
    """Read the data of an archive to its end.

    Args:
        read: gives that many of the bytes behind the table of contents, fewer only at the end.
        contents: what the archive says it holds.

    Raises:
        VerificationFailedError: it ends too early, or data of a table is missing.
    """
    blocks = _Blocks(read)
    wanted = {entry.dump_id for entry in contents.items if entry.has_data}
    while (kind := blocks.kind()) is not None:
        if kind not in (_DATA, _LARGE_OBJECTS):
            raise damaged("its data begins with an unknown mark")
        wanted.discard(blocks.integer())
        if kind == _DATA:
            blocks.skip_pieces()
        else:
            while blocks.integer() != 0:  # the number of a large object, 0 behind the last
                blocks.skip_pieces()
    if wanted:
        names = ", ".join(contents.by_id[number].description for number in sorted(wanted)[:5])
        raise damaged(f"it has no data of {len(wanted)} entries that it lists: {names}")
