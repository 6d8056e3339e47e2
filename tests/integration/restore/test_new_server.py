"""Total loss: the server is gone, the new one is empty, and its master is no superuser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server, start_server
from tests.support.as_master import Ground, clean, globals_of, ground_on
from tests.support.command import Ended
from tests.support.restores import cli

APP, WEB, READER, POWERFUL, APART = "app owner", "web", "reader", "powerful", "apart"
ROLES = (APP, WEB, READER, POWERFUL, APART)
SHOP = f"""
    ALTER ROLE "{APP}" CONNECTION LIMIT 7;
    ALTER ROLE web LOGIN VALID UNTIL '2040-01-01 00:00:00+00';
    GRANT "{APP}" TO web WITH INHERIT FALSE, SET TRUE GRANTED BY master;
    GRANT reader TO web WITH ADMIN OPTION GRANTED BY master;
    ALTER ROLE web SET work_mem = '8MB';
    ALTER ROLE web SET search_path = shop, public;
    COMMENT ON ROLE reader IS 'reads; 100% "quoted" it''s';
    ALTER ROLE reader NOINHERIT CREATEDB CREATEROLE;
    CREATE SCHEMA shop AUTHORIZATION "{APP}";
    SET ROLE "{APP}";
    CREATE TABLE shop.item (id serial PRIMARY KEY, name text NOT NULL);
    INSERT INTO shop.item (name) SELECT 'item ' || n FROM generate_series(1, 50) n;
    CREATE VIEW shop.names AS SELECT name FROM shop.item;
    GRANT USAGE ON SCHEMA shop TO reader; GRANT SELECT ON shop.item TO reader;
    ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO reader;
    RESET ROLE;
"""
DATABASE = (
    "ALTER DATABASE {n} SET search_path = shop, public",
    "ALTER DATABASE {n} SET timezone = 'Europe/Zurich'",
    "ALTER ROLE web IN DATABASE {n} SET statement_timeout = '5s'",
    "ALTER ROLE ALL IN DATABASE {n} SET lock_timeout = '9s'",
    "REVOKE ALL ON DATABASE {n} FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {n} TO web WITH GRANT OPTION",
    "GRANT CONNECT, TEMPORARY ON DATABASE {n} TO reader",
    "COMMENT ON DATABASE {n} IS 'the shop; it''s 100% \"ours\"'",
    "GRANT CONNECT ON DATABASE {n} TO master",
    "ALTER DATABASE {n} CONNECTION LIMIT 31",
)
LOCALES = {
    "libc": "ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C'",
    "builtin": "ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'",
    "latin1": "ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'",
}


@pytest.fixture(scope="module")
def empty_server() -> Iterator[Server]:
    """A second server, on which nobody has made anything."""
    with start_server(settings={"autovacuum": "off"}) as running:
        yield running


@pytest.fixture
def new_server(empty_server: Server) -> Iterator[Server]:
    yield empty_server
    clean(empty_server, {"postgres", "template0", "template1"}, {"postgres", "master", "rds_superuser"})


@pytest.fixture
def ground(server: Server, tmp_path: Path) -> Iterator[Ground]:
    with ground_on(server, tmp_path / "backups", *ROLES) as made:
        yield made


def _furnish(ground: Ground, locale: str) -> None:
    ground.root.execute(f'DROP DATABASE "{ground.name}"')
    ground.root.execute(f'CREATE DATABASE "{ground.name}" OWNER "{APP}" TEMPLATE template0 {LOCALES[locale]}')
    ground.execute(SHOP)
    for statement in DATABASE:
        ground.execute(statement.format(n=f'"{ground.name}"'))


def _roles(server: Server, *names: str) -> list[str]:
    """What pg_dumpall says of these roles."""
    lines = globals_of(server).splitlines()
    word = re.compile("|".join(rf'(?<![\w"])"?{re.escape(name)}"?(?![\w"])' for name in names))
    return sorted(line for line in lines if not line.startswith("--") and word.search(line))


def _restore(ground: Ground, new: Server, *options: str) -> Ended:
    arguments = ("restore", "latest", "--directory", ground.folder, "--database", ground.name, "--to", ground.name)
    return cli(*arguments, "--yes", "--jobs", "2", *options, environment=new.master.environment("postgres"))


@pytest.mark.parametrize("locale", LOCALES)
def test_database_and_roles_are_as_before(ground: Ground, new_server: Server, locale: str) -> None:
    _furnish(ground, locale)
    assert (ended := ground.backup()).status == 0, ended.err
    new = Ground(new_server.master, ground.name, ground.folder)
    ended = _restore(ground, new_server, "--create-roles")
    assert ended.status == 0, ended.err + ended.out
    assert "skipped" not in ended.out
    assert new.dump(None, "--create") == ground.dump(None, "--create")
    assert _roles(new.root, APP, WEB, READER) == _roles(ground.root, APP, WEB, READER)


def test_what_only_a_superuser_gives_is_named_and_the_rest_goes_on(ground: Ground, new_server: Server) -> None:
    _furnish(ground, "libc")
    ground.root.execute(
        "ALTER ROLE powerful SUPERUSER REPLICATION BYPASSRLS CREATEDB CONNECTION LIMIT 3;"
        "GRANT powerful TO web GRANTED BY master;"
        "GRANT pg_read_all_stats TO reader; ALTER ROLE powerful SET log_statement = 'all';"
        "ALTER ROLE powerful SET work_mem = '6MB'; GRANT SET ON PARAMETER log_duration TO reader"
    )
    assert (ended := ground.backup()).status == 0, ended.err
    ended = _restore(ground, new_server, "--create-roles")
    assert ended.status == 0, ended.err + ended.out
    for statement in (
        "ALTER ROLE powerful WITH SUPERUSER",
        "ALTER ROLE powerful WITH REPLICATION",
        "ALTER ROLE powerful WITH BYPASSRLS",
        "GRANT pg_read_all_stats TO reader",
        "ALTER ROLE powerful SET log_statement",
        "GRANT SET ON PARAMETER log_duration TO reader",
    ):
        assert f"later: {statement}" in ended.out, statement
    later = " ".join(
        line.partition("later: ")[2] for line in ended.out.splitlines() if line.lstrip().startswith("later: ")
    )
    new_server.superuser.execute(later)
    assert _roles(new_server.superuser, *ROLES[:4]) == _roles(ground.root, *ROLES[:4])


def test_roles_that_are_there_stay_as_they_are(ground: Ground, new_server: Server) -> None:
    _furnish(ground, "libc")
    assert (ended := ground.backup()).status == 0, ended.err
    new_server.superuser.execute(f'CREATE ROLE "{APP}" CONNECTION LIMIT 99; CREATE ROLE reader SUPERUSER')
    before = _roles(new_server.superuser, APP)
    ended = _restore(ground, new_server, "--create-roles")
    assert ended.status == 2, "a role that a superuser has made is not ours to act as"
    assert f'GRANT "{APP}" TO "master"' in ended.err
    new_server.superuser.execute(f'GRANT "{APP}" TO "master" WITH ADMIN OPTION')
    given = _roles(new_server.superuser, APP)
    ended = _restore(ground, new_server, "--create-roles")
    assert ended.status == 0, ended.err + ended.out
    assert [line for line in given if line not in _roles(new_server.superuser, APP)] == []
    assert before[0] in given
    assert Ground(new_server.master, ground.name, ground.folder).dump() == ground.dump()


def test_again_and_again(ground: Ground, new_server: Server) -> None:
    _furnish(ground, "libc")
    assert (ended := ground.backup()).status == 0, ended.err
    new = Ground(new_server.master, ground.name, ground.folder)
    assert (ended := _restore(ground, new_server, "--create-roles")).status == 0, ended.err
    there = ("--server", f"localhost:{ground.root.port}")
    for options in ((), ("--create-roles", "--all-roles"), ("--create-roles",)):
        ended = _restore(ground, new_server, *there, *options)
        assert ended.status == 0, ended.err + ended.out
        assert new.dump(None, "--create") == ground.dump(None, "--create")


def test_all_roles_brings_those_that_have_nothing_to_do_with_the_database(ground: Ground, new_server: Server) -> None:
    _furnish(ground, "libc")
    ground.root.execute("ALTER ROLE apart SET work_mem = '5MB'; COMMENT ON ROLE apart IS 'elsewhere'")
    assert (ended := ground.backup()).status == 0, ended.err
    assert (ended := _restore(ground, new_server, "--create-roles")).status == 0, ended.err
    assert not _roles(new_server.superuser, "apart")
    ended = _restore(ground, new_server, "--create-roles", "--all-roles", "--server", f"localhost:{ground.root.port}")
    assert ended.status == 0, ended.err + ended.out
    assert _roles(new_server.superuser, "apart") == _roles(ground.root, "apart")
