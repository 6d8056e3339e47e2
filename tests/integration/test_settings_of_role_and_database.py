"""Settings that were meant for applications, on our role and on the database, do not reach our sessions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbbackup.adapters.postgres_connection import connect
from dbbackup.core.session_settings import NEEDED
from tests.support.bindirs import with_program
from tests.support.command import dbbackup
from tests.support.databases import Database, DatabaseMaker

HOSTILE = {
    "statement_timeout": "200ms",
    "lock_timeout": "200ms",
    "idle_in_transaction_session_timeout": "200ms",
    "transaction_timeout": "600ms",
    "idle_session_timeout": "200ms",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "search_path": "hostile, pg_catalog",
    "row_security": "on",
    "datestyle": "German",
    "intervalstyle": "iso_8601",
    "client_encoding": "LATIN1",
    "standard_conforming_strings": "off",
    "quote_all_identifiers": "on",
    "role": "pg_monitor",
}
LATER = {"transaction_timeout": 170000}
OBJECTS = """
    CREATE TABLE item (id int PRIMARY KEY, name text, at timestamptz DEFAULT now());
    INSERT INTO item SELECT n, 'žluťoučký' FROM generate_series(1, 500) n;
    CREATE SCHEMA hostile;
    CREATE FUNCTION hostile.pg_database_size(name) RETURNS bigint LANGUAGE sql AS 'SELECT -1::bigint';
    CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT '1999-12-31'::timestamptz$$;
    CREATE FUNCTION hostile.pg_try_advisory_lock(int, int) RETURNS bool LANGUAGE sql AS 'SELECT false'
"""


def _second_master(database: Database) -> Database:
    """A user like the master, with all of it on the role and on the database."""
    database.execute(OBJECTS)
    master = database.user_without_rights("CREATEDB CREATEROLE IN ROLE rds_superuser")
    with database.superuser.connect() as connection:
        for name, value in HOSTILE.items():
            if connection.info.server_version < LATER.get(name, 0):
                continue
            quoted = value if name == "search_path" else f"'{value}'"
            connection.execute(f'ALTER ROLE "{master.user}" SET {name} = {quoted}'.encode())
            if name != "role":
                connection.execute(f'ALTER DATABASE "{database.name}" SET {name} = {quoted}'.encode())
    return master


def _everything_works(user: Database, folder: Path) -> None:
    slow = with_program(folder, "pg_dump", 'case "$*" in *--snapshot*) sleep 0.8;; esac; exec "$REAL" "$@"')
    environment = {**user.environment(), "PG_BINDIR": str(slow)}
    made = dbbackup("backup", "--json", "--directory", folder, environment=environment)
    assert made.status == 0, made.out + made.err
    manifest = made.document["manifest"]
    assert sum(table["rows"] for table in manifest["tables"]) == 500
    assert manifest["source"]["database_size_bytes"] > 0
    assert not manifest["snapshot_at"].startswith("1999")
    ended = dbbackup("doctor", "--json", "--directory", folder, environment=user.environment())
    bad = [check for check in json.loads(ended.out)["checks"] if check["status"] == "failed"]
    assert not bad, bad
    guarded = dbbackup("guard", "--directory", folder, "--", "sleep", "0.8", environment=environment)
    assert guarded.status == 0, guarded.err


def test_backup_doctor_and_guard_set_what_they_need(new_database: DatabaseMaker, tmp_path: Path) -> None:
    _everything_works(_second_master(new_database()), tmp_path)


def test_on_older_servers_too(new_older_database: DatabaseMaker, tmp_path: Path) -> None:
    _everything_works(_second_master(new_older_database()), tmp_path)


def test_each_session_has_the_settings_of_the_list(new_database: DatabaseMaker) -> None:
    with connect(_second_master(new_database()).parameters, "test") as session:
        for name, value in NEEDED.items():
            row = session.execute(f"SHOW {name}".encode()).fetchone()
            assert row is not None
            assert row[0].strip('"').startswith(value), name


def test_a_timeout_of_a_millisecond_does_not_keep_us_out(new_database: DatabaseMaker) -> None:
    database = new_database()
    user = database.user_without_rights()
    database.superuser.execute(f'ALTER ROLE "{user.user}" SET statement_timeout = 1')
    for _ in range(20):
        with connect(user.parameters, "test") as session:
            assert session.execute("SELECT pg_sleep(0.01)").fetchone() is not None


def test_what_the_person_names_stays(new_database: DatabaseMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    user = _second_master(new_database())
    with monkeypatch.context() as changed:
        changed.setenv("PGOPTIONS", "-c role=pg_checkpoint -c statement_timeout=4321 -c search_path=hostile")
        session = connect(user.parameters, "test")
    with session:
        settings = session.execute("SELECT current_user, current_setting('statement_timeout')").fetchone()
        assert settings == ("pg_checkpoint", "4321ms")
        assert session.execute("SELECT current_setting('search_path')").fetchone() == ('""',), "ours"
