"""Lambda entry point: the tasks of the state machine that restores, but for the one inside the VPC."""

from __future__ import annotations

import os
from typing import Any, assert_never

from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup import assembly_pitr
from dbbackup.contract import EnvKey
from dbbackup.contract_pitr import PitrStep
from dbbackup.handlers import pitr_signals
from dbbackup.handlers.pitr_environment import PitrEnvironment, read_pitr_environment
from dbbackup.handlers.pitr_task import Task, logged, parse_task
from dbbackup.operations import pitr_end, pitr_restore
from dbbackup.operations.pitr_match import match_settings
from dbbackup.operations.pitr_password import set_password


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do one task.

    Args:
        event: see :class:`dbbackup.handlers.pitr_task.Task`.
        context: not used; each task takes seconds.

    Returns:
        What the machine keeps. Never a secret: the machine's state can be read by whoever may look at executions.

    Raises:
        DbBackupError: the machine decides by its code whether to repeat or to clean up.
    """

    def work() -> dict[str, Any]:
        settings = read_pitr_environment(os.environ)
        return _do(parse_task(Task[PitrStep], event), settings)

    return logged("step of a restore", event, work)


def _do(task: Task[PitrStep], settings: PitrEnvironment) -> dict[str, Any]:
    order, instances = task.restore_order(), assembly_pitr.instances()
    match task.step:
        case PitrStep.RESTORE:
            return pitr_restore.begin_restore(order, instances=instances)
        case PitrStep.STATUS:
            return pitr_restore.check_status(order, instances=instances, limit_seconds=settings.time_limit_seconds)
        case PitrStep.MATCH_SETTINGS:
            return match_settings(order, instances=instances, before=task.state.get("matched") or {})
        case PitrStep.SET_PASSWORD:
            secret = settings.need(settings.secret_arn, EnvKey.DB_SECRET_ARN)
            return set_password(
                pitr_restore.restored_instance(order, instances),
                instances=instances,
                secret=secret,
                read_credentials=lambda: assembly_pitr.credentials(secret),
            )
        case PitrStep.SEAL:
            return pitr_restore.seal(order, instances=instances)
        case PitrStep.PROTECT:
            return pitr_restore.protect(order, instances=instances)
        case PitrStep.REPORT:
            document = pitr_end.report(
                order,
                instances=instances,
                topic=assembly_pitr.topic(settings.topic_arn, execution=task.execution_arn),
                state=task.state,
                objective_seconds=settings.objective_seconds,
            )
            pitr_signals.recovered(
                settings.environment,
                settings.source,
                document["recovery_time_seconds"],
                point_age_seconds=document["recovery_point_age_seconds"] if order.latest else None,
                differences=len(document["differences"]),
            )
            return document
        case PitrStep.CLEAN_UP:
            ended = pitr_end.clean_up(
                order,
                failure=task.state["failure"],
                served=bool({"matched", "unmatched"} & set(task.state) or (task.state.get("status") or {}).get("done")),
                instances=instances,
                topic=assembly_pitr.topic(settings.topic_arn, execution=task.execution_arn),
                keep=settings.keep_failed,
            )
            pitr_signals.not_recovered(settings.environment, settings.source)
            return dict(ended)
        case _:
            assert_never(task.step)
