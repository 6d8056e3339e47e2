"""Schemas that somebody careless wrote: one statement that fails costs that statement, and nothing else."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server
from tests.support.as_master import Ground, ground_on
from tests.support.command import clean_environment
from tests.support.restores import cli

# Functions that find their tables and each other by the search path, which pg_restore empties.
CARELESS = """
    CREATE FUNCTION rate() RETURNS int IMMUTABLE LANGUAGE plpgsql
      AS $$ BEGIN RETURN (SELECT max(value) FROM rates); END $$;
    CREATE TABLE rates (value int); INSERT INTO rates VALUES (3);
    CREATE FUNCTION valid(n int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN n < rate() * 1000; END $$;
    CREATE TABLE sale (id int PRIMARY KEY, amount int CHECK (valid(amount)),
                       tax int GENERATED ALWAYS AS (amount * rate()) STORED);
    INSERT INTO sale (id, amount) SELECT n, n FROM generate_series(1, 300) n;
    CREATE TABLE plain (id int); INSERT INTO plain VALUES (1), (2);
"""


@pytest.fixture
def ground(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    monkeypatch.chdir(tmp_path)
    with ground_on(server, tmp_path / "backups", "app") as made:
        yield made


def _saved(ground: Ground, statements: str) -> str:
    ground.execute("SET ROLE app; " + statements)
    ended = ground.backup()
    assert ended.status == 0, ended.err
    return ground.dump()


def test_what_relies_on_the_search_path_is_made_at_the_second_try(ground: Ground) -> None:
    before = _saved(ground, CARELESS)
    for jobs in ("1", "3"):
        ended = ground.restore("--jobs", jobs, to=f"with {jobs}")
        assert ended.status == 0, ended.err + ended.out
        assert ground.dump(f"with {jobs}") == before


# An expression index whose function sees other tables cannot be built by 17 and later, whatever the search path is.
BROKEN = """
    CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item SELECT n, n::text FROM generate_series(1, 50) n;
    CREATE FUNCTION shout(t text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT upper(t) $$;
    CREATE INDEX loud ON item (shout(name));
    CREATE TABLE after_it (id int); INSERT INTO after_it VALUES (1);
    CREATE OR REPLACE FUNCTION shout(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN RETURN (SELECT name FROM gone LIMIT 1); END $$
"""


def test_what_still_fails_is_named_and_the_database_is_not_replaced(ground: Ground) -> None:
    _saved(ground, BROKEN)
    ground.execute("INSERT INTO after_it VALUES (2)")
    ended = ground.restore("--json")
    assert ended.status == 3
    document = json.loads(ended.out)
    assert document["error"] == "restore-incomplete"
    assert 'INDEX public.loud (relation "gone" does not exist' in document["what"]
    assert "is as it was" in document["untouched"]
    assert "--accept-incomplete" in document["action"]
    assert ground.root.value("SELECT count(*) FROM after_it", ground.name) == 2
    assert not ground.beside()


def test_into_a_new_database_the_rest_stays_marked_and_the_script_mends_it(ground: Ground, tmp_path: Path) -> None:
    before = _saved(ground, BROKEN)
    script = tmp_path / "later.sql"
    ended = ground.restore("--script", script, to="rescued")
    assert ended.status == 3
    assert "restored INCOMPLETE: 1 entries missing" in ended.out
    assert "INDEX public.loud" in ended.out
    assert ground.root.value("SELECT count(*) FROM item", "rescued") == 50
    comment = ground.root.value(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'rescued'"
    )
    assert "INCOMPLETE" in comment
    assert "INDEX public.loud" in comment

    ground.execute("CREATE TABLE gone AS SELECT 'x' AS name; GRANT SELECT ON gone TO app", "rescued")
    _psql(ground, script, "rescued")
    ground.execute("DROP TABLE gone", "rescued")
    assert ground.dump("rescued") == before


def _psql(ground: Ground, script: Path, name: str) -> None:
    path = "SET search_path = public; ALTER FUNCTION shout SET search_path = public"
    ground.execute(path, name)
    done = subprocess.run(
        (ground.root.bindir / "psql", "--set=ON_ERROR_STOP=1", f"--file={script}"),
        env=clean_environment({**_libpq(ground), "PGDATABASE": name}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ground.execute("ALTER FUNCTION shout RESET ALL", name)


def _libpq(ground: Ground) -> dict[str, str]:
    root = ground.root
    return {"PGHOST": root.host, "PGPORT": str(root.port), "PGUSER": root.user, "PGPASSWORD": root.password}


def test_accepted_by_name_it_replaces_the_database_and_what_was_there_is_kept(ground: Ground) -> None:
    _saved(ground, BROKEN)
    ground.execute("INSERT INTO after_it VALUES (2)")
    ended = ground.restore("--accept-incomplete")
    assert ended.status == 3
    assert ground.root.value("SELECT count(*) FROM after_it", ground.name) == 1
    (kept,) = ground.beside()
    assert kept in ended.out
    assert ground.root.value("SELECT count(*) FROM after_it", kept) == 2


def test_a_rehearsal_says_so_in_its_evidence(ground: Ground) -> None:
    _saved(ground, BROKEN)
    ended = cli("drill", "--directory", ground.folder, "--json", environment=ground.environment())
    assert ended.status != 0
    (plane,) = json.loads(ended.out)["planes"]
    (check,) = [check for check in plane["checks"] if check["name"] == "entries restored"]
    assert not check["passed"]
    assert "INDEX public.loud" in check["found"]
