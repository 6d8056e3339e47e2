"""A folder that several restores download into."""

from __future__ import annotations

from pathlib import Path

from dbbackup.core.ports import no_progress
from dbbackup.operations.archive_source import ArchiveSource
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.databases import Database


def test_a_download_that_is_in_use_or_of_another_host_stays(database: Database, bucket: Bucket, tmp_path: Path) -> None:
    store = bucket.store()
    manifest = take(database, store).manifest
    of_another_host = tmp_path / "dbbackup-restore.00000000-11111111.dump"
    of_an_earlier_release = tmp_path / "dbbackup-restore-abcd1234.dump"
    for path in (of_another_host, of_an_earlier_release):
        path.touch()
    source = ArchiveSource(store, manifest.archive.key, manifest)
    with source.file(tmp_path, no_progress) as first, source.file(tmp_path, no_progress) as second:
        assert first.read_bytes() == second.read_bytes()
        assert first.stat().st_mode & 0o777 == 0o600
    assert set(tmp_path.iterdir()) == {of_another_host, of_an_earlier_release}
