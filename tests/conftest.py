"""Servers that tests share, and databases, buckets and folders that they do not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from devtools.aws import LocalAws, start_aws
from devtools.older_postgres import OLDER, is_made_for_this_machine
from devtools.postgres import PREVIOUS, Server, start_server
from tests.support.buckets import Bucket
from tests.support.databases import AsUser, Database, DatabaseMaker, drop_all
from tests.support.function import Function, deploy
from tests.support.memory_folder import give_back, use_memory
from tests.support.stable_ids import refuse_changing_names

_FOREIGN = (
    "PG",
    "POSTGRES_",
    "AWS_",
    "BACKUP_",
    "DB_",
    "POWERTOOLS_",
    "DBBACKUP_",
    "DATABASE_URL",
    "S3_BACKUP_BUCKET",
    "RETENTION_",
)
_numbers = count(1)

_in_memory: Path | None = None


@pytest.hookimpl(tryfirst=True)  # before pytest chooses its own folder
def pytest_configure() -> None:
    """Keep temporary files in memory; the workers of a run find that this was decided."""
    global _in_memory
    _in_memory = use_memory()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Leave nothing in memory."""
    if _in_memory:
        give_back(_in_memory)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse names that other workers would not find."""
    refuse_changing_names(item.name for item in items)


@pytest.fixture(autouse=True)
def _no_settings_of_the_person_who_runs_us(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """PostgreSQL 18, one for each worker."""
    settings = {"max_connections": "60", "autovacuum": "off", "wal_level": "logical", "max_prepared_transactions": "2"}
    with start_server(settings=settings) as running:
        yield running


@pytest.fixture(scope="session")
def previous_server() -> Iterator[Server]:
    """PostgreSQL 17, with zstd; tests that use it belong to the group ``previous`` so that one is enough."""
    with start_server(PREVIOUS, settings={"autovacuum": "off"}) as running:
        yield running


@pytest.fixture(
    scope="session",
    params=[pytest.param(major, marks=pytest.mark.xdist_group(f"older-{major}")) for major in OLDER],
)
def older_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """PostgreSQL 14, 15 and 16, each started by one worker; the client programs are those of 18."""
    if not is_made_for_this_machine(request.param):
        pytest.skip(f"nobody has packed PostgreSQL {request.param} for this machine")
    with start_server(OLDER[request.param], settings={"autovacuum": "off"}) as running:
        yield running


@pytest.fixture(scope="session")
def as_user() -> AsUser:
    """Who makes and uses the databases of a test: RDS's master, which is no superuser."""
    return lambda server: server.master


@pytest.fixture
def new_database(server: Server, as_user: AsUser) -> Iterator[DatabaseMaker]:
    """Makes databases on the server that end with the test."""
    maker = DatabaseMaker(as_user(server))
    yield maker
    drop_all(maker)


@pytest.fixture
def new_previous_database(previous_server: Server, as_user: AsUser) -> Iterator[DatabaseMaker]:
    """The same on PostgreSQL 17."""
    maker = DatabaseMaker(as_user(previous_server))
    yield maker
    drop_all(maker)


@pytest.fixture
def new_older_database(older_server: Server, as_user: AsUser) -> Iterator[DatabaseMaker]:
    """The same on PostgreSQL 14, 15 and 16."""
    maker = DatabaseMaker(as_user(older_server))
    yield maker
    drop_all(maker)


@pytest.fixture
def database(new_database: DatabaseMaker) -> Database:
    """A database with one small table of three rows."""
    made = new_database()
    made.execute("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1,'a'),(2,'b'),(3,'c')")
    return made


@pytest.fixture(scope="session")
def _template(server: Server) -> str:
    """A database whose dump does not shrink and spans several parts of an upload."""
    maker = DatabaseMaker(server.master)
    made = maker("template of large ones")
    with made.connect() as connection:
        connection.execute("CREATE TABLE noise (id int PRIMARY KEY, body bytea)")
        connection.execute("ALTER TABLE noise ALTER body SET STORAGE EXTERNAL")
        for number in range(24):
            connection.execute("INSERT INTO noise VALUES (%s, %s)", (number, os.urandom(1024 * 1024)))
    return made.name


@pytest.fixture
def large_database(new_database: DatabaseMaker, _template: str) -> Database:
    """A database whose dump is 24 MiB long: three parts of an upload, and far more than any pipe holds."""
    return new_database(template=_template)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """A local AWS, one for each worker."""
    with start_aws() as running:
        yield running


@pytest.fixture
def bucket(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket of its own, with the SDK's environment leading there."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    name = f"backups-{os.getpid()}-{next(_numbers)}"
    return Bucket(name, aws.make_bucket(name), aws)


@pytest.fixture
def function(bucket: Bucket, database: Database, monkeypatch: pytest.MonkeyPatch) -> Function:
    """The backup function of the small database."""
    return deploy(bucket, database, monkeypatch)
