"""Lambda entry point: the tasks of the state machine that renames."""

from __future__ import annotations

import os
from typing import Any, assert_never

from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup import assembly_pitr
from dbbackup.contract import EnvKey
from dbbackup.contract_notification import Kind, Outcome
from dbbackup.contract_pitr import PitrEnvKey, SwapStep
from dbbackup.core.notification import Failure, Notification
from dbbackup.core.pitr_ports import Topic
from dbbackup.handlers.pitr_environment import PitrEnvironment, read_pitr_environment
from dbbackup.handlers.pitr_task import Task, logged, parse_task
from dbbackup.operations import pitr_end, pitr_swap


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do one task.

    Args:
        event: see :class:`dbbackup.handlers.pitr_task.Task`.
        context: not used; each task takes seconds.

    Returns:
        What the machine keeps.

    Raises:
        DbBackupError: the machine decides by its code whether to repeat or to undo.
    """

    def work() -> dict[str, Any]:
        settings = read_pitr_environment(os.environ)
        return _do(parse_task(Task[SwapStep], event), settings)

    return logged("step of a promotion", event, work)


def _do(task: Task[SwapStep], settings: PitrEnvironment) -> dict[str, Any]:
    order, instances, limit = task.swap_order(), assembly_pitr.instances(), settings.rename_limit_seconds
    topic = assembly_pitr.topic(settings.topic_arn, execution=task.execution_arn)
    match task.step:
        case SwapStep.CHECK:
            machine = settings.need(settings.promotion_machine_arn, PitrEnvKey.PROMOTION_MACHINE_ARN)
            return pitr_swap.check_swap(order, instances=instances, executions=assembly_pitr.executions(machine))
        case SwapStep.SET_PASSWORD:
            secret = settings.need(settings.secret_arn, EnvKey.DB_SECRET_ARN)
            return pitr_swap.give_password(
                order,
                order.incoming_resource,
                instances=instances,
                secret=secret,
                read_credentials=lambda: assembly_pitr.credentials(secret),
            )
        case SwapStep.PASSWORD_STATUS:
            return pitr_swap.check_password(order, order.incoming_resource, instances=instances, limit_seconds=limit)
        case SwapStep.MOVE_ASIDE:
            return pitr_swap.move(order.production_resource, old=order.production, new=order.aside, instances=instances)
        case SwapStep.ASIDE_STATUS:
            return pitr_swap.check_moved(
                order, order.production_resource, new=order.aside, instances=instances, limit_seconds=limit
            )
        case SwapStep.MOVE_IN:
            return pitr_swap.move(
                order.incoming_resource, old=order.incoming, new=order.production, instances=instances
            )
        case SwapStep.IN_STATUS:
            return pitr_swap.check_moved(
                order, order.incoming_resource, new=order.production, instances=instances, limit_seconds=limit
            )
        case SwapStep.MARK:
            return pitr_swap.mark(order, instances=instances)
        case SwapStep.FINISH:
            ended = pitr_swap.finish_swap(order, instances=instances, databases=task.state["logged_in"]["databases"])
            text = (
                f"{order.production} is the instance that was {order.incoming}; the former one is {order.aside}. "
                "A log-in with the secret of now succeeded."
            )
            notification = Notification(
                kind=Kind.PROMOTION,
                outcome=Outcome.SUCCEEDED,
                instance=order.production,
                duration_seconds=order.elapsed_seconds,
                headline=f"{order.action}: {text}",
            )
            told = pitr_end.tell(topic, f"{order.action}: {order.production}", text, notification)
            return {**ended, "notification": told}
        case SwapStep.UNDO:
            # As long again as the way there may have taken.
            return pitr_swap.undo(order, instances=instances, limit_seconds=2 * limit)
        case SwapStep.REPORT_FAILURE:
            return _failed(task, topic)
        case _:
            assert_never(task.step)


def _failed(task: Task[SwapStep], topic: Topic) -> dict[str, Any]:
    reason = pitr_end.reason_of(task.state["failure"])
    undoing = task.state.get("undo_failure")
    outcome = pitr_end.reason_of(undoing)["what"] if undoing else str(task.state["undone"]["did"])
    text = f"{reason['what']} {outcome}"
    notification = Notification(
        kind=Kind.PROMOTION,
        outcome=Outcome.FAILED,
        instance=str(task.state["production"]),
        headline=f"It was a {task.state['action']}.",
        failure=Failure(error=reason["error"], what=reason["what"], untouched=outcome),
    )
    told = pitr_end.tell(topic, f"{task.state['action']} failed: {task.state['production']}", text, notification)
    return {"error": reason["error"], "cause": f"{text} Notification: {told}."}
