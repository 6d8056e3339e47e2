"""An empty database that somebody has made: with a new RDS instance comes one, and an administrator may make one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server
from tests.support.as_master import Ground, ground_on
from tests.support.command import Ended
from tests.support.databases import Database
from tests.support.restores import cli

OWNER, WEB, CLERK = "empty owner", "empty web", "clerk"
PASSWORD = "the clerk"
CONTENTS = f"""
    SET ROLE "{OWNER}";
    CREATE SCHEMA shop;
    CREATE TABLE shop.item (id serial PRIMARY KEY, name text NOT NULL);
    INSERT INTO shop.item (name) SELECT 'item ' || n FROM generate_series(1, 50) n;
    CREATE VIEW shop.names AS SELECT name FROM shop.item;
    GRANT USAGE ON SCHEMA shop TO "{WEB}"; GRANT SELECT ON shop.item TO "{WEB}";
    RESET ROLE;
"""
OF_THE_DATABASE = (
    "ALTER DATABASE {n} SET search_path = shop, public",
    "ALTER ROLE \"empty web\" IN DATABASE {n} SET statement_timeout = '5s'",
    "REVOKE ALL ON DATABASE {n} FROM PUBLIC",
    'GRANT CONNECT ON DATABASE {n} TO "empty web"',
    "GRANT CONNECT ON DATABASE {n} TO master",
    "COMMENT ON DATABASE {n} IS 'the shop'",
    "ALTER DATABASE {n} CONNECTION LIMIT 31",
)


@pytest.fixture
def ground(server: Server, tmp_path: Path) -> Iterator[Ground]:
    """A backup of a database with properties of its own."""
    with ground_on(server, tmp_path / "backups", OWNER, WEB, CLERK) as made:
        made.execute(CONTENTS)
        for statement in OF_THE_DATABASE:
            made.execute(statement.format(n=f'"{made.name}"'))
        assert made.backup().status == 0
        made.root.execute(f"ALTER ROLE {CLERK} LOGIN PASSWORD '{PASSWORD}'")
        yield made


def test_the_empty_database_of_a_new_instance_becomes_the_one_that_was_backed_up(ground: Ground) -> None:
    before = ground.dump(ground.name, "--create")
    ground.root.execute(f'DROP DATABASE "{ground.name}"')
    ground.server.execute(f'CREATE DATABASE "{ground.name}"')
    ended = ground.restore()
    assert ended.status == 0, ended.err
    assert "is empty: owner, grants, settings and comment are those of the backup" in ended.out
    assert ground.dump(ground.name, "--create") == before
    assert ground.beside() == []


def test_what_somebody_has_chosen_for_an_empty_database_stays(ground: Ground) -> None:
    ground.root.execute(f'DROP DATABASE "{ground.name}"')
    ground.server.execute(f"CREATE DATABASE \"{ground.name}\" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    ground.root.execute(f'ALTER DATABASE "{ground.name}" OWNER TO "{WEB}"')
    ground.root.execute(f"ALTER DATABASE \"{ground.name}\" SET search_path = 'shop'")
    ground.root.execute(f'ALTER DATABASE "{ground.name}" CONNECTION LIMIT 7')
    ended = ground.restore()
    assert ended.status == 0, ended.err
    dump = ground.dump(ground.name, "--create")
    assert f'ALTER DATABASE {ground.name} OWNER TO "{WEB}"' in dump
    assert "CONNECTION LIMIT = 7" in dump
    assert f"ALTER DATABASE {ground.name} SET search_path TO 'shop';" in dump
    assert "ENCODING = 'LATIN1'" in dump
    assert f"COMMENT ON DATABASE {ground.name} IS 'the shop'" in dump
    assert f'GRANT CONNECT ON DATABASE {ground.name} TO "{WEB}"' not in dump, "its owner may connect"


def test_a_database_in_which_there_is_something_keeps_what_it_is(ground: Ground) -> None:
    ground.root.execute(f'DROP DATABASE "{ground.name}"')
    ground.server.execute(f'CREATE DATABASE "{ground.name}"')
    ground.server.execute("CREATE TABLE there (id int)", ground.name)
    ended = ground.restore()
    assert ended.status == 0, ended.err
    dump = ground.dump(ground.name, "--create")
    assert f"ALTER DATABASE {ground.name} OWNER TO master" in dump
    assert "COMMENT ON DATABASE" not in dump


def _as_clerk(ground: Ground, target: str, *options: str | Path) -> Ended:
    words = ("restore", "latest", "--directory", ground.folder, "--database", ground.name, "--yes", *options)
    return cli(
        *words,
        "--script",
        ground.folder.parent / "not_restored.sql",
        environment=Database(ground.server, target, CLERK, PASSWORD).environment(),
    )


@pytest.fixture
def target(ground: Ground) -> str:
    """An empty database that an administrator has made for somebody who may make none."""
    name = f"{ground.name} for the clerk"
    ground.server.execute(f'CREATE DATABASE "{name}"')
    ground.root.execute(f'ALTER DATABASE "{name}" OWNER TO {CLERK}')
    return name


def test_without_createdb_the_empty_database_itself_is_filled(ground: Ground, target: str) -> None:
    before = ground.dump(ground.name, "--no-owner", "--no-privileges")
    databases = ground.databases()
    ended = _as_clerk(ground, target, "--no-owner", "--no-privileges")
    assert ended.status == 0, ended.err
    assert f"the empty database {target!r} itself is filled, as {CLERK} may not create databases" in ended.out
    assert ground.dump(target, "--no-owner", "--no-privileges") == before
    assert ground.databases() == databases
    of_database = ground.dump(target, "--create")
    assert "SET search_path TO 'shop', 'public';" in of_database
    assert "CONNECTION LIMIT = 31" in of_database
    assert f"OWNER TO {CLERK};" in of_database
    again = _as_clerk(ground, target, "--no-owner", "--no-privileges")
    assert again.status == 2
    assert "may not create databases" in again.err


def test_as_owner_of_the_roles_everything_is_whose_it_was(ground: Ground, target: str) -> None:
    ground.root.execute(f'GRANT "{OWNER}", "{WEB}" TO {CLERK}')
    before, memberships = ground.dump(), ground.memberships()
    ended = _as_clerk(ground, target)
    assert ended.status == 0, ended.err
    assert ground.dump(target) == before
    assert ground.memberships() == memberships


def test_what_the_plan_names_is_what_is_refused(ground: Ground, target: str) -> None:
    ended = _as_clerk(ground, target, "--no-owner", "--no-privileges", "--plan")
    assert ended.status == 0, ended.err
    assert "setting statement_timeout of the role empty web in the database" in ended.out
    assert "permission denied" in ended.out
    assert ground.dump(target, "--create").count("SET search_path") == 0, "a plan changes nothing"
    ended = _as_clerk(ground, target, "--no-owner", "--no-privileges", "--json")
    assert ended.status == 0, ended.err
    assert ended.document["refused"] == []


def test_nothing_is_done_in_a_database_of_somebody_else(ground: Ground, target: str) -> None:
    ground.root.execute(f'ALTER DATABASE "{target}" OWNER TO "{OWNER}"')
    ended = _as_clerk(ground, target, "--no-owner", "--no-privileges")
    assert ended.status == 2
    assert OWNER in ended.err
    assert "CREATE" not in ground.dump(target)


def test_an_incomplete_one_is_marked(ground: Ground, target: str) -> None:
    ground.execute(
        """SET ROLE "empty owner"; CREATE FUNCTION shop.broken(i int) RETURNS int LANGUAGE sql IMMUTABLE
           AS 'SELECT CASE current_database() WHEN ''x'' THEN 1 ELSE 1 END';
           CREATE INDEX broken ON shop.item (shop.broken(id));
           CREATE OR REPLACE FUNCTION shop.broken(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE
           AS $$ BEGIN RAISE 'not today'; END $$"""
    )
    assert ground.backup().status == 0
    ended = _as_clerk(ground, target, "--no-owner", "--no-privileges")
    assert ended.status == 3, ended.err
    assert "not today" in ended.out
    assert "INCOMPLETE: restored from" in ground.dump(target, "--create")
