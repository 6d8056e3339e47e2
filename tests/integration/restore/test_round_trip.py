"""A backup becomes a database again, over the one that is there or beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.contract import Tier
from tests.support import comparison
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.command import dbbackup
from tests.support.databases import Database, DatabaseMaker
from tests.support.restores import PRESENT, SAVED, Saved, Scene, cli

PROPERTIES = """
    SELECT ARRAY[pg_get_userbyid(datdba)::text, datacl::text, datconnlimit::text, pg_encoding_to_char(encoding)::text,
                 datcollate::text, shobj_description(d.oid, 'pg_database'),
                 (SELECT string_agg(setrole::text || setconfig::text, ';' ORDER BY setrole)
                  FROM pg_db_role_setting WHERE setdatabase = d.oid)]
    FROM pg_database d WHERE datname = current_database()
"""


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_the_target_is_replaced_and_was_backed_up_first(scene: Scene, jobs: str) -> None:
    ended = scene.restore("--json", "--jobs", jobs)
    assert ended.status == 0, ended.err
    assert scene.is_restored()
    assert comparison.sequences(scene.target)["public", "counter"] == (41, True)
    assert scene.beside() == {}
    document = ended.document
    assert (document["status"], document["database"]) == ("restored", scene.target.name)
    assert (document["tables"], document["rows"], document["skipped"], document["old_database"]) == (3, 347, [], None)
    assert list(document["durations_seconds"]) == ["read", "safety backup", "restore", "compare", "swap"]
    safety = Path(document["safety_backup"])
    assert cli("restore", safety, "--yes", environment=scene.environment).status == 0
    assert scene.is_as_it_was()


def test_the_command_says_what_it_did(scene: Scene) -> None:
    ended = dbbackup("restore", scene.saved.archive, "--yes", environment=scene.environment)
    assert ended.status == 0, ended.err
    assert f"Over the database '{scene.target.name}' on PostgreSQL 18" in ended.out
    assert "✅ Safety backup: " in ended.out
    assert "restored (3 tables, 347 rows, as in the manifest)" in ended.out
    assert "Traceback" not in ended.err


def test_a_database_that_does_not_exist_is_made_without_a_question(
    saved: Saved, new_database: DatabaseMaker, target: Database
) -> None:
    new_database.made.append("ftry_staging")
    environment = target.environment()
    ended = cli("restore", "latest", "--directory", saved.folder, "--to", "ftry_staging", environment=environment)
    assert ended.status == 0, ended.err
    assert "Into a new database 'ftry_staging'" in ended.out
    assert "Safety backup" not in ended.out
    assert comparison.contents(Database(target.server, "ftry_staging")) == saved.content
    assert target.value("SELECT count(*) FROM customer") == 2


def test_from_a_bucket(database: Database, target: Database, bucket: Bucket) -> None:
    database.execute(SAVED)
    manifest = take(database, bucket.store(), tier=Tier.DAILY).manifest
    environment = {**target.environment(), **bucket.aws.environment(), "S3_BACKUP_BUCKET": bucket.name}
    ended = cli("restore", "latest", "--yes", "--json", environment=environment)
    assert ended.status == 0, ended.err
    assert ended.document["backup"] == f"s3://{bucket.name}/{manifest.archive.key}"
    assert ended.document["safety_backup"].startswith(f"s3://{bucket.name}/manual/")
    assert comparison.contents(target) == comparison.contents(database)


def test_what_is_set_on_the_database_stays(scene: Scene) -> None:
    target, other = scene.target, scene.target.user_without_rights().user
    owner = scene.target.user_without_rights().user
    name = f'"{target.name}"'
    target.give(f"DATABASE {name}", owner)
    target.server.execute(f"GRANT {owner} TO CURRENT_USER")
    # What no module defines, only a superuser gives, or whom he lets.
    target.server.superuser.execute(f"GRANT SET ON PARAMETER app.tenant TO {target.user}")
    target.server.execute(f"""
        ALTER DATABASE {name} CONNECTION LIMIT 33;
        COMMENT ON DATABASE {name} IS 'the shop''s';
        REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO {other} WITH GRANT OPTION;
        ALTER DATABASE {name} SET search_path = shop, "Odd, Schema"; ALTER DATABASE {name} SET work_mem = '7MB';
        ALTER DATABASE {name} SET default_transaction_read_only = on; ALTER DATABASE {name} SET app.tenant = 'a=b, c';
        ALTER ROLE {other} IN DATABASE {name} SET search_path = ''""")
    before = target.value(PROPERTIES)
    ended = scene.restore()
    assert ended.status == 0, ended.err
    assert target.value(PROPERTIES) == before
    assert before[0] == owner
    target.server.superuser.execute(f"REVOKE SET ON PARAMETER app.tenant FROM {target.user}")


def test_settings_that_would_bind_us_are_copied(scene: Scene) -> None:
    """Of somebody else in the database: ours would bind the reading of the target as well."""
    name, other = f'"{scene.target.name}"', scene.target.user_without_rights().user
    scene.target.server.execute(f"""
        ALTER ROLE {other} IN DATABASE {name} SET role = {other};
        ALTER ROLE {other} IN DATABASE {name} SET client_encoding = 'LATIN1';
        ALTER ROLE {other} IN DATABASE {name} SET statement_timeout = '1ms'""")
    before = scene.target.value(PROPERTIES)
    ended = scene.restore()
    assert ended.status == 0, ended.err
    assert scene.target.value(PROPERTIES) == before


@pytest.mark.parametrize("name", ["a b", "it's", 'say "hi"', "x=y", "dbname=postgres", "größe", "ü" * 31, "-d", "%2F"])
def test_targets_with_odd_names(saved: Saved, new_database: DatabaseMaker, name: str) -> None:
    target = new_database(name)
    target.execute(PRESENT)
    scene = Scene(target, saved, comparison.contents(target))
    ended = scene.restore()
    assert ended.status == 0, ended.err
    assert scene.is_restored()
    assert scene.beside() == {}


@pytest.mark.parametrize("options", ["ENCODING 'SQL_ASCII' LOCALE 'C'", "ENCODING 'UTF8' LOCALE 'C.UTF-8'"])
def test_a_new_database_gets_encoding_and_collation_of_the_source(
    new_database: DatabaseMaker, tmp_path: Path, options: str
) -> None:
    source = new_database(template="template0", options=f" {options}")
    source.execute("CREATE TABLE word (body text); INSERT INTO word VALUES ('größe')")
    archive = tmp_path / take(source, DirectoryStore(tmp_path)).manifest.archive.key
    copy = Database(source.server, f"{source.name}_copy")
    new_database.made.append(copy.name)
    ended = cli("restore", archive, "--to", copy.name, environment=source.environment())
    assert ended.status == 0, ended.err
    digest = "SELECT md5(string_agg(body, '')) FROM word"
    assert copy.value(digest) == source.value(digest)
    facts = "SELECT pg_encoding_to_char(encoding) || datcollate FROM pg_database WHERE datname = current_database()"
    assert copy.value(facts) == source.value(facts)


def test_a_collation_that_the_server_does_not_have_is_replaced(
    saved: Saved, target: Database, new_database: DatabaseMaker
) -> None:
    new_database.made.append("elsewhere")
    saved.rewrite(source=saved.manifest.source.model_copy(update={"collation": "xx_XX.UTF-8"}))
    assert cli("restore", saved.archive, "--to", "elsewhere", environment=target.environment()).status == 0


def test_latest_is_never_what_a_restore_has_set_aside(scene: Scene, tmp_path: Path) -> None:
    scene = replace(scene, saved=scene.saved.copy_to(tmp_path / "own"))
    assert scene.restore().status == 0
    scene.target.execute(f"DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA archive CASCADE; {PRESENT}")
    latest = ("restore", "latest", "--directory", scene.saved.folder, "--yes")
    ended = cli(*latest, environment=scene.environment)
    assert ended.status == 0, ended.err
    assert scene.is_restored()
    listed = cli("list", "--json", "--directory", scene.saved.folder, environment={}).document
    assert [each["safety"] for each in listed] == [True, True, False]
    assert "manual (safety)" in cli("list", "--directory", scene.saved.folder, environment={}).out
    of_target = cli(*latest, "--database", scene.target.name, environment=scene.environment)
    assert of_target.status == 1
    assert f"no latest backup of the database '{scene.target.name}'" in of_target.err


def test_latest_of_a_tier_and_of_a_database(scene: Scene, database: Database) -> None:
    take(database, DirectoryStore(scene.saved.folder), tier=Tier.DAILY)
    folder, source = scene.saved.folder, scene.saved.manifest.source.database
    for options, table in (
        (("--tier", "manual", "--database", source), "purchase"),
        (("--tier", "daily", "--database", database.name), "item"),
        (("--database", source), "purchase"),
    ):
        command = ("restore", "latest", "--directory", folder, "--yes", *options)
        ended = cli(*command, environment=scene.environment)
        assert ended.status == 0, ended.err
        assert scene.target.value(f"SELECT count(*) FROM {table}") > 0


def test_what_was_replaced_can_be_kept(scene: Scene, new_database: DatabaseMaker) -> None:
    scene.target.server.execute(f"COMMENT ON DATABASE \"{scene.target.name}\" IS 'precious'")
    ended = scene.restore("--keep-old", "--json")
    old = ended.document["old_database"]
    new_database.made.append(old)
    assert comparison.contents(Database(scene.target.server, old)) == scene.present
    with scene.target.connect() as connection:
        comment = sql.SQL("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = {}")
        assert connection.execute(comment.format(old)).fetchone() == ("precious",)
    assert scene.restore().status == 0
    assert old in scene.databases(), "no later run removes what was kept"
