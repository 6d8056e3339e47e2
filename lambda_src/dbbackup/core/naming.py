"""Names of backups: what a database, a tier and a moment are called in a directory and in a bucket."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from dbbackup.contract import Tier

TIME_FORMAT = "%Y%m%d_%H%M%S"
ARCHIVE_SUFFIX = ".dump"
MANIFEST_SUFFIX = ".manifest.json"
ROLES_SUFFIX = ".roles.sql"
RECEIPT_SUFFIX = ".receipt.json"
_NAME = re.compile(r"(?P<database>[^/]+)_backup_(?P<time>\d{8}_\d{6})\.dump")


@dataclass(frozen=True, slots=True)
class BackupId:
    """One backup: which database, why, and the moment it is filed under (UTC, whole seconds)."""

    database: str
    tier: Tier
    time: datetime

    def __post_init__(self) -> None:
        if self.time.tzinfo is None:
            raise ValueError(f"a backup's time needs a zone: {self.time.isoformat()}")
        object.__setattr__(self, "time", self.time.astimezone(UTC).replace(microsecond=0))

    @property
    def file_name(self) -> str:
        """``<database>_backup_YYYYMMDD_HHMMSS.dump``; odd characters of the database are percent-encoded."""
        return f"{quote(self.database, safe='')}_backup_{self.time.strftime(TIME_FORMAT)}{ARCHIVE_SUFFIX}"

    @property
    def object_key(self) -> str:
        """Key in a bucket: the tier's prefix and the file name."""
        return f"{self.tier.value}/{self.file_name}"


def manifest_key(archive_key: str) -> str:
    """Where the manifest of an archive lies: beside it."""
    return archive_key.removesuffix(ARCHIVE_SUFFIX) + MANIFEST_SUFFIX


def roles_key(archive_key: str) -> str:
    """Where the role dump of an archive lies: beside it."""
    return archive_key.removesuffix(ARCHIVE_SUFFIX) + ROLES_SUFFIX


def receipt_key(archive_key: str) -> str:
    """Where the receipt of an archive that was taken before a migration lies: beside it."""
    return archive_key.removesuffix(ARCHIVE_SUFFIX) + RECEIPT_SUFFIX


def archive_key(manifest: str) -> str:
    """The archive that a manifest's key belongs to."""
    return manifest.removesuffix(MANIFEST_SUFFIX) + ARCHIVE_SUFFIX


def parse_file_name(name: str) -> tuple[str, datetime] | None:
    """Database and time of an archive's file name or key, or None where it is not one of ours."""
    match = _NAME.fullmatch(name.rsplit("/", 1)[-1])
    if match is None:
        return None
    try:
        time = datetime.strptime(match["time"], TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return unquote(match["database"]), time


def is_ours(name: str) -> bool:
    """Whether a file name or key is one that a backup's archive, manifest, role dump or receipt has."""
    for suffix in (ARCHIVE_SUFFIX, MANIFEST_SUFFIX, ROLES_SUFFIX, RECEIPT_SUFFIX):
        if name.endswith(suffix):
            return parse_file_name(name.removesuffix(suffix) + ARCHIVE_SUFFIX) is not None
    return False
