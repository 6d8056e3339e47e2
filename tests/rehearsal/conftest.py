"""The synthesized rehearsal stack, with moto behind it and a real PostgreSQL for the temporary instance."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.s3.models import s3_backends

from dbbackup.adapters.s3_store import S3Store
from dbbackup.contract import EnvKey, Tier
from dbbackup.contract_rehearsal import RehearsalEnvKey
from dbbackup.operations.evidence import Chain, read_chain
from devtools.local_rehearsal import LocalRehearsal, RehearsalSystem, read_rehearsal_system
from tests.infrastructure.synthesis import settings_of, synthesize
from tests.pitr.conftest import FAKE_CREDENTIALS, Stdout, log_to
from tests.support.backups import take
from tests.support.databases import Database, DatabaseMaker
from tests.support.rds_world import (
    ACCOUNT,
    PROD,
    REGION,
    RdsWorld,
    Surroundings,
    forget_everything_else,
    make_production,
    make_surroundings,
    stand_between,
    write_secret,
)

HERE = Path(__file__).resolve().parent
BUCKET = "backups"
PRODUCTION_HOST = f"{PROD}.abcdefghijkl.us-east-1.rds.amazonaws.com"
CHECKS = [{"database": "ftry", "name": "orders", "statement": "SELECT count(*) FROM orders"}]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run everything here in one worker, so that the stack is synthesized once."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("rehearsal"))


@pytest.fixture(scope="session")
def system() -> RehearsalSystem:
    """The rehearsal stack of prod, with one watched table and one question."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "CDK_DEFAULT_"))]:
            patch.delenv(name)
        watched = [{"database": "ftry", "table": "public.orders", "timestamp_column": "created_at"}]
        synthesized = synthesize(settings_of("prod", restore__verify_tables=watched, rehearsal__checks=CHECKS))
        return read_rehearsal_system(synthesized.folder)


@dataclass
class Rehearsing:
    """Everything that a test looks at."""

    local: LocalRehearsal
    world: RdsWorld
    database: Database
    bucket: Any
    password: str
    archive: str

    @property
    def store(self) -> S3Store:
        """The bucket, as operations take it."""
        return S3Store(self.bucket, BUCKET)

    def chain(self) -> Chain:
        """All evidence, verified."""
        return read_chain(self.store)

    def temporary(self) -> set[str]:
        """Instances besides production."""
        return set(self.world.databases) - {PROD}

    def databases(self) -> set[str]:
        """What is on the server."""
        with self.database.server.connect() as connection:
            return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


@pytest.fixture(scope="module")
def cloud(system: RehearsalSystem) -> Iterator[tuple[LocalRehearsal, Surroundings]]:
    """The stack, deployed to a local AWS in this process."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_REGION", REGION)
        around = make_surroundings()
        local = LocalRehearsal(
            system,
            lambda service: boto3.client(service),  # type: ignore[call-overload]
            {
                EnvKey.BUCKET.value: BUCKET,
                EnvKey.DB_HOST.value: PRODUCTION_HOST,
                EnvKey.DB_SECRET_ARN.value: around.secret,
                EnvKey.DB_SSLMODE.value: "prefer",
                RehearsalEnvKey.TOPIC_ARN.value: around.topic,
            },
        )
        local.deploy()
        yield local, around


@pytest.fixture
def rehearsing(
    cloud: tuple[LocalRehearsal, Surroundings], new_database: DatabaseMaker, monkeypatch: pytest.MonkeyPatch
) -> Rehearsing:
    """The stack with production, one verified backup in the bucket, and nothing else."""
    deployed, around = cloud
    database = new_database("ftry")
    database.execute(
        "CREATE TABLE orders (id int PRIMARY KEY, created_at timestamptz NOT NULL); "
        "INSERT INTO orders SELECT n, now() - interval '3 hours' FROM generate_series(1, 5) n"
    )
    log_to(Stdout())
    for name, value in (("AWS_DEFAULT_REGION", REGION), ("AWS_REGION", REGION), *FAKE_CREDENTIALS):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PG_BINDIR", str(database.server.bindir))
    forget_everything_else()
    s3_backends[ACCOUNT]["aws"].buckets.clear()
    s3_backends.bucket_accounts.clear()
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    due = datetime.now(UTC) - timedelta(hours=2)
    made = take(database, S3Store(s3, BUCKET), tier=Tier.DAILY, instance=PROD, scheduled_time=due).manifest
    # libpq's own way to reach a host name at another address: the endpoint's name leads to the local server.
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    world = stand_between(monkeypatch)
    make_production(port=database.server.port, group=around.security_group)
    write_secret(around.secret, database.server.password)
    world.calls.clear()
    return Rehearsing(replace(deployed), world, database, s3, database.server.password, made.archive.key)
