"""Restores by a master like that of RDS, of what an application's roles own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server
from tests.support.as_master import Ground, ground_on
from tests.support.restores import cli

APP, OLD, READER, GRANTOR = "app", "former owner", "reader", "grantor"
SCHEMA = f"""
    SET ROLE {APP};
    CREATE TABLE item (id int PRIMARY KEY, name text, doubled int GENERATED ALWAYS AS (id * 2) STORED);
    INSERT INTO item SELECT n, 'item ' || n FROM generate_series(1, 500) n;
    CREATE TABLE part (id serial PRIMARY KEY, item int NOT NULL REFERENCES item, CHECK (id > 0));
    INSERT INTO part (item) SELECT n FROM generate_series(1, 400) n;
    CREATE INDEX ON part (item);
    CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER touch BEFORE UPDATE ON part FOR EACH ROW EXECUTE FUNCTION touched();
    CREATE VIEW names AS SELECT name FROM item;
    CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM part;
    CREATE UNIQUE INDEX ON totals (count);
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE SCHEMA private; CREATE TABLE private.note (id int, body text);
    INSERT INTO private.note VALUES (1, 'secret');
    ALTER TABLE private.note ENABLE ROW LEVEL SECURITY;
    CREATE POLICY only_reader ON private.note TO {READER} USING (id > 0);
    CREATE PUBLICATION changes FOR TABLE item;
    GRANT USAGE ON SCHEMA private TO {READER}; GRANT SELECT ON private.note TO {READER};
    GRANT SELECT ON item TO {GRANTOR} WITH GRANT OPTION;
    REVOKE EXECUTE ON FUNCTION touched() FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES IN SCHEMA private GRANT SELECT ON TABLES TO {READER};
    CREATE STATISTICS related ON id, item FROM part;
    RESET ROLE;
    CREATE TABLE legacy (id int, name text); INSERT INTO legacy VALUES (1, 'old');
    CREATE INDEX ON legacy (name);
    CREATE STATISTICS of_old ON id, name FROM legacy;
    ALTER STATISTICS of_old OWNER TO "{OLD}";
    ALTER TABLE legacy OWNER TO "{OLD}";
    CREATE TABLE private.of_old (id int); ALTER TABLE private.of_old OWNER TO "{OLD}";
    SELECT lo_from_bytea(4711, 'a large object'); ALTER LARGE OBJECT 4711 OWNER TO {APP};
    CREATE EXTENSION pg_trgm; CREATE EXTENSION hstore;
    SET ROLE {GRANTOR}; GRANT SELECT ON item TO {READER}; RESET ROLE;
"""


@pytest.fixture
def ground(server: Server, tmp_path: Path) -> Iterator[Ground]:
    with ground_on(server, tmp_path / "backups", APP, OLD, READER, GRANTOR) as made:
        made.execute(SCHEMA)
        made.execute(f"GRANT {APP} TO {made.server.user} WITH INHERIT TRUE, SET FALSE")  # it reads what a policy hides
        yield made


def _backed_up(ground: Ground) -> Ground:
    ended = ground.backup()
    assert ended.status == 0, ended.err
    return ground


def test_into_a_new_database_everything_is_whose_it_was(ground: Ground) -> None:
    _backed_up(ground)
    before, memberships = ground.dump(), ground.memberships()
    ended = ground.restore(to="another")
    assert ended.status == 0, ended.err + ended.out
    assert ground.dump("another") == before
    assert ground.memberships() == memberships, "what was taken for the time is given back"


def test_over_the_database_itself(ground: Ground) -> None:
    _backed_up(ground)
    before, memberships = ground.dump(None, "--create"), ground.memberships()
    ground.execute("DROP TABLE part CASCADE; DELETE FROM item")
    ended = ground.restore()
    assert ended.status == 0, ended.err + ended.out
    assert ground.dump(None, "--create") == before
    assert ground.memberships() == memberships
    assert not ground.beside()


def test_a_drill(ground: Ground) -> None:
    _backed_up(ground)
    memberships = ground.memberships()
    ended = cli("drill", "--directory", ground.folder, environment=ground.environment())
    assert ended.status == 0, ended.err + ended.out
    assert ground.memberships() == memberships
    assert not ground.beside()


def test_without_owner_it_is_said_whose_everything_is_now_and_what_helps(ground: Ground) -> None:
    _backed_up(ground)
    ended = ground.restore("--no-owner", to="another")
    assert ended.status == 0, ended.err + ended.out
    assert f"objects that belonged to '{APP}' belong to '{ground.server.user}' now" in ended.out
    statements = " ".join(
        line.partition("by that: ")[2] for line in ended.out.splitlines() if f"'{APP}' has no" in line
    )
    ground.root.execute(statements, "another")
    assert ground.root.value(f"SELECT has_table_privilege('{APP}', 'part', 'INSERT')", "another")
