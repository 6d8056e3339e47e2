"""What goes into a backup comes out of it: a database with one of everything, backed up, restored, compared.

It has what only a superuser makes (an event trigger, a foreign data wrapper) and dumps (rows behind a forced policy);
``tests/integration/restore/test_as_master.py`` and ``test_reserved.py`` say what RDS's master does with it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.archive_toc_reader import read_contents
from dbbackup.core.manifest import Manifest
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.operations.restore_compare import compare
from devtools.postgres import Server
from tests.support import comparison
from tests.support.backups import restore, run_tool, take
from tests.support.bindirs import previous_programs
from tests.support.databases import Database, DatabaseMaker, drop_all
from tests.support.hard_objects import EXTENSIONS, OBJECTS, OWNER

pytestmark = pytest.mark.xdist_group("fidelity")  # so that the round trip is made once
NAME = "ödd = \"näme\"\n'x' host=nowhere 100%/.."


@dataclass(frozen=True)
class RoundTrip:
    original: Database
    restored: Database
    manifest: Manifest
    archive: Path
    roles: str


@pytest.fixture(scope="module", params=["18, gzip", "17, zstd"])
def trip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoundTrip]:
    is_latest = request.param.startswith("18")
    server: Server = request.getfixturevalue("server" if is_latest else "previous_server")
    maker = DatabaseMaker(server.superuser)
    original = maker(NAME)
    original.execute(OBJECTS if is_latest else OBJECTS.replace(" VIRTUAL", " STORED"))
    folder = tmp_path_factory.mktemp("backups")
    bindir = None if is_latest else previous_programs(tmp_path_factory.mktemp("programs"))
    manifest = take(original, DirectoryStore(folder), bindir=bindir).manifest
    restored = restore(folder / manifest.archive.key, original, maker)
    assert manifest.archive.compression.startswith("gzip" if is_latest else "zstd")
    assert str(manifest.source.server_version_num).startswith("18" if is_latest else "17")
    yield RoundTrip(
        original,
        restored,
        manifest,
        folder / manifest.archive.key,
        (folder / manifest.roles.key).read_text(),
    )
    drop_all(maker)
    server.superuser.execute(f'DROP ROLE "{OWNER}"')


def test_the_definition_of_every_object_is_the_same(trip: RoundTrip) -> None:
    original = comparison.schema(trip.original)
    assert comparison.schema(trip.restored) == original
    for part in ("POLICY own_rooms", "FORCE ROW LEVEL", "EVENT TRIGGER watching", "FOREIGN TABLE", "CREATE DOMAIN"):
        assert any(part in line for line in original), f"the comparison has no {part}"


def test_every_row_of_every_table_is_the_same(trip: RoundTrip) -> None:
    original = comparison.contents(trip.original)
    assert comparison.contents(trip.restored) == original
    assert len(original) >= 20


@pytest.mark.parametrize(
    ("table", "rows"), [("without_columns", 5), ("all_generated", 4), ("scratch", 7), ("empty_one", 0), ("child", 3)]
)
def test_rows_of_peculiar_tables_are_kept(trip: RoundTrip, table: str, rows: int) -> None:
    assert trip.restored.value(f"SELECT count(*) FROM ONLY {table}") == rows


def test_sequences_go_on_where_they_stood(trip: RoundTrip) -> None:
    original = comparison.sequences(trip.original)
    assert comparison.sequences(trip.restored) == original
    assert original["public", "numbered_id_seq"] == (1000, False)
    assert original["public", "counter"] == (97, True)


def test_large_objects_keep_their_content_and_owner(trip: RoundTrip) -> None:
    original = comparison.large_objects(trip.original)
    assert comparison.large_objects(trip.restored) == original
    assert [row[:3] for row in original] == [(1001, "postgres", 3), (1002, OWNER, 0), (1003, "postgres", 1_300_000)]


def test_extensions_are_there_again(trip: RoundTrip) -> None:
    query = "SELECT array_agg(extname::text) FROM pg_extension"
    assert set(trip.restored.value(query)) == {"plpgsql", *EXTENSIONS}


def test_row_level_security_holds_after_the_restore(trip: RoundTrip) -> None:
    with trip.restored.connect() as connection:
        connection.execute(f'GRANT USAGE ON SCHEMA shop TO "{OWNER}"')
        connection.execute("UPDATE shop.booking SET room = 20 WHERE price = 1e50")
        connection.execute(f'SET ROLE "{OWNER}"')
        assert connection.execute("SELECT count(room) FROM shop.booking").fetchone() == (1,)


def test_the_manifest_counts_the_rows_that_were_restored(trip: RoundTrip) -> None:
    counted = {(table.schema_name, table.table): table.rows for table in trip.manifest.tables}
    restored = {name: rows for name, (rows, _) in comparison.contents(trip.restored).items()}
    materialized = {("public", "totals")}
    assert counted == {name: rows for name, rows in restored.items() if name not in materialized}
    assert all(table.exact for table in trip.manifest.tables)


def test_the_manifest_counts_the_objects_that_were_restored(trip: RoundTrip, tmp_path: Path) -> None:
    run_tool(trip.restored.server.bindir, "pg_dump", trip.restored, "--format=custom", f"--file={tmp_path}/a")
    with (tmp_path / "a").open("rb") as file:
        again = read_contents(file.read).kinds
    assert {kind: again.get(kind) for kind in trip.manifest.objects} == trip.manifest.objects
    assert {"POLICY": 1, "MATERIALIZED VIEW": 2, "VIEW": 1}.items() <= trip.manifest.objects.items()


def test_nothing_is_missed_in_a_copy_that_has_everything(trip: RoundTrip) -> None:
    contents = read_contents(io.BytesIO(trip.archive.read_bytes()).read)
    compared = compare(trip.restored.source(), contents, trip.manifest, frozenset(), RestoreOptions("copy", jobs=2))
    assert compared.differences == ()
    assert (compared.tables, compared.rows) == (len(trip.manifest.tables), trip.manifest.total_rows)


def test_the_manifest_describes_the_source(trip: RoundTrip) -> None:
    source = trip.manifest.source
    assert source.database == NAME
    assert source.encoding == "UTF8"
    assert source.system_identifier
    assert source.wal_position
    assert source.database_size_bytes > 5_000_000
    assert trip.manifest.verification.tables_with_data == len(trip.manifest.tables)


def test_the_roles_beside_the_archive_can_be_created_again_and_hold_no_password(trip: RoundTrip) -> None:
    assert f'CREATE ROLE "{OWNER}";' in trip.roles
    assert "PASSWORD" not in trip.roles
    assert "SCRAM-SHA-256" not in trip.roles


def test_an_empty_database_comes_back_empty(new_database: DatabaseMaker, tmp_path: Path) -> None:
    empty = new_database()
    manifest = take(empty, DirectoryStore(tmp_path)).manifest
    assert manifest.tables == ()
    assert manifest.total_rows == 0
    restored = restore(tmp_path / manifest.archive.key, empty, new_database)
    assert comparison.schema(restored) == comparison.schema(empty)
