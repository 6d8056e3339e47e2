"""Looks at a folder of backups, and at the room there is for scratch."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from dbbackup.core.errors import StorageError


class DirectoryInspection:
    """A folder of backups, or the nearest folder above where it would be made."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where it is, or will be."""
        return self._path

    def _nearest(self) -> Path:
        place = self._path.absolute()
        while not place.exists() and place != place.parent:
            place = place.parent
        return place

    def problem(self, *, made: bool = True) -> str:
        """Why nothing could be written there; empty where something could. Nothing is written to find out.

        Args:
            made: whether it is made where it is not there.
        """
        if not made and not self._path.exists():
            return f"there is no folder {self._path}"
        nearest = self._nearest()
        if not nearest.is_dir():
            return f"{nearest} is a file, not a folder"
        if not os.access(nearest, os.W_OK | os.X_OK):
            return f"we may not write in {nearest}"
        if os.statvfs(nearest).f_flag & os.ST_RDONLY:
            return f"{nearest} is on a file system that is mounted read-only"
        return ""

    def free_bytes(self) -> int:
        """Bytes that we may still write there.

        Raises:
            StorageError: the file system does not say it.
        """
        return _free(self._nearest())


def scratch() -> DirectoryInspection:
    """The folder for temporary files, which a restore downloads into.

    To find it, Python writes a few bytes in each folder that it might be and removes them again.
    https://docs.python.org/3/library/tempfile.html#tempfile.gettempdir

    Raises:
        StorageError: nothing can be written in any of them.
    """
    try:
        return DirectoryInspection(Path(tempfile.gettempdir()))
    except OSError as error:
        raise StorageError(
            "There is no room for temporary files, or no folder that they may be written in (TMPDIR, /tmp, /var/tmp).",
            untouched="Nothing was changed.",
            action="Free space there (df -h, df -i), or set TMPDIR to a folder that has some and may be written to.",
        ) from error


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageError(
            f"The room in {folder} cannot be found out: {error.strerror}.",
            untouched="Nothing was changed.",
            action="Check that the file system is there: df -h.",
        ) from error
