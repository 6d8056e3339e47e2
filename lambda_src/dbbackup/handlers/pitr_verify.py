"""Lambda entry point, inside the VPC: look at an instance over SQL, as an application would reach it."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup import assembly_pitr
from dbbackup.contract import EnvKey
from dbbackup.contract_pitr import VerifyStep
from dbbackup.handlers.pitr_environment import read_pitr_environment
from dbbackup.handlers.pitr_task import Task, logged, parse_task
from dbbackup.operations.pitr_verify import log_in, verify_restored


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Verify the instance that an execution restored, or log in to the one that becomes production.

    Args:
        event: a task with a step of :class:`VerifyStep`; its state holds the host and port that the status step found.
        context: not used; the database's own statement time-out ends slow queries.

    Returns:
        Checks, tables, newest row; or what was logged in to. Never a secret.

    Raises:
        DbBackupError: the instance cannot be reached or did not pass.
    """

    def work() -> dict[str, Any]:
        settings = read_pitr_environment(os.environ)
        task = parse_task(Task[VerifyStep], event)
        status = task.state["status"]
        server = assembly_pitr.restored_server(
            host=status["host"],
            port=status["port"],
            credentials=assembly_pitr.credentials(settings.need(settings.secret_arn, EnvKey.DB_SECRET_ARN)),
            sslmode=settings.sslmode,
            sslrootcert=settings.sslrootcert,
        )
        if task.step is VerifyStep.LOG_IN:
            return {**log_in(server, host=status["host"], databases=settings.names), "at": task.now.isoformat()}
        order = task.restore_order()
        return verify_restored(
            server,
            target=order.target,
            databases=settings.names,
            watched=[each.as_port() for each in settings.verify_tables],
            restore_time=order.restore_time,
            latest=order.latest,
        )

    return logged("verification of an instance", event, work)
