"""Lambda entry point of the Slack notifier."""

from __future__ import annotations

import os
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup import assembly_notify
from dbbackup.contract import SERVICE
from dbbackup.core.cloudwatch_alarm import Alarm
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import DbBackupError
from dbbackup.core.incoming import Incoming
from dbbackup.core.work_message import Around
from dbbackup.handlers.notify_environment import NotifyEnvironment, read_notify_environment
from dbbackup.handlers.notify_event import KEPT, parse_notify_event
from dbbackup.handlers.notify_signals import alert_delivered
from dbbackup.operations.notify import Policy, Told, notify, settle

MARGIN_SECONDS: Final = 20
"""Before the function's time-out, so that what was not delivered is still handed on, and said."""
_LOG = Logger(service=SERVICE, use_rfc3339=True, utc=True)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Tell people what a topic or a log has to say.

    Args:
        event: see :mod:`dbbackup.handlers.notify_event`.
        context: Lambda's context; its remaining time bounds the work.

    Returns:
        How many messages were sent, how many there was no need to send, and how many are sent later.

    Raises:
        DbBackupError: the only message of the event was not taken, or none could be tried. Lambda repeats the event
            for minutes, then its queue does for a day, and an alarm goes to the topic.
    """
    try:
        settings = read_notify_environment(os.environ)
        told = _tell(settings, event, context)
        settle(told, assembly_notify.later_queue(settings.queue_url, field=KEPT))
    except DbBackupError as error:
        _LOG.error("not told", extra=error.as_dict())
        raise
    except BaseException:
        _LOG.exception("not told, unexpectedly")
        raise
    answer = {
        "sent": told.sent,
        "left_out": told.left_out,
        "later": len(told.undelivered),
        "doubts": told.doubts,
    }
    if told.problem:
        _LOG.error("told in part, the rest comes later", extra={**answer, "what": told.problem})
    else:
        _LOG.info("told", extra=answer)
    return answer


def _tell(settings: NotifyEnvironment, event: object, context: LambdaContext) -> Told:
    arrivals = parse_notify_event(event)
    if not arrivals:
        return Told()

    def delivered(item: Incoming) -> None:
        if isinstance(item, Alarm) and item.rehearsed_alert is not None:
            alert_delivered(settings.environment, item.rehearsed_alert)

    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS)
    around = Around(
        region=settings.region,
        environment=settings.environment,
        runbooks=settings.runbook_base_url,
        contacts=tuple(contact.as_contact() for contact in settings.contacts),
    )
    return notify(
        arrivals,
        Policy(settings.successes, around),
        messenger=assembly_notify.messenger(settings.secret_arn, deadline),
        history=assembly_notify.history(settings.environment),
        delivered=delivered,
        deadline=deadline,
    )
