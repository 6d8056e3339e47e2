"""Files of our own in a folder for work, which go when they are done with, and whose remains the next run removes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dbbackup.core.errors import StorageFullError
from dbbackup.unfinished_files import remove_abandoned, unfinished

SPARE_BYTES = 64 * 1024**2
_STEM = "dbbackup-restore"
_SUFFIX = ".dump"


@contextmanager
def scratch_file(folder: Path | None, needed_bytes: int) -> Iterator[tuple[Path, int]]:
    """A new file, as path and descriptor, that goes with the context.

    Args:
        folder: where; the system's temporary folder where None.
        needed_bytes: room that there must be, as far as it is known.

    Raises:
        StorageFullError: there is no room for it.
    """
    folder = folder or Path(tempfile.gettempdir())
    if shutil.disk_usage(folder).total < needed_bytes + SPARE_BYTES:
        raise _full(f"There is no room for the archive of {needed_bytes} bytes in {folder}.")
    with unfinished(folder, _STEM, _SUFFIX) as (descriptor, path):
        remove_abandoned(folder, f"{_STEM}*{_SUFFIX}", _SUFFIX, beside=descriptor, ours=_is_ours)
        if shutil.disk_usage(folder).free < needed_bytes + SPARE_BYTES:
            raise _full(f"There is no room for the archive of {needed_bytes} bytes in {folder}.")
        yield path, descriptor


def _is_ours(stem: str) -> bool:
    return stem.startswith(_STEM)


def copy_while_there_is_room(chunks: Iterable[bytes], path: Path, descriptor: int) -> None:
    """Write what is as long as nobody knows.

    Raises:
        StorageFullError: it does not fit.
    """
    for chunk in chunks:
        if shutil.disk_usage(path.parent).free < len(chunk) + SPARE_BYTES:
            raise _full(f"There is no room in {path.parent} for what the archive unpacks to.")
        write_all(descriptor, chunk)


def write_all(descriptor: int, chunk: bytes) -> None:
    """Write all of it."""
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _full(what: str) -> StorageFullError:
    return StorageFullError(
        what,
        untouched="No database was touched.",
        action="Free space there, or name a folder with more room: --scratch DIR.",
    )
