"""pg_dump into a store, and nothing kept unless it ended well."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from dbbackup.core.compression import Compression
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import DbBackupError, DeadlineExceededError, DumpFailedError
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

MAGIC = b"PGDMP"
"""First bytes of every archive in custom format."""


@dataclass(frozen=True, slots=True)
class StoredDump:
    """An archive that has been stored whole."""

    stored: StoredObject
    sha256: str


def store_dump(
    *,
    session: DatabaseSession,
    snapshot: Snapshot,
    tools: ClientTools,
    store: BackupStore,
    key: str,
    compression: Compression,
    deadline: Deadline,
    listener: ProgressListener,
) -> StoredDump:
    """Stream one dump into the store and make it appear there once pg_dump has exited with status 0.

    Raises:
        DbBackupError: the dump or the store failed, or the deadline came; nothing has appeared.
    """
    with (
        store.archive_writer(key, expected_bytes=snapshot.facts.database_size_bytes) as writer,
        tools.start_dump(snapshot.name, compression, standby=snapshot.facts.standby) as process,
        at_deadline(deadline, process.kill),
    ):
        digest = _pump(process, writer, deadline, listener)
        session.check_alive()
        deadline.check("finishing the dump")
        return StoredDump(writer.commit(), digest)


def _pump(process: DumpProcess, writer: ArchiveWriter, deadline: Deadline, listener: ProgressListener) -> str:
    digest = hashlib.sha256()
    size = 0
    head = b""
    try:
        for chunk in process.chunks():
            deadline.check("dumping")
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
