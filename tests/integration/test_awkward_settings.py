"""Settings of role and database that would end or mislead our sessions: every command works, and brings the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server
from tests.support.as_master import Ground, ground_on
from tests.support.halting import start_halting
from tests.support.restores import cli

TIMEOUTS = dict.fromkeys(
    (
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
        "transaction_timeout",
    ),
    "1ms",
)
AWKWARD = {
    "client_encoding": "LATIN1",
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "quote_all_identifiers": "on",
    "default_tablespace": "nowhere",
    "default_table_access_method": "other_heap",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "default_transaction_read_only": "on",
    "debug_parallel_query": "on",
    "plan_cache_mode": "force_generic_plan",
    "timezone": "Asia/Kathmandu",
    "array_nulls": "off",
    "xmloption": "document",
    "check_function_bodies": "on",
    "transform_null_equals": "on",
    "backslash_quote": "off",
    "client_min_messages": "debug1",
    "default_toast_compression": "pglz",
    "default_text_search_config": "german",
    "restrict_nonsystem_relation_kind": "view, foreign-table",
    "createrole_self_grant": "set, inherit",
    "search_path": "hidden, app",
    "row_security": "on",
    "work_mem": "64kB",
    "gin_fuzzy_search_limit": "1",
    "synchronize_seqscans": "on",
    "exit_on_error": "on",
    "vacuum_cost_delay": "1ms",
}
OF_SUPERUSER = {"session_replication_role": "replica", "log_statement": "all", "lc_messages": "C"}
OBJECTS = r"""
    CREATE SCHEMA app; CREATE SCHEMA hidden;
    SET search_path = app;
    CREATE FUNCTION hidden.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '1999-12-31'::timestamptz $$;
    CREATE DOMAIN short AS text CHECK (length(value) < 40);
    CREATE TABLE thing (
        id int PRIMARY KEY, name text DEFAULT 'it''s \ ž', parts text[], numbers int[], at timestamptz, day date,
        span interval, body bytea, part float8, small real, price money, doc jsonb, note short);
    INSERT INTO thing SELECT n, 'žluťoučký \ ' || n, ARRAY['NULL', NULL, 'null', ''], ARRAY[n, NULL],
        '2024-02-03 04:05:06.789+01', '2024-02-03', '-1 mons +2 days -00:00:01.5', '\xdeadbeef00'::bytea,
        1/3::float8, 1/3::real, 12.34, '{"a": 1}', 'x' FROM generate_series(1, 300) n;
    CREATE TABLE child (id int REFERENCES thing, at date DEFAULT '2024-02-03', len interval DEFAULT '-1 days +02:03');
    INSERT INTO child SELECT n FROM generate_series(1, 300) n;
    CREATE VIEW seen AS SELECT id, name, at > '2024-02-03 00:00+00'::timestamptz AS late FROM thing
        WHERE note <> E'a\\b';
    CREATE MATERIALIZED VIEW counted AS SELECT late, count(*) FROM seen GROUP BY late;
    CREATE INDEX ON thing (lower(name)); CREATE INDEX ON thing USING gin (parts);
    CREATE TABLE parted (day date) PARTITION BY RANGE (day);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-02') TO ('2024-02-01');
    INSERT INTO parted VALUES ('2024-01-03');
"""


@pytest.fixture
def ground(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    yield from _ground(server, tmp_path, monkeypatch)


@pytest.fixture
def previous_ground(previous_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    yield from _ground(previous_server, tmp_path, monkeypatch)


@pytest.fixture
def older_ground(older_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    yield from _ground(older_server, tmp_path, monkeypatch)


def _ground(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    monkeypatch.chdir(tmp_path)
    with ground_on(server, tmp_path / "backups", "app_owner") as made:
        made.execute("SET ROLE app_owner;" + OBJECTS)
        try:
            yield made
        finally:
            server.superuser.execute("ALTER ROLE master RESET ALL; ALTER ROLE postgres RESET ALL")


def _give(ground: Ground, settings: dict[str, str]) -> None:
    """Put all of it on the master, on the database, and on the master in the database."""
    with ground.root.connect() as connection:
        known = {row[0].lower() for row in connection.execute("SELECT name FROM pg_settings")}
        for name in known.intersection(settings):
            value = settings[name] if name == "search_path" else f"'{settings[name]}'"
            places = ["ROLE master"]
            if name not in OF_SUPERUSER:
                # The superuser who looks at what has become of the database is not to be caught.
                connection.execute(f"ALTER ROLE postgres SET {name} FROM CURRENT".encode())
                places += [f"DATABASE {ground.name}", f"ROLE master IN DATABASE {ground.name}"]
            for place in places:
                connection.execute(f"ALTER {place} SET {name} = {value}".encode())


def _command(ground: Ground, name: str, *arguments: str) -> None:
    ended = cli(name, "--directory", ground.folder, *arguments, environment=ground.environment())
    assert ended.status == 0, ended.out + ended.err


def _backup_and_restore_work(ground: Ground) -> str:
    before = ground.dump(None, "--create")
    taken = ground.backup()
    assert taken.status == 0, taken.out + taken.err
    ended = ground.restore()
    assert ended.status == 0, ended.out + ended.err
    assert ground.dump(None, "--create") == before
    return before


def _everything_works(ground: Ground) -> None:
    before = _backup_and_restore_work(ground)
    _command(ground, "verify", "latest")
    _command(ground, "drill")
    _command(ground, "guard", "--", "true")
    ended = cli("doctor", "--json", "--directory", ground.folder, environment=ground.environment())
    assert not [check for check in json.loads(ended.out)["checks"] if check["status"] == "failed"], ended.out
    ended = ground.restore(to="another")
    assert ended.status == 0, ended.out + ended.err
    assert ground.dump("another", "--create").replace("another", ground.name) == before
    point = "dbbackup.operations.restore:_check_and_drop_old:before::1"
    latest = ("latest", "--directory", ground.folder, "--yes")
    killed = start_halting(point, "restore", *latest, environment=ground.environment())
    killed.kill()
    killed.communicate()
    resumed = cli("restore", "--resume", environment=ground.environment())
    assert resumed.status == 0, resumed.out + resumed.err
    assert ground.dump(None, "--create") == before


def test_timeouts_that_end_a_session_before_it_has_said_anything(ground: Ground) -> None:
    _give(ground, TIMEOUTS)
    _everything_works(ground)


@pytest.mark.xdist_group("previous")
def test_the_same_on_17(previous_ground: Ground) -> None:
    _give(previous_ground, TIMEOUTS)
    _backup_and_restore_work(previous_ground)


def test_the_same_on_older_servers(older_ground: Ground) -> None:
    _give(older_ground, TIMEOUTS)
    _backup_and_restore_work(older_ground)


def test_settings_that_would_change_what_is_dumped_or_restored(ground: Ground) -> None:
    _give(ground, AWKWARD | OF_SUPERUSER)
    _everything_works(ground)
