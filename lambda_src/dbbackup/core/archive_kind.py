"""What a file is, by its first bytes: a dump that can be restored, one in another cover, or something else.

Names of files say nothing here: people rename, and tools name as they like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

HEAD_BYTES: Final = 64 * 1024
"""As many bytes tell what a file is; fewer only where it has no more."""
TOC_FILE: Final = "toc.dat"
_MAGIC = b"PGDMP"
_FORMAT_AT = 10  # behind the magic, three bytes of version, and the widths of numbers and of offsets
_CUSTOM, _TAR, _DIRECTORY = 1, 3, 5
_TAR_AT, _TAR_MAGIC = 257, b"ustar"


class Form(StrEnum):
    """Forms that can be restored."""

    CUSTOM = "custom format"
    DIRECTORY = "directory format"
    TAR = "tar format"
    SCRIPT = "SQL script"


class Cover(StrEnum):
    """Compressions that are undone on the way."""

    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTD = "zstd"


@dataclass(frozen=True, slots=True)
class Stranger:
    """Something that cannot be restored as it is.

    Attributes:
        what: what it is, in a few words.
        action: what to do.
    """

    what: str
    action: str


Kind = Form | Cover | Stranger

_ANOTHER = "Choose another file."
_UNPACK = "Unpack it, and give what is in it."
_DECRYPT = "Decrypt it with the key of whoever made it, and give what comes out."
_OTHER_SERVER = (
    "It cannot be restored into PostgreSQL. Name a dump of pg_dump; pgloader and the like can move other data."
)
_AGAIN = "Dump again, with pg_dump --file=FILE, and look at what pg_dump says."
_COVERS = (
    (b"\x1f\x8b", Cover.GZIP),
    (b"BZh", Cover.BZIP2),
    (b"\xfd7zXZ\x00", Cover.XZ),
    (b"\x28\xb5\x2f\xfd", Cover.ZSTD),
)
_SKIPPABLE_OF_ZSTD = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
# Beginnings that name what a file is; letters of either case.
_BEGINNINGS: tuple[tuple[bytes, Stranger], ...] = (
    (b"\x04\x22\x4d\x18", Stranger("compressed by lz4", "Unpack it with `lz4 -d`, and give what comes out.")),
    (b"PK\x03\x04", Stranger("a ZIP archive", _UNPACK)),
    (b"PK\x05\x06", Stranger("an empty ZIP archive", _ANOTHER)),
    (b"7z\xbc\xaf\x27\x1c", Stranger("a 7-Zip archive", _UNPACK)),
    (b"Rar!", Stranger("a RAR archive", _UNPACK)),
    (b"\x1f\x9d", Stranger("compressed by compress", "Unpack it with `uncompress`, and give what comes out.")),
    (b"Salted__", Stranger("encrypted by openssl", _DECRYPT)),
    (b"age-encryption.org/", Stranger("encrypted by age", _DECRYPT)),
    (b"-----BEGIN AGE ENCRYPTED FILE", Stranger("encrypted by age", _DECRYPT)),
    (b"-----BEGIN PGP MESSAGE", Stranger("encrypted by PGP", _DECRYPT)),
    (b"-----BEGIN ", Stranger("a key or a certificate", _ANOTHER)),
    (b"SQLite format 3\x00", Stranger("a database of SQLite", _OTHER_SERVER)),
    (b"MSQLSTART", Stranger("a backup of SQL Server", _OTHER_SERVER)),
    (b"TAPE", Stranger("a backup of SQL Server", _OTHER_SERVER)),
    (b"\x6d\xe2\x99\x81", Stranger("a dump of MongoDB", _OTHER_SERVER)),
    (b"REDIS0", Stranger("a dump of Redis", _OTHER_SERVER)),
    (b"%PDF", Stranger("a PDF document", _ANOTHER)),
    (b"\x7fELF", Stranger("a program", _ANOTHER)),
    (b"version https://git-lfs", Stranger("a pointer of Git LFS, not the file", "Fetch the file: `git lfs pull`.")),
    (b"pg_dump: ", Stranger("what pg_dump said, not what it dumped", _AGAIN)),
    (b"pg_dumpall: ", Stranger("what pg_dumpall said, not what it dumped", _AGAIN)),
    (b"bash: ", Stranger("what a shell said, not a dump", _AGAIN)),
    (b"sh: ", Stranger("what a shell said, not a dump", _AGAIN)),
)
_PGP = re.compile(rb"(?:[\x84\x85\x8c\xc1\xc3].|\xd2[\x00-\xff])", re.DOTALL)
_HTML = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)
_XML = re.compile(rb"\s*(?:<\?xml|<Error>)", re.IGNORECASE)
_JSON = re.compile(rb'\s*[\[{]\s*["\[{\]}]')
_CLUSTER = re.compile(rb"^-- PostgreSQL database cluster dump", re.MULTILINE)
_OF_PG_DUMP = re.compile(rb"^-- PostgreSQL database dump\r?$", re.MULTILINE)
_OF_MYSQL = re.compile(
    rb"^(?:-- (?:MySQL|MariaDB) dump|-- phpMyAdmin|-- Dump created by MySQL|/\*M!\d|/\*!\d{5} ?SET)"
    rb"|\) ENGINE=(?:InnoDB|MyISAM)",
    re.MULTILINE,
)
_OF_SQLITE = re.compile(rb"\A\s*PRAGMA foreign_keys\s*=", re.IGNORECASE)
_OF_SQL_SERVER = re.compile(rb"\A\s*(?:/\*+ Object: |USE \[|SET ANSI_NULLS )", re.IGNORECASE)
_OF_ORACLE = re.compile(rb"\A(?:\x03..)?EXPORT:V\d", re.DOTALL)
_STATEMENT = re.compile(
    rb"(?:\s++|--[^\n]*+(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*+\*/)*+"
    rb"(?:\\|(?:set|select|create|alter|drop|copy|insert|begin|start|grant|revoke|comment|truncate|update|delete|do"
    rb"|with|lock|analyze|vacuum|refresh|reindex|call|security|reset|commit)\b)",
    re.IGNORECASE | re.DOTALL,
)
_LITTLE_ENDIAN, _BIG_ENDIAN, _UTF8_MARK = b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"
_LINE_FEED_ALONE = re.compile(rb"(?<!\r)\n")
_FEW = 5  # a function that was written on Windows has some, too, among others


def recognize(head: bytes) -> Kind:
    """What a file is that begins like that.

    Args:
        head: its first :data:`HEAD_BYTES` bytes, or all where there are fewer.
    """
    if not head:
        return Stranger("empty", "What wrote it has failed, or the disk was full. Choose another file.")
    if head.startswith(_MAGIC):
        return _archive(head)
    if head[_TAR_AT : _TAR_AT + len(_TAR_MAGIC)] == _TAR_MAGIC:
        return _tar(head)
    for beginning, cover in _COVERS:
        if head.startswith(beginning):
            return cover
    if _SKIPPABLE_OF_ZSTD.match(head):
        return Cover.ZSTD
    for beginning, stranger in _BEGINNINGS:
        if head[: len(beginning)].lower() == beginning.lower():
            return stranger
    if not head.strip(b"\0"):
        return Stranger(
            "filled with zeros", "It was reserved and never written, or its disk is broken. Choose another file."
        )
    return _text(head)


def _archive(head: bytes) -> Kind:
    if head.count(b"\r\n") >= _FEW and _LINE_FEED_ALONE.search(head) is None:
        return Stranger(
            "a dump whose line ends were changed on the way (by `docker exec -t`, or a transfer in text mode)",
            "It cannot be mended. Dump again, without -t or in binary mode, with pg_dump --file=FILE.",
        )
    form = head[_FORMAT_AT] if len(head) > _FORMAT_AT else None
    if form == _CUSTOM:
        return Form.CUSTOM
    if form in (_TAR, _DIRECTORY):
        return Stranger(
            f"the table of contents ({TOC_FILE}) of a dump in directory or tar format, without its data",
            "Give the folder it belongs in, with all that pg_dump has written there.",
        )
    return Stranger("the beginning of a dump, damaged or cut short in its first bytes", _ANOTHER)


def _tar(head: bytes) -> Kind:
    first = head[:100].partition(b"\0")[0].decode(errors="replace")
    if first == TOC_FILE:
        return Form.TAR
    if first.startswith("./") or first.endswith(("/", f"/{TOC_FILE}")):
        return Stranger(
            f"a tar file of a folder ({first})",
            "If it is a dump in directory format: unpack it with `tar xf`, and give the folder.",
        )
    if first in ("backup_label", "PG_VERSION", "tablespace_map") or first.startswith(("base/", "global/", "pg_wal/")):
        return Stranger(
            "a copy of a server's files (pg_basebackup)",
            "It starts as a server of the same major version, with its WAL; it holds no database to restore alone.",
        )
    return Stranger(f"a tar file of other things (it begins with {first!r})", _UNPACK)


def _text(head: bytes) -> Kind:
    if head.startswith((_LITTLE_ENDIAN, _BIG_ENDIAN)) or _has_zeros_between(head):
        return _sixteen_bits(head)
    if head.startswith(_UTF8_MARK):
        head = head[len(_UTF8_MARK) :]
    if _OF_ORACLE.match(head):
        return Stranger("a dump of Oracle", _OTHER_SERVER)
    if b"\0" in head:
        return _binary(head)
    if _CLUSTER.search(head[:4096]):
        return Stranger(
            "a script of pg_dumpall: roles, and every database of a server",
            "Cut out the part of one database (from its \\connect to the next) and give that, or run it whole on a "
            "new, empty server: psql -f FILE postgres. A pg_dump of one database can be restored alone.",
        )
    for pattern, name in ((_OF_MYSQL, "MySQL or MariaDB"), (_OF_SQLITE, "SQLite"), (_OF_SQL_SERVER, "SQL Server")):
        if pattern.search(head) and not _OF_PG_DUMP.search(head):
            return Stranger(f"a script of {name}", _OTHER_SERVER)
    if _HTML.match(head):
        return Stranger(
            "a page of HTML", "A download got a page (of a login, or an error) in its place. Download again."
        )
    if _XML.match(head):
        return Stranger("a document of XML", "It may be a store's error message: read it, and download again.")
    if _JSON.match(head):
        return Stranger("a document of JSON", "It may be a store's error message: read it, and download again.")
    if _OF_PG_DUMP.search(head) or _STATEMENT.match(head):
        return Form.SCRIPT
    if not head.strip():
        return Stranger("blank", "What wrote it has failed. Choose another file.")
    return _binary(head)


def _binary(head: bytes) -> Stranger:
    if _PGP.match(head) and not _is_readable(head):
        return Stranger("encrypted, by PGP as it seems", _DECRYPT)
    if _is_readable(head):
        line = next(line for line in head.decode(errors="replace").splitlines() if line.strip())
        return Stranger(f"a text that is no SQL (it begins with {line.strip()[:60]!r})", _ANOTHER)
    return Stranger("no dump that is known here", "It may be encrypted or damaged. Ask who made it; pg_dump made none.")


def _is_readable(head: bytes) -> bool:
    strange = sum(1 for byte in head[:4096] if byte < 9 or 13 < byte < 32)
    return strange == 0


def _has_zeros_between(head: bytes) -> bool:
    """Whether it looks like a text of two bytes a letter, without the mark that should begin it."""
    letters, zeros = head[:2000:2], head[1:2000:2]
    return len(zeros) >= 4 and not zeros.strip(b"\0") and letters.isascii() and b"\0" not in letters


def _sixteen_bits(head: bytes) -> Stranger:
    codec = "utf-16-be" if head.startswith(_BIG_ENDIAN) else "utf-16-le"
    text = head[: len(head) // 2 * 2].decode(codec, "replace").lstrip("\ufeff")
    if text.startswith(_MAGIC.decode()):
        return Stranger(
            "a dump that PowerShell's > has turned into text (UTF-16)",
            "It cannot be mended. Dump again with pg_dump --file=FILE, which no redirection can change.",
        )
    if _OF_PG_DUMP.search(text.encode(errors="replace")) or _STATEMENT.match(text.encode(errors="replace")):
        return Stranger(
            "an SQL script in UTF-16, as PowerShell's > writes it",
            "Dump again with pg_dump --file=FILE. If you have this file alone: `iconv -f UTF-16 -t UTF-8 FILE > NEW`; "
            "letters that the console could not show are lost in it.",
        )
    return Stranger("a text in UTF-16", _ANOTHER)
