"""The script that pg_restore writes of one entry, made fit to be sent to a server by us."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

# pg_restore ends what it has begun with "\restrict" with "\unrestrict", the same random key of 63 letters and a line.
_LONGEST_ENDING = 200
_RESTRICT = re.compile(rb"^\\restrict (\w+)$", re.MULTILINE)
_EMPTY_PATH = b"SELECT pg_catalog.set_config('search_path', '', false);\n"
_NEWER_SETTING = b"SET transaction_timeout = 0;\n"
FIRST_MAJOR_WITH_TRANSACTION_TIMEOUT = 17
_END_OF_DATA = b"\\.\n"
_ENTRY = b"\n--\n-- Name: "
_END = b"\n--\n-- PostgreSQL database dump complete\n"
_PLACES = (b"default_tablespace", b"default_table_access_method")
_SETTING = re.compile(rb"SET (" + b"|".join(_PLACES) + rb") = .*;")


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


def split_entries(script: bytes, definitions: Sequence[bytes]) -> list[bytes] | None:
    """The script of several entries without data as a script for each, which is the same as pg_restore writes of it.

    It writes settings where they are others than before, comments of one line each, the definition as it is in the
    archive, and who owns that: ``_printTocEntry`` in PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c.

    Args:
        script: as pg_restore has written it.
        definitions: those of the entries, in the order that they are written in.

    Returns:
        None where the script is not of this form.
    """
    head, _, _ = script.partition(_ENTRY)
    position = len(head)
    head, settings = _without_settings(head)
    found: list[bytes] = []
    for definition in definitions:
        start = script.find(definition, position)
        owner, entry, comment = script[position:start].partition(_ENTRY)
        if start < 0 or not entry or any(line and not line.startswith(b"--") for line in comment.split(b"\n")[1:]):
            return None
        owner, changed = _without_settings(owner)
        settings |= changed
        if found:
            found[-1] += owner
        position = start + len(definition)
        found.append(b"\n".join((head, *(settings[name] for name in _PLACES if name in settings), definition)))
    owner, ended, _ = script[position:].partition(_END)
    if not ended or _ENTRY in owner:
        return None
    return [*found[:-1], found[-1] + owner]


def _without_settings(text: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """A text without settings at its end, and these by their names."""
    lines, settings = text.split(b"\n"), dict[bytes, bytes]()
    while lines and (not lines[-1] or (setting := _SETTING.fullmatch(lines[-1]))):
        line = lines.pop()
        if line and setting:
            settings[setting[1]] = line
    return b"\n".join((*lines, b"")), settings


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
