"""Data that comes late, or not at all: nothing of the schema acts on it before, and a script brings all of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server
from tests.support.as_master import Ground, ground_on
from tests.support.command import clean_environment
from tests.support.restores import cli

# Rows that are loaded at the second try, on tables with triggers, policies and constraints that old rows violate.
LATE = """
    CREATE TABLE rates (value int); INSERT INTO rates VALUES (3); CREATE TABLE audit (id int);
    CREATE FUNCTION valid(n int) RETURNS bool LANGUAGE plpgsql IMMUTABLE
      AS $$ BEGIN RETURN n < (SELECT max(value) * 1000 FROM rates); END $$;
    CREATE TABLE stamped (id int CHECK (valid(id)), note text); INSERT INTO stamped VALUES (1, 'old'), (2, 'old');
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.note = 'NEW'; RETURN new; END $$;
    CREATE TRIGGER stamp BEFORE INSERT ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
    ALTER TABLE stamped ENABLE ALWAYS TRIGGER stamp;
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN INSERT INTO public.audit VALUES (new.id); RETURN new; END $$;
    CREATE TABLE parted (id int) PARTITION BY RANGE (id);
    CREATE TABLE part PARTITION OF parted (CHECK (valid(id))) FOR VALUES FROM (0) TO (100);
    INSERT INTO parted VALUES (1);
    CREATE TRIGGER note AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TABLE parent (id int); CREATE TABLE child (CHECK (valid(id))) INHERITS (parent);
    INSERT INTO child VALUES (-1);
    ALTER TABLE parent ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
    CREATE TABLE key (id int PRIMARY KEY); CREATE TABLE orphan (id int CHECK (valid(id)));
    INSERT INTO orphan VALUES (5);
    ALTER TABLE orphan ADD FOREIGN KEY (id) REFERENCES key NOT VALID;
    CREATE TABLE guarded (id int CHECK (valid(id))); INSERT INTO guarded VALUES (1);
    CREATE POLICY mine ON guarded USING (id > 0); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY
"""
# Rows that a check refuses now, and what was made of them.
REFUSED = """
    CREATE TABLE allowed (id int); INSERT INTO allowed VALUES (1);
    CREATE FUNCTION is_allowed(int) RETURNS bool LANGUAGE sql
      AS 'SELECT EXISTS (SELECT FROM public.allowed WHERE id = $1)';
    CREATE TABLE item (id int CHECK (is_allowed(id)), note text); INSERT INTO item VALUES (1, 'old');
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.note = 'NEW'; RETURN new; END $$;
    CREATE TRIGGER stamp BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION stamp();
    CREATE VIEW seen AS SELECT note FROM item; CREATE MATERIALIZED VIEW first AS SELECT note FROM seen;
    CREATE MATERIALIZED VIEW second AS SELECT note FROM first; CREATE MATERIALIZED VIEW other AS SELECT id FROM allowed;
    DELETE FROM allowed
"""

# Rows that a check accepts only when a view is filled, and a view of those rows.
CROSSED = """
    CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM t;
    CREATE FUNCTION any_there() RETURNS bool LANGUAGE sql AS 'SELECT n > 0 FROM public.counted';
    CREATE TABLE item (id int CHECK (any_there())); INSERT INTO item VALUES (7);
    CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
    CREATE TRIGGER never BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION never();
    CREATE MATERIALIZED VIEW of_item AS SELECT * FROM item; CREATE MATERIALIZED VIEW further AS SELECT * FROM of_item
"""

# An event trigger that forbids everything, also to fill a view.
FORBIDDING = """
    CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE MATERIALIZED VIEW of_t AS SELECT * FROM t;
    CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL'; END $$;
    GRANT SELECT ON of_t TO PUBLIC; RESET ROLE;
    CREATE EVENT TRIGGER nope ON ddl_command_start EXECUTE FUNCTION no();
    SET event_triggers = off; ALTER EVENT TRIGGER nope ENABLE ALWAYS; COMMENT ON EVENT TRIGGER nope IS 'never'
"""


@pytest.fixture
def ground(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    monkeypatch.chdir(tmp_path)
    with ground_on(server, tmp_path / "backups", "app") as made:
        yield made


def _saved(ground: Ground, statements: str) -> str:
    ground.root.execute("GRANT app TO master WITH INHERIT TRUE")
    ground.execute("SET ROLE app; " + statements)
    ended = ground.backup()
    assert ended.status == 0, ended.err
    return ground.dump()


def test_what_is_loaded_at_the_second_try_is_what_was_saved(ground: Ground) -> None:
    before = _saved(ground, LATE)
    for target, jobs in (("alone", "1"), ("together", "3"), (ground.name, "2")):
        ended = ground.restore("--jobs", jobs, to=target)
        assert ended.status == 0, ended.err + ended.out
        assert ground.dump(target) == before


def test_a_view_has_the_data_that_came_after_it(ground: Ground) -> None:
    before = _saved(ground, CROSSED)
    ended = ground.restore(to="another")
    assert ended.status == 0, ended.err + ended.out
    assert ground.dump("another") == before
    assert ground.root.value("SELECT id FROM further", "another") == 7


def test_an_event_trigger_forbids_nothing_of_the_restore(ground: Ground) -> None:
    before = _saved(ground, FORBIDDING)
    latest = ("restore", "latest", "--directory", ground.folder, "--database", ground.name, "--yes")
    for target in ("another", ground.name):
        ended = cli(*latest, environment=ground.root.environment(target))
        assert ended.status == 0, ended.err + ended.out
        assert ground.dump(target) == before
        assert ground.root.value("SELECT id FROM of_t", target) == 1


def test_what_would_act_on_missing_data_comes_with_it(ground: Ground, tmp_path: Path) -> None:
    before = _saved(ground, REFUSED)
    script = tmp_path / "later.sql"
    ended = ground.restore("--script", script, to="rescued")
    assert ended.status == 3, ended.err
    assert "TABLE DATA public.item: new row for relation" in ended.out
    assert "TRIGGER public.item stamp: it waits for data" in ended.out
    said = script.read_text()
    assert "Filled without the data that was missing: MATERIALIZED VIEW DATA public.second" in said
    assert "REFRESH MATERIALIZED VIEW public.other" not in said

    ground.execute("INSERT INTO allowed VALUES (1)", "rescued")
    root = ground.root
    done = subprocess.run(
        (root.bindir / "psql", "--set=ON_ERROR_STOP=1", f"--file={script}"),
        env=clean_environment({**_libpq(ground), "PGDATABASE": "rescued"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ground.root.value("SELECT note FROM second", "rescued") == "old"
    ground.execute("DELETE FROM allowed", "rescued")
    assert ground.dump("rescued") == before


def _libpq(ground: Ground) -> dict[str, str]:
    root = ground.root
    return {"PGHOST": root.host, "PGPORT": str(root.port), "PGUSER": root.user, "PGPASSWORD": root.password}
