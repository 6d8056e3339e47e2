"""Names of databases, roles, schemas, tables and sequences that mean something to somebody on the way."""

from __future__ import annotations

import ast
import os
from itertools import count
from pathlib import Path

import pytest
from psycopg import sql

import dbbackup
from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.adapters.restored_server import PostgresRestoredServer
from dbbackup.core.pitr_ports import WatchedTable
from dbbackup.operations.catalog import read_catalog
from tests.support.backups import take
from tests.support.command import Ended
from tests.support.command import dbbackup as command
from tests.support.databases import Database, DatabaseMaker

ODD = [
    "100%",
    "%s",
    "%(name)s",
    "%%",
    'quo"te',
    "apo'strophe",
    "back\\slash",
    "two\nlines",
    " spaces ",
    "größe 💾",
    "{}",
    "a=b",
    "$1",
    "dot.ted",
    "-option",
]
_numbers = count()


def _fill(database: Database) -> None:
    """Everything of every odd name, and a row in each table."""
    with database.connect() as connection:
        for name in ODD:
            schema, inside = sql.Identifier(name), sql.Identifier(name, name)
            for statement in (
                "CREATE SCHEMA {s}",
                "CREATE TABLE {i} ({s} timestamptz PRIMARY KEY)",
                "INSERT INTO {i} VALUES (now())",
                "CREATE SEQUENCE {q}",
            ):
                sequence = sql.Identifier(name, f"{name} seq")
                connection.execute(sql.SQL(statement).format(s=schema, i=inside, q=sequence))


def _run(database: Database, folder: Path, *words: str) -> Ended:
    name, *options = words
    return command(name, "--directory", folder, *options, environment=database.environment())


@pytest.fixture
def odd(new_database: DatabaseMaker) -> Database:
    """A database of everything odd."""
    database = new_database()
    _fill(database)
    return database


def test_what_is_odd_is_backed_up_counted_and_verified(odd: Database, tmp_path: Path) -> None:
    manifest = take(odd, DirectoryStore(tmp_path)).manifest
    assert {(table.schema_name, table.table, table.rows) for table in manifest.tables} == {(n, n, 1) for n in ODD}
    ended = _run(odd, tmp_path, "verify", "latest")
    assert ended.status == 0, ended.err


def test_what_is_odd_is_guarded(odd: Database, tmp_path: Path) -> None:
    ended = _run(odd, tmp_path, "guard", "--", "true")
    assert ended.status == 0, ended.err


def test_the_doctor_names_what_is_odd(odd: Database, tmp_path: Path) -> None:
    ended = _run(odd, tmp_path, "doctor")
    assert ended.status == 0, ended.out + ended.err
    reader = odd.user_without_rights()
    refused = _run(reader, tmp_path, "doctor", "--json")
    (tables,) = [check for check in refused.document["checks"] if check["name"] == "tables"]
    assert tables["status"] == "failed"
    assert '"%%"."%%"' in tables["found"]


@pytest.mark.parametrize("number", range(len(ODD)))
def test_a_database_of_an_odd_name_owned_by_an_odd_role(
    new_database: DatabaseMaker, tmp_path: Path, number: int
) -> None:
    name = f"{ODD[number]} {os.getpid()} {next(_numbers)}"
    database = new_database(name)
    role = sql.Identifier(f"role of {name}")
    with database.connect() as connection:
        connection.execute(sql.SQL("CREATE ROLE {0} LOGIN; GRANT {0} TO CURRENT_USER").format(role))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), role))
        connection.execute(sql.SQL("CREATE TABLE {} AS SELECT 1 AS one").format(sql.Identifier(name)))
    try:
        taken = _run(database, tmp_path, "backup", "--json")
        assert taken.status == 0, taken.err
        (entry,) = read_catalog(DirectoryStore(tmp_path), database=name).entries
        assert entry.manifest.source.database == name
        assert entry.sound
        doctor = _run(database, tmp_path, "doctor")
        assert doctor.status == 0, doctor.out
        assert "newest backup" in doctor.out
    finally:
        with database.server.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.mark.parametrize("number", [n for n, name in enumerate(ODD) if "." not in name])
def test_a_restored_server_is_asked_for_the_newest_row_of_an_odd_table(odd: Database, number: int) -> None:
    name = ODD[number]
    watched = WatchedTable(odd.name, f"{name}.{name}", name)
    found = PostgresRestoredServer(odd.parameters).inspect(odd.name, [watched])
    assert found.missing == ()
    assert found.newest[watched.table] is not None


def test_identifiers_are_quoted_in_one_place() -> None:
    """Where names are put into statements, parameters are not: these places keep the two apart."""
    adapters = Path(str(dbbackup.__file__)).parent
    quoting = {
        path.name
        for path in adapters.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "psycopg" and any(n.name == "sql" for n in node.names)
    }
    assert quoting <= {"statements.py", "restored_copy.py", "session_settings.py"}
