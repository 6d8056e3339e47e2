"""The synthesized restore stack, with moto behind it and a real PostgreSQL for the verification."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dbbackup.contract import SERVICE, EnvKey
from dbbackup.contract_pitr import PitrEnvKey
from dbbackup.handlers import pitr_task
from devtools.local_pitr import LocalRecovery, RecoverySystem, read_recovery_system
from tests.infrastructure.synthesis import settings_of, synthesize
from tests.support.databases import Database, DatabaseMaker
from tests.support.rds_world import (
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
# Every test starts without AWS variables; these lead nowhere.
FAKE_CREDENTIALS = (("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local"))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run everything here in one worker, so that the stack is synthesized once."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("pitr"))


@pytest.fixture(scope="session")
def system() -> RecoverySystem:
    """The restore stack of prod, with one watched table."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "CDK_DEFAULT_"))]:
            patch.delenv(name)
        watched = [{"database": "ftry", "table": "public.orders", "timestamp_column": "created_at"}]
        synthesized = synthesize(settings_of("prod", restore__verify_tables=watched))
        return read_recovery_system(synthesized.folder)


class Stdout:
    """Standard output as it is at the moment of writing: pytest changes it between phases."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def log_to(stream: Any) -> None:
    """Send what handlers log somewhere."""
    assert pitr_task, "the logger is made when this is imported"
    for log in logging.getLogger(SERVICE).handlers:
        if isinstance(log, logging.StreamHandler):
            log.stream = stream


@dataclass
class Recovery:
    """Everything that a test looks at."""

    local: LocalRecovery
    world: RdsWorld
    database: Database
    password: str


@pytest.fixture
def restored_data(new_database: DatabaseMaker) -> Database:
    """What the restored instance holds: one table, with a row of an hour ago."""
    made = new_database("ftry")
    made.execute(
        "CREATE TABLE orders (id int PRIMARY KEY, created_at timestamptz NOT NULL); "
        "INSERT INTO orders VALUES (1, now() - interval '3 hours')"
    )
    return made


@pytest.fixture(scope="module")
def cloud(system: RecoverySystem) -> Iterator[tuple[LocalRecovery, Surroundings]]:
    """The stack, deployed to a local AWS in this process."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_REGION", REGION)
        around = make_surroundings()
        local = LocalRecovery(
            system,
            lambda service: boto3.client(service),  # type: ignore[call-overload]
            {
                EnvKey.DB_SECRET_ARN.value: around.secret,
                EnvKey.DB_SSLMODE.value: "prefer",
                PitrEnvKey.TOPIC_ARN.value: around.topic,
            },
        )
        local.deploy()
        yield local, around


@pytest.fixture
def recovery(
    cloud: tuple[LocalRecovery, Surroundings], restored_data: Database, monkeypatch: pytest.MonkeyPatch
) -> Recovery:
    """The stack with production, and nothing else."""
    deployed, around = cloud
    log_to(Stdout())
    for name, value in (("AWS_DEFAULT_REGION", REGION), ("AWS_REGION", REGION), *FAKE_CREDENTIALS):
        monkeypatch.setenv(name, value)
    # libpq's own way to reach a host name at another address: the endpoint's name leads to the local server.
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    forget_everything_else()
    world = stand_between(monkeypatch)
    make_production(port=restored_data.server.port, group=around.security_group)
    password = restored_data.server.password
    write_secret(around.secret, password)
    world.calls.clear()
    return Recovery(replace(deployed, arns=deployed.arns), world, restored_data, password)
