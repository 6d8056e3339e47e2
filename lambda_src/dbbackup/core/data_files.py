"""The data files of an archive in directory or tar format: which there must be, and how many rows each holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from dbbackup.core.archive_toc import TableOfContents

SUFFIXES: Final = ("", ".gz", ".lz4", ".zst")
"""What pg_dump puts behind a file's name that it compresses: https://www.postgresql.org/docs/current/app-pgdump.html"""
LARGE_OBJECTS = re.compile(r"blobs(?:_\d+)?\.toc\Z")
_LINE_OF_LARGE_OBJECT = re.compile(r"\d+ (?P<file>[\w.]+)")
_FIRST_MAJOR_WITH_LISTS = 17
_MAJOR = re.compile(r"\d{1,4}")
_END_OF_ROWS = b"\\.\n"


def files_of(contents: TableOfContents) -> dict[str, int]:
    """The files that an archive's table of contents names, and the number of the entry of each."""
    return {entry.file: entry.dump_id for entry in contents.items if entry.has_data and entry.file}


def members_of(contents: TableOfContents) -> dict[str, int]:
    """The same of a tar file, whose table of contents does not name the lists of large objects.

    Before 17 there is one list, from 17 on one for each entry: ``_StartLOs`` in PostgreSQL's
    ``src/bin/pg_dump/pg_backup_tar.c``.
    """
    made_by = _MAJOR.match(contents.dump_version or "")
    one = made_by is None or int(made_by[0]) < _FIRST_MAJOR_WITH_LISTS
    named = {}
    for entry in contents.items:
        if entry.has_data and entry.file:
            large = "blobs.toc" if one else f"blobs_{entry.dump_id}.toc"
            named[large if entry.kind == "BLOBS" else entry.file] = entry.dump_id
    return named


def files_of_large_objects(lines: str) -> list[str]:
    """The files that a list of large objects names."""
    return [match["file"] for line in lines.splitlines() if (match := _LINE_OF_LARGE_OBJECT.fullmatch(line))]


def count_rows(chunks: Iterable[bytes]) -> tuple[int, bool]:
    """Rows in a table's data, and whether the line that ends them is there.

    Data of INSERT statements has no such line, and its lines need not be rows.
    """
    lines, tail = 0, b""
    ended = False
    for chunk in chunks:
        lines += chunk.count(b"\n")
        tail = (tail + chunk)[-64:]
    body = tail.rstrip(b"\n")
    if body == _END_OF_ROWS[:-1] or body.endswith(b"\n" + _END_OF_ROWS[:-1]):
        ended = True
        lines -= 1 + (len(tail) - len(body) - 1)
    return lines, ended
