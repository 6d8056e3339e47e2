"""Lambda entry point: the tasks of a rehearsal that speak to RDS."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup import assembly_pitr
from dbbackup.contract import EnvKey
from dbbackup.contract_rehearsal import RehearsalEnvKey, RehearsalStep
from dbbackup.core.rehearsal_plan import NOT_AS_PRODUCTION
from dbbackup.handlers.pitr_task import logged
from dbbackup.handlers.rehearsal_environment import read_rehearsal_environment
from dbbackup.handlers.rehearsal_task import RehearsalTask, parse_rehearsal, unknown_step
from dbbackup.operations import rehearsal_instance
from dbbackup.operations.pitr_match import match_settings
from dbbackup.operations.pitr_password import set_password
from dbbackup.operations.pitr_restore import restored_instance


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do one task.

    Args:
        event: see :class:`dbbackup.handlers.rehearsal_task.RehearsalTask`.
        context: not used; each task takes seconds.

    Returns:
        What the machine keeps. Never a secret.

    Raises:
        DbBackupError: the machine decides by its code whether to repeat or to clean up.
    """
    return logged("step of a rehearsal", event, lambda: _do(parse_rehearsal(event)))


def _do(task: RehearsalTask) -> dict[str, Any]:
    settings = read_rehearsal_environment(os.environ)
    order, instances = task.order(settings), assembly_pitr.instances()
    match task.step:
        case RehearsalStep.PLAN:
            machine = settings.need(settings.machine_arn, RehearsalEnvKey.MACHINE_ARN)
            return rehearsal_instance.plan_rehearsal(
                order, instances=instances, executions=assembly_pitr.executions(machine)
            )
        case RehearsalStep.RESTORE:
            return rehearsal_instance.begin(order, instances=instances)
        case RehearsalStep.STATUS:
            return rehearsal_instance.look(order, instances=instances, limit_seconds=settings.time_limit_seconds)
        case RehearsalStep.MATCH_SETTINGS:
            return match_settings(
                order.restore_order(),
                instances=instances,
                before=task.state.get("matched") or {},
                meant=NOT_AS_PRODUCTION,
            )
        case RehearsalStep.SET_PASSWORD:
            secret = settings.need(settings.secret_arn, EnvKey.DB_SECRET_ARN)
            return set_password(
                restored_instance(order.restore_order(), instances),
                instances=instances,
                secret=secret,
                read_credentials=lambda: assembly_pitr.credentials(secret),
            )
        case RehearsalStep.CLEAN_UP:
            return rehearsal_instance.clean_up(order, instances=instances)
        case RehearsalStep.GONE:
            return rehearsal_instance.check_gone(
                order,
                since=datetime.fromisoformat(task.state["cleaned_up"]["since"]),
                instances=instances,
                limit_seconds=settings.removal_limit_seconds,
            )
        case _:
            raise unknown_step(task.step)
