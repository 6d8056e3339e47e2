"""The document written last, without which a backup does not exist."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dbbackup.contract import Tier
from dbbackup.core.database_properties import DatabaseProperties, Locale
from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.manifest_names import Name
from dbbackup.core.naming import BackupId, roles_key
from dbbackup.core.server import Server
from dbbackup.core.server_name import server_name

SHA256_PATTERN = r"^[0-9a-f]{64}$"


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableCount(_Document):
    """Rows of one table in the archive."""

    oid: int = Field(description="pg_class.oid, which the archive's table of contents names too")
    schema_name: Name
    table: Name
    rows: int = Field(ge=0)
    exact: bool = Field(default=True, description="false in older manifests only: the planner's estimate")
    bytes: int | None = Field(default=None, ge=0, description="pg_table_size, in older manifests only")

    @property
    def counted_in_server(self) -> bool:
        """Whether it was counted beside the dump, as earlier versions did, which was not always the same moment."""
        return self.bytes is not None


class NotInDump(_Document):
    """Something that the database has and its dump has not."""

    what: str
    why: str
    keep: str = Field(description="how it is kept all the same")


class Archive(_Document):
    """The stored archive."""

    key: str
    size_bytes: int = Field(gt=0)
    sha256: str = Field(pattern=SHA256_PATTERN)
    version_id: str | None = Field(default=None, description="S3 version of the object that was verified")
    compression: str = Field(description="method:level")
    format: Literal["custom"] = "custom"


class Roles(_Document):
    """The role dump beside the archive."""

    key: str
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=SHA256_PATTERN)


class Source(_Document):
    """What was backed up."""

    database: str
    host: str | None
    port: int | None = None
    instance: str | None = Field(default=None, description="RDS instance identifier")
    server_version: str
    server_version_num: int
    system_identifier: str | None = Field(default=None, description="identifies the cluster, where we may read it")
    database_size_bytes: int = Field(ge=0, description="pg_database_size in the snapshot")
    encoding: str
    collation: str
    wal_position: str | None = Field(default=None, description="write-ahead log position when the snapshot was taken")
    properties: DatabaseProperties | None = Field(
        default=None, description="of the database itself; older manifests have encoding and collation only"
    )

    @property
    def known_properties(self) -> DatabaseProperties:
        """What is known of the database itself."""
        libc = Locale(provider="libc", collate=self.collation, ctype=self.collation)
        return self.properties or DatabaseProperties(encoding=self.encoding, locale=libc)

    @property
    def server(self) -> str:
        """What to call the server."""
        return server_name(host=self.host, port=self.port, instance=self.instance)

    @property
    def origin(self) -> Server:
        """Which server it was."""
        return Server(self.server, self.system_identifier)


class Verification(_Document):
    """What reading the archive back has shown."""

    verified_at: AwareDatetime
    entries: int = Field(ge=0, description="entries of the table of contents")
    tables_with_data: int = Field(ge=0)
    duration_seconds: float = Field(ge=0)


class Manifest(_Document):
    """One verified backup."""

    format_version: Literal[1] = 1
    tier: Tier
    safety: bool = Field(default=False, description="taken before a restore replaced the database: not to go back to")
    backup_time: AwareDatetime = Field(description="the moment the backup is filed under, in its name")
    started_at: AwareDatetime
    snapshot_at: AwareDatetime = Field(description="the moment whose data the archive holds: the recovery point")
    finished_at: AwareDatetime
    dump_seconds: float = Field(ge=0, description="from the start of pg_dump to the stored archive")
    source: Source
    archive: Archive
    roles: Roles
    tables: tuple[TableCount, ...]
    objects: dict[str, int] = Field(
        default_factory=dict, description="how many entries of each kind the archive's table of contents has"
    )
    not_in_dump: tuple[NotInDump, ...] = Field(default=(), description="what the database has and no dump of it holds")
    verification: Verification
    client_version: str
    software_version: str

    @property
    def backup_id(self) -> BackupId:
        """Name of the backup."""
        return BackupId(self.source.database, self.tier, self.backup_time)

    @property
    def total_rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def age_reference(self) -> datetime:
        """The moment that the backup's age is counted from."""
        return self.snapshot_at

    @property
    def digest(self) -> str:
        """SHA-256 of the document."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The document as it is stored."""
        return self.model_dump_json(indent=2).encode() + b"\n"


def parse_manifest(url: str, body: bytes, archive_key: str) -> Manifest:
    """Read a stored manifest, as the one of the archive that it lies beside, whatever it says of that itself.

    A backup may have been copied elsewhere or renamed; and a key that somebody has written into a document must not
    lead us to what else there is.

    Args:
        url: what to call it in a message.
        body: the document.
        archive_key: of the archive beside it.

    Raises:
        VerificationFailedError: it is damaged or of a format this version does not know.
    """
    try:
        manifest = Manifest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise VerificationFailedError(
            f"The manifest {url} cannot be read: {place}: {first['msg']}.",
            untouched="The archive beside it was not touched.",
            action="It may be damaged or written by a newer version. An earlier version of the object, where the "
            "store keeps them, is intact; `dbbackup verify` on the archive itself shows whether that is sound.",
        ) from None
    return manifest.model_copy(
        update={
            "archive": manifest.archive.model_copy(update={"key": archive_key}),
            "roles": manifest.roles.model_copy(update={"key": roles_key(archive_key)}),
        }
    )
