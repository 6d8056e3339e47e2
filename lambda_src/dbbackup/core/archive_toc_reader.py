"""Reads the table of contents at the head of an archive, as pg_dump 9.0 and later write it.

The three formats share it: custom format begins with it, the directory and tar formats have it as ``toc.dat``. The
layout is that of ``ReadHead`` and ``ReadToc`` in PostgreSQL's ``src/bin/pg_dump/pg_backup_archiver.c``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from dbbackup.core.archive_toc import Entry, Section, TableOfContents
from dbbackup.core.errors import ClientToolError, VerificationFailedError

MAGIC = b"PGDMP"
_CUSTOM, _TAR, _DIRECTORY = 1, 3, 5
_FORMATS = {_CUSTOM: "custom", _TAR: "directory", _DIRECTORY: "directory"}  # pg_dump writes the number of tar for both
_METHODS = {0: "none", 1: "gzip", 2: "lz4", 3: "zstd"}
_SECTIONS = frozenset(section.value for section in Section)
_HAS_POSITION = 2
# PostgreSQL's encodings of a server as Python names them; bytes of others are kept as they are.
# https://www.postgresql.org/docs/current/multibyte.html
_CODECS = {
    "UTF8": "utf-8",
    "SQL_ASCII": "utf-8",
    **{f"LATIN{number}": f"latin{number}" for number in range(1, 11)},
    **{f"ISO_8859_{number}": f"iso8859_{number}" for number in range(5, 9)},
    **{f"WIN{number}": f"cp{number}" for number in (866, 874, *range(1250, 1259))},
    **{name: name.lower() for name in ("EUC_JP", "EUC_KR", "EUC_JIS_2004")},
    "EUC_CN": "gb2312",
    "KOI8R": "koi8_r",
    "KOI8U": "koi8_u",
}
_LONGEST = 1 << 30  # of one string; PostgreSQL's own limit of a field


class _Format(IntEnum):
    """Versions of the layout, as ``major * 100 + minor``."""

    OLDEST = 112
    TABLE_ACCESS_METHOD = 114
    COMPRESSION_METHOD = 115
    KIND_OF_RELATION = 116
    NEWEST = 116


class _Reader:
    """Numbers and strings of the layout."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self.integer_bytes = 4
        self.offset_bytes = 8

    def raw(self, size: int) -> bytes:
        data = self._read(size)
        if len(data) != size:
            raise damaged("it ends within its table of contents")
        return data

    def byte(self) -> int:
        return self.raw(1)[0]

    def integer(self) -> int:
        data = self.raw(1 + self.integer_bytes)
        number = int.from_bytes(data[1:], "little")
        return -number if data[0] else number

    def text(self) -> bytes | None:
        size = self.integer()
        if size < 0:
            return None
        if size > _LONGEST:
            raise damaged("its table of contents names an impossible length")
        return self.raw(size)

    def number(self) -> int | None:
        """A number that is written as a string; None for a string that is not there."""
        text = self.text()
        if text is not None and not text.isdigit():
            raise damaged("its table of contents has a word where a number belongs")
        return None if text is None else int(text)

    def offset(self) -> int | None:
        state = self.byte()
        position = int.from_bytes(self.raw(self.offset_bytes), "little")
        return position if state == _HAS_POSITION else None


def damaged(why: str) -> VerificationFailedError:
    """An archive that cannot be one."""
    return VerificationFailedError(
        f"The archive is damaged or incomplete: {why}.",
        untouched="The database and other backups are as they were.",
        action="Do not rely on this archive. Take a new backup, and look at what wrote or stored this.",
    )


def read_contents(read: Callable[[int], bytes]) -> TableOfContents:
    """Read a table of contents.

    Args:
        read: gives that many of the next bytes, fewer only at the end; a file's ``read`` does.

    Raises:
        VerificationFailedError: these are not the bytes of an archive, or not all of them.
        ClientToolError: the archive is of a layout that this version does not know.
    """
    reader = _Reader(read)
    if reader.raw(len(MAGIC)) != MAGIC:
        raise damaged("it does not begin as an archive does")
    major, minor, _revision = reader.byte(), reader.byte(), reader.byte()
    layout = major * 100 + minor
    if not _Format.OLDEST <= layout <= _Format.NEWEST:
        raise ClientToolError(
            f"The archive has layout {major}.{minor} of pg_dump, known here are 1.12 to 1.16.",
            untouched="No database was touched.",
            action="Use a version of this software that knows it, or pg_restore of the PostgreSQL that made it.",
        )
    reader.integer_bytes, reader.offset_bytes = reader.byte(), reader.byte()
    form = reader.byte()
    if form not in _FORMATS or not 1 <= reader.integer_bytes <= 8 or not 1 <= reader.offset_bytes <= 8:
        raise damaged("its head makes no sense")
    if layout >= _Format.COMPRESSION_METHOD:
        method = _METHODS.get(reader.byte(), "unknown")
    else:
        method = "gzip" if reader.integer() else "none"
    for _ in range(7):  # when it was made, in local time without a zone
        reader.integer()
    database = reader.text() or b""
    server, dump = reader.text() or b"", reader.text() or b""
    raw = [_entry(reader, layout, form) for _ in range(reader.integer())]
    codec = _codec(raw)
    return TableOfContents(
        items=tuple(entry.decoded(codec) for entry in raw),
        server_version=server.decode(errors="replace") or None,
        format=_FORMATS[form],
        compression=method,
        database=_decoded(database, codec),
        dump_version=dump.decode(errors="replace") or None,
        encoding=codec,
    )


class _RawEntry:
    """An entry whose texts are not decoded: in which encoding they are, a later entry says."""

    __slots__ = ("dependencies", "file", "numbers", "position", "texts")

    def __init__(
        self,
        numbers: tuple[int, int, int, int, bool],
        texts: tuple[bytes, ...],
        dependencies: tuple[int, ...],
        position: int | None,
        file: bytes | None,
    ) -> None:
        self.numbers = numbers
        self.texts = texts
        self.dependencies = dependencies
        self.position = position
        self.file = file

    def decoded(self, codec: str) -> Entry:
        dump_id, catalog, oid, section, has_data = self.numbers
        tag, kind, definition, drop, copy, schema, tablespace, owner = (_decoded(text, codec) for text in self.texts)
        return Entry(
            dump_id=dump_id,
            catalog=catalog,
            oid=oid,
            kind=kind,
            schema=schema,
            tag=tag,
            owner=owner,
            section=Section(section),
            definition=definition,
            drop=drop,
            copy=copy,
            tablespace=tablespace,
            dependencies=self.dependencies,
            has_data=has_data,
            position=self.position,
            file=None if self.file is None else _decoded(self.file, codec),
        )


def _entry(reader: _Reader, layout: int, form: int) -> _RawEntry:
    dump_id, has_data = reader.integer(), bool(reader.integer())
    catalog, oid = reader.number() or 0, reader.number() or 0
    tag, kind = reader.text() or b"", reader.text() or b""
    section = reader.integer()
    if section not in _SECTIONS:
        raise damaged("its table of contents names an unknown section")
    definition, drop, copy = reader.text() or b"", reader.text() or b"", reader.text() or b""
    schema, tablespace = reader.text() or b"", reader.text() or b""
    if layout >= _Format.TABLE_ACCESS_METHOD:
        reader.text()
    if layout >= _Format.KIND_OF_RELATION:
        reader.integer()
    owner = reader.text() or b""
    reader.text()  # whether the table had OIDs
    dependencies = []
    while (number := reader.number()) is not None:
        dependencies.append(number)
    position = reader.offset() if form == _CUSTOM else None
    file = reader.text() if form != _CUSTOM else None
    return _RawEntry(
        (dump_id, catalog, oid, section, has_data),
        (tag, kind, definition, drop, copy, schema, tablespace, owner),
        tuple(dependencies),
        position,
        file,
    )


def _codec(entries: list[_RawEntry]) -> str:
    """The encoding of an archive's texts, as Python calls it; bytes of none are kept as they are."""
    for entry in entries:
        if entry.texts[1] == b"ENCODING":
            name = entry.texts[2].decode("ascii", "replace").partition("'")[2].partition("'")[0]
            return codec_of(name) or "utf-8"
    return "utf-8"


def codec_of(encoding: str) -> str | None:
    """How Python calls one of PostgreSQL's encodings; None where it is not one of those of a server."""
    return _CODECS.get(encoding.upper().replace("UTF-8", "UTF8"))


def _decoded(text: bytes, codec: str) -> str:
    return text.decode(codec, "surrogateescape")
