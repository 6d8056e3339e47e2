"""``dbbackup restore`` of dumps that others made, as RDS's master."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server
from tests.foreign.dumps import FORMS, RECORDED
from tests.support.as_master import Ground, ground_on
from tests.support.buckets import Bucket
from tests.support.command import Ended, clean_environment
from tests.support.restores import SAVED, cli

SCHEMA = f"""
    SET ROLE app;
    {SAVED};
    CREATE FUNCTION rate() RETURNS int IMMUTABLE LANGUAGE plpgsql
        AS $$ BEGIN RETURN (SELECT max(id) FROM rates); END $$;
    CREATE TABLE rates (id int); INSERT INTO rates VALUES (3);
    CREATE TABLE sale (id int, tax int GENERATED ALWAYS AS (id * rate()) STORED);
    INSERT INTO sale (id) SELECT n FROM generate_series(1, 20) n;
    CREATE FUNCTION in_steps() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
    CREATE TABLE kept (id int, "odd ""name"";" text); INSERT INTO kept VALUES (1, E'a\\tb\\\\\\n;'), (2, '\\.');
    ALTER TABLE kept ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON kept TO reader USING (id = 1);
    CREATE VIEW dear AS SELECT * FROM purchase WHERE amount > 250;
    COMMENT ON VIEW dear IS 'it''s -- dear; /* very';
    GRANT SELECT ON purchase TO reader; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader;
    SELECT lo_from_bytea(0, 'a large object')
"""


@pytest.fixture(scope="module")
def ground(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground_on(server, tmp_path_factory.mktemp("ground") / "backups", "app", "reader") as made:
        made.execute(SCHEMA)
        yield made


@pytest.fixture(scope="module")
def dumps(ground: Ground) -> dict[str, Path]:
    """The database in every form, by the real pg_dump."""
    made = {}
    for name, options in FORMS.items():
        made[name] = ground.folder.parent / f"{name}.bin"
        _pg_dump(ground, made[name], *options)
    return made


def _pg_dump(ground: Ground, path: Path, *options: str) -> None:
    root = ground.root
    subprocess.run(
        (root.bindir / "pg_dump", f"--file={path}", *options),
        env=clean_environment(
            {"PGHOST": root.host, "PGPORT": str(root.port), "PGUSER": root.user, "PGPASSWORD": root.password}
            | {"PGDATABASE": ground.name}
        ),
        check=True,
    )


def restore(ground: Ground, dump: str | Path, *options: str | Path, to: str) -> Ended:
    """Restore a dump as the master."""
    script = ground.folder.parent / "not_restored.sql"
    words = ("restore", dump, "--yes", "--jobs", "2", "--script", script, *options)
    return cli(*words, environment=ground.environment(to))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_comes_back_as_it_was(ground: Ground, dumps: dict[str, Path], form: str) -> None:
    before, memberships = ground.dump(), ground.memberships()
    ended = restore(ground, dumps[form], to=f"from {form}")
    assert ended.status == 0, ended.err + ended.out
    assert "nobody vouches" in ended.out
    assert ground.dump(f"from {form}") == before
    assert ground.memberships() == memberships


@pytest.mark.parametrize("form", ["custom", "tar", "script"])
def test_what_is_gzipped_comes_back_too_and_leaves_nothing_behind(
    ground: Ground, dumps: dict[str, Path], form: str, tmp_path: Path
) -> None:
    packed = tmp_path / "holiday.jpg"
    packed.write_bytes(gzip.compress(dumps[form].read_bytes()))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    ended = restore(ground, packed, "--scratch", scratch, to=f"gzipped {form}")
    assert ended.status == 0, ended.err + ended.out
    assert ground.dump(f"gzipped {form}") == ground.dump()
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("name", ["12.sql", "16.tar.gz", "16.directory"])
def test_over_an_existing_database_it_is_swapped_in_like_ours(ground: Ground, name: str, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.write_text("CREATE TABLE present (id int);")
    assert restore(ground, dump, to=f"over {name}").status == 0
    before = ground.databases()
    # The safety backup is kept where the dump is.
    copied = tmp_path / name
    (shutil.copytree if (RECORDED / name).is_dir() else shutil.copy)(RECORDED / name, copied)
    ended = restore(ground, copied, "--no-owner", to=f"over {name}")
    assert ended.status == 0, ended.err + ended.out
    assert "Safety backup" in ended.out
    assert ground.root.value("SELECT count(*) FROM shop.item", f"over {name}") == 30
    assert ground.root.value("SELECT to_regclass('present')", f"over {name}") is None
    assert ground.databases() == before


@pytest.mark.parametrize("name", sorted(path.name for path in RECORDED.iterdir()))
def test_dumps_of_older_servers_come_back(ground: Ground, name: str) -> None:
    ended = restore(ground, RECORDED / name, "--no-owner", to=f"old {name}")
    assert ended.status == 0, ended.err + ended.out
    with ground.root.connect(f"old {name}") as connection:
        (items, sales), *_ = connection.execute(
            "SELECT (SELECT sum(price) FROM shop.item), (SELECT count(*) FROM shop.sale_2024)"
        ).fetchall()
        assert (items, sales) == (465, 20)
        found = connection.execute("SELECT shop.twice(21), nextval('shop.counter'), name FROM shop.item WHERE id = 7")
        assert found.fetchone() == (42, 42, "item; 7 \\ tab\t")


def test_a_missing_role_is_found_before_anything_is_done(ground: Ground, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.write_text(
        "CREATE TABLE t (id int);\nALTER TABLE t OWNER TO nobody_here;\nGRANT SELECT ON t TO nobody_there;\n"
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS '\nALTER TABLE t OWNER TO not_needed;\n';\n"
    )
    before = ground.databases()
    ended = restore(ground, dump, to="with roles")
    assert ended.status == 2
    assert "nobody_here, nobody_there" in ended.err
    assert "not_needed" not in ended.err
    assert ground.databases() == before
    ended = restore(ground, dump, "--no-owner", "--no-privileges", to="with roles")
    assert ended.status == 0, ended.err
    assert "has no manifest" in ended.out


REACHING = """
    CREATE ROLE intruder SUPERUSER;
    ALTER ROLE app SUPERUSER;
    DROP DATABASE IF EXISTS "{victim}";
    CREATE DATABASE "{victim}";
    ALTER DATABASE "{victim}" RENAME TO gone;
    \\connect "{victim}"
    DROP TABLE IF EXISTS purchase CASCADE;
    CREATE TABLE made (id int);
    COPY made FROM PROGRAM 'touch {file}';
    COPY made FROM '/etc/hostname';
    DO $$ BEGIN EXECUTE 'ALTER ROLE reader LOGIN'; END $$;
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity;
    GRANT app TO reader;
    INSERT INTO made VALUES (1);
"""


def test_a_script_never_reaches_beyond_its_copy(ground: Ground, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.write_text(REACHING.format(victim=ground.name, file=tmp_path / "touched"))
    before = ground.dump(), ground.memberships(), _roles(ground)
    ended = restore(ground, dump, to="reached")
    assert ended.status == 0, ended.err + ended.out
    for said in ("CREATE ROLE intruder", "DROP DATABASE", "COPY made FROM PROGRAM", "DO $$", "GRANT app", "\\connect"):
        assert f"will skip {said}" in ended.out
    assert (ground.dump(), ground.memberships(), _roles(ground)) == before
    assert not (tmp_path / "touched").exists()
    assert ground.root.value("SELECT count(*) FROM made", "reached") == 1


def _roles(ground: Ground) -> object:
    query = "SELECT jsonb_agg(to_jsonb(r) - 'rolpassword' ORDER BY rolname) FROM pg_roles r"
    return ground.root.value(query)


@pytest.mark.parametrize("hidden", ["', '\\''); DROP DATABASE victim; --'", "'\\'; CREATE ROLE intruder; --'"])
def test_two_statements_are_never_sent_as_one(ground: Ground, tmp_path: Path, hidden: str) -> None:
    dump = tmp_path / "dump"
    dump.write_text(
        "CREATE TABLE t (a text, b text);\n"
        "CREATE FUNCTION loosen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n"
        "PERFORM set_config('standard_conforming_strings', 'off', false); RETURN NEW; END $$;\n"
        "CREATE TRIGGER loosen BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION loosen();\n"
        f"INSERT INTO t VALUES ('x', 'y');\nINSERT INTO t VALUES ({hidden});\n"
    )
    before = _roles(ground)
    restore(ground, dump, to=f"hidden {len(hidden)}")
    assert _roles(ground) == before


def test_commands_of_psql_make_it_refused(ground: Ground, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.write_text(f"CREATE TABLE t (id int);\n\\! touch {tmp_path / 'touched'}\n")
    before = ground.databases()
    ended = restore(ground, dump, to="commanded")
    assert ended.status == 2
    assert "commands for psql" in ended.err
    assert ground.databases() == before
    assert not (tmp_path / "touched").exists()


BROKEN = """
    CREATE TABLE item (id int PRIMARY KEY);
    COPY item FROM stdin;
1
2
\\.
    CREATE TABLE wrong (id no_such_type);
    COPY wrong FROM stdin;
DROP TABLE item;
\\.
    COPY item FROM stdin;
2
\\.
    CREATE TABLE last (id int);
    INSERT INTO last VALUES (1);
    INSERT INTO last VALUES ('x');
    INSERT INTO last VALUES (3);
"""


def test_what_fails_is_named_with_the_servers_words_and_the_rest_goes_on(ground: Ground, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.write_text(BROKEN)
    ended = restore(ground, dump, "--json", to="broken")
    assert ended.status == 3, ended.err
    failures = {each["what"]: each["error"] for each in json.loads(ended.out)["failures"]}
    assert "no_such_type" in failures["TABLE wrong"]
    assert "TABLE DATA wrong" in failures
    assert "duplicate key" in failures["TABLE DATA item"]
    assert "invalid input syntax" in failures["TABLE DATA last"]
    assert ground.root.value("SELECT count(*) FROM item", "broken") == 2
    assert ground.root.value("SELECT array_agg(id) FROM last", "broken") == [1, 3]
    script = (ground.folder.parent / "not_restored.sql").read_text()
    assert "INSERT INTO last VALUES ('x');" in script
    assert "INSERT INTO last VALUES (1);" not in script
    assert "DROP TABLE item;" in script


def test_an_incomplete_copy_takes_no_place_unless_that_is_accepted(ground: Ground, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.write_text("CREATE TABLE old (id int);")
    assert restore(ground, dump, to="taken").status == 0
    dump.write_text(BROKEN)
    ended = restore(ground, dump, to="taken")
    assert ended.status == 3
    assert "TABLE wrong" in ended.err
    assert ground.root.value("SELECT count(*) FROM old", "taken") == 0


@pytest.mark.parametrize("form", ["custom", "tar", "script"])
def test_a_dump_that_is_cut_short_is_refused_before_anything_is_done(
    ground: Ground, dumps: dict[str, Path], form: str, tmp_path: Path
) -> None:
    cut = tmp_path / "cut"
    cut.write_bytes(dumps[form].read_bytes()[:-1100])
    before = ground.databases()
    ended = restore(ground, cut, to="cut")
    assert ended.status == 1
    assert ended.err
    assert ground.databases() == before


def test_a_folder_with_a_missing_file_is_refused(ground: Ground, dumps: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(dumps["directory"], tmp_path / "folder")
    next(iter(sorted(folder.glob("*.dat.gz")))).unlink()
    ended = restore(ground, folder, to="holed")
    assert ended.status == 1
    assert "missing" in ended.err


def test_an_object_in_a_bucket(ground: Ground, dumps: dict[str, Path], bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("theirs", gzip.compress(dumps["script that creates"].read_bytes()))
    ended = cli(
        *("restore", f"s3://{bucket.name}/theirs", "--yes", "--scratch", tmp_path),
        environment={**ground.environment("from a bucket"), **bucket.aws.environment()},
    )
    assert ended.status == 0, ended.err + ended.out
    assert ground.dump("from a bucket") == ground.dump()


def test_names_and_rows_in_another_encoding(ground: Ground, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.write_bytes(
        "SET client_encoding = 'LATIN1';\nCREATE TABLE größe (ä text);\nCOPY größe FROM stdin;\nüber\n\\.\n".encode(
            "latin1"
        )
    )
    ended = restore(ground, dump, to="latin")
    assert ended.status == 0, ended.err + ended.out
    assert ground.root.value('SELECT "ä" FROM "größe"', "latin") == "über"
