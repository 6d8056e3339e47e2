"""pg_dump into a store, rows counted beside it, and nothing kept unless both ended well."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from dbbackup.core.compression import Compression
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import DbBackupError, DeadlineExceededError, DumpFailedError
from dbbackup.core.manifest import TableCount
from dbbackup.core.ports import (
    ArchiveWriter,
    BackupStore,
    ClientTools,
    DatabaseSession,
    DumpProcess,
    Progress,
    ProgressListener,
    Snapshot,
    StoredObject,
)
from dbbackup.core.watchdog import at_deadline

CANCEL_EVERY_SECONDS = 1.0
CANCELLATIONS = 5
MAGIC = b"PGDMP"
"""First bytes of every archive in custom format."""


@dataclass(frozen=True, slots=True)
class StoredDump:
    """An archive that has been stored whole."""

    stored: StoredObject
    sha256: str
    tables: tuple[TableCount, ...]
    objects: dict[str, int]


@dataclass(frozen=True, slots=True)
class Contents:
    """What the snapshot holds."""

    tables: tuple[TableCount, ...]
    objects: dict[str, int]


def store_dump(
    *,
    session: DatabaseSession,
    snapshot: Snapshot,
    tools: ClientTools,
    store: BackupStore,
    key: str,
    compression: Compression,
    exact_count_max_bytes: int,
    deadline: Deadline,
    listener: ProgressListener,
) -> StoredDump:
    """Stream one dump into the store and make it appear there once pg_dump has exited with status 0.

    Rows are counted at the same time, in the same snapshot, on the connection that holds it; that work runs in
    the server, while ours is waiting for the dump. It begins when the archive does: until then pg_dump takes the
    snapshot over and locks every table, and a count that failed would end the snapshot before it is taken over. So
    what pg_dump says is the cause of a failure, in the same words each time, and never only that the snapshot is gone.

    Raises:
        DbBackupError: the dump, the count or the store failed, or the deadline came; nothing has appeared.
    """
    with (
        ThreadPoolExecutor(1, thread_name_prefix="count") as pool,
        store.archive_writer(key, expected_bytes=snapshot.facts.database_size_bytes) as writer,
        tools.start_dump(snapshot.name, compression) as process,
        at_deadline(deadline, process.kill),
    ):
        counting = _Counting(pool, session, exact_count_max_bytes)
        try:
            digest = _pump(process, writer, deadline, listener, begun=counting.begin)
            contents = counting.result(deadline)
            session.check_alive()
            deadline.check("finishing the dump")
            return StoredDump(writer.commit(), digest, contents.tables, contents.objects)
        finally:
            counting.end()


class _Counting:
    """A count of the snapshot's contents that runs beside the dump."""

    def __init__(self, pool: ThreadPoolExecutor, session: DatabaseSession, exact_max_bytes: int) -> None:
        self._pool = pool
        self._session = session
        self._exact_max_bytes = exact_max_bytes
        self._future: Future[Contents] | None = None

    def begin(self) -> None:
        self._future = self._pool.submit(self._count)

    def _count(self) -> Contents:
        return Contents(self._session.count_rows(self._exact_max_bytes), self._session.count_objects())

    def result(self, deadline: Deadline) -> Contents:
        if self._future is None:
            raise RuntimeError("the count was not begun, although an archive was")
        try:
            return self._future.result(timeout=deadline.remaining())
        except TimeoutError:
            deadline.check("counting rows")
            raise

    def end(self) -> None:
        """Stop it where it still runs; a cancellation that comes between two of its statements has no effect."""
        if self._future is None:
            return
        for _ in range(CANCELLATIONS):
            if self._future.done():
                return
            with contextlib.suppress(Exception):  # the failure that led here is the one to report
                self._session.cancel()
            wait((self._future,), timeout=CANCEL_EVERY_SECONDS)
        if not self._future.done():
            with contextlib.suppress(Exception):
                self._session.abandon()


def _pump(
    process: DumpProcess,
    writer: ArchiveWriter,
    deadline: Deadline,
    listener: ProgressListener,
    *,
    begun: Callable[[], None],
) -> str:
    digest = hashlib.sha256()
    size = 0
    head = b""
    try:
        for chunk in process.chunks():
            deadline.check("dumping")
            if not size:
                begun()
            if len(head) < len(MAGIC):
                head += chunk[: len(MAGIC)]
            digest.update(chunk)
            size += len(chunk)
            writer.write(chunk)
            listener(Progress("dump", size, tables_done=process.tables_started))
        process.wait()
    except DeadlineExceededError:
        raise
    except DbBackupError:
        # Where the watchdog killed the program, the reason is the time, not the signal.
        deadline.check("dumping")
        raise
    if not head.startswith(MAGIC):
        raise DumpFailedError(
            f"pg_dump ended with exit status 0, but its {size} bytes do not begin as an archive does.",
            untouched="The database was only read, and nothing is stored under a final name.",
            action="Check which program PG_BINDIR or PATH leads to.",
        )
    return digest.hexdigest()
