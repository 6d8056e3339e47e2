"""The script that pg_restore writes of one entry, made fit to be sent to a server by us."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

# pg_restore ends what it has begun with "\restrict" with "\unrestrict", the same random key of 63 letters and a line.
_LONGEST_ENDING = 200
_RESTRICT = re.compile(rb"^\\restrict (\w+)$", re.MULTILINE)
_EMPTY_PATH = b"SELECT pg_catalog.set_config('search_path', '', false);\n"
_NEWER_SETTING = b"SET transaction_timeout = 0;\n"
FIRST_MAJOR_WITH_TRANSACTION_TIMEOUT = 17
_END_OF_DATA = b"\\.\n"


def prepared(script: bytes, server_major: int) -> bytes:
    """A script without commands of psql, what an older server does not know, and a search path of its own.

    pg_restore writes these lines at the head, before anything that comes from the archive.
    """
    if key := _RESTRICT.search(script[:1000]):
        for command in (b"\\restrict ", b"\\unrestrict "):
            script = script.replace(command + key[1] + b"\n", b"", 1)
    if server_major < FIRST_MAJOR_WITH_TRANSACTION_TIMEOUT:
        script = script.replace(_NEWER_SETTING, b"", 1)
    return script.replace(_EMPTY_PATH, b"", 1)


def prepared_chunks(chunks: Iterator[bytes], server_major: int) -> Iterator[bytes]:
    """The same of a script that comes in pieces, of which the first has its head."""
    head = next(chunks, b"")
    key = _RESTRICT.search(head[:1000])
    held = prepared(head, server_major)
    for chunk in chunks:
        held += chunk
        yield held[:-_LONGEST_ENDING]
        held = held[-_LONGEST_ENDING:]
    yield held.replace(b"\\unrestrict " + key[1] + b"\n", b"", 1) if key else held


def split_at(chunks: Iterator[bytes], statement: bytes) -> tuple[bytes, bytes]:
    """What comes before a statement, and the beginning of what comes after it."""
    head = b""
    for chunk in chunks:
        head += chunk
        before, found, after = head.partition(statement)
        if found:
            return before, after
    return head, b""


def rows_of_copy(beginning: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The data of a COPY statement, to the line that ends it; what comes after that is read and dropped."""
    held, ended = beginning, False
    at_start_of_line = True
    for chunk in chain((b"",), chunks):
        if ended:
            continue
        held += chunk
        if at_start_of_line and held.startswith(_END_OF_DATA):
            ended = True
            continue
        end = held.find(b"\n" + _END_OF_DATA)
        if end >= 0:
            yield held[: end + 1]
            ended = True
        elif len(held) > len(_END_OF_DATA):
            yield held[: -len(_END_OF_DATA)]
            at_start_of_line = held[: -len(_END_OF_DATA)].endswith(b"\n")
            held = held[-len(_END_OF_DATA) :]
    if held and not ended:  # nothing is lost where that line is missing
        yield held
