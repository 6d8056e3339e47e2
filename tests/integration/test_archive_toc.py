"""Tables of contents, read from archives that the real pg_dump has made."""

from __future__ import annotations

import contextlib
import io
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbbackup.core.archive_toc import Section, TableOfContents
from dbbackup.core.archive_toc_reader import read_contents
from dbbackup.core.errors import ClientToolError, DbBackupError, VerificationFailedError
from tests.support.command import clean_environment
from tests.support.databases import Database, DatabaseMaker

STRANGE = 'a "strange"\nname, 50%'
_QUOTED = STRANGE.replace('"', '""')
_SCHEMA = f"""
    CREATE EXTENSION hstore;
    CREATE SCHEMA "{_QUOTED}";
    CREATE TABLE "{_QUOTED}"."{_QUOTED}" (id int PRIMARY KEY, other int REFERENCES "{_QUOTED}"."{_QUOTED}", h hstore);
    CREATE VIEW "{_QUOTED}".v AS SELECT h FROM "{_QUOTED}"."{_QUOTED}";
    INSERT INTO "{_QUOTED}"."{_QUOTED}" VALUES (1, 1);
    GRANT SELECT ON "{_QUOTED}"."{_QUOTED}" TO pg_monitor;
    COMMENT ON TABLE "{_QUOTED}"."{_QUOTED}" IS 'grüße'
"""


def dumped(database: Database, path: Path, *options: str) -> Path:
    """An archive of the database, by pg_dump itself."""
    subprocess.run(
        (database.server.bindir / "pg_dump", f"--file={path}", *options),
        env=clean_environment(database.parameters.environment("test")),
        check=True,
    )
    return path


def contents_of(path: Path) -> TableOfContents:
    with path.open("rb") as file:
        return read_contents(file.read)


def _strange(new_database: DatabaseMaker) -> Database:
    database = new_database()
    database.execute(_SCHEMA)
    return database


@pytest.mark.parametrize(("form", "file"), [("custom", ""), ("directory", "toc.dat")])
def test_each_entry_is_what_it_is_on_the_server(
    form: str, file: str, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    database = _strange(new_database)
    contents = contents_of(dumped(database, tmp_path / "archive", f"--format={form}") / file)
    found = {(entry.kind, entry.schema, entry.tag): entry for entry in contents.items}
    oid = database.value(f'SELECT \'"{_QUOTED}"."{_QUOTED}"\'::regclass::oid')

    table, data = found["TABLE", STRANGE, STRANGE], found["TABLE DATA", STRANGE, STRANGE]
    assert (table.oid, table.owner, table.section) == (oid, database.user, Section.PRE_DATA)
    assert table.definition.startswith(f'CREATE TABLE "{_QUOTED}"."{_QUOTED}" (')
    assert data.oid == oid
    assert table.dump_id in data.dependencies
    assert data.copy == f'COPY "{_QUOTED}"."{_QUOTED}" (id, other, h) FROM stdin;\n'
    assert contents.by_id[found["EXTENSION", "", "hstore"].dump_id].tag == "hstore"
    assert found["EXTENSION", "", "hstore"].dump_id in table.dependencies
    assert any(kind == "FK CONSTRAINT" for kind, _, _ in found)
    assert found["COMMENT", STRANGE, f"TABLE {_quoted_tag()}"].definition.endswith("IS 'grüße';\n")
    assert contents.format == form
    assert contents.compression == "gzip"
    assert contents.database == database.name
    assert (contents.server_major, contents.extensions) == (18, ("hstore",))


def _quoted_tag() -> str:
    return f'"{_QUOTED}"'


def test_names_in_latin1_and_in_no_encoding(new_database: DatabaseMaker, tmp_path: Path) -> None:
    for encoding, expected in (("LATIN1", "größe"), ("SQL_ASCII", "gr\udcf6\udcdfe")):
        database = new_database(template="template0", options=f" ENCODING '{encoding}' LOCALE 'C'")
        with database.connect() as connection:
            connection.execute("SET client_encoding = 'SQL_ASCII'")
            connection.pgconn.exec_(b'CREATE TABLE "gr\xf6\xdfe" (id int)')
        contents = contents_of(dumped(database, tmp_path / encoding, "--format=custom"))
        assert [entry.tag for entry in contents.table_data] == [expected]


@pytest.fixture(scope="module")
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    server = request.getfixturevalue("server")
    maker = DatabaseMaker(server.master)
    return dumped(_strange(maker), tmp_path_factory.mktemp("a") / "archive", "--format=custom").read_bytes()


def test_an_archive_cut_anywhere_in_its_contents_is_named_as_damaged(archive: bytes) -> None:
    end = min(entry.position for entry in read_contents(io.BytesIO(archive).read).items if entry.position)
    for size in range(0, end - 1, 7):
        with pytest.raises(VerificationFailedError):
            read_contents(io.BytesIO(archive[:size]).read)


@settings(deadline=None, max_examples=200)
@given(seed=st.integers(0, 2**32))
def test_damage_is_an_error_with_a_remedy_or_other_words_and_nothing_else(archive: bytes, seed: int) -> None:
    chance = random.Random(seed)
    broken = bytearray(archive)
    for _ in range(chance.randint(1, 8)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    with contextlib.suppress(DbBackupError):
        read_contents(io.BytesIO(bytes(broken)).read)


def test_a_layout_of_the_future_is_named(archive: bytes) -> None:
    with pytest.raises(ClientToolError, match=r"layout 1\.99"):
        read_contents(io.BytesIO(archive[:6] + bytes([99]) + archive[7:]).read)
