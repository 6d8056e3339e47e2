"""What only a superuser makes: left out by plan, with the statements that bring it later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server
from tests.support.as_master import Ground, ground_on

SCHEMA = """
    SET ROLE app; CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'a');
    RESET ROLE;
    CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; ALTER FUNCTION seen OWNER TO app;
    CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION seen();
    COMMENT ON EVENT TRIGGER watching IS 'of the superuser';
    CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA public;
    CREATE FUNCTION tight(int) RETURNS bool LANGUAGE sql IMMUTABLE LEAKPROOF AS $$ -- more than
      SELECT $1 > 0 $$;
    CREATE FUNCTION quiet() RETURNS int LANGUAGE sql SET log_min_messages = 'panic' AS 'SELECT 1';
    CREATE FUNCTION native(internal) RETURNS internal LANGUAGE internal AS 'int4in';
    CREATE DOMAIN amount AS int;
    CREATE TYPE pair AS (a int, b int);
    CREATE CAST (date AS int) WITHOUT FUNCTION;
    CREATE FUNCTION to_flag(text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$ SELECT $1 = 'yes' $$;
    CREATE CAST (text AS bool) WITH FUNCTION to_flag(text);
    CREATE OPERATOR CLASS other_ints FOR TYPE int4 USING btree AS OPERATOR 1 <, FUNCTION 1 btint4cmp(int4, int4);
    CREATE TEXT SEARCH TEMPLATE plain (LEXIZE = dsimple_lexize);
    CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
    GRANT EXECUTE ON FUNCTION pg_reload_conf() TO app;
    GRANT SELECT ON pg_authid TO app;
    ALTER DOMAIN amount OWNER TO app; ALTER TYPE pair OWNER TO app; ALTER FUNCTION to_flag OWNER TO app;
"""


@pytest.fixture
def ground(server: Server, tmp_path: Path) -> Iterator[Ground]:
    with ground_on(server, tmp_path / "backups", "app") as made:
        made.execute(SCHEMA)
        yield made


def test_they_are_skipped_as_planned_and_come_back_with_their_statements(ground: Ground) -> None:
    assert ground.backup().status == 0
    before = ground.dump()
    plan = ground.restore("--plan", to="another")
    assert plan.status == 0, plan.out
    said = ground.restore(to="said")
    assert said.status == 0, said.err
    ended = ground.restore("--json", to="another")
    assert ended.status == 0, ended.err + ended.out
    document = json.loads(ended.out)
    assert document["failures"] == []
    for skip in document["skipped"]:
        assert f"will skip {skip['what']}" in plan.out
        assert f"later: {skip['statement']}\n" in said.out, "to be pasted"
    ground.execute("".join(f"{skip['statement']}\n" for skip in document["skipped"]), "another")
    assert _lines(ground.dump("another")) == _lines(before)


def _lines(dump: str) -> list[str]:
    return sorted(line for line in dump.splitlines() if line and not line.startswith("SET default_"))


def test_tables_that_need_such_a_thing_stand_in_the_way(ground: Ground) -> None:
    ground.execute("CREATE TABLE checked (id int CHECK (tight(id))); ALTER TABLE checked OWNER TO app")
    assert ground.backup().status == 0
    ended = ground.restore(to="another")
    assert ended.status == 2
    assert "FUNCTION public.tight(integer) cannot be made" in ended.err
    assert "TABLE public.checked" in ended.err
    assert "another" not in ground.databases()
