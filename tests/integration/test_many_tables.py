"""As many tables as pg_dump alone can manage."""

from __future__ import annotations

from pathlib import Path

from dbbackup.adapters.directory_store import DirectoryStore
from devtools.postgres import start_server
from tests.support.backups import take
from tests.support.databases import DatabaseMaker
from tests.support.restores import cli

TABLES = 3000
# The server has room for little more than one lock of each table: https://www.postgresql.org/docs/current/runtime-config-locks.html
SETTINGS = {"max_connections": "10", "max_worker_processes": "0", "max_wal_senders": "0", "autovacuum": "off"}
MAKE = f"""
    CREATE PROCEDURE make() LANGUAGE plpgsql AS $$ BEGIN FOR n IN 1..{TABLES} LOOP
        EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a int UNIQUE, b int)', n);
        EXECUTE format('INSERT INTO t%s SELECT g, g FROM generate_series(1, %s) g', n, n % 3);
        IF n % 50 = 0 THEN COMMIT; END IF; END LOOP; END $$
"""


def test_thousands_of_tables_where_the_server_has_few_locks(tmp_path: Path) -> None:
    with start_server(settings={**SETTINGS, "max_locks_per_transaction": "180"}) as server:
        database = DatabaseMaker(server.master)()
        database.execute(MAKE)
        database.execute("CALL make()")
        manifest = take(database, DirectoryStore(tmp_path)).manifest
        assert len(manifest.tables) == TABLES
        assert manifest.total_rows == TABLES
        environment = database.environment()
        ended = cli(
            "restore", tmp_path / manifest.archive.key, "--yes", "--to", "copy", "--jobs", "2", environment=environment
        )
        assert ended.status == 0, ended.err
        assert f"{TABLES:,} tables, {TABLES:,} rows" in ended.out or f"{TABLES} tables, {TABLES:,} rows" in ended.out
