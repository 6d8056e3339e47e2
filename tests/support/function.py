"""The Lambda function, invoked as the schedule does it."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup.contract import METRICS_NAMESPACE, SERVICE, EnvKey, Metric
from dbbackup.contract_notification import LOG_FIELD
from dbbackup.handlers.backup import handler
from tests.support.buckets import Bucket
from tests.support.databases import Database

EVENT = {"tier": "daily", "scheduled_time": "2026-01-11T02:00:00Z"}
KEY = "daily/{}_backup_20260111_020000.dump"


class _Context:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


def log_here() -> None:
    """Let the functions log to the standard output of this test, not to that of the first import."""
    for log in logging.getLogger(SERVICE).handlers:
        if isinstance(log, logging.StreamHandler):
            log.stream = sys.stdout


@dataclass(frozen=True)
class Function:
    """A deployed function: its environment is set, its secret exists."""

    bucket: Bucket
    database: Database
    secret: str

    @property
    def key(self) -> str:
        """Where the backup of :data:`EVENT` lies."""
        return KEY.format(self.database.name)

    def invoke(self, event: Any = None, *, seconds: float = 900) -> dict[str, Any]:
        """One invocation with this much time left."""
        log_here()
        return handler(EVENT if event is None else event, cast("LambdaContext", _Context(seconds)))

    def store_secret(self, content: str) -> None:
        """Change what the secret holds."""
        self.bucket.aws.client("secretsmanager").put_secret_value(SecretId=self.secret, SecretString=content)


def deploy(bucket: Bucket, database: Database, monkeypatch: pytest.MonkeyPatch, **changes: str) -> Function:
    """Set everything that the infrastructure sets, for a database without TLS."""
    content = {"username": database.user, "password": database.password}
    secret = bucket.aws.client("secretsmanager").create_secret(
        Name=f"database of {bucket.name}".replace(" ", "-"), SecretString=json.dumps(content)
    )["ARN"]
    environment: dict[str, str] = {
        EnvKey.BUCKET: bucket.name,
        EnvKey.ENVIRONMENT: "test",
        EnvKey.COMPRESSION: "auto",
        EnvKey.COMPRESSION_LEVEL: "1",
        EnvKey.DEADLINE_MARGIN_SECONDS: "60",
        EnvKey.DB_HOST: database.server.host,
        EnvKey.DB_PORT: str(database.server.port),
        EnvKey.DB_NAMES: json.dumps([database.name]),
        EnvKey.DB_INSTANCE: "ftry-test",
        EnvKey.DB_SECRET_ARN: secret,
        EnvKey.DB_SSLMODE: "prefer",
        EnvKey.METRICS_NAMESPACE: METRICS_NAMESPACE,
        EnvKey.SERVICE_NAME: SERVICE,
        "PG_BINDIR": str(database.server.bindir),
    }
    for name, value in {**environment, **changes}.items():
        monkeypatch.setenv(name, value)
    return Function(bucket, database, secret)


def metrics(output: str) -> dict[str, Any]:
    """The last verdict on a run among the metrics documents on standard output."""
    documents = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    verdicts: list[dict[str, Any]] = [document for document in documents if Metric.BACKUP_SUCCESS in document]
    assert verdicts, "no metrics were emitted"
    return verdicts[-1]


def notices(output: str) -> list[dict[str, Any]]:
    """What the log lines on standard output hand to the notifier."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [line[LOG_FIELD] for line in lines if LOG_FIELD in line]


def failures_counted(output: str) -> float:
    """How many failures the last metrics document counts; a success must count as the opposite."""
    document = metrics(output)
    failed = float(document[Metric.BACKUP_FAILURE][0])
    assert document[Metric.BACKUP_SUCCESS] == [1 - failed]
    return failed
