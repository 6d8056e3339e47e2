"""An archive as a file that pg_restore can seek in, checked on the way there."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dbbackup.core.errors import ArchivedError, NotFoundError, StorageFullError, VerificationFailedError
from dbbackup.core.glacier import ARCHIVE_CLASSES
from dbbackup.core.manifest import Manifest
from dbbackup.core.ports import BackupStore, Progress, ProgressListener
from dbbackup.unfinished_files import remove_abandoned, unfinished

SPARE_BYTES = 64 * 1024**2
_STEM = "dbbackup-restore"
_SUFFIX = ".dump"


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """One archive in a store, with its manifest where it has one."""

    store: BackupStore
    key: str
    manifest: Manifest | None

    @property
    def url(self) -> str:
        """What to call it in a message."""
        return self.store.url(self.key)

    @contextmanager
    def file(self, scratch: Path | None, listener: ProgressListener) -> Iterator[Path]:
        """The archive as a local file, whose SHA-256 was compared with the manifest's.

        A file of a directory is read where it is. An object is downloaded once, into a file that goes with the
        context, and its digest is computed on the way.

        Args:
            scratch: where to download to; the system's temporary folder where None.
            listener: told how far the reading is.

        Raises:
            VerificationFailedError: the bytes are not those that were verified when the backup was made.
            ArchivedError: the object is in Glacier and not back yet.
            StorageFullError: there is no room to download it.
        """
        stored = self.store.find(self.key)
        if stored is None:
            raise NotFoundError(
                f"There is no {self.url}.",
                untouched="Nothing was changed.",
                action="`dbbackup list` shows what there is.",
            )
        if stored.storage_class in ARCHIVE_CLASSES and not stored.retrieved:
            raise ArchivedError(
                f"{self.url} is in {stored.storage_class} and cannot be read at once.",
                untouched="Nothing was changed.",
                action="Ask it back with --retrieval standard, and wait for it with --wait or come back later.",
            )
        local = self.store.local_path(self.key)
        if local is not None:
            self._compare(self._read(stored.size_bytes, None, listener))
            yield local
            return
        folder = scratch or Path(tempfile.gettempdir())
        with unfinished(folder, _STEM, _SUFFIX) as (descriptor, path):
            remove_abandoned(folder, f"{_STEM}*{_SUFFIX}", _SUFFIX, beside=descriptor, ours=_is_download)
            self._refuse_without_room(folder, stored.size_bytes)
            self._compare(self._read(stored.size_bytes, descriptor, listener))
            yield path

    def _refuse_without_room(self, folder: Path, size: int) -> None:
        if shutil.disk_usage(folder).free < size + SPARE_BYTES:
            raise StorageFullError(
                f"There is no room for the archive of {size} bytes in {folder}.",
                untouched="No database was touched.",
                action="Free space there, or name a folder with more room: --scratch DIR.",
            )

    def _read(self, size: int, descriptor: int | None, listener: ProgressListener) -> str:
        digest = hashlib.sha256()
        done = 0
        version = self.manifest.archive.version_id if self.manifest else None
        with self.store.read(self.key, version) as chunks:
            for chunk in chunks:
                digest.update(chunk)
                done += len(chunk)
                if descriptor is not None:
                    _write_all(descriptor, chunk)
                listener(Progress("read", done, bytes_total=size))
        return digest.hexdigest()

    def _compare(self, digest: str) -> None:
        if self.manifest is not None and digest != self.manifest.archive.sha256:
            raise VerificationFailedError(
                f"{self.url} is not what was backed up: its SHA-256 is {digest}, that of its manifest is "
                f"{self.manifest.archive.sha256}.",
                untouched="No database was touched.",
                action="Choose another backup: `dbbackup list`. Keep this one, to find out what happened to it.",
            )


def _is_download(stem: str) -> bool:
    return stem.startswith(_STEM)


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]
