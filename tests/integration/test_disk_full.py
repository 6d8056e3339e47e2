from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Ended, dbbackup
from tests.support.databases import Database

MIB = 1024**2
PAGE = 4096


def _assert_ended_in_order(ended: Ended, folder: Path) -> None:
    assert ended.status == 1
    assert ended.document["error"] == "storage-full"
    assert "There is no room left while writing" in ended.err
    assert "Free space" in ended.err
    assert list(folder.iterdir()) == []


def test_a_file_that_may_not_grow_further_leaves_nothing(large_database: Database, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5 * MIB, 5 * MIB))

    environment = large_database.environment()
    ended = dbbackup("backup", "--json", "--directory", tmp_path, environment=environment, before=limit)
    _assert_ended_in_order(ended, tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder))
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this machine does not let us mount: {done.stderr.strip()}")
    yield folder
    subprocess.run(("umount", str(folder)), check=True)


def test_a_full_disk_leaves_nothing(large_database: Database, small_disk: Path) -> None:
    ended = dbbackup("backup", "--json", "--directory", small_disk, environment=large_database.environment())
    _assert_ended_in_order(ended, small_disk)


def test_a_disk_that_is_full_for_the_manifest_makes_no_backup(database: Database, small_disk: Path) -> None:
    ended = dbbackup("backup", "--directory", small_disk, environment=database.environment())
    assert ended.status == 0, ended.err
    archive = next(small_disk.glob("*.dump")).stat().st_size
    for path in small_disk.iterdir():
        path.unlink()
    pages = -(-archive // PAGE)
    (small_disk / "ballast").write_bytes(b"x" * (4 * MIB - pages * PAGE))
    ended = dbbackup("backup", "--json", "--directory", small_disk, environment=database.environment())
    assert ended.status == 1
    assert ended.document["error"] == "storage-full"
    assert dbbackup("list", "--json", "--directory", small_disk).document == []
