"""The manifest tells the rows that are in the archive, whatever goes on meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.manifest import Manifest, parse_manifest
from tests.support import comparison
from tests.support.backups import restore, take
from tests.support.bindirs import with_program
from tests.support.databases import Database, DatabaseMaker, drop_all
from tests.support.restores import cli


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


def test_a_table_that_is_emptied_or_dropped_when_the_dump_is_done_is_counted_as_dumped(
    database: Database, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    database.execute("CREATE TABLE dropped AS SELECT 1 n; CREATE TABLE renamed AS SELECT 1 n")
    changes = "TRUNCATE item; DROP TABLE dropped; ALTER TABLE renamed RENAME TO other"
    programs = with_program(
        tmp_path,
        "pg_dump",
        f"""case "$*" in *--snapshot*) "$REAL" "$@" || exit; exec "$(dirname "$REAL")/psql" -qc '{changes}';; esac
        exec "$REAL" "$@\"""",
    )
    manifest = take(database, DirectoryStore(tmp_path / "backups"), bindir=programs).manifest
    assert database.value("SELECT count(*) FROM item") == 0
    assert _rows(manifest) == {"dropped": 1, "item": 3, "renamed": 1}
    restored = restore(tmp_path / "backups" / manifest.archive.key, database, new_database)
    assert restored.value("SELECT count(*) FROM item") == 3


def test_a_table_that_is_made_and_dropped_again_and_again_does_not_matter(database: Database, tmp_path: Path) -> None:
    enough = threading.Event()

    def churn() -> None:
        with database.connect() as connection:
            while not enough.is_set():
                connection.execute("CREATE TABLE fleeting (n int PRIMARY KEY); DROP TABLE fleeting")

    churner = threading.Thread(target=churn)
    churner.start()
    try:
        manifest = take(database, DirectoryStore(tmp_path)).manifest
    finally:
        enough.set()
        churner.join()
    assert _rows(manifest)["item"] == 3


STRANGE = 'a "table"\n\\.\nCOPY public.item (id) FROM stdin;\n-- 100% (s) %s %(x)s; name'
_QUOTED = STRANGE.replace('"', '""')


def test_names_and_rows_that_look_like_the_script_around_them(database: Database, tmp_path: Path) -> None:
    database.execute(
        f"""
        CREATE SCHEMA "100% %s"; CREATE TABLE "100% %s"."{_QUOTED[:63]}" (" %s\n;\n" text);
        INSERT INTO "100% %s"."{_QUOTED[:63]}" VALUES (E'\\\\.'), (E'a\\n\\\\.\\nb'), (NULL), ('');
        CREATE SEQUENCE "x\nCOPY public.item (id, name) FROM stdin;\n"; CREATE TABLE nothing (); INSERT INTO nothing
        SELECT FROM generate_series(1, 5); SELECT lo_from_bytea(0, 'x');
        SELECT format('COMMENT ON LARGE OBJECT %s IS %L', oid, E'\nCOPY public.item (id, name) FROM stdin;\n1\n\\\\.\n')
        FROM pg_largeobject_metadata"""
    )
    database.execute(
        "DO $do$ BEGIN EXECUTE (SELECT format('COMMENT ON LARGE OBJECT %s IS %L', oid, "
        "E'\nCOPY public.item (id, name) FROM stdin;\n1\n\\\\.\n') FROM pg_largeobject_metadata); END $do$"
    )
    assert _rows(take(database, DirectoryStore(tmp_path)).manifest) == {
        "item": 3,
        "nothing": 5,
        _QUOTED[:63].replace('""', '"'): 4,
    }


RAW = {"LATIN1": b"gr\xf6\xdfe", "SQL_ASCII": b"gr\xf6\xdfe", "EUC_JP": b"\xc6\xfc", "EUC_TW": b"\xc4\xe3"}


@pytest.mark.parametrize("encoding", RAW)
def test_names_that_are_not_utf_8(encoding: str, new_database: DatabaseMaker, tmp_path: Path) -> None:
    database = new_database(template="template0", options=f" ENCODING '{encoding}' LOCALE 'C'")
    raw, copy = RAW[encoding], f"{database.name} copy"
    with database.server.connect(database.name, client_encoding="sql_ascii") as connection:
        connection.execute(b'CREATE TABLE "' + raw + b'" (id int); INSERT INTO "' + raw + b'" VALUES (1), (2)')
    made = take(database, DirectoryStore(tmp_path)).manifest
    manifest = parse_manifest("key", made.to_bytes(), made.archive.key)
    (table,) = manifest.tables
    assert table.rows == 2
    codec = {"LATIN1": "latin1", "EUC_JP": "euc_jp"}.get(encoding, "utf-8")
    assert table.table.encode(codec, "surrogateescape") == raw
    environment = database.environment()
    ended = cli("restore", tmp_path / made.archive.key, "--yes", "--to", copy, environment=environment)
    drop_all(DatabaseMaker(database.server, [copy]))
    assert ended.status == 0, ended.err
    assert "1 tables, 2 rows" in ended.out


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
