"""Reads a dump that nobody vouches for to its end, so that one that is cut short is named before it is used."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from dbbackup.core.archive_kind import TOC_FILE, Form, Stranger
from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.archive_toc_reader import damaged, read_contents
from dbbackup.core.custom_blocks import check_blocks
from dbbackup.core.data_files import LARGE_OBJECTS, SUFFIXES, count_rows, files_of, files_of_large_objects, members_of
from dbbackup.core.errors import StorageError
from dbbackup.core.sql_script_contents import survey
from dbbackup.core.uncover import Uncovered, refused, uncover
from dbbackup.core.zstd_file import ZstdFile
from dbbackup.operations.scratch import copy_while_there_is_room, scratch_file

_CHUNK = 1 << 20
_BLOCK_OF_TAR = 512
_LAST_OF_TAR = "restore.sql"


@dataclass(frozen=True, slots=True)
class Examined:
    """What a dump holds.

    Attributes:
        contents: its table of contents.
        rows: rows by the number of their table's entry, where they were counted.
        says_its_end: whether its end can be told from a cut; false for a script that pg_dump did not write.
        unread: what was found, but not read: data compressed by a method that only pg_restore has.
    """

    contents: TableOfContents
    rows: Mapping[int, int] = field(default_factory=dict)
    says_its_end: bool = True
    unread: tuple[str, ...] = ()


@contextmanager
def opened(path: Path, url: str) -> Iterator[Uncovered]:
    """A dump in a file, without the compressions around it.

    Raises:
        VerificationFailedError: it is none that can be restored.
        StorageError: it cannot be read.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise StorageError(
            f"{url} cannot be read: {error.strerror}.",
            untouched="No database was touched.",
            action="Check the rights on it.",
        ) from error
    with file:
        yield uncover(cast(BinaryIO, file), path.stat().st_size, url)


def form_of(path: Path, url: str) -> Form:
    """What a file or folder is.

    Raises:
        VerificationFailedError: no dump that can be restored.
        StorageError: it cannot be read.
    """
    if path.is_dir():
        _check_folder(path, url)
        return Form.DIRECTORY
    with opened(path, url) as dump:
        return dump.form


def examine(path: Path, url: str) -> Examined:
    """Read a dump to its end.

    Raises:
        VerificationFailedError: it is no dump, cut short or damaged; the message says which.
        RefusedError: it is a script that asks for what is never carried out.
        StorageError: it cannot be read.
    """
    if path.is_dir():
        _check_folder(path, url)
        return _directory(path)
    with opened(path, url) as dump:
        match dump.form:
            case Form.SCRIPT:
                found = survey(dump.stream.read, url)
                return Examined(found.contents, found.rows, found.says_its_end)
            case Form.TAR:
                return _tar(dump.stream)
            case _:
                contents = read_contents(dump.stream.read)
                check_blocks(dump.stream.read, contents)
                return Examined(contents)


@contextmanager
def unpacked(path: Path, url: str, scratch: Path | None) -> Iterator[Path]:
    """A dump as pg_restore can read it: an archive out of its compression; folders and scripts stay as they are.

    Raises:
        StorageFullError: there is no room to unpack it.
    """
    if path.is_dir():
        yield path
        return
    with opened(path, url) as dump:
        if dump.form is Form.SCRIPT or not dump.covers:
            yield path
            return
        with scratch_file(scratch, path.stat().st_size) as (plain, descriptor):
            copy_while_there_is_room(iter(lambda: dump.stream.read(_CHUNK), b""), plain, descriptor)
            yield plain


def _check_folder(path: Path, url: str) -> None:
    if (path / TOC_FILE).is_file():
        return
    inner = sorted(found.parent.name for found in path.glob(f"*/{TOC_FILE}"))
    raise refused(
        url,
        Stranger(
            f"a folder without {TOC_FILE}, so no dump in directory format",
            f"Give the folder in it: {', '.join(inner[:5])}." if inner else "Name a file, or the folder of a dump.",
        ),
    )


def _directory(folder: Path) -> Examined:
    with (folder / TOC_FILE).open("rb") as file:
        contents = read_contents(file.read)
    rows: dict[int, int] = {}
    unread: list[str] = []
    lists = [name for name in files_of(contents) if LARGE_OBJECTS.match(name)]
    for name, number in files_of(contents).items():
        found = _member(folder, name)
        if found.suffix == ".lz4":
            unread.append(found.name)
            continue
        if name not in lists:
            counted, ended = _counted(found)
            if ended:
                rows[number] = counted
            continue
        for inner in files_of_large_objects(b"".join(_chunks(found)).decode(errors="replace")):
            large = _member(folder, inner)
            if large.suffix == ".lz4":
                unread.append(large.name)
            else:
                _counted(large)
    return Examined(contents, rows, unread=tuple(unread))


def _member(folder: Path, name: str) -> Path:
    if name != Path(name).name:
        raise damaged(f"it names a file outside its folder: {name}")
    for suffix in SUFFIXES:
        if (found := folder / f"{name}{suffix}").is_file():
            return found
    raise damaged(f"the file {name} is missing from its folder")


def _counted(path: Path) -> tuple[int, bool]:
    return count_rows(_chunks(path))


def _chunks(path: Path) -> Iterator[bytes]:
    openers: dict[str, Any] = {".gz": gzip.GzipFile, ".zst": ZstdFile}
    opener = openers.get(path.suffix, Path.open)
    try:
        with opener(path, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except (EOFError, zlib.error, OSError) as error:
        raise damaged(f"its file {path.name} cannot be read to its end ({str(error).rstrip('.')})") from error


def _tar(stream: BinaryIO) -> Examined:
    contents: TableOfContents | None = None
    rows: dict[int, int] = {}
    seen: set[str] = set()
    wanted: dict[str, int] = {}
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK_OF_TAR * 20) as tar:
            for member in tar:
                file = tar.extractfile(member)
                if file is None:
                    raise damaged(f"its member {member.name} is no file")
                seen.add(member.name)
                if member.name == TOC_FILE:
                    contents = read_contents(file.read)
                    wanted = members_of(contents)
                elif LARGE_OBJECTS.match(member.name):
                    wanted.update(dict.fromkeys(files_of_large_objects(file.read().decode(errors="replace")), 0))
                else:
                    counted, ended = count_rows(iter(lambda: file.read(_CHUNK), b""))  # noqa: B023 - read at once
                    if ended and wanted.get(member.name):
                        rows[wanted[member.name]] = counted
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise damaged(f"it ends within a member, or one is damaged ({str(error).rstrip('.')})") from error
    if contents is None:
        raise damaged(f"{TOC_FILE} is missing from it")
    missing = sorted(wanted.keys() - seen)
    if missing:
        raise damaged(f"{len(missing)} files that it lists are missing from it: {', '.join(missing[:5])}")
    if _LAST_OF_TAR not in seen:
        raise damaged(f"{_LAST_OF_TAR}, which pg_dump writes last, is missing from it")
    return Examined(contents, rows)
