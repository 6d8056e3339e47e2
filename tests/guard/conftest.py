"""Places for the backups of a guard, and what is common to its tests."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dbbackup.core.naming import RECEIPT_SUFFIX
from dbbackup.core.receipt import Receipt
from tests.support.buckets import Bucket
from tests.support.command import Ended, dbbackup
from tests.support.databases import Database

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _no_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.startswith("GITHUB_"):
            monkeypatch.delenv(name)


@dataclass(frozen=True)
class Place:
    """Where a guard puts backups."""

    options: tuple[str, str]
    environment: Mapping[str, str]
    folder: Path | None
    bucket: Bucket | None

    def receipts(self) -> list[Receipt]:
        """All receipts that lie there, oldest first."""
        if self.bucket is not None:
            keys = [key for key in self.bucket.names() if key.endswith(RECEIPT_SUFFIX)]
            return [Receipt.model_validate(json.loads(self.bucket.body(key))) for key in keys]
        assert self.folder is not None
        files = sorted(self.folder.glob(f"*{RECEIPT_SUFFIX}"))
        return [Receipt.model_validate(json.loads(file.read_bytes())) for file in files]


@pytest.fixture
def folder_place(tmp_path: Path) -> Place:
    """A folder."""
    folder = tmp_path / "backups"
    return Place(("--directory", str(folder)), {}, folder, None)


@pytest.fixture(params=["directory", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A folder, or a bucket."""
    if request.param == "bucket":
        bucket: Bucket = request.getfixturevalue("bucket")
        yield Place(("--bucket", bucket.name), bucket.aws.environment(), None, bucket)
    else:
        yield request.getfixturevalue("folder_place")


def environment_of(database: Database) -> dict[str, str]:
    """What leads both our command and plain psql to a database."""
    return {**database.environment(), **database.parameters.environment("migration")}


def database_url(database: Database, name: str | None = None) -> str:
    """What an application would be given, for this database or another of its server."""
    values = database.environment()
    return (
        f"postgresql://{values['POSTGRES_USER']}:{values['POSTGRES_PASSWORD']}@{values['POSTGRES_HOST']}"
        f":{values['POSTGRES_PORT']}/{name or database.name}"
    )


def guard(database: Database, place: Place, *words: str, options: tuple[str, ...] = (), **more: str) -> Ended:
    """Guard a command, outside of any repository."""
    environment = {**environment_of(database), **place.environment, **more}
    folder = place.folder.parent if place.folder is not None else Path("/")
    return dbbackup("guard", *place.options, *options, "--", *words, environment=environment, folder=folder)


def printed_command(err: str, begin: str) -> list[str]:
    """The words of a command that was printed for people to run."""
    (line,) = [line.strip() for line in err.splitlines() if line.strip().startswith(begin)]
    return shlex.split(line)
