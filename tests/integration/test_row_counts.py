"""The manifest counts rows in the snapshot of the dump, whatever goes on meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.manifest import Manifest
from tests.support import comparison
from tests.support.backups import restore, take
from tests.support.bindirs import with_program
from tests.support.databases import Database, DatabaseMaker


def _rows(manifest: Manifest) -> dict[str, int]:
    return {table.table: table.rows for table in manifest.tables}


def test_counts_are_of_the_dumps_own_snapshot_while_somebody_writes(
    large_database: Database, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    large_database.execute("CREATE TABLE growing (id serial)")
    writing, enough = threading.Event(), threading.Event()

    def write() -> None:
        with large_database.connect() as connection:
            while not enough.is_set():
                connection.execute("INSERT INTO growing DEFAULT VALUES")
                writing.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert writing.wait(30)
        manifest = take(large_database, DirectoryStore(tmp_path)).manifest
    finally:
        enough.set()
        writer.join()
    restored = restore(tmp_path / manifest.archive.key, large_database, new_database)
    assert _rows(manifest)["growing"] == restored.value("SELECT count(*) FROM growing")
    assert _rows(manifest)["growing"] < large_database.value("SELECT count(*) FROM growing")


def test_larger_tables_are_estimated_and_flagged(database: Database, tmp_path: Path) -> None:
    database.execute("CREATE TABLE big AS SELECT generate_series(1, 5000) n; ANALYZE big")
    small_bytes = database.value("SELECT pg_table_size('item')")
    manifest = take(database, DirectoryStore(tmp_path), exact_count_max_bytes=small_bytes).manifest
    assert {table.table: (table.rows, table.exact) for table in manifest.tables} == {
        "big": (5000, False),
        "item": (3, True),
    }


def test_partitions_are_counted_one_by_one_and_parents_only_for_themselves(
    database: Database, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    database.execute(
        "CREATE TABLE p (n int) PARTITION BY RANGE (n); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE rest PARTITION OF p DEFAULT; INSERT INTO p SELECT generate_series(1, 30);"
        "CREATE TABLE heir () INHERITS (item); INSERT INTO heir VALUES (9, 'z')"
    )
    manifest = take(database, DirectoryStore(tmp_path)).manifest
    assert _rows(manifest) == {"heir": 1, "item": 3, "p1": 9, "rest": 21}
    restored = restore(tmp_path / manifest.archive.key, database, new_database)
    assert comparison.contents(restored) == comparison.contents(database)


def test_tables_of_extensions_and_temporary_ones_are_not_counted(database: Database, tmp_path: Path) -> None:
    database.execute("CREATE TABLE mine (); CREATE EXTENSION hstore; ALTER EXTENSION hstore ADD TABLE mine")
    with database.connect() as connection:
        connection.execute("CREATE TEMPORARY TABLE fleeting AS SELECT 1")
        assert _rows(take(database, DirectoryStore(tmp_path)).manifest) == {"item": 3}


def _set(database: Database, *settings: str) -> None:
    for setting in settings:
        database.execute(f'ALTER DATABASE "{database.name}" SET {setting}')


def test_settings_of_the_database_change_nothing(
    database: Database, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    database.execute(
        "CREATE TABLE precise AS SELECT 0.1::float8 + 0.2 f, timestamptz '2025-02-03 04:05:06.789+01' t, "
        "interval '1 mon -2 days' i, '\\x00ff5c'::bytea b, 'ä\\'::text s"
    )
    original = comparison.contents(database)
    _set(
        database,
        "datestyle = 'German'",
        "intervalstyle = 'iso_8601'",
        "timezone = 'Pacific/Chatham'",
        "bytea_output = 'escape'",
        "client_encoding = 'LATIN1'",
        "search_path = ''",
        "default_transaction_isolation = 'serializable'",
        "standard_conforming_strings = off",
        "quote_all_identifiers = on",
        "extra_float_digits = 0",
        "row_security = off",
        "default_transaction_read_only = on",
    )
    manifest = take(database, DirectoryStore(tmp_path)).manifest
    restored = restore(tmp_path / manifest.archive.key, database, new_database)
    assert comparison.contents(restored) == original
    assert _rows(manifest) == {"item": 3, "precise": 1}
    assert abs((manifest.snapshot_at - manifest.started_at).total_seconds()) < 60, "the zone was misread"


def test_a_dump_may_take_longer_than_the_databases_timeouts(database: Database, tmp_path: Path) -> None:
    _set(
        database,
        "idle_in_transaction_session_timeout = '200ms'",
        "transaction_timeout = '200ms'",
        "statement_timeout = '200ms'",
        "idle_session_timeout = '200ms'",
    )
    slow = with_program(tmp_path, "pg_dump", 'case "$*" in *--snapshot*) sleep 0.5;; esac; exec "$REAL" "$@"')
    assert _rows(take(database, DirectoryStore(tmp_path / "backups"), bindir=slow).manifest) == {"item": 3}
