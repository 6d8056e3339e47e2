"""An archive as a file that pg_restore can seek in, checked on the way there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dbbackup.core.errors import ArchivedError, NotFoundError, VerificationFailedError
from dbbackup.core.glacier import ARCHIVE_CLASSES, Retrieval
from dbbackup.core.manifest import Manifest
from dbbackup.core.ports import BackupStore, Progress, ProgressListener, StoredObject
from dbbackup.operations.catalog import find_archive
from dbbackup.operations.foreign_check import examine, unpacked
from dbbackup.operations.scratch import scratch_file, write_all


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

    def stored(self) -> StoredObject | None:
        """The archive as it lies there, in the version that its manifest names; None where it is gone.

        Raises:
            StorageError: the store cannot be read.
        """
        return self.store.find(self.key) if self.manifest is None else find_archive(self.store, self.manifest)

    def ask_back(self, retrieval: Retrieval, days: int) -> None:
        """Ask it back from its archive class, in that same version.

        Raises:
            StorageError: the store refuses.
        """
        self.store.ask_back(self.key, retrieval, days, self.version())

    def version(self) -> str | None:
        """The version that its manifest names, where there is one of that name.

        Raises:
            StorageError: the store cannot be read.
        """
        stored = self.stored()
        return None if stored is None else self._named(stored)

    def is_written_again(self) -> bool:
        """Whether another version lies under the key by now, or none.

        Raises:
            StorageError: the store cannot be read.
        """
        version = self.version()
        newest = self.store.find(self.key)
        return version is not None and (newest is None or newest.version_id != version)

    def _named(self, stored: StoredObject) -> str | None:
        named = self.manifest.archive.version_id if self.manifest else None
        return named if stored.version_id == named else None

    @contextmanager
    def file(self, scratch: Path | None, listener: ProgressListener) -> Iterator[Path]:
        """The archive as a local file or folder that can be restored from.

        One with a manifest was compared with that. One that somebody else has made, for which nobody vouches, was
        read to its end, and is unpacked where it is an archive in a compression of its own.

        Args:
            scratch: where to download and to unpack to; the system's temporary folder where None.
            listener: told how far the reading is.

        Raises:
            VerificationFailedError: it is no dump, damaged, or not what was verified when the backup was made.
            RefusedError: it is a script that asks for what is never carried out.
            ArchivedError: the object is in Glacier and not back yet.
            StorageFullError: there is no room to download or to unpack it.
        """
        with self.as_stored(scratch, listener) as path:
            if self.manifest is not None:
                yield path
                return
            examine(path, self.url)
            with unpacked(path, self.url, scratch) as ready:
                yield ready

    @contextmanager
    def as_stored(self, scratch: Path | None, listener: ProgressListener) -> Iterator[Path]:
        """The archive as a local file, whose SHA-256 was compared with the manifest's where there is one.

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
        stored = self.stored()
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
            if self.manifest is not None:
                self._compare(self._read(stored, None, listener))
            yield local
            return
        with scratch_file(scratch, stored.size_bytes) as (path, descriptor):
            self._compare(self._read(stored, descriptor, listener))
            yield path

    def _read(self, stored: StoredObject, descriptor: int | None, listener: ProgressListener) -> str:
        digest = hashlib.sha256()
        done = 0
        with self.store.read(self.key, self._named(stored)) as chunks:
            for chunk in chunks:
                digest.update(chunk)
                done += len(chunk)
                if descriptor is not None:
                    write_all(descriptor, chunk)
                listener(Progress("read", done, bytes_total=stored.size_bytes))
        return digest.hexdigest()

    def _compare(self, digest: str) -> None:
        if self.manifest is not None and digest != self.manifest.archive.sha256:
            raise VerificationFailedError(
                f"{self.url} is not what was backed up: its SHA-256 is {digest}, that of its manifest is "
                f"{self.manifest.archive.sha256}.",
                untouched="No database was touched.",
                action="Choose another backup: `dbbackup list`. Keep this one, to find out what happened to it.",
            )
