"""A copy is held against its archive: what is missing is named, what the archive never had is not missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.archive_toc_reader import read_contents
from dbbackup.core.manifest import Manifest
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.operations.restore_compare import Comparison, compare
from tests.support.backups import restore, run_tool, take
from tests.support.databases import Database, DatabaseMaker

OBJECTS = """
    CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('good');
    CREATE DOMAIN s.small AS int CONSTRAINT tiny CHECK (VALUE < 9);
    CREATE TABLE s.parent (id int GENERATED ALWAYS AS IDENTITY CONSTRAINT "the % key" PRIMARY KEY, m s.mood, n s.small);
    CREATE TABLE s.child (id serial, parent int CONSTRAINT "points to" REFERENCES s.parent, amount int);
    ALTER TABLE s.child ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID;
    CREATE INDEX "an index" ON s.child (amount); CREATE STATISTICS s.together ON id, amount FROM s.child;
    CREATE VIEW s.seen AS SELECT amount FROM s.child; CREATE MATERIALIZED VIEW s.totals AS SELECT 1 n;
    CREATE FUNCTION s.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION s.twice(int, s.mood, VARIADIC text[]) RETURNS int LANGUAGE sql AS 'SELECT 2';
    CREATE PROCEDURE s.work(numeric(9, 2)) LANGUAGE sql AS 'SELECT 1';
    CREATE AGGREGATE s.largest(int) (SFUNC = int4larger, STYPE = int);
    CREATE TRIGGER touched BEFORE INSERT ON s.parent FOR EACH ROW EXECUTE FUNCTION s.touch();
    CREATE RULE silent AS ON DELETE TO s.parent DO INSTEAD NOTHING;
    ALTER TABLE s.parent ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON s.parent USING (true);
    CREATE TABLE s.parted (id int, at date, CONSTRAINT parted_key PRIMARY KEY (id, at), ref int REFERENCES s.parent)
        PARTITION BY RANGE (at);
    CREATE TABLE s.part PARTITION OF s.parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE INDEX on_all ON s.parted (ref); CREATE TABLE s.heir (extra int) INHERITS (s.child);
    CREATE TRIGGER of_all AFTER INSERT ON s.parted FOR EACH ROW EXECUTE FUNCTION s.touch();
    INSERT INTO s.parted SELECT n, date '2025-03-01' FROM generate_series(1, 12) n;
    CREATE EXTENSION hstore; SELECT lo_from_bytea(0, 'x') FROM generate_series(1, 3);
"""
# A statement that takes an object away, and what then is said to be missing.
MISSING = {
    "an index": ('DROP INDEX s."an index"', "INDEX s.an index"),
    "a primary key": (
        'ALTER TABLE s.parent DROP CONSTRAINT "the % key" CASCADE',
        "CONSTRAINT s.parent the % key",
    ),
    "a foreign key": ('ALTER TABLE s.child DROP CONSTRAINT "points to"', "FK CONSTRAINT s.child points to"),
    "a check": ("ALTER TABLE s.child DROP CONSTRAINT positive", "CHECK CONSTRAINT s.child positive"),
    "a trigger": ("DROP TRIGGER touched ON s.parent", "TRIGGER s.parent touched"),
    "a rule": ("DROP RULE silent ON s.parent", "RULE s.parent silent"),
    "a policy": ("DROP POLICY mine ON s.parent", "POLICY s.parent mine"),
    "row security": ("ALTER TABLE s.parent DISABLE ROW LEVEL SECURITY", "ROW SECURITY s.parent"),
    "a sequence": (
        "ALTER TABLE s.child ALTER id DROP DEFAULT; DROP SEQUENCE s.child_id_seq",
        "SEQUENCE s.child_id_seq",
    ),
    "a default": ("ALTER TABLE ONLY s.child ALTER id DROP DEFAULT", "DEFAULT s.child id"),
    "an identity": ("ALTER TABLE s.parent ALTER id DROP IDENTITY", "SEQUENCE s.parent_id_seq"),
    "a view": ("DROP VIEW s.seen", "VIEW s.seen"),
    "a materialized view": ("DROP MATERIALIZED VIEW s.totals", "MATERIALIZED VIEW s.totals"),
    "a function": ("DROP FUNCTION s.twice", "FUNCTION s.twice(integer, s.mood, text[])"),
    "a procedure": ("DROP PROCEDURE s.work", "PROCEDURE s.work(numeric)"),
    "an aggregate": ("DROP AGGREGATE s.largest(int)", "AGGREGATE s.largest(integer)"),
    "statistics": ("DROP STATISTICS s.together", "STATISTICS s.together"),
    "a type": ("DROP TYPE s.mood CASCADE", "TYPE s.mood"),
    "a domain": ("DROP DOMAIN s.small CASCADE", "DOMAIN s.small"),
    "a table": ("DROP TABLE s.heir", "TABLE s.heir"),
    "an extension": ("DROP EXTENSION hstore", "EXTENSION hstore"),
}


def _compared(copy: Database, archive: Path, manifest: Manifest | None = None, jobs: int = 1) -> Comparison:
    with archive.open("rb") as file:
        contents = read_contents(file.read)
    return compare(copy.source(), contents, manifest, frozenset(), RestoreOptions("copy", jobs=jobs))


@pytest.fixture
def original(new_database: DatabaseMaker) -> Database:
    """One of everything that is compared."""
    made = new_database()
    made.execute(OBJECTS)
    return made


def test_whatever_is_missing_is_named(original: Database, new_database: DatabaseMaker, tmp_path: Path) -> None:
    manifest = take(original, DirectoryStore(tmp_path)).manifest
    archive = tmp_path / manifest.archive.key
    copy = restore(archive, original, new_database)
    assert _compared(copy, archive, manifest, jobs=3).differences == ()
    for what, (statement, missing) in MISSING.items():
        poorer = new_database(template=copy.name)
        poorer.execute(statement)
        assert f"{missing}: missing" in _compared(poorer, archive, manifest).differences, what
    copy.execute("DELETE FROM s.part WHERE id > 5")
    assert "table s.part: 5 rows instead of 12" in _compared(copy, archive, manifest).differences


def test_what_is_in_no_dump_is_not_missed(original: Database, new_database: DatabaseMaker, tmp_path: Path) -> None:
    original.superuser.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 's.\"an index\"'::regclass")
    original.execute("""
        CREATE TABLE of_hstore (id int); ALTER EXTENSION hstore ADD TABLE of_hstore;
        CREATE TRIGGER gone BEFORE INSERT ON of_hstore FOR EACH ROW EXECUTE FUNCTION s.touch()""")
    manifest = take(original, DirectoryStore(tmp_path)).manifest
    archive = tmp_path / manifest.archive.key
    assert _compared(restore(archive, original, new_database), archive, manifest).differences == ()


@pytest.mark.xdist_group("previous")
@pytest.mark.parametrize("way", ["up", "down"])
def test_between_majors(
    way: str, new_database: DatabaseMaker, new_previous_database: DatabaseMaker, tmp_path: Path
) -> None:
    makers = [new_previous_database, new_database] if way == "up" else [new_database, new_previous_database]
    source, target = (maker() for maker in makers)
    source.execute(OBJECTS)
    archive = tmp_path / "archive"
    run_tool(source.server.bindir, "pg_dump", source, "--format=custom", f"--file={archive}")
    run_tool(new_database.server.bindir, "pg_restore", target, str(archive))
    assert _compared(target, archive).differences == ()


def test_tables_whose_policies_hold_for_their_owner_are_counted(new_database: DatabaseMaker, tmp_path: Path) -> None:
    made = new_database()
    made.execute(
        "CREATE TABLE closed (n int); INSERT INTO closed SELECT generate_series(1, 9);"
        "ALTER TABLE closed ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY few ON closed USING (n < 3)"
    )
    manifest = take(made.superuser, DirectoryStore(tmp_path)).manifest  # whom no policy binds
    owner = made.user_without_rights()
    made.give("TABLE closed", owner.user)
    compared = _compared(owner, tmp_path / manifest.archive.key, manifest)
    assert (compared.differences, compared.rows) == ((), 9)
    assert made.value("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'closed'") is True


def test_rows_of_an_old_manifest_that_were_counted_too_late(
    database: Database, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    manifest = take(database, DirectoryStore(tmp_path)).manifest
    archive = tmp_path / manifest.archive.key
    copy = restore(archive, database, new_database)
    (table,) = manifest.tables
    old = manifest.model_copy(update={"tables": (table.model_copy(update={"rows": 0, "bytes": 8192}),)})
    with archive.open("rb") as file:
        contents = read_contents(file.read)
    (entry,) = contents.table_data

    def again(rows: int) -> Comparison:
        options = RestoreOptions("copy")
        return compare(copy.source(), contents, old, frozenset(), options, recount=lambda: {entry.dump_id: rows})

    assert again(3).differences == ()
    assert again(3).notes == ("table public.item: 3 rows, as in the archive; manifest: 0",)
    assert again(4).differences == ("table public.item: 3 rows instead of 0",)
