"""The same backup asked for twice, and two backups at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.contract import Tier
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import BackupInProgressError
from dbbackup.operations.catalog import read_catalog
from tests.support.backups import MOMENT, take
from tests.support.buckets import Bucket
from tests.support.command import dbbackup, start_dbbackup
from tests.support.databases import Database, DatabaseMaker
from tests.support.faults import at_first_bytes, wait_for
from tests.support.function import Function

HOLDERS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"  # noqa: E501


def test_the_same_event_twice_at_once_makes_one_backup(function: Function) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = [future.result() for future in [pool.submit(function.invoke) for _ in range(2)]]
    assert sorted(answer["status"] for answer in answers) == ["already-made", "created"]
    assert answers[0]["sha256"] == answers[1]["sha256"]
    assert len(function.bucket.names()) == 3
    assert all(function.bucket.versions(name) == 1 for name in function.bucket.names())


def test_the_same_moment_again_leaves_a_directory_as_it_is(database: Database, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    first = take(database, store, scheduled_time=MOMENT)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    second = take(database, store, scheduled_time=MOMENT)
    assert (first.created, second.created) == (True, False)
    assert second.manifest == first.manifest
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_manifest_whose_archive_was_cut_short_does_not_count_as_made(database: Database, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    first = take(database, store, scheduled_time=MOMENT).manifest.archive
    (tmp_path / first.key).write_bytes(b"PGDMP")
    assert take(database, store, scheduled_time=MOMENT).created


def test_two_backups_in_one_second_have_two_names(database: Database, tmp_path: Path) -> None:
    keys = {take(database, DirectoryStore(tmp_path)).manifest.archive.key for _ in range(3)}
    assert len(keys) == 3


def test_the_second_backup_waits_for_the_first_and_goes_on(large_database: Database, bucket: Bucket) -> None:
    store = bucket.store()
    with ThreadPoolExecutor(1) as pool:
        rivals = []

        def start_another() -> None:
            rivals.append(pool.submit(take, large_database, store, tier=Tier.WEEKLY, lock_wait_seconds=60))

        take(large_database, store, tier=Tier.DAILY, listener=at_first_bytes(start_another))
        rivals[0].result()
    first, second = sorted(read_catalog(store).entries, key=lambda entry: entry.manifest.started_at)
    assert (first.manifest.tier, second.manifest.tier) == (Tier.DAILY, Tier.WEEKLY)
    assert second.manifest.started_at >= first.manifest.finished_at


def test_without_waiting_the_second_says_who_is_at_work(database: Database, bucket: Bucket) -> None:
    with database.source().session("backup daily") as first:
        first.lock(0, Deadline())
        with pytest.raises(
            BackupInProgressError, match=r"Another backup of this database is running \(dbbackup backup d"
        ):
            take(database, bucket.store(), lock_wait_seconds=0)
    assert bucket.names() == []
    assert take(database, bucket.store()).created, "the turn was given back"


def test_the_command_ends_with_status_75_while_another_runs(large_database: Database, tmp_path: Path) -> None:
    environment = large_database.environment()
    first = start_dbbackup("backup", "--directory", tmp_path, environment=environment)
    try:
        wait_for(lambda: large_database.value(HOLDERS))
        second = dbbackup("backup", "--wait", "0", "--json", "--directory", tmp_path / "2", environment=environment)
        assert first.poll() is None, "the first ended too soon for this test"
    finally:
        _, said = first.communicate()
    assert second.status == 75
    assert second.document["error"] == "in-progress"
    assert "the other one goes on" in second.document["untouched"]
    assert not (tmp_path / "2").exists()
    assert first.returncode == 0, said


def test_backups_of_two_databases_do_not_wait_for_each_other(
    database: Database, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    other = new_database()
    with other.source().session("backup daily") as rival:
        rival.lock(0, Deadline())
        assert take(database, DirectoryStore(tmp_path), lock_wait_seconds=0).created


def test_the_turn_is_given_back_before_the_connection_is_closed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server notices a moment after it was closed; somebody who does not wait would be refused meanwhile."""
    close, seen = psycopg.Connection.close, []
    with database.connect() as watching:

        def look_and_close(connection: psycopg.Connection[TupleRow]) -> None:
            seen.append(watching.execute(HOLDERS.encode()).fetchone())
            close(connection)

        with monkeypatch.context() as patch:
            patch.setattr(psycopg.Connection, "close", look_and_close)
            take(database, DirectoryStore(tmp_path))
    assert set(seen) == {(0,)}
