"""What the operations need of the world. Adapters provide these; tests may, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from dbbackup.contract import Tier
from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.compression import Compression
from dbbackup.core.copy_ports import Copy
from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.deadline import Deadline
from dbbackup.core.glacier import Retrieval
from dbbackup.core.manifest import Manifest, NotInDump
from dbbackup.core.naming import BackupId


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the snapshot's session knows about the server and database."""

    version: str
    version_num: int
    system_identifier: str | None
    database_size_bytes: int
    encoding: str
    collation: str
    wal_position: str | None
    properties: DatabaseProperties | None
    standby: bool = False

    @property
    def major(self) -> int:
        """Major version, for example 18."""
        return self.version_num // 10000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An exported snapshot, valid while its session lives."""

    name: str
    taken_at: datetime
    facts: ServerFacts


@dataclass(frozen=True, slots=True)
class RowTotal:
    """Tables of a database, and rows of all of them."""

    tables: int
    rows: int


class DatabaseSession(Protocol):
    """One connection that locks out other backups and exports a snapshot."""

    @property
    def server_version(self) -> tuple[int, str]:
        """Number and text of the server's version."""

    def system_identifier(self) -> str | None:
        """What identifies the cluster; None where we may not read it."""

    def lock(self, wait_seconds: float, deadline: Deadline) -> None:
        """Become the only backup of this database, waiting at most that long for another to end."""

    def export_snapshot(self) -> Snapshot:
        """Open the transaction whose view of the data the dump will share."""

    def left_out(self) -> tuple[NotInDump, ...]:
        """What the database has and a dump by this user has not."""

    def count_rows(self) -> RowTotal:
        """Tables and rows in the snapshot, of large tables by estimate."""

    def check_alive(self) -> None:
        """Raise where the connection, and so the lock, has been lost."""


class Database(Protocol):
    """The database to back up."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def host(self) -> str | None:
        """Where it is, as far as we were told."""

    @property
    def port(self) -> int | None:
        """Likewise."""

    def session(self, purpose: str) -> AbstractContextManager[DatabaseSession]:
        """Connect; the connection ends with the context."""

    def as_copy(self, contents: TableOfContents) -> Copy:
        """The database as one that an archive was restored into."""


class DumpProcess(Protocol):
    """A running pg_dump."""

    def chunks(self) -> Iterator[bytes]:
        """Its standard output, to the end."""

    def wait(self) -> None:
        """Its exit: raises unless it ended with status 0."""

    def kill(self) -> None:
        """End it at once."""

    @property
    def tables_started(self) -> int:
        """How many tables' data it has begun to write."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an archive that was read to its end holds.

    Attributes:
        contents: its table of contents.
        rows: rows of each table by the number of its data's entry; None where they are INSERT statements.
    """

    contents: TableOfContents
    rows: Mapping[int, int] | None


class ClientTools(Protocol):
    """The PostgreSQL client programs."""

    @property
    def version(self) -> str:
        """Version of pg_dump, for example ``18.6``."""

    @property
    def major(self) -> int:
        """Its major."""

    @property
    def location(self) -> Path:
        """Folder they are in."""

    @property
    def choice(self) -> str:
        """How they were found, and why they were taken."""

    def suited_to(self, server: str) -> ClientTools:
        """Those of the installed ones that suit a server of this version best."""

    def suited_to_archive(self, made_by: str, server: str | None = None) -> ClientTools:
        """Those that can read an archive of this version of pg_dump, and of these the closest to a server."""

    @property
    def has_zstd(self) -> bool:
        """Whether pg_dump can compress with zstd."""

    def start_dump(
        self, snapshot: str, compression: Compression, *, standby: bool = False
    ) -> AbstractContextManager[DumpProcess]:
        """Start pg_dump; it is killed where the context ends before it does."""

    def dump_roles(self, deadline: Deadline) -> bytes:
        """The role dump."""

    def read_archive(self, chunks: Iterable[bytes], deadline: Deadline) -> Reading:
        """List an archive, decompress it to its end, and count its rows."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of a store."""

    key: str
    size_bytes: int
    modified: datetime
    storage_class: str = "STANDARD"
    version_id: str | None = None
    retrieved: bool = False
    """Whether a copy of an archived object is back and can be read."""
    retrieval_ongoing: bool = False
    """Whether an archived object has been asked back and is not there yet."""


class ArchiveWriter(Protocol):
    """An archive on its way into a store. Nothing is visible under its key before :meth:`commit`."""

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def commit(self) -> StoredObject:
        """Make the object appear, whole; raises where there is one under its key, which stays."""


class BackupStore(Protocol):
    """A place for backups: a directory or a bucket."""

    @property
    def location(self) -> str:
        """What to call it in a message."""

    def key_for(self, backup: BackupId) -> str:
        """Where this backup's archive lies."""

    def url(self, key: str) -> str:
        """An object as a person would name it elsewhere: a path or an s3:// URL."""

    def archive_writer(self, key: str, *, expected_bytes: int) -> AbstractContextManager[ArchiveWriter]:
        """Start an archive; leaving the context without a commit leaves nothing."""

    def read(self, key: str, version_id: str | None = None) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of an object."""

    def write_document(self, key: str, body: bytes, kind: str) -> None:
        """Store a small object in one step; raises where there is one under its key, which stays."""

    def replace_document(self, key: str, body: bytes, kind: str) -> None:
        """Store a small object in the place of another, or where there is none."""

    def find(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """The object under a key, or the version of it; None where there is none."""

    def objects(self, tier: Tier | None) -> Iterator[StoredObject]:
        """All objects, of one tier where the store keeps tiers apart."""

    def under(self, prefix: str) -> Iterator[StoredObject]:
        """All objects whose keys begin so."""

    def write_locked(self, key: str, body: bytes, *, until: datetime) -> None:
        """The same for one that nobody can remove before that moment, where the store can lock."""

    def local_path(self, key: str) -> Path | None:
        """The object as a file of this machine, where it is one."""

    def ask_back(self, key: str, retrieval: Retrieval, days: int, version_id: str | None = None) -> None:
        """Ask an archived object, or the version of it, back for so many days."""

    def reject(self, key: str) -> str:
        """Take an archive that failed its verification out of the way if the store lets us; say what was done."""

    def prune(self, manifests: Iterable[Manifest]) -> int:
        """Remove backups that have outlived their retention, if that is ours to do; how many were removed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backup has come."""

    phase: str
    bytes_done: int
    tables_done: int = 0
    tables_total: int | None = None
    bytes_total: int | None = None


ProgressListener = Callable[[Progress], None]


def no_progress(_: Progress) -> None:
    """A listener that does not care."""
