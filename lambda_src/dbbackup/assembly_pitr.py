"""Puts the adapters of point-in-time recovery together for the entry points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from dbbackup.adapters import executions as executions_adapter
from dbbackup.adapters import functions, rds, secrets
from dbbackup.adapters import topic as topic_adapter
from dbbackup.adapters.executions import StepFunctionsExecutions
from dbbackup.adapters.restored_server import PostgresRestoredServer
from dbbackup.core.connection import Connection
from dbbackup.core.pitr_ports import Instances, RestoredServer, Topic


def instances() -> Instances:
    """The instances of this account and region."""
    return rds.RdsInstances(rds.make_client())


def executions(machine_arn: str) -> StepFunctionsExecutions:
    """The runs of one state machine."""
    return StepFunctionsExecutions(executions_adapter.make_client(), machine_arn)


def call_function(name: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a deployed function.

    Raises:
        DbBackupError: it failed, or could not be called.
    """
    return functions.call(functions.make_client(), name, event)


def topic(arn: str, *, execution: str | None) -> Topic:
    """The topic that hears how the execution with that ARN ended."""
    return topic_adapter.SnsTopic(topic_adapter.make_client(), arn, execution=execution)


def credentials(secret: str) -> tuple[str, str]:
    """User and password of now.

    Raises:
        CredentialsError: the secret cannot be read.
    """
    return secrets.read_credentials(secrets.make_client(), secret)


def restored_server(
    *, host: str, port: int, credentials: tuple[str, str], sslmode: str, sslrootcert: str | None
) -> RestoredServer:
    """A restored server, to be looked at over SQL."""
    user, password = credentials
    return PostgresRestoredServer(
        Connection(
            host=host, port=port, user=user, password=SecretStr(password), sslmode=sslmode, sslrootcert=sslrootcert
        )
    )
