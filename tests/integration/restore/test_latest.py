"""``latest`` in a place that holds backups of several databases."""

from __future__ import annotations

from pathlib import Path

from dbbackup.adapters.directory_store import DirectoryStore
from tests.support.backups import take
from tests.support.command import dbbackup
from tests.support.databases import Database, DatabaseMaker


def test_it_is_of_the_database_that_the_environment_names(
    database: Database, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    other = new_database()
    other.execute("CREATE TABLE of_the_other (id int)")
    take(database, DirectoryStore(tmp_path))
    take(other, DirectoryStore(tmp_path))  # the newest of all
    environment = database.server.environment(database.name)

    done = dbbackup("restore", "latest", "--directory", tmp_path, "--yes", "--json", environment=environment)

    assert done.status == 0, done.err
    assert f"{database.name}_backup_" in done.document["backup"]


def test_where_nothing_says_whose_it_is_nothing_is_restored(
    database: Database, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    names = sorted((database.name, new_database().name))
    for name in names:
        take(Database(database.server, name), DirectoryStore(tmp_path))
    environment = {**database.server.environment(database.name), "POSTGRES_DB": "a scratch database"}

    done = dbbackup("restore", "latest", "--directory", tmp_path, "--yes", environment=environment)

    assert done.status == 1
    assert "'a scratch database'" in done.err
    assert "--database NAME" in done.err
    for name in names:
        assert repr(name) in done.err
