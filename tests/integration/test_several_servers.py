"""Backups of several servers that have a database of one name, in one place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.contract import Tier
from dbbackup.core.ports import BackupStore
from dbbackup.operations.backup import BackupOutcome
from dbbackup.operations.newest_backup import newest_backup
from dbbackup.operations.previous_backup import previous_backup
from devtools.postgres import LATEST, package_bindir
from tests.support.backups import MOMENT, lay_down, manifest_of, take
from tests.support.buckets import Bucket
from tests.support.command import Ended, dbbackup
from tests.support.databases import Database, DatabaseMaker

pytestmark = pytest.mark.xdist_group("previous")
NAME = "shop of two"
BINDIR = package_bindir(LATEST)


@pytest.fixture
def here(new_database: DatabaseMaker) -> Database:
    """The database on one server."""
    made = new_database(NAME)
    made.execute("CREATE TABLE whose (server text); INSERT INTO whose VALUES ('here')")
    return made


@pytest.fixture
def there(new_previous_database: DatabaseMaker) -> Database:
    """The database of that name on another."""
    made = new_previous_database(NAME)
    made.execute("CREATE TABLE whose (server text); INSERT INTO whose VALUES ('there')")
    return made


@pytest.fixture(params=["a directory", "a bucket"])
def store(request: pytest.FixtureRequest, bucket: Bucket, tmp_path: Path) -> BackupStore:
    return bucket.store() if request.param == "a bucket" else DirectoryStore(tmp_path)


def _take(database: Database, store: BackupStore, **request: Any) -> BackupOutcome:
    """A backup by the newer client: the package of the older server has no pg_dumpall."""
    return take(database, store, bindir=BINDIR, **request)


def _environment(database: Database) -> dict[str, str]:
    return {**database.environment(), "PG_BINDIR": str(BINDIR)}


def _run(command: str, folder: Path, database: Database, *options: str) -> Ended:
    return dbbackup(command, "latest", *options, "--directory", folder, environment=_environment(database))


def test_the_same_moment_of_two_servers_is_two_backups(here: Database, there: Database, store: BackupStore) -> None:
    made = [_take(each, store, tier=Tier.DAILY, scheduled_time=MOMENT) for each in (here, there)]
    assert [outcome.created for outcome in made] == [True, True]
    assert [outcome.manifest.backup_time for outcome in made] == [MOMENT, MOMENT + timedelta(seconds=1)]
    again = [_take(each, store, tier=Tier.DAILY, scheduled_time=MOMENT) for each in (here, there)]
    assert [outcome.created for outcome in again] == [False, False]
    assert [outcome.manifest for outcome in again] == [outcome.manifest for outcome in made]


def test_each_server_restores_its_own(here: Database, there: Database, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    for each in (here, there):
        _take(each, store)
    for each, whose in ((here, "here"), (there, "there")):
        each.execute("UPDATE whose SET server = 'lost'")
        ended = _run("restore", tmp_path, each, "--yes")
        assert ended.status == 0, ended.err
        assert f"of the server localhost:{each.server.port}" in ended.out
        assert each.value("SELECT server FROM whose") == whose


def test_on_a_new_server_the_choices_are_named(
    here: Database, there: Database, database: Database, tmp_path: Path
) -> None:
    """Neither of both: ``database`` is on the first one, under another port that nobody has backed up."""
    store = DirectoryStore(tmp_path)
    manifests = [_take(each, store).manifest for each in (here, there)]
    for manifest, system in zip(manifests, ("1", "2"), strict=True):
        source = manifest.source.model_copy(update={"system_identifier": system, "host": f"db{system}.example.com"})
        path = tmp_path / manifest.archive.key.replace(".dump", ".manifest.json")
        path.write_bytes(manifest.model_copy(update={"source": source}).to_bytes())
    environment = _environment(database)
    asked = ["restore", "latest", "--database", NAME, "--to", "choice", "--directory", str(tmp_path)]
    refused = dbbackup(*asked, environment=environment)
    assert refused.status == 2
    assert "are of several servers" in refused.err
    port = here.server.port
    assert f"--server db1.example.com:{port}" in refused.err
    assert f"--server db2.example.com:{there.server.port}" in refused.err
    for word in (f"db1.example.com:{port}", "1"):
        try:
            done = dbbackup(*asked, "--server", word, environment=environment)
            assert done.status == 0, done.err
            assert database.server.value("SELECT server FROM whose", "choice") == "here"
        finally:
            database.server.execute("DROP DATABASE IF EXISTS choice WITH (FORCE)")
    missed = dbbackup(*asked, "--server", "nobody", environment=environment)
    assert missed.status == 2
    assert "There is no backup of a server 'nobody'" in missed.err


def test_another_server_s_latest_does_not_replace_what_is_here(here: Database, there: Database, tmp_path: Path) -> None:
    _take(there, DirectoryStore(tmp_path))
    refused = _run("restore", tmp_path, here, "--yes")
    assert refused.status == 2
    assert f"is of localhost:{there.server.port}" in refused.err
    assert f"localhost:{here.server.port}" in refused.err
    assert here.value("SELECT server FROM whose") == "here"
    beside = _run("restore", tmp_path, here, "--to", "beside", "--database", NAME, "--plan")
    assert beside.status == 0, beside.err


def test_a_backup_removes_and_is_compared_with_those_of_its_own_server(
    here: Database, there: Database, tmp_path: Path
) -> None:
    theirs = [lay_down(tmp_path, manifest_of(NAME, Tier.MANUAL, days_old=age, of=there)) for age in (40, 50, 60)]
    ours = [lay_down(tmp_path, manifest_of(NAME, Tier.MANUAL, days_old=age, of=here)) for age in (41, 51)]
    store = DirectoryStore(tmp_path)
    ended = dbbackup("backup", "--json", "--directory", tmp_path, environment=_environment(here))
    assert ended.status == 0, ended.err
    assert ended.document["old_backups_removed"] == 2
    assert all(path.exists() for files in theirs for path in files)
    assert not any(path.exists() for files in ours for path in files)
    manifest = newest_backup(store, NAME, f"localhost:{here.server.port}")
    assert manifest is not None
    assert previous_backup(store, manifest) is None
    other = newest_backup(store, NAME, f"localhost:{there.server.port}")
    assert other is not None
    assert other.source.port == there.server.port


def test_the_list_names_servers_and_can_be_of_one(here: Database, there: Database, tmp_path: Path) -> None:
    for each in (here, there):
        _take(each, DirectoryStore(tmp_path))
    listed = dbbackup("list", "--directory", tmp_path, environment={})
    for each in (here, there):
        assert f"localhost:{each.server.port}" in listed.out
    system = here.value("SELECT system_identifier::text FROM pg_control_system()")
    for word in (f"localhost:{here.server.port}", system):
        (only,) = dbbackup("list", "--json", "--server", word, "--directory", tmp_path, environment={}).document
        assert only["server"] == f"localhost:{here.server.port}"
        assert only["system_identifier"] == system


def test_the_latest_is_that_of_the_newest_data_however_it_was_filed(here: Database, tmp_path: Path) -> None:
    """A backup may be asked for a moment of the past; its name says that, and not when its data were read."""
    store = DirectoryStore(tmp_path)
    _take(here, store)
    here.execute("UPDATE whose SET server = 'later'")
    late = _take(here, store, tier=Tier.DAILY, scheduled_time=datetime.now(UTC) - timedelta(days=3)).manifest
    newest = newest_backup(store, NAME, f"localhost:{here.server.port}")
    assert newest == late
    verified = _run("verify", tmp_path, here, "--json")
    assert verified.document["sha256"] == late.archive.sha256
    (first, _) = dbbackup("list", "--json", "--directory", tmp_path, environment={}).document
    assert first["key"] == late.archive.key
