"""Reading back a dump that nobody vouches for: it is what its own bytes say, and whole."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from dbbackup.core.archive_kind import HEAD_BYTES, Cover, Form, recognize
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.ports import ClientTools, ProgressListener
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.foreign_check import Examined, examine, opened

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class VerifiedForeign:
    """What reading a dump of somebody else's has shown.

    Attributes:
        form: what it is.
        covers: compressions around it.
        examined: what it holds.
        size_bytes: as it lies there, of a folder all its files together.
        sha256: of the file; None of a folder.
        seconds: how long it took.
    """

    form: Form
    covers: tuple[Cover, ...]
    examined: Examined
    size_bytes: int
    sha256: str | None
    seconds: float

    @property
    def tables(self) -> int:
        """Tables that have data."""
        return len(self.examined.contents.table_data)

    @property
    def rows(self) -> int | None:
        """Rows of all tables, where all were counted."""
        counted = self.examined.rows
        whole = all(entry.dump_id in counted for entry in self.examined.contents.table_data)
        return sum(counted.values()) if whole else None


def is_ours_in_form(source: ArchiveSource) -> bool:
    """Whether a dump begins as those that we make, so that pg_restore can read it from the store as it lies there."""
    local = source.store.local_path(source.key)
    if local is not None and local.is_dir():
        return False
    head = b""
    with source.store.read(source.key) as chunks:
        for chunk in chunks:
            head += chunk
            if len(head) >= HEAD_BYTES:
                break
    return recognize(head[:HEAD_BYTES]) is Form.CUSTOM


def verify_foreign(
    source: ArchiveSource,
    tools: ClientTools,
    *,
    scratch: Path | None,
    listener: ProgressListener,
    deadline: Deadline = NO_DEADLINE,
) -> VerifiedForeign:
    """Read a dump that somebody else has made to its end.

    Raises:
        VerificationFailedError: it is no dump, damaged or cut short; the message says which, and what to do.
        RefusedError: it is a script that asks for what is never carried out.
        StorageError: it cannot be read.
    """
    started = time.monotonic()
    with source.as_stored(scratch, listener) as path:
        examined = examine(path, source.url)
        form = Form.DIRECTORY
        covers: tuple[Cover, ...] = ()
        if not path.is_dir():
            with opened(path, source.url) as dump:
                form, covers = dump.form, dump.covers
                if form is Form.CUSTOM:  # its blocks are all there; now what is in them
                    reading = tools.read_archive(iter(lambda: dump.stream.read(_CHUNK), b""), deadline)
                    examined = Examined(reading.contents, reading.rows or {})
        files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
        return VerifiedForeign(
            form=form,
            covers=covers,
            examined=examined,
            size_bytes=sum(file.stat().st_size for file in files),
            sha256=None if path.is_dir() else _digest(path),
            seconds=round(time.monotonic() - started, 3),
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
