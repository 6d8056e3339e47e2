from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.compression import Method
from dbbackup.core.errors import InvalidRequestError, ServerTooNewError
from tests.support import comparison
from tests.support.backups import restore, take
from tests.support.bindirs import previous_programs, with_program
from tests.support.databases import Database, DatabaseMaker

previous = pytest.mark.xdist_group("previous")


def _compression_in(archive: Path, bindir: Path) -> str:
    listing = subprocess.run((bindir / "pg_restore", "--list", archive), capture_output=True, text=True, check=True)
    (line,) = [line for line in listing.stdout.splitlines() if "Compression:" in line]
    return line.rpartition(" ")[2]


@previous
@pytest.mark.parametrize(
    ("wanted", "level", "inside", "noted"),
    [
        (Method.AUTO, 9, "zstd", "zstd:9"),
        (Method.ZSTD, 19, "zstd", "zstd:19"),
        (Method.GZIP, 6, "gzip", "gzip:6"),
    ],
)
def test_a_client_with_zstd_uses_what_is_asked_for(
    new_previous_database: DatabaseMaker, tmp_path: Path, wanted: Method, level: int, inside: str, noted: str
) -> None:
    original = new_previous_database()
    original.execute("CREATE TABLE t AS SELECT n, repeat('x', n % 50) s FROM generate_series(1, 2000) n")
    bindir = previous_programs(tmp_path)
    store = DirectoryStore(tmp_path / "backups")
    manifest = take(original, store, bindir=bindir, compression=wanted, compression_level=level).manifest
    archive = tmp_path / "backups" / manifest.archive.key
    assert _compression_in(archive, bindir) == inside
    assert manifest.archive.compression == noted
    assert manifest.client_version.startswith("17.")
    restored = restore(archive, original, new_previous_database, bindir=bindir)
    assert comparison.contents(restored) == comparison.contents(original)


def test_a_client_without_zstd_uses_gzip_when_it_may_choose(database: Database, tmp_path: Path) -> None:
    manifest = take(database, DirectoryStore(tmp_path), compression=Method.AUTO, compression_level=9).manifest
    assert manifest.archive.compression == "gzip:9"
    assert _compression_in(tmp_path / manifest.archive.key, database.server.bindir) == "gzip"


def test_zstd_is_refused_where_the_client_lacks_it_and_nothing_is_written(database: Database, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="built without it"):
        take(database, DirectoryStore(tmp_path / "backups"), compression=Method.ZSTD)
    assert not (tmp_path / "backups").exists()


def test_a_higher_level_makes_a_smaller_archive(database: Database, tmp_path: Path) -> None:
    database.execute("CREATE TABLE text AS SELECT md5((n % 1000)::text) || n FROM generate_series(1, 20000) n")
    fast = take(database, DirectoryStore(tmp_path / "1"), compression_level=1).manifest
    small = take(database, DirectoryStore(tmp_path / "9"), compression_level=9).manifest
    assert small.archive.size_bytes < fast.archive.size_bytes


@previous
def test_a_server_newer_than_the_client_is_refused_before_anything_is_written(
    database: Database, tmp_path: Path
) -> None:
    with pytest.raises(ServerTooNewError, match=r"server is PostgreSQL 18.*is 17\..*cannot dump a newer") as refused:
        take(database, DirectoryStore(tmp_path / "backups"), bindir=previous_programs(tmp_path))
    assert "Use client programs of PostgreSQL 18 or later" in refused.value.action
    assert not (tmp_path / "backups").exists()


@previous
def test_an_older_server_is_backed_up_by_a_newer_client(
    new_previous_database: DatabaseMaker, database: Database, tmp_path: Path
) -> None:
    original = new_previous_database()
    original.execute("CREATE TABLE t AS SELECT 1 AS one")
    manifest = take(original, DirectoryStore(tmp_path), bindir=database.server.bindir).manifest
    assert manifest.source.server_version_num // 10000 == 17
    assert manifest.client_version.startswith("18.")


def test_a_program_that_writes_no_archive_and_ends_well_makes_no_backup(database: Database, tmp_path: Path) -> None:
    script = 'case "$*" in *--snapshot*) echo hello;; *) exec "$REAL" "$@";; esac'
    bindir = with_program(tmp_path, "pg_dump", script)
    store = DirectoryStore(tmp_path / "backups")
    with pytest.raises(Exception, match="do not begin as an archive does"):
        take(database, store, bindir=bindir)
    assert not list(store.objects(None))
