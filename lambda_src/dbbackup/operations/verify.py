"""Reading an archive back: that it lists, decompresses to its end, and is the one that was written."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.manifest import TableCount, Verification
from dbbackup.core.ports import BackupStore, ClientTools, Progress, ProgressListener, Reading, no_progress

_UNTOUCHED = "The database and other backups are as they were."
_DO_NOT_RELY = "Do not rely on this archive. Take a new backup, and look at what wrote or stored this one."


@dataclass(frozen=True, slots=True)
class Expected:
    """What the writer of an archive knows of it."""

    size_bytes: int
    sha256: str
    tables: tuple[TableCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """What reading it back has shown.

    Attributes:
        size_bytes: bytes read.
        sha256: their digest.
        record: what goes into the manifest.
        reading: what the archive holds.
    """

    size_bytes: int
    sha256: str
    record: Verification
    reading: Reading


class _Meter:
    """Measures and digests a stream as it passes."""

    def __init__(self, expected_bytes: int | None, listener: ProgressListener) -> None:
        self.size = 0
        self._digest = hashlib.sha256()
        self._expected = expected_bytes
        self._listener = listener

    def passing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._digest.update(chunk)
            self.size += len(chunk)
            self._listener(Progress("verify", self.size, bytes_total=self._expected))
            yield chunk

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def verify_archive(
    store: BackupStore,
    key: str,
    tools: ClientTools,
    *,
    version_id: str | None = None,
    expected: Expected | None = None,
    deadline: Deadline = Deadline(),  # noqa: B008 - frozen
    listener: ProgressListener = no_progress,
) -> Verified:
    """Read a stored archive from its first byte to its last and hold it against what is known of it.

    Args:
        store: where it lies.
        key: under which key.
        tools: the client programs that read it.
        version_id: a version of the object; the newest where None.
        expected: what its writer knows; None for a file nobody vouches for, whose structure alone is checked.
        deadline: when to give up.
        listener: told of every chunk.

    Raises:
        VerificationFailedError: it is damaged, incomplete, or not the archive that was written.
        StorageError: it cannot be read.
        DeadlineExceededError: it took too long.
    """
    started = time.monotonic()
    meter = _Meter(expected.size_bytes if expected else None, listener)
    with store.read(key, version_id) as chunks:
        passing = meter.passing(chunks)
        reading = tools.read_archive(passing, deadline)
        for _ in passing:  # whatever follows the archive's own end belongs to the object's digest, too
            deadline.check("reading the archive back")
    url = store.url(key)
    contents = reading.contents
    if expected is not None:
        _compare(url, meter, contents.table_data_oids, expected)
    record = Verification(
        verified_at=datetime.now(UTC),
        entries=contents.entries,
        tables_with_data=len(contents.table_data_oids),
        duration_seconds=round(time.monotonic() - started, 3),
    )
    return Verified(meter.size, meter.sha256, record, reading)


def _compare(url: str, meter: _Meter, oids: frozenset[int], expected: Expected) -> None:
    if meter.size != expected.size_bytes:
        raise VerificationFailedError(
            f"{url} has {meter.size} bytes, {expected.size_bytes} were written.",
            untouched=_UNTOUCHED,
            action=_DO_NOT_RELY,
        )
    if meter.sha256 != expected.sha256:
        raise VerificationFailedError(
            f"{url} is not what was written: its SHA-256 is {meter.sha256}, that of the dump was {expected.sha256}.",
            untouched=_UNTOUCHED,
            action=_DO_NOT_RELY,
        )
    missing = [table for table in expected.tables if table.oid not in oids]
    if missing:
        names = ", ".join(f"{table.schema_name}.{table.table}" for table in missing[:5])
        raise VerificationFailedError(
            f"{url} has no data of {len(missing)} table(s) that the manifest names: {names}.",
            untouched=_UNTOUCHED,
            action=_DO_NOT_RELY,
        )
