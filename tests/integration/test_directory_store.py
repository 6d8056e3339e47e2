"""Backups in a folder: how they come to their names, and which of them go."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.contract import Tier
from dbbackup.core.errors import StorageError
from dbbackup.core.ports import Progress
from tests.support.backups import lay_down, manifest_of, take
from tests.support.command import dbbackup
from tests.support.databases import Database


def test_a_backup_is_under_a_temporary_name_until_it_is_whole(large_database: Database, tmp_path: Path) -> None:
    seen: dict[str, set[str]] = {}

    def look(progress: Progress) -> None:
        suffixes = {"".join(path.suffixes[-1:]) for path in tmp_path.iterdir()}
        seen.setdefault(progress.phase, set()).update(suffixes)

    take(large_database, DirectoryStore(tmp_path), listener=look)
    assert seen["dump"] == {".partial"}
    assert seen["verify"] == {".dump"}, "the manifest comes after the archive was read back"


def test_files_can_be_read_by_their_owner_alone(database: Database, tmp_path: Path) -> None:
    take(database, DirectoryStore(tmp_path / "new" / "folder"))
    files = list((tmp_path / "new" / "folder").iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_old_backups_go_after_a_success_and_nothing_else_does(database: Database, tmp_path: Path) -> None:
    gone = [
        *lay_down(tmp_path, manifest_of(database.name, days_old=31, of=database)),
        *lay_down(tmp_path, manifest_of(database.name, Tier.PRE_MIGRATION, days_old=8, of=database)),
    ]
    kept = [
        *lay_down(tmp_path, manifest_of(database.name, days_old=29, of=database)),
        *lay_down(tmp_path, manifest_of(database.name, Tier.PRE_MIGRATION, days_old=6, of=database)),
        *lay_down(tmp_path, manifest_of("another", days_old=300)),
        *lay_down(tmp_path, manifest_of("another", days_old=200)),
        tmp_path / "notes.txt",
        tmp_path / f"{database.name}_backup_20200101_000000.dump",
        tmp_path / f"{database.name}_backup_20200101_000000.sql",
        tmp_path / "film.123456789.partial",
    ]
    for path in kept:
        path.touch()
    ended = dbbackup("backup", "--json", "--directory", tmp_path, environment=database.environment())
    assert ended.status == 0, ended.err
    assert ended.document["old_backups_removed"] == 2
    assert not [path.name for path in gone if path.exists()]
    assert not [path.name for path in kept if not path.exists()]


def test_retention_is_a_setting(database: Database, tmp_path: Path) -> None:
    three, five = (lay_down(tmp_path, manifest_of(database.name, days_old=age, of=database)) for age in (3, 5))
    environment = {**database.environment(), "RETENTION_DAYS": "4"}
    ended = dbbackup("backup", "--directory", tmp_path, environment=environment)
    assert "Old backups cleaned (retention: 4 days, 1 removed)" in ended.out
    assert [path.exists() for path in (*three, *five)] == [True] * 3 + [False] * 3


def test_the_monthly_backup_stays_until_the_next_is_there(database: Database, tmp_path: Path) -> None:
    old, newest = (
        lay_down(tmp_path, manifest_of(database.name, Tier.MONTHLY, days_old=age, of=database)) for age in (62, 31)
    )
    newer = lay_down(tmp_path, manifest_of(database.name, Tier.MONTHLY, days_old=0.5, of=database))
    newer[0].write_bytes(b"cut off, so no backup any more")
    ended = dbbackup("backup", "--directory", tmp_path, environment=database.environment())
    assert "(retention: 30 days, 1 removed)" in ended.out
    assert [path.exists() for path in (*old, *newest, *newer)] == [False] * 3 + [True] * 6


def test_a_failed_backup_removes_nothing(database: Database, tmp_path: Path) -> None:
    old = [
        path for age in (31, 60) for path in lay_down(tmp_path, manifest_of(database.name, days_old=age, of=database))
    ]
    environment = {**database.environment(), "POSTGRES_DB": "no such database"}
    assert dbbackup("backup", "--directory", tmp_path, environment=environment).status == 1
    assert all(path.exists() for path in old)


def test_the_newest_backup_stays_however_old(tmp_path: Path) -> None:
    lay_down(tmp_path, manifest_of("shop", days_old=400))
    assert dbbackup("list", "--json", "--directory", tmp_path).document[0]["age_seconds"] > 399 * 86400


def test_old_backups_that_cannot_be_removed_are_reported(database: Database, tmp_path: Path) -> None:
    lay_down(tmp_path, manifest_of(database.name, days_old=40, of=database))
    _, _, roles = lay_down(tmp_path, manifest_of(database.name, days_old=50, of=database))
    roles.unlink()
    roles.mkdir()  # a folder in its place cannot be unlinked, not even by root
    ended = dbbackup("backup", "--directory", tmp_path, environment=database.environment())
    assert ended.status == 1
    assert "Backup created" in ended.out
    assert "Removing" in ended.err
    assert "Nothing is stored under a final name" not in ended.err
    assert len(list(tmp_path.glob(f"{database.name}*.dump"))) >= 1


def test_a_folder_that_cannot_be_written_to_is_named(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=f"{tmp_path}/file") as failure:
        take(database, DirectoryStore(tmp_path / "file" / "backups"))
    assert "--directory" in failure.value.action


def test_an_archive_that_does_not_verify_is_set_aside(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = DirectoryStore.read

    def read(self: DirectoryStore, key: str, version_id: str | None = None) -> object:
        path = tmp_path / key
        if path.suffix == ".dump":
            path.write_bytes(path.read_bytes()[:-10])
        return real(self, key, version_id)

    monkeypatch.setattr(DirectoryStore, "read", read)
    with pytest.raises(Exception, match="damaged or incomplete") as failure:
        take(database, DirectoryStore(tmp_path))
    assert "It was set aside as" in str(failure.value)
    assert [path.suffix for path in tmp_path.iterdir()] == [".rejected"]
