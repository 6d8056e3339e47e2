"""Files for the textfile collector of node_exporter: replaced whole, and readable by the user it runs as."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dbbackup.core.errors import StorageError
from dbbackup.unfinished_files import remove_abandoned, unfinished

PARTIAL_SUFFIX: Final = ".partial"
LONGEST_WAIT_SECONDS: Final = 5.0
"""Writing a file takes milliseconds; whoever holds the folder longer hangs, and no run waits for that."""
_POLL_SECONDS = 0.02
_READABLE: Final = 0o644


@contextmanager
def _translated(doing: str, path: Path) -> Iterator[None]:
    problem = None
    try:
        yield
    except OSError as error:
        problem = error.strerror or str(error)
    if problem is not None:
        raise StorageError(
            f"{doing} {path} failed: {problem}.",
            untouched="A file that was there before is as it was.",
            action="Check that the folder is there, has room, and may be written to by the user that runs this.",
        )


class TextfileFolder:
    """A folder that node_exporter reads (``--collector.textfile.directory``).

    The writer of prometheus_client renames, too; what it does not do is make the file readable under a strict umask,
    which is usual where backups are taken, keep the bytes through a power failure, or clean up after a kill.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else of us write meanwhile. The lock is on the folder itself, so nothing is left behind.

        Raises:
            StorageError: the folder cannot be opened, or somebody has held it for too long.
        """
        with _translated("Opening", self._folder):
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        end = time.monotonic() + LONGEST_WAIT_SECONDS
        while True:
            with _translated("Locking", self._folder):
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise
                else:
                    return
            time.sleep(_POLL_SECONDS)

    def read(self, name: str) -> str | None:
        """A file, or None where there is none; bytes that are no text are replaced, for the reader to judge.

        Raises:
            StorageError: it cannot be read.
        """
        path = self._folder / name
        with _translated("Reading", path):
            try:
                return path.read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                return None

    def replace(self, name: str, body: bytes) -> None:
        """Put a file in place of the one before. Call it while the folder is locked.

        Whoever is killed half-way leaves the file before, whole, and a partial one that a later run removes and
        node_exporter does not look at.

        Raises:
            StorageError: it cannot be written.
        """
        path = self._folder / name
        with (
            _translated("Writing", path),
            unfinished(self._folder, f".{name}", PARTIAL_SUFFIX, mode=_READABLE) as (descriptor, partial),
        ):
            remove_abandoned(self._folder, f".*{PARTIAL_SUFFIX}", PARTIAL_SUFFIX, beside=descriptor, ours=_is_textfile)
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(descriptor)
            partial.replace(path)

    def remove(self, name: str) -> None:
        """Remove a file, where there is one. Call it while the folder is locked.

        Raises:
            StorageError: it cannot be removed.
        """
        path = self._folder / name
        with _translated("Removing", path):
            path.unlink(missing_ok=True)


def _is_textfile(stem: str) -> bool:
    return stem.startswith(".") and stem.endswith(".prom")
