"""What a database has and its dump has not is said when the backup is made, in the manifest, and by the doctor."""

from __future__ import annotations

from pathlib import Path

from dbbackup.adapters.directory_store import DirectoryStore
from devtools.postgres import start_server
from devtools.standby import start_standby
from tests.support.backups import restore, take
from tests.support.databases import Database, DatabaseMaker, drop_all
from tests.support.restores import cli

LOST = """
    CREATE INDEX broken ON item (name);
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
    CREATE EXTENSION hstore; CREATE TABLE "of % it" (id int); ALTER EXTENSION hstore ADD TABLE "of % it";
    INSERT INTO "of % it" VALUES (1);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER mine BEFORE UPDATE ON "of % it" FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
    CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'u', password 'very secret');
    CREATE SUBSCRIPTION news CONNECTION 'host=127.0.0.1' PUBLICATION p WITH (connect = false);
    CREATE UNLOGGED TABLE passing (id serial); INSERT INTO passing DEFAULT VALUES
"""
FINE = """
    CREATE INDEX whole ON item (name); CREATE EXTENSION hstore;
    CREATE TABLE parted (n int) PARTITION BY LIST (n); CREATE TABLE part PARTITION OF parted DEFAULT;
    CREATE INDEX invalid_but_dumped ON ONLY parted (n);
    CREATE TABLE registered (id int); INSERT INTO registered VALUES (1); ALTER EXTENSION hstore ADD TABLE registered;
    UPDATE pg_extension SET extconfig = ARRAY['registered'::regclass::oid], extcondition = '{""}'
    WHERE extname = 'hstore'; CREATE UNLOGGED TABLE passing (id int); INSERT INTO passing VALUES (1)
"""


def test_what_is_lost_is_named_by_the_backup_and_by_the_doctor(database: Database, tmp_path: Path) -> None:
    database.superuser.execute(LOST)
    ended = cli("backup", "--json", "--directory", tmp_path, environment=database.environment())
    try:
        assert ended.status == 0, ended.err
        found = [each["what"] for each in ended.document["manifest"]["not_in_dump"]]
        assert found == [
            "invalid indexes: public.broken",
            'triggers on extensions\' own tables: mine on public."of % it"',
            'rows of extensions\' own tables: public."of % it"',
            "options of user mappings, a password perhaps: postgres for server far",
            "subscriptions: news",
        ]
        said = cli("backup", "--directory", tmp_path, environment=database.environment()).err
        assert "Not in the backup: invalid indexes: public.broken. Because building it has failed" in said
        assert "REINDEX INDEX CONCURRENTLY" in said
        doctor = cli("doctor", "--directory", tmp_path, environment=database.environment()).out
        assert "a dump has not: invalid indexes: public.broken (building it has failed" in doctor
        assert "very secret" not in ended.out + ended.err + said + doctor
    finally:
        database.superuser.execute("ALTER SUBSCRIPTION news SET (slot_name = NONE); DROP SUBSCRIPTION news")


def test_a_superuser_loses_less(database: Database, tmp_path: Path) -> None:
    database.superuser.execute(LOST)
    try:
        found = [each.what for each in take(database.superuser, DirectoryStore(tmp_path)).manifest.not_in_dump]
    finally:
        database.superuser.execute("ALTER SUBSCRIPTION news SET (slot_name = NONE); DROP SUBSCRIPTION news")
    assert [what.partition(":")[0] for what in found] == [
        "invalid indexes",
        "triggers on extensions' own tables",
        "rows of extensions' own tables",
    ]


def test_nothing_is_said_of_what_a_dump_has(database: Database, tmp_path: Path) -> None:
    database.superuser.execute(FINE)
    assert take(database, DirectoryStore(tmp_path)).manifest.not_in_dump == ()


def test_a_thousand_are_one_line(database: Database, tmp_path: Path) -> None:
    database.execute(
        "DO $$ BEGIN FOR n IN 1000..1999 LOOP EXECUTE format('CREATE INDEX i%s ON item (id)', n); END LOOP; END $$"
    )
    database.superuser.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indrelid = 'item'::regclass AND NOT indisprimary"
    )
    (found,) = take(database, DirectoryStore(tmp_path)).manifest.not_in_dump
    names = ", ".join(f"public.i{number}" for number in range(1000, 1005))
    assert found.what == f"invalid indexes: {names} and 995 more"


def test_a_table_of_an_extension_that_somebody_holds_stops_nothing(database: Database, tmp_path: Path) -> None:
    database.execute("CREATE EXTENSION hstore; CREATE TABLE held (id int); ALTER EXTENSION hstore ADD TABLE held")
    with database.connect() as other, other.transaction():
        other.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        (found,) = take(database, DirectoryStore(tmp_path)).manifest.not_in_dump
    assert found.what == "rows of extensions' own tables: public.held"


def test_a_standby_is_backed_up_without_what_it_does_not_have(tmp_path: Path) -> None:
    with start_server() as primary:
        make = DatabaseMaker(primary.master)
        original = make()
        original.execute(
            "CREATE TABLE kept (id serial PRIMARY KEY); INSERT INTO kept SELECT FROM generate_series(1, 5);"
            "CREATE UNLOGGED TABLE passing (id serial PRIMARY KEY); INSERT INTO passing DEFAULT VALUES"
        )
        with start_standby(primary) as standby:
            there = Database(standby.master, original.name)
            manifest = take(there, DirectoryStore(tmp_path)).manifest
            assert {table.table: table.rows for table in manifest.tables} == {"kept": 5}
            (left_out,) = manifest.not_in_dump
            assert left_out.what == "rows of unlogged tables: public.passing"
        archive = next(tmp_path.glob("*.dump"))
        restored = restore(archive, original, make)
        assert restored.value("SELECT count(*) FROM passing") == 0
        assert restored.value("SELECT count(*) FROM kept") == 5
        drop_all(make)
