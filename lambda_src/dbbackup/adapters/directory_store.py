"""Backups in a local directory, all tiers side by side."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from dbbackup.contract import Tier
from dbbackup.core.errors import InvalidRequestError, NameTakenError, NotFoundError, StorageError, StorageFullError
from dbbackup.core.glacier import Retrieval
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import BackupId, is_ours, manifest_key, receipt_key, roles_key
from dbbackup.core.object_key import check_key
from dbbackup.core.ports import StoredObject
from dbbackup.unfinished_files import claim, remove_abandoned, unfinished

CHUNK_BYTES = 1024 * 1024
PARTIAL_SUFFIX = ".partial"
REJECTED_SUFFIX = ".rejected"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


_KEPT = "The new backup is stored and verified, and so are those that are kept; old ones have stayed behind."
_NOTHING_STORED = "Nothing is stored under a final name, and earlier backups are as they were."


@contextmanager
def _translated(doing: str, path: Path, *, untouched: str = _NOTHING_STORED) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFullError(
                f"There is no room left while {doing} {path}: {error.strerror}.",
                untouched="The unfinished file was removed, nothing is stored under a final name, and earlier backups "
                "are as they were.",
                action="Free space (df -h shows where), or keep backups for fewer days: RETENTION_DAYS or "
                "--retention-days. Then repeat the backup.",
            ) from error
        if isinstance(error, FileNotFoundError):
            raise NotFoundError(
                f"There is no {path}.", untouched="Nothing was changed.", action="`dbbackup list` shows what there is."
            ) from error
        if isinstance(error, FileExistsError):
            raise NameTakenError(
                f"Another one has taken the name {path} already.",
                untouched=f"It stays as it is, and nothing was written over. {untouched}",
                action="Repeat: the next name is taken then. Where several machines back up into one folder, give each "
                "its own.",
            ) from error
        raise StorageError(
            f"{doing[0].upper()}{doing[1:]} {path} failed: {error.strerror}.",
            untouched=untouched,
            action="Check the folder and the rights on it, or name another with --directory.",
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_inside(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


class FileWriter:
    """A file on its way to disk, under a temporary name until :meth:`commit`."""

    def __init__(self, path: Path, *, replacing: bool = False, tidy: bool = False) -> None:
        """Begin it.

        Args:
            path: what it will be called.
            replacing: whether it may take the place of a file of that name.
            tidy: whether to remove what killed runs have left beside it.
        """
        self._path = path
        self._replacing = replacing
        self._stack = ExitStack()
        with _translated("creating", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor, self._partial = self._stack.enter_context(
                unfinished(path.parent, path.name, PARTIAL_SUFFIX)
            )
        if tidy:
            with suppress(OSError):  # what others have left is no reason to make no backup
                remove_abandoned(
                    path.parent, f"*{PARTIAL_SUFFIX}", PARTIAL_SUFFIX, beside=self._descriptor, ours=is_ours
                )

    def write(self, chunk: bytes) -> None:
        """Append bytes.

        Raises:
            StorageFullError: there is no room left.
        """
        view = memoryview(chunk)
        with _translated("writing", self._partial):
            while view:
                view = view[os.write(self._descriptor, view) :]

    def commit(self) -> StoredObject:
        """Sync the bytes, then give the file its name.

        Raises:
            NameTakenError: there is another file of that name, which is as it was.
            StorageError: the file system refuses.
        """
        with _translated("finishing", self._path):
            os.fsync(self._descriptor)
            if self._replacing:
                self._partial.replace(self._path)
            else:
                claim(self._partial, self._path)
            _sync_folder(self._path.parent)
            stat = self._path.stat()
        return StoredObject(self._path.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC), "LOCAL")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class DirectoryStore:
    """A folder of backups."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def location(self) -> str:
        """What to call it in a message."""
        return str(self._folder)

    def key_for(self, backup: BackupId) -> str:
        """The file name; the tier is in the manifest."""
        return backup.file_name

    def url(self, key: str) -> str:
        """The path."""
        return str(self._folder / key)

    def archive_writer(self, key: str, *, expected_bytes: int) -> FileWriter:
        """Start a file, and remove what killed runs have left."""
        return FileWriter(self._path(key), tidy=True)

    def _path(self, key: str) -> Path:
        """Where an object lies, which is in the folder and nowhere else, symbolic links followed.

        Raises:
            InvalidRequestError: the key leads elsewhere.
        """
        path = self._folder / check_key(key)
        if not _is_inside(path, self._folder):
            raise InvalidRequestError(
                f"{path} is not in {self._folder}: it leads to {os.path.realpath(path)}.",
                untouched="Nothing was read, written or removed there.",
                action="Name the file itself, or copy it into the folder.",
            )
        return path

    @contextmanager
    def read(self, key: str, version_id: str | None = None) -> Iterator[Iterator[bytes]]:
        """The bytes of a file."""
        path = self._path(key)
        with _translated("opening", path):
            file = path.open("rb", buffering=0)
        with file:
            yield self._chunks(path, file.fileno())

    @staticmethod
    def _chunks(path: Path, descriptor: int) -> Iterator[bytes]:
        with _translated("reading", path):
            while chunk := os.read(descriptor, CHUNK_BYTES):
                yield chunk

    def write_document(self, key: str, body: bytes, kind: str) -> None:
        """Store a small file in one step, under a name that there is no file of."""
        with FileWriter(self._path(key)) as writer:
            writer.write(body)
            writer.commit()

    def replace_document(self, key: str, body: bytes, kind: str) -> None:
        """Store a small file in one step, in the place of another."""
        with FileWriter(self._path(key), replacing=True) as writer:
            writer.write(body)
            writer.commit()

    def find(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """The file of that name, or None; a directory keeps no versions."""
        path = self._path(key)
        with _translated("looking at", path):
            try:
                stat = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return StoredObject(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC), "LOCAL")

    def objects(self, tier: Tier | None) -> Iterator[StoredObject]:
        """All files of the folder; the tier is in the manifests, so it selects nothing here."""
        if not self._folder.is_dir():
            return
        yield from self._files(self._folder, "")

    def under(self, prefix: str) -> Iterator[StoredObject]:
        """All files of a folder of the folder."""
        folder = self._path(prefix)
        if folder.is_dir():
            yield from self._files(folder, prefix)

    def _files(self, folder: Path, prefix: str) -> Iterator[StoredObject]:
        """What lies in a folder; a symbolic link that leads out of the store is no file of it."""
        for path in sorted(folder.iterdir()):
            is_own = path.is_file() and (not path.is_symlink() or _is_inside(path, self._folder))
            if is_own and (found := self._listed(prefix + path.name)) is not None:
                yield found

    def _listed(self, key: str) -> StoredObject | None:
        """A file of a listing; None where nothing of ours can have such a name."""
        try:
            return self.find(key)
        except InvalidRequestError:
            return None

    def write_locked(self, key: str, body: bytes, *, until: datetime) -> None:
        """Store it read-only, which is all a directory can do."""
        path = self._path(key)
        with FileWriter(path) as writer:
            writer.write(body)
            writer.commit()
        path.chmod(0o400)

    def local_path(self, key: str) -> Path | None:
        """The file."""
        return self._path(key)

    def ask_back(self, key: str, retrieval: Retrieval, days: int, version_id: str | None = None) -> None:
        """Nothing: a directory has no archive classes."""

    def reject(self, key: str) -> str:
        """Rename an archive that failed its verification, so that nobody takes it for a backup."""
        path = self._path(key)
        rejected = path.with_name(path.name + REJECTED_SUFFIX)
        with _translated("setting aside", path):
            for number in count(1):
                try:
                    claim(path, rejected)
                except FileExistsError:  # an earlier one of that name, which somebody may want to look at
                    rejected = path.with_name(f"{path.name}.{number}{REJECTED_SUFFIX}")
                else:
                    break
        return f"It was set aside as {rejected}."

    def prune(self, manifests: Iterable[Manifest]) -> int:
        """Remove backups: the manifest first, since without it the rest is no backup any more."""
        removed = 0
        for manifest in manifests:
            archive = manifest.archive.key
            own = (manifest_key(archive), receipt_key(archive), roles_key(archive), archive)
            paths = [self._path(key) for key in own]
            with _translated("removing", self._folder / archive, untouched=_KEPT):
                for path in paths:
                    path.unlink(missing_ok=True)
            removed += 1
        return removed
